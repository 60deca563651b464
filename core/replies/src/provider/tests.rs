use super::*;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn found(mx_hosts: &[&str], recipient_domain: &str) -> String {
    let hosts: Vec<Domain> = mx_hosts.iter().map(|host| domain(host)).collect();
    Providers::built_in().find(&hosts, &domain(recipient_domain)).to_string()
}

#[test]
fn brands_behind_the_same_hosts_are_one_provider() {
    assert_eq!(found(&["mx-ha02.web.de", "mx-ha03.web.de"], "web.de"), "united-internet");
    assert_eq!(found(&["mx00.emig.gmx.net", "mx01.emig.gmx.net"], "gmx.de"), "united-internet");
    assert_eq!(found(&["mx00.mail.com"], "mail.com"), "united-internet");
}

#[test]
fn the_hosts_say_more_than_the_domain() {
    assert_eq!(found(&["aspmx.l.google.com"], "company.example"), "google");
    assert_eq!(found(&["mta7.am0.yahoodns.net"], "sky.com"), "yahoo");
    assert_eq!(
        found(&["outlook-com.olc.protection.outlook.com"], "hotmail.com"),
        "microsoft-consumer"
    );
    assert_eq!(
        found(&["company-example.mail.protection.outlook.com"], "company.example"),
        "microsoft-365"
    );
    assert_eq!(found(&["company-example.r-v1.mx.microsoft"], "company.example"), "microsoft-365");
    assert_eq!(found(&["aspmx.l.google.com"], "hotmail.com"), "google");
}

#[test]
fn only_the_best_host_counts() {
    assert_eq!(
        found(&["mail.company.example", "aspmx.l.google.com"], "company.example"),
        "company.example"
    );
}

#[test]
fn the_domain_speaks_where_the_hosts_do_not() {
    assert_eq!(found(&[], "gmail.com"), "google");
    assert_eq!(found(&["filter.company.example"], "gmail.com"), "google");
    assert_eq!(found(&[], "mail.company.co.uk"), "company.co.uk");
}

#[test]
fn a_suffix_ends_at_a_label() {
    assert_eq!(found(&["mx.notgmx.net"], "customer.example"), "notgmx.net");
    assert_eq!(found(&["gmx.net.company.example"], "customer.example"), "company.example");
}

#[test]
fn an_unknown_provider_is_named_by_who_runs_the_host() {
    assert_eq!(found(&["mx1.hoster.co.jp"], "customer.example"), "hoster.co.jp");
    assert_eq!(found(&["mx1.b.hoster.test"], "customer.example"), "hoster.test");
    assert_eq!(found(&["localhost"], "customer.example"), "localhost");
    assert_eq!(found(&["co.uk"], "customer.example"), "co.uk");
}

#[test]
fn an_address_without_a_name_is_a_provider_of_its_own() {
    let providers = Providers::built_in();
    assert_eq!(providers.find_address("192.0.2.1".parse().unwrap()).as_str(), "[192.0.2.1]");
    assert_eq!(
        providers.find_address("2001:db8::1".parse().unwrap()).as_str(),
        "[IPv6:2001:db8::1]"
    );
}

#[test]
fn the_table_we_ship_can_be_read_and_names_each_provider_once() {
    let providers = Providers::built_in();
    assert!(providers.known().len() >= 12);
    assert!(providers.known().iter().all(|provider| !provider.name.is_empty()));
}

fn refused(text: &str) -> String {
    Providers::parse(text).unwrap_err().to_string()
}

fn entry(id: &str, domains: &str, source: &str) -> String {
    format!(
        "[[provider]]\nid = \"{id}\"\nname = \"N\"\ndomains = [{domains}]\nsource = \"{source}\"\nseen = \"2026-11-20\"\n"
    )
}

#[test]
fn a_table_that_cannot_be_used_says_why_and_what_to_do() {
    let a = entry("a", "\"a.example\"", "page");
    assert!(refused(&(a.clone() + &a)).contains("\"a\" is taken"));
    assert!(
        refused(&(a + &entry("b", "\"A.example.\"", "page"))).contains("belongs to \"a\" already")
    );
    assert!(refused(&entry("c", "\"not a name\"", "page")).contains("is no domain name"));
    assert!(refused(&entry("Big", "", "page")).contains("other characters"));
    assert!(refused(&entry("d", "", "")).contains("say in source and seen"));
    assert!(refused("[[provider]]\nid = \"e\"\nlimit = 3").contains("[[provider]]"));
}
