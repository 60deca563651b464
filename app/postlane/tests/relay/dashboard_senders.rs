//! Domains, lists and what providers ask for, as people see them in the dashboard: with a real name
//! server, for each role and tenant, with hostile texts, and with nothing to show.

use std::net::SocketAddr;

use crate::dashboard::{Browser, add};
use crate::knot::{Knot, Zone};
use crate::relay::{Home, Relay};

const POLICY: &str = "_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"\n";

const RECORDS: &str = "@ MX 10 mail\nmail A 192.0.2.25\n\
    @ TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n\
    _smtp._tls TXT \"v=TLSRPTv1; rua=mailto:<script>alert(1)</script>@example.com\"\n";

fn zone<'a>(name: &'a str, records: &'a str) -> Zone<'a> {
    Zone { name, records: Some(records), signed: false }
}

/// A name server for the senders' domains; other records are put behind those that stay.
fn knot(more: &str) -> Knot {
    let example = format!("{RECORDS}{more}");
    let acme = "bounce TXT \"v=spf1 -all\"\nbounce MX 10 mail\nmail A 192.0.2.26\n";
    Knot::start(&[zone("example.com", &example), zone("acme-mail.com", acme), zone("com", "")])
}

fn start(home: Home, resolver: SocketAddr, more: &str, now: &str) -> Relay {
    let config = format!(
        "[delivery]\nresolvers = [\"{resolver}\"]\n[relay]\nhostname = \"localhost\"\n\
         [[tenant]]\nname = \"acme\"\nbounce_address = \"b@bounce.acme-mail.com\"\n\
         [[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n{more}"
    );
    let file = home.write("postlane.toml", &config);
    home.start(&["--config", &file, "--now", now])
}

const WATCHED: &str = "[watch]\nblocklists = \"off\"\ndomains = [\"example.com\"]\n";

#[test]
fn a_domain_says_what_is_wrong_with_it_what_to_publish_and_what_has_changed() {
    let first = knot(POLICY);
    let relay = start(Home::new(), first.address(), WATCHED, "2026-11-01T00:00:00Z");
    add(&relay, "olaf", &["--role", "operator"]);
    let mut browser = Browser::signed_in(&relay, "olaf");
    let list = browser.look("/domains").body;
    assert!(list.contains("not looked at yet"), "before the first look there is a row: {list}");
    let token = browser.look("/domains/example.com").form_token();
    let looked = browser.send("/domains/example.com/look", &format!("form_token={token}"));
    assert_eq!((looked.status, looked.field("location").as_str()), (303, "/domains/example.com"));
    let page = browser.look("/domains/example.com").body;
    assert!(page.contains("v=DMARC1; p=reject"), "{page}");
    // What somebody else wrote is text.
    assert!(page.contains("alert(1)") && !page.contains("<script>alert"), "{page}");

    let home = relay.crash();
    let second = knot("");
    let relay = start(home, second.address(), WATCHED, "2026-11-01T02:00:00Z");
    let mut browser = Browser::signed_in(&relay, "olaf");
    let look = |browser: &mut Browser<'_>| {
        let token = browser.look("/domains/example.com").form_token();
        browser.send("/domains/example.com/look", &format!("form_token={token}"))
    };
    look(&mut browser);
    look(&mut browser);
    let page = browser.look("/domains/example.com").body;
    assert!(page.contains("<del>") && page.contains("1 Nov 2026 02:00:"), "{page}");
    let record = "_dmarc.example.com. TXT &#34;v=DMARC1; p=none; rua=mailto:dmarc@example.com&#34;";
    assert!(page.contains(&format!("data-copy=\"{record}\"")), "{page}");
    assert!(page.contains("nobody stands up for the name in From"), "{page}");
    let list = browser.look("/domains?show=open").body;
    assert!(list.contains("DMARC removed") && list.contains("/domains/example.com"), "{list}");
    let then = browser.look("/domains/example.com?at=2026-11-01T01:00:00Z").body;
    assert!(then.contains("What it published, 2026-11-01T01:00:00Z"), "{then}");
    assert_eq!(browser.look("/domains/example.com?at=then").status, 400);
}

