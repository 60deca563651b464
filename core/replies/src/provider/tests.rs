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

#[test]
fn every_id_brand_and_alias_leads_to_one_provider() {
    let providers = Providers::built_in();
    for provider in providers.known() {
        for name in provider.names() {
            for spelling in [name.to_owned(), name.to_uppercase(), name.replace(['-', ' '], "_")] {
                assert_eq!(providers.resolve(&spelling), Some(provider.id.clone()), "{spelling}");
            }
        }
        for domain in &provider.domains {
            assert_eq!(providers.at(&self::domain(domain)).unwrap().id, provider.id, "{domain}");
        }
        for suffix in &provider.mx_suffixes {
            let host = domain(&format!("mx1{suffix}"));
            assert_eq!(providers.at(&host).unwrap().id, provider.id, "{suffix}");
            let bare = domain(suffix.trim_start_matches('.'));
            assert_eq!(providers.at(&bare).unwrap().id, provider.id, "{suffix}");
        }
    }
}

#[test]
fn people_find_a_provider_by_the_name_they_use() {
    let providers = Providers::built_in();
    for (name, id) in [
        ("web.de", "united-internet"),
        ("WEB.DE", "united-internet"),
        ("GMX", "united-internet"),
        ("1&1", "united-internet"),
        ("IONOS", "united-internet"),
        ("Gmail", "google"),
        ("google", "google"),
        ("AOL", "yahoo"),
        ("Sky", "yahoo"),
        ("Outlook.com", "microsoft-consumer"),
        ("outlook", "microsoft-consumer"),
        ("Hotmail", "microsoft-consumer"),
        ("Exchange Online", "microsoft-365"),
        ("Office 365", "microsoft-365"),
        ("microsoft", "microsoft-365"),
        ("Xfinity", "comcast"),
        ("LaPoste", "la-poste"),
        ("la poste", "la-poste"),
        ("Free.fr", "free-fr"),
        ("Symantec/Broadcom", "symantec"),
        ("MessageLabs", "symantec"),
        ("Email Security.cloud", "symantec"),
        ("IronPort", "cisco"),
        ("docomo", "ntt-docomo"),
        ("au/KDDI", "au"),
        ("163", "netease"),
        ("126", "netease"),
        ("Tencent", "qq"),
        ("Titan Email", "titan"),
        ("Hostinger", "titan"),
        ("mail.ru", "mail-ru"),
        ("Rambler", "rambler"),
        ("Vodafone Japan", "softbank"),
        ("hotmail.fr", "microsoft-consumer"),
    ] {
        assert_eq!(providers.resolve(name).unwrap().as_str(), id, "{name}");
    }
    for nobody in ["", ".", "nobody", "example.com"] {
        assert_eq!(providers.resolve(nobody), None, "{nobody}");
    }
}

#[test]
fn a_slip_of_the_finger_gets_the_name_that_was_meant() {
    let providers = Providers::built_in();
    assert_eq!(providers.suggest("gmial"), Some("gmail"));
    assert_eq!(providers.suggest("untied-internet"), Some("united-internet"));
    assert_eq!(providers.suggest("Mimcast"), Some("mimecast"));
    assert_eq!(providers.suggest("zzzzzzzz"), None);
    assert_eq!(providers.suggest(""), None);
    assert_eq!(providers.suggest(&"g".repeat(1 << 16)), None);
}

#[test]
fn hosts_as_logs_shorten_them_are_found() {
    let providers = Providers::built_in();
    let at = |host: &str| providers.at(&domain(host)).map(|provider| provider.id.to_string());
    assert_eq!(at("qq.com").as_deref(), Some("qq"));
    assert_eq!(at("mail.protection.outlook.com").as_deref(), Some("microsoft-365"));
    assert_eq!(at("olc.protection.outlook.com").as_deref(), Some("microsoft-consumer"));
    assert_eq!(at("outlook.com").as_deref(), Some("microsoft-consumer"));
    assert_eq!(at("mx00.kundenserver.de").as_deref(), Some("united-internet"));
    assert_eq!(at("mx00.ionos.com").as_deref(), Some("united-internet"));
    assert_eq!(at("mx.company.example"), None);
}

#[test]
fn what_was_written_from_memory_is_marked_so() {
    let providers = Providers::built_in();
    let one = |id: &str| providers.named(id).unwrap();
    assert_eq!(one("google").standing, Standing::Read);
    assert!(one("google").mx_unverified.is_empty());
    assert_eq!(one("united-internet").standing, Standing::Read);
    assert!(one("united-internet").mx_unverified.contains(&".kundenserver.de".into()));
    assert_eq!(one("cox").standing, Standing::Unverified);
    assert_eq!(one("cox").mx_unverified, one("cox").mx_suffixes);
}

