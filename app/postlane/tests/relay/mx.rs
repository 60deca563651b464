//! Delivery by MX: a real name server with a zone, and a sink for each host in it.
//!
//! The hosts are addresses of the loopback that share one port, the relay's own among them.

use std::net::{Ipv4Addr, SocketAddr};

use crate::knot::{Knot, Zone, free_address};
use crate::relay::{Dialogue, Relay};
use crate::sink::Sink;

const RECORDS: &str = "
    sender  MX 10 one
    one     A 127.0.0.2
    two     A 127.0.0.3
    down    A 127.0.0.9
    us      A 127.0.0.1
    first   MX 10 one
    first   MX 20 two
    second  MX 10 down
    second  MX 20 two
    a       MX 10 one
    a       MX 10 two
    b       MX 11 one
    b       MX 11 two
    c       MX 12 one
    c       MX 12 two
    d       MX 13 one
    d       MX 13 two
    e       MX 14 one
    e       MX 14 two
    f       MX 15 one
    f       MX 15 two
    bare    A 127.0.0.3
    alias   CNAME second
    null    MX 0 .
    loop    MX 10 us
    before  MX 10 two
    before  MX 20 us
    text    TXT no-mail-here
";

struct Net {
    _knot: Knot,
    one: Sink,
    two: Sink,
    relay: Relay,
}

fn start() -> Net {
    let knot = Knot::start(&[
        Zone { name: "example", records: Some(RECORDS), signed: false },
        Zone { name: "broken.example", records: None, signed: false },
    ]);
    let port = free_address().unwrap().port();
    let host = |last| SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port));
    let (one, two) = (Sink::start_at(host(2), &[]), Sink::start_at(host(3), &[]));
    let (resolver, port) = (knot.address().to_string(), port.to_string());
    let ours = format!("127.0.0.1:{port}");
    let arguments = ["--resolver", &resolver, "--mx-port", &port, "--smtp", &ours, "--seed", "1"];
    let relay = Relay::start(&arguments);
    Net { _knot: knot, one, two, relay }
}

impl Net {
    fn client(&self) -> Dialogue {
        let mut client = Dialogue::open(self.relay.smtp);
        assert!(client.say("EHLO app.example").starts_with("250"));
        client
    }

    /// Hands over a message; gives its id and the line that the log has of its first outcome.
    fn send(&self, to: &str) -> (String, String) {
        let mail = "Subject: hello\r\n\r\nhello";
        let id = self.client().hand_over("app@sender.example", &[to], mail);
        let line = self.relay.outcome(&id);
        (id, line)
    }

    /// The report that this message's sender got.
    fn report(&self, of: &str) -> String {
        let written = self.relay.logged(&["event=report ", &format!(" of={of} ")]);
        let id = written.split(" id=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        let outcome = self.relay.outcome(id);
        assert!(outcome.contains(" event=delivered "), "{outcome}");
        let mut reports = self.one.messages();
        reports.retain(|message| message.contains(&format!("Final-Log-ID: {of}")));
        assert_eq!(reports.len(), 1, "{reports:?}");
        reports.remove(0)
    }
}

#[test]
fn mail_goes_to_the_host_that_is_preferred_and_up() {
    let net = start();
    for (to, host) in [
        ("jo@first.example", &net.one),
        ("jo@second.example", &net.two),
        ("jo@bare.example", &net.two),
        ("jo@alias.example", &net.two),
        ("jo@before.example", &net.two),
        ("jo@[127.0.0.2]", &net.one),
    ] {
        let (_, line) = net.send(to);
        assert!(line.contains(" event=delivered "), "{line}");
        assert!(line.contains(&format!(" ip={} ", host.address)), "{line}");
        let message = host.message_to(to);
        assert!(message.contains("\nX-Mail-Args: <app@sender.example>"), "{message}");
        assert!(message.contains("\nSubject: hello\n"), "{message}");
    }
}

/// The domains have the same hosts by other numbers, so that each has sessions of its own.
#[test]
fn hosts_of_equal_preference_share_the_mail() {
    let net = start();
    for domain in ["a", "b", "c", "d", "e", "f"] {
        let (_, line) = net.send(&format!("jo@{domain}.example"));
        assert!(line.contains(" event=delivered "), "{line}");
    }
    assert!(!net.one.messages().is_empty());
    assert!(!net.two.messages().is_empty());
    assert_eq!(net.one.messages().len() + net.two.messages().len(), 6);
}

#[test]
fn mail_that_can_go_nowhere_comes_back_with_the_reason() {
    let net = start();
    for (to, status) in [
        ("jo@null.example", "5.1.10"),
        ("jo@unknown.example", "5.1.2"),
        ("jo@text.example", "5.4.4"),
        ("jo@loop.example", "5.4.6"),
        ("jo@[127.0.0.1]", "5.4.6"),
    ] {
        let (id, line) = net.send(to);
        assert!(line.contains(" event=bounced "), "{line}");
        assert!(line.contains(&format!(" status={status}")), "{line}");
        assert!(line.contains(&format!(" to={to} ")), "{line}");
        let report = net.report(&id);
        assert!(report.contains("\nX-Mail-Args: <>"), "{report}");
        assert!(report.contains("\nX-Rcpt-Args: <app@sender.example>"), "{report}");
        assert!(report.contains("\nAuto-Submitted: auto-replied"), "{report}");
        assert!(report.contains(&format!("\nFinal-Recipient: rfc822; {to}\n")), "{report}");
        assert!(report.contains("\nAction: failed\n"), "{report}");
        assert!(report.contains(&format!("\nStatus: {status}\n")), "{report}");
    }
    assert_eq!(net.relay.ask_json(&["queue", "list"]).len(), 0);
}

#[test]
fn mail_for_a_domain_whose_name_servers_fail_waits_and_says_why() {
    let net = start();
    let (id, line) = net.send("jo@broken.example");
    assert!(line.contains(" event=deferred "), "{line}");
    let waits = &net.relay.ask_json(&["queue", "list"])[0];
    assert_eq!(waits["id"], id.as_str());
    assert_eq!(waits["status"], "deferred");
    let reason = waits["waiting"]["reason"].as_str().unwrap();
    assert!(reason.contains("broken.example"), "{waits:#}");
}