#[test]
fn whoever_may_not_looks_at_no_domain_anew_and_a_tenant_sees_its_own() {
    let server = knot(POLICY);
    let relay = start(Home::new(), server.address(), WATCHED, "2026-11-01T00:00:00Z");
    add(&relay, "vera", &[]);
    add(&relay, "tina", &["--role", "operator", "--tenant", "acme"]);
    for (name, domain) in [("vera", "example.com"), ("tina", "bounce.acme-mail.com")] {
        let mut browser = Browser::signed_in(&relay, name);
        let page = browser.look(&format!("/domains/{domain}"));
        assert_eq!(page.status, 200, "{name}");
        assert!(!page.body.contains("Look now"), "{name} may not: {}", page.body);
        let form = format!("form_token={}", page.form_token());
        assert_eq!(browser.send(&format!("/domains/{domain}/look"), &form).status, 403, "{name}");
    }
    let mut tina = Browser::signed_in(&relay, "tina");
    let list = tina.look("/domains").body;
    assert!(list.contains("bounce.acme-mail.com") && !list.contains("example.com"), "{list}");
    assert_eq!(tina.look("/domains/example.com").status, 404);
    let mut vera = Browser::signed_in(&relay, "vera");
    assert_eq!(vera.send("/domains/example.com/look", "").status, 403, "a form carries its token");
}

#[test]
fn any_domain_is_checked_with_the_gates_first_and_what_is_wrong_says_why() {
    let server = knot("");
    let relay = start(Home::new(), server.address(), WATCHED, "2026-11-01T00:00:00Z");
    add(&relay, "vera", &[]);
    let mut browser = Browser::signed_in(&relay, "vera");
    let page = browser.look("/domains/check?name=example.com&ips=192.0.2.7&show=fail");
    assert_eq!(page.status, 200, "{}", page.body);
    let place = |text: &str| {
        page.body.find(text).unwrap_or_else(|| panic!("{text} is not in {}", page.body))
    };
    assert!(place("What providers would say") < place("Score"), "gates come first");
    assert!(place("Score") < place("id=\"DMARC-01\""));
    assert!(page.body.contains("value=\"fail\" checked"), "{}", page.body);
    assert!(page.body.contains("postlane check domain example.com --ip 192.0.2.7"));
    let wrong = browser.look("/domains/check?name=a..b%3Cscript%3E");
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("that is no domain") && !wrong.body.contains("<script>x"));
    assert_eq!(browser.look("/domains/check").status, 200);
    // Who is signed in nowhere is shown the way.
    let nobody = Browser::new(&relay).look("/domains/check?name=example.com");
    assert!(nobody.field("location").starts_with("/sign-in"), "{}", nobody.head);
}

#[test]
fn where_nothing_is_watched_the_page_says_how() {
    let server = knot("");
    let more = "[watch]\nrecords = false\n";
    let config = format!("[relay]\nhostname = \"localhost\"\n{more}");
    let home = Home::new();
    let file = home.write("postlane.toml", &config);
    let resolver = server.address().to_string();
    let relay = home.start(&["--config", &file, "--resolver", &resolver]);
    add(&relay, "vera", &[]);
    let mut browser = Browser::signed_in(&relay, "vera");
    let page = browser.look("/domains").body;
    assert!(page.contains("No domain is watched yet") && page.contains("[watch]"), "{page}");
    assert!(page.contains("<code>watch.records</code> is off"), "{page}");
}

/// Lists: one that has the sender, one that refuses whoever asks, and one that has a tenant's.
fn lists() -> Knot {
    Knot::start(&[
        zone("zen.spamhaus.org", "2.0.0.127 A 127.0.0.2\n77.113.0.203 A 127.0.0.3\n"),
        zone("bl.spamcop.net", "* A 127.255.255.254\n"),
        zone("multi.surbl.org", "test.surbl.org A 127.0.0.254\nacme-mail.com A 127.0.0.64\n"),
    ])
}

const ASKED: &str = "[watch]\nrecords = false\nquestions_per_minute = 6000\n\
    addresses = [\"203.0.113.77\"]\n";

fn ask_lists(browser: &mut Browser<'_>) {
    let token = browser.look("/reputation").form_token();
    let asked = browser.send("/reputation/ask", &format!("form_token={token}"));
    assert_eq!((asked.status, asked.field("location").as_str()), (303, "/reputation"));
}

