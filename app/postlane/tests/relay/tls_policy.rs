//! What recipients' domains publish about encryption, kept to: real name servers, web servers and
//! exchangers with good and bad certificates.

use std::net::{Ipv4Addr, SocketAddr};

use crate::knot::{Knot, Zone, free_address};
use crate::relay::{Dialogue, Home, Relay};
use crate::tls_host::{Authority, Exchanger, Page, Shown, Web, self_signed};
use crate::unbound::{Unbound, trust_anchor};

/// Hosts of the zone `example`, each at an address of its own, `mx2` at 127.0.0.2.
fn hosts() -> String {
    (2..10).map(|n| format!("mx{n} A 127.0.0.{n}\n")).collect()
}

fn at(last: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(127, 0, 0, last), port).into()
}

fn policy(mode: &str, mx: &str) -> Page {
    Page::Policy(format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 604800\n"))
}

/// A relay that asks this resolver, believes the authority, and finds all policies at `web`.
fn relay(
    home: Home,
    (resolver, port): (SocketAddr, u16),
    (authority, web): (&Authority, &Web),
    domains: &[&str],
    arguments: &[&str],
) -> Relay {
    let root = authority.write(&home);
    let map = domains.iter().map(|name| format!("\"mta-sts.{name}:443\" = \"{}\"", web.address));
    let map = map.collect::<Vec<_>>().join(", ");
    let file = home.write(
        "postlane.toml",
        &format!(
            "[https]\nmap = {{ {map} }}\nextra_roots = [\"{root}\"]\ntimeout = \"2s\"\n\
             [delivery]\nresolvers = [\"{resolver}\"]\nmx_port = {port}\n"
        ),
    );
    home.start(&[&["--config", &file], arguments].concat())
}

fn send(relay: &Relay, to: &str) -> String {
    let mut client = Dialogue::open(relay.smtp);
    assert!(client.say("EHLO app.example").starts_with("250"));
    client.hand_over("app@sender.example", &[to], "Subject: hello\r\n\r\nhello")
}

fn delivered(relay: &Relay, to: &str) {
    let id = send(relay, to);
    let line = relay.outcome(&id);
    assert!(line.contains(" event=delivered "), "{line}");
}

/// Sends to somebody whose mail has to wait, and gives why it says it does.
fn waits(relay: &Relay, to: &str) -> String {
    let id = send(relay, to);
    let says = |rows: &[serde_json::Value]| {
        let row = rows.iter().find(|row| row["id"] == id.as_str())?;
        Some(row["waiting"].to_string() + &row["last_reply"].to_string())
    };
    let says_why = |rows: &[serde_json::Value]| says(rows).is_some_and(|why| why.contains("4.7."));
    says(&relay.list_until(says_why)).unwrap()
}

struct Sts {
    authority: Authority,
    web: Web,
    knot: Knot,
    port: u16,
}

const DOMAINS: [&str; 8] = [
    "good.example",
    "name.example",
    "expired.example",
    "unknown.example",
    "plain.example",
    "outside.example",
    "testing.example",
    "nobody.example",
];

fn zone(id: &str) -> String {
    let mut records = hosts();
    for (domain, host) in DOMAINS.iter().zip([2, 3, 4, 5, 6, 2, 5, 5]) {
        let label = domain.trim_end_matches(".example");
        records += &format!("{label} MX 10 mx{host}\n");
        if label != "nobody" {
            records += &format!("_mta-sts.{label} TXT \"v=STSv1; id={id}\"\n");
        }
    }
    records
}

fn start(records: &str) -> Knot {
    Knot::start(&[Zone { name: "example", records: Some(records), signed: false }])
}

impl Sts {
    fn new() -> Self {
        let authority = Authority::new();
        let names: Vec<String> = DOMAINS.iter().map(|name| format!("mta-sts.{name}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let web = Web::start(authority.shown(&names, 2040));
        for (name, host) in names.iter().zip([2, 3, 4, 5, 6, 2, 5, 5]) {
            let mode = if name.contains("testing") { "testing" } else { "enforce" };
            let mx = match name.contains("outside") {
                true => "*.outside.example".to_owned(),
                false => format!("mx{host}.example"),
            };
            web.put(name, policy(mode, &mx));
        }
        let port = free_address().unwrap().port();
        Self { authority, web, knot: start(&zone("1")), port }
    }

    fn relay(&self, home: Home, arguments: &[&str]) -> Relay {
        let asked = (self.knot.address(), self.port);
        relay(home, asked, (&self.authority, &self.web), &DOMAINS, arguments)
    }

    fn exchanger(&self, last: u8, shown: Option<Shown>) -> Exchanger {
        Exchanger::start(at(last, self.port), shown)
    }
}

#[test]
fn mail_goes_to_a_host_that_proves_its_name_and_to_no_other_where_the_domain_wants_that() {
    let sts = Sts::new();
    let good = sts.exchanger(2, Some(sts.authority.shown(&["mx2.example"], 2040)));
    let name = sts.exchanger(3, Some(sts.authority.shown(&["other.example"], 2040)));
    let expired = sts.exchanger(4, Some(sts.authority.shown(&["mx4.example"], 2021)));
    let unknown = sts.exchanger(5, Some(self_signed(&["mx5.example"])));
    let plain = sts.exchanger(6, None);
    let relay = sts.relay(Home::new(), &[]);
    delivered(&relay, "jo@good.example");
    assert_eq!(good.encrypted(), ["jo@good.example"]);
    for (domain, said) in [
        ("name.example", "invalid peer certificate: certificate not valid for name"),
        ("expired.example", "expired"),
        ("unknown.example", "invalid peer certificate"),
        ("plain.example", "the MTA-STS policy of plain.example wants TLS, and it was not offered"),
    ] {
        let why = waits(&relay, &format!("jo@{domain}"));
        assert!(why.contains(said), "{domain}: {why}");
        assert!(why.contains(&format!("the MTA-STS policy of {domain}")), "{why}");
    }
    let why = waits(&relay, "jo@outside.example");
    let said = "mx2.example is not among the hosts of its MTA-STS policy";
    assert!(why.contains(said) && why.contains("opportunistic"), "{why}");
    assert_eq!(good.encrypted(), ["jo@good.example"]);
    // What is only tried out, and what nobody has published, holds up nothing.
    delivered(&relay, "jo@testing.example");
    delivered(&relay, "jo@nobody.example");
    assert_eq!(unknown.encrypted(), ["jo@testing.example", "jo@nobody.example"]);
    // Both are told to those who want to hear of it.
    let counted = |domain: &str| {
        let reports = relay.ask_json(&["tls-report", "--domain", domain]);
        assert_eq!(reports.len(), 1, "{domain}: {reports:?}");
        let policy = reports[0]["policies"][0].clone();
        let count = |what: &str| policy["summary"][what].as_u64().unwrap();
        let many = ["successful", "failure"].map(|of| count(&format!("total-{of}-session-count")));
        (many, policy["failure-details"][0]["result-type"].as_str().unwrap_or("").to_owned())
    };
    let told = |result: &str| result.to_owned();
    assert_eq!(counted("good.example"), ([1, 0], told("")));
    assert_eq!(counted("testing.example"), ([0, 1], told("certificate-not-trusted")));
    for (domain, result) in [
        ("name.example", "certificate-host-mismatch"),
        ("expired.example", "certificate-expired"),
        ("unknown.example", "certificate-not-trusted"),
        ("plain.example", "starttls-not-supported"),
        ("outside.example", "validation-failure"),
    ] {
        let ([successes, failures], found) = counted(domain);
        assert_eq!((successes, failures > 0, found), (0, true, told(result)), "{domain}");
    }
    assert!(relay.ask_json(&["tls-report", "--domain", "nobody.example"]).is_empty());
    for host in [&good, &name, &expired, &unknown, &plain] {
        assert_eq!(host.plain(), Vec::<String>::new());
    }
    for host in [&name, &expired, &plain] {
        assert_eq!((host.encrypted(), host.sessions() > 0), (Vec::new(), true));
    }
}

/// The zone as somebody would have it who wants `good.example`'s mail: another host, and another
/// policy announced, or none.
fn stolen(announced: &str) -> String {
    format!("{}good MX 10 mx5\n{announced}\n", hosts())
}

#[test]
fn a_policy_that_is_known_holds_through_restarts_and_whatever_its_web_server_does() {
    let mut sts = Sts::new();
    let good = sts.exchanger(2, Some(sts.authority.shown(&["mx2.example"], 2040)));
    let thief = sts.exchanger(5, Some(sts.authority.shown(&["mx5.example"], 2040)));
    let relay = sts.relay(Home::new(), &[]);
    delivered(&relay, "jo@good.example");
    relay.logged(&["event=sts-policy ", "domain=good.example", "mode=enforce"]);
    let mut home = relay.stop().1;
    let oversize = Page::Policy("x: y\n".repeat(20_000));
    let not_now = "_mta-sts.good TXT \"v=STSv1; id=9\"";
    for (page, announced, said) in [
        (Some(Page::Redirection), not_now, "redirections are not followed"),
        (Some(oversize), not_now, "larger than it may be"),
        (Some(Page::Stall), not_now, "takes too long"),
        (Some(Page::Policy("mode: none".to_owned())), not_now, "cannot be read"),
        (None, not_now, "the certificate is not good"),
        (None, "", ""),
    ] {
        match page {
            Some(page) => sts.web.put("mta-sts.good.example", page),
            None => {
                let expired = sts.authority.shown(&["mta-sts.good.example"], 2021);
                sts.web = Web::start(expired);
            }
        }
        sts.knot = start(&stolen(announced));
        let relay = sts.relay(home, &[]);
        let why = waits(&relay, "jo@good.example");
        assert!(why.contains("mx5.example is not among the hosts"), "{why}");
        if !said.is_empty() {
            relay.logged(&["event=sts-policy-failed", "domain=good.example", said]);
        }
        home = relay.stop().1;
    }
    assert_eq!((thief.sessions(), good.encrypted().len()), (0, 1));
    // Another policy that is there takes the old one's place.
    sts.web = Web::start(sts.authority.shown(&["mta-sts.good.example"], 2040));
    sts.web.put("mta-sts.good.example", policy("enforce", "mx5.example"));
    sts.knot = start(&stolen(not_now));
    let relay = sts.relay(home, &[]);
    delivered(&relay, "jo@good.example");
    assert_eq!(thief.encrypted().last().map(String::as_str), Some("jo@good.example"));
}

/// Records that name a certificate: usage, selector 0, SHA-256.
fn tlsa(usage: u8, der: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
    let digits: String = digest.as_ref().iter().map(|octet| format!("{octet:02X}")).collect();
    format!("TLSA {usage} 0 1 {digits}")
}

#[test]
fn mail_goes_to_a_host_whose_certificate_signed_records_name_and_to_no_other() {
    let authority = Authority::new();
    let own = self_signed(&["another.example"]);
    let vouched = authority.shown(&["ta.example"], 2040);
    let wrong = authority.shown(&["elsewhere.example"], 2040);
    let other = self_signed(&["mx5.example"]);
    let any = self_signed(&["mx6.example"]);
    let records = [
        hosts(),
        format!("ee MX 10 mx2\n_25._tcp.mx2 {}\n", tlsa(3, &own.der)),
        format!("ta MX 10 mx3\n_25._tcp.mx3 {}\n", tlsa(2, &authority.der())),
        format!("name MX 10 mx4\n_25._tcp.mx4 {}\n", tlsa(2, &authority.der())),
        format!("other MX 10 mx5\n_25._tcp.mx5 {}\n", tlsa(3, &own.der)),
        format!("any MX 10 mx6\n_25._tcp.mx6 {}\n", tlsa(1, &own.der)),
        format!("plain MX 10 mx7\n_25._tcp.mx7 {}\n", tlsa(1, &own.der)),
        "none MX 10 mx8\n".to_owned(),
    ];
    let records = records.concat();
    let knot = Knot::start(&[Zone { name: "example", records: Some(&records), signed: true }]);
    let unbound = Unbound::start(&knot, &["example"], &[trust_anchor(&knot, "example")]);
    let port = free_address().unwrap().port();
    let exchanger = |last, shown: &Shown| Exchanger::start(at(last, port), Some(shown.clone()));
    let hosts = [
        exchanger(2, &own),
        exchanger(3, &vouched),
        exchanger(4, &wrong),
        exchanger(5, &other),
        exchanger(6, &any),
        Exchanger::start(at(7, port), None),
        Exchanger::start(at(8, port), None),
    ];
    let web = Web::start(authority.shown(&["mta-sts.ee.example"], 2040));
    let asked = (unbound.address(), port);
    let relay = relay(Home::new(), asked, (&authority, &web), &["ee.example"], &[]);
    for (to, host) in [("jo@ee.example", 0), ("jo@ta.example", 1), ("jo@any.example", 4)] {
        delivered(&relay, to);
        assert_eq!(hosts[host].encrypted(), [to]);
        assert!(relay.logged(&["event=delivered", to]).contains(" tls_policy=dane "));
    }
    for (to, said) in [
        ("jo@name.example", "not valid for name"),
        ("jo@other.example", "the TLSA records of mx5.example name another certificate"),
        ("jo@plain.example", "the TLSA records of mx7.example want TLS (DANE), and it was not"),
    ] {
        let why = waits(&relay, to);
        assert!(why.contains(said), "{to}: {why}");
    }
    // Signed, without records: as anybody.
    delivered(&relay, "jo@none.example");
    assert_eq!(hosts[6].plain(), ["jo@none.example"]);
    for host in &hosts[2..4] {
        assert_eq!((host.encrypted(), host.plain()), (Vec::new(), Vec::new()));
    }
}

#[test]
fn a_host_whose_signed_records_cannot_be_found_out_gets_no_mail() {
    let authority = Authority::new();
    let records = format!("{}good MX 10 mx2\n", hosts());
    let knot = Knot::start(&[
        Zone { name: "example", records: Some(&records), signed: true },
        Zone { name: "open", records: Some(""), signed: false },
    ]);
    let other = Knot::start(&[Zone { name: "example", records: Some(""), signed: true }]);
    // The key of another zone of that name: whatever is signed here is bogus.
    let anchor = trust_anchor(&other, "example");
    let unbound = Unbound::start(&knot, &["open", "example"], &[anchor]);
    let port = free_address().unwrap().port();
    let host = Exchanger::start(at(2, port), None);
    let web = Web::start(authority.shown(&["mta-sts.good.example"], 2040));
    let asked = (unbound.address(), port);
    let relay = relay(Home::new(), asked, (&authority, &web), &["good.example"], &[]);
    let id = send(&relay, "jo@good.example");
    let line = relay.outcome(&id);
    assert!(line.contains(" event=deferred ") && line.contains("SERVFAIL"), "{line}");
    assert_eq!(host.sessions(), 0);
}