/// Id, name and group of every provider and brand whose replies were gathered for the rules.
const GATHERED: &[(&str, &str, &str)] = &[
    ("gmx", "GMX", "united-internet"),
    ("web-de", "web.de", "united-internet"),
    ("mail-com", "mail.com", "united-internet"),
    ("ionos", "IONOS / 1&1", "united-internet"),
    ("t-online", "T-Online", "t-online"),
    ("freenet", "freenet", "freenet"),
    ("gmail", "Gmail / Google Workspace", "google"),
    ("microsoft-consumer", "Microsoft consumer (Outlook.com)", "microsoft-consumer"),
    ("microsoft-365", "Microsoft 365 / Exchange Online", "microsoft-365"),
    ("yahoo", "Yahoo / AOL", "yahoo"),
    ("yahoo-japan", "Yahoo Japan", "yahoo-japan"),
    ("icloud", "iCloud", "icloud"),
    ("comcast", "Comcast / Xfinity", "comcast"),
    ("cox", "Cox", "cox"),
    ("spectrum", "Spectrum / Charter / RR", "spectrum"),
    ("at-t", "AT&T", "at-t"),
    ("orange", "Orange (FR)", "orange"),
    ("la-poste", "La Poste", "la-poste"),
    ("sfr", "SFR", "sfr"),
    ("free-fr", "Free.fr", "free-fr"),
    ("libero", "Libero / Italiaonline", "libero"),
    ("alice", "Alice / TIM", "alice"),
    ("tiscali", "Tiscali", "tiscali"),
    ("aruba", "Aruba", "aruba"),
    ("seznam", "Seznam", "seznam"),
    ("forpsi", "Forpsi / Aruba CZ", "forpsi"),
    ("wp", "WP / o2 (PL)", "wp"),
    ("interia", "Interia (PL)", "interia"),
    ("onet", "Onet (PL)", "onet"),
    ("mail-ru", "Mail.ru", "mail-ru"),
    ("yandex", "Yandex", "yandex"),
    ("qq", "QQ / Tencent", "qq"),
    ("netease", "NetEase", "netease"),
    ("sina", "Sina", "sina"),
    ("aliyun", "Aliyun / HiChina", "aliyun"),
    ("naver", "Naver", "naver"),
    ("ntt-docomo", "NTT docomo", "ntt-docomo"),
    ("au", "au / KDDI", "au"),
    ("softbank", "SoftBank", "softbank"),
    ("rakuten", "Rakuten", "rakuten"),
    ("ocn", "OCN", "ocn"),
    ("kpn", "KPN", "kpn"),
    ("ziggo", "Ziggo", "ziggo"),
    ("telenet", "Telenet", "telenet"),
    ("bt", "BT", "bt"),
    ("virgin-media", "Virgin Media", "virgin-media"),
    ("sky", "Sky", "yahoo"),
    ("tdc", "TDC (DK)", "tdc"),
    ("uol", "UOL (BR)", "uol"),
    ("terra", "Terra", "terra"),
    ("telstra", "Telstra / BigPond", "telstra"),
    ("optus", "Optus", "optus"),
    ("netvigator", "Netvigator", "netvigator"),
    ("godaddy", "GoDaddy / secureserver", "godaddy"),
    ("rackspace", "Rackspace", "rackspace"),
    ("zoho", "Zoho", "zoho"),
    ("fastmail", "Fastmail", "fastmail"),
    ("proton", "Proton", "proton"),
    ("titan", "Titan (Hostinger/GoDaddy resale)", "titan"),
    ("ovh", "OVH", "ovh"),
    ("mimecast", "Mimecast", "mimecast"),
    ("proofpoint", "Proofpoint (PPS / Essentials)", "proofpoint"),
    ("barracuda", "Barracuda", "barracuda"),
    ("cisco", "Cisco (IronPort / CES)", "cisco"),
    ("symantec", "Symantec / Broadcom Email Security.cloud", "symantec"),
    ("trend-micro", "Trend Micro", "trend-micro"),
    ("hornetsecurity", "Hornetsecurity", "hornetsecurity"),
    ("sophos", "Sophos", "sophos"),
    ("virusfree-cz", "virusfree.cz", "virusfree-cz"),
];

#[test]
fn every_provider_whose_replies_were_gathered_is_known_by_id_and_name() {
    let providers = Providers::built_in();
    assert_eq!(GATHERED.len(), 69);
    for (id, name, group) in GATHERED {
        assert!(providers.known().iter().any(|known| known.id.as_str() == *group), "{group}");
        for written in [id, name, group] {
            assert_eq!(providers.resolve(written).unwrap().as_str(), *group, "{written}");
        }
    }
}

#[test]
fn a_name_of_two_providers_is_refused() {
    let twice = "[[provider]]\nid = \"a\"\nname = \"One\"\nbrands = [{ id = \"b-c\", name = \"B\" }]\nsource = \"s\"\nseen = \"2026\"\n\
                 [[provider]]\nid = \"d\"\nname = \"Two\"\naliases = [\"B.C\"]\nsource = \"s\"\nseen = \"2026\"\n";
    assert!(refused(twice).contains("\"B.C\" belongs to \"a\" already"));
    assert!(refused(&twice.replace("B.C", "&")).contains("no name"));
}
