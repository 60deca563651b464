//! A real Postfix at the other end of TLS: as an exchanger that proves itself by signed records and by a
//! policy, and as a sender to the email tester.

use std::fs;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::http::Api;
use crate::knot::{Knot, Zone};
use crate::postfix::Postfix;
use crate::relay::{Dialogue, Home, Relay};
use crate::tls_host::{Authority, Page, Web};
use crate::unbound::{Unbound, trust_anchor};

/// A Postfix that takes mail for everybody and offers STARTTLS with a certificate for these names.
fn exchanger(authority: &Authority, names: &[&str]) -> Postfix {
    let postfix = Postfix::with_mailboxes(
        "smtpd_tls_security_level = may\nsmtpd_tls_loglevel = 1\n\
         smtpd_tls_chain_files = ${config_directory}/chain.pem\n",
    );
    let (certificate, key) = authority.pem(names);
    fs::write(postfix.path().join("chain.pem"), key + &certificate).unwrap();
    postfix
}

/// A record that names an authority's certificate: usage 2, the whole of it, SHA-256.
fn tlsa(authority: &Authority) -> String {
    let der = authority.der();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    let digits: String = digest.as_ref().iter().map(|octet| format!("{octet:02X}")).collect();
    format!("TLSA 2 0 1 {digits}")
}

/// A relay that asks this resolver and believes this authority in web servers.
fn relay(resolver: SocketAddr, port: u16, authority: &Authority, web: &Web) -> Relay {
    let home = Home::new();
    let root = authority.write(&home);
    let file = home.write(
        "postlane.toml",
        &format!(
            "[https]\nmap = {{ \"mta-sts.sts.example:443\" = \"{}\" }}\nextra_roots = [\"{root}\"]\n\
             [delivery]\nresolvers = [\"{resolver}\"]\nmx_port = {port}\n",
            web.address
        ),
    );
    home.start(&["--config", &file])
}

fn send(relay: &Relay, to: &str) -> String {
    let mut client = Dialogue::open(relay.smtp);
    assert!(client.say("EHLO app.example").starts_with("250"));
    client.hand_over("app@sender.example", &[to], "Subject: hello\r\n\r\nhello")
}

fn delivered(relay: &Relay, to: &str) -> String {
    let id = send(relay, to);
    let line = relay.outcome(&id);
    assert!(line.contains(" event=delivered "), "{line}");
    line
}

/// Sends to somebody whose host does not prove itself, and gives what is said of that.
fn refused(relay: &Relay, to: &str, host: &str) -> String {
    send(relay, to);
    relay.logged(&[" event=connect-failed ", &format!(" host={host} ")])
}

#[test]
fn postfix_proves_itself_by_signed_records_also_where_its_name_is_an_alias() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let postfix = exchanger(&authority, &["real.example"]);
    let (record, ip) = (tlsa(&authority), postfix.smtp.ip());
    // `end`: records at the end of the alias. `own`: at the alias itself. `wrong`: at the end, of
    // another authority; good ones at the alias do not make up for that (RFC 7672 §2.2.2).
    let records = format!(
        "real A {ip}\n_25._tcp.real {record}\nplain MX 10 real\n\
         end MX 10 alias\nalias CNAME round\nround CNAME real\n\
         own MX 10 alias2\nalias2 CNAME bare\nbare A {ip}\n_25._tcp.alias2 {record}\n\
         wrong MX 10 alias3\nalias3 CNAME other\nother A {ip}\n_25._tcp.alias3 {record}\n\
         _25._tcp.other {}\n\
         out MX 10 alias4\nalias4 CNAME mx.open.\n_25._tcp.alias4 {record}\n",
        tlsa(&stranger)
    );
    let open = format!("mx A {ip}\n");
    let knot = Knot::start(&[
        Zone { name: "example", records: Some(&records), signed: true },
        Zone { name: "open", records: Some(&open), signed: false },
    ]);
    let anchor = trust_anchor(&knot, "example");
    let unbound = Unbound::start(&knot, &["example", "open"], &[anchor]);
    let web = Web::start(authority.shown(&["mta-sts.sts.example"], 2040));
    let relay = relay(unbound.address(), postfix.smtp.port(), &authority, &web);
    for to in ["jo@plain.example", "jo@end.example"] {
        let line = delivered(&relay, to);
        assert!(line.contains(" tls_policy=dane "), "{line}");
        assert!(postfix.mail_for(to).contains("with ESMTPS "));
    }
    // The certificate is for real.example, and the records stand at the alias.
    for host in ["alias2.example", "alias4.example"] {
        let domain = if host == "alias2.example" { "own" } else { "out" };
        let line = refused(&relay, &format!("jo@{domain}.example"), host);
        assert!(line.contains("not valid for name"), "{line}");
    }
    let line = refused(&relay, "jo@wrong.example", "alias3.example");
    assert!(line.contains("certificate"), "{line}");
    assert_eq!(postfix.mails().len(), 2);
    postfix.says(&["TLS connection established from", "TLSv1.3"]);
}