#[test]
fn who_is_on_a_list_is_shown_with_what_that_means_and_the_way_off() {
    let server = lists();
    let relay = start(Home::new(), server.address(), ASKED, "2026-11-01T00:00:00Z");
    add(&relay, "olaf", &["--role", "operator"]);
    let mut browser = Browser::signed_in(&relay, "olaf");
    let before = browser.look("/reputation").body;
    assert!(before.contains("The first look comes a minute after the start"), "{before}");
    ask_lists(&mut browser);
    let once = browser.look("/reputation").body;
    assert!(once.contains("203.0.113.77 on Spamhaus ZEN: suspected"), "one answer lists nobody");
    ask_lists(&mut browser);
    let page = browser.look("/reputation?show=listed").body;
    assert!(page.contains("203.0.113.77 on Spamhaus ZEN: listed"), "{page}");
    assert!(page.contains("203.0.113.77 on SpamCop: refused"), "{page}");
    let cell = browser.look("/reputation/cell?list=spamhaus-zen&subject=203.0.113.77").body;
    for text in
        ["127.0.0.3", "CSS: it sends spam", "https://check.spamhaus.org/", "1 Nov 2026 00:00:"]
    {
        assert!(cell.contains(text), "{text} is not in {cell}");
    }
    assert!(cell.contains("/incidents/"), "its incident has the steps: {cell}");
    let refused = browser.look("/reputation/cell?list=spamcop&subject=203.0.113.77").body;
    assert!(
        refused.contains("neither listed nor clear") && !refused.contains("Ask to be taken off")
    );
    let history = browser.look("/reputation/history?list=spamhaus-zen").body;
    assert!(history.contains("203.0.113.77") && history.contains("still listed"), "{history}");
    let none = browser.look("/reputation/history?subject=192.0.2.9").body;
    assert!(none.contains("Nothing matches this"), "{none}");
    let odd = browser.look("/reputation/cell?list=%3Cscript%3E&subject=%3Cimg%3E");
    assert_eq!(odd.status, 404);
    assert!(!odd.body.contains("<img>") && !odd.body.contains("list <script>"), "{}", odd.body);
    let looked = browser.look("/reputation/address?ip=203.0.113.77&helo=mail.example.com");
    assert_eq!(looked.status, 200);
    assert!(looked.body.contains("id=\"DNS-01\"") && looked.body.contains("id=\"BL-01\""));
    let wrong = browser.look("/reputation/address?ip=here");
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("that is no IP address"), "{}", wrong.body);
}

#[test]
fn a_tenant_sees_its_own_domains_on_lists_and_only_operators_have_them_asked() {
    let server = lists();
    let relay = start(Home::new(), server.address(), ASKED, "2026-11-01T00:00:00Z");
    add(&relay, "olaf", &["--role", "operator"]);
    add(&relay, "vera", &[]);
    add(&relay, "tina", &["--role", "operator", "--tenant", "acme"]);
    let mut olaf = Browser::signed_in(&relay, "olaf");
    ask_lists(&mut olaf);
    ask_lists(&mut olaf);
    for name in ["vera", "tina"] {
        let mut browser = Browser::signed_in(&relay, name);
        let page = browser.look("/reputation");
        assert!(!page.body.contains("Check now"), "{name}: {}", page.body);
        let form = format!("form_token={}", page.form_token());
        assert_eq!(browser.send("/reputation/ask", &form).status, 403, "{name}");
    }
    let mut tina = Browser::signed_in(&relay, "tina");
    let page = tina.look("/reputation").body;
    assert!(page.contains("bounce.acme-mail.com on SURBL: listed"), "{page}");
    assert!(!page.contains("203.0.113.77"), "{page}");
    let history = tina.look("/reputation/history").body;
    assert!(history.contains("bounce.acme-mail.com") && !history.contains("203.0.113.77"));
    let cell = tina.look("/reputation/cell?list=spamhaus-zen&subject=203.0.113.77");
    assert_eq!(cell.status, 404, "{}", cell.body);
}

#[test]
fn where_nobody_is_asked_about_the_page_says_whom_it_would_be() {
    let server = lists();
    let config = format!(
        "[relay]\nhostname = \"localhost\"\n[delivery]\nresolvers = [\"{}\"]\n",
        server.address()
    );
    let home = Home::new();
    let file = home.write("postlane.toml", &config);
    let relay = home.start(&["--config", &file]);
    add(&relay, "olaf", &["--role", "operator"]);
    let mut browser = Browser::signed_in(&relay, "olaf");
    ask_lists(&mut browser);
    let page = browser.look("/reputation").body;
    assert!(page.contains("Nothing was asked about yet") && page.contains("[watch]"), "{page}");
    let history = browser.look("/reputation/history").body;
    assert!(history.contains("Nobody of ours was on a list"), "{history}");
}