#[test]
fn postfix_proves_itself_by_a_policy_and_gets_nothing_under_another_name() {
    let authority = Authority::new();
    let postfix = exchanger(&authority, &["mx.example"]);
    let wrong = exchanger(&authority, &["elsewhere.example"]);
    let zone = |postfix: &Postfix| {
        let ip = postfix.smtp.ip();
        let records = format!("mx A {ip}\nsts MX 10 mx\n_mta-sts.sts TXT \"v=STSv1; id=1\"\n");
        Knot::start(&[Zone { name: "example", records: Some(&records), signed: false }])
    };
    let (knot, other) = (zone(&postfix), zone(&wrong));
    let web = Web::start(authority.shown(&["mta-sts.sts.example"], 2040));
    let policy = "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 604800\n";
    web.put("mta-sts.sts.example", Page::Policy(policy.to_owned()));
    let good = relay(knot.address(), postfix.smtp.port(), &authority, &web);
    let line = delivered(&good, "jo@sts.example");
    assert!(line.contains(" tls_policy=sts "), "{line}");
    assert!(postfix.mail_for("jo@sts.example").contains("with ESMTPS "));
    let bad = relay(other.address(), wrong.smtp.port(), &authority, &web);
    let line = refused(&bad, "jo@sts.example", "mx.example");
    assert!(line.contains("the MTA-STS policy of sts.example wants TLS"), "{line}");
    assert!(wrong.mails().is_empty());
}

const MAIL: &str = "From: news@shop.example\r\nSubject: Hello\r\n\r\nHi\r\n";

#[test]
fn what_postfix_sends_to_a_test_address_is_seen_as_it_came() {
    let authority = Authority::new();
    let records = "@ TXT \"v=spf1 ip4:127.0.0.1 -all\"\n@ MX 10 mail\nmail A 192.0.2.25\n";
    let zone = |name, records| Zone { name, records: Some(records), signed: false };
    let knot = Knot::start(&[zone("shop.example", records), zone("example", ""), zone("arpa", "")]);
    let home = Home::new();
    let (certificate, key) = authority.pem(&["test.example.net"]);
    let (cert, key) = (home.write("cert.pem", &certificate), home.write("key.pem", &key));
    let relay = home.start_by_file(&format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\ntests = true\ntls = \"starttls\"\ncert = \"{cert}\"\n\
         key = \"{key}\"\n[tester]\ndomain = \"test.example.net\"\n[delivery]\nresolvers = [\"{}\"]\n\
         [relay]\nnetworks = []\n",
        knot.address()
    ));
    let made = Api::of(&relay).post("/v1/tests", &json!({})).json();
    let address = made["address"].as_str().unwrap();
    let sender = Postfix::with_relayhost(relay.smtp, "smtp_tls_security_level = may\n");
    let mut client = Dialogue::open(sender.smtp);
    assert!(client.say("EHLO app.example").starts_with("250"));
    client.hand_over("news@shop.example", &[address], MAIL);
    sender.says(&["status=sent"]);
    let story = crate::tester::reported(&relay, made["id"].as_str().unwrap(), 1);
    for (id, expected) in [
        ("TLS-01", "pass"),
        ("TLS-02", "pass"),
        ("TLS-03", "pass"),
        ("SPF-04", "pass"),
        ("DKIM-01", "fail"),
    ] {
        assert_eq!(crate::tester::result(&story, id), expected, "{id}");
    }
    let arrival: &Value = &story["report"]["arrival"];
    assert_eq!(arrival["helo"], "peer.test");
    assert_eq!(arrival["mail_from"], "news@shop.example");
    assert_eq!(arrival["tls"]["version"], "TLSv1.3");
}
