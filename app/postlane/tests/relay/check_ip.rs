//! What a receiver would make of an address, with a real name server that has names and lists.

use std::process::Output;

use serde_json::Value;

use crate::golden::golden;
use crate::knot::{Knot, Zone};
use crate::relay::Home;

/// Names of addresses: a good one, a generic one that does not lead back, and none.
const NAMES: &str = "77 PTR mail.example.com.\n78 PTR 203-0-113-78.dsl.provider.example.\n";
const HOSTS: &str = "mail A 203.0.113.77\nmail AAAA 2001:db8::77\nmail TXT \"v=spf1 a -all\"\n";
const SIX: &str = "7.7.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR mail.example.com.\n";

/// A list as RFC 5782 §5 wants it.
const HEALTHY: &str = "2.0.0.127 A 127.0.0.2\n";
/// It has two entries of one address, and one of its neighbour in IPv6.
const ZEN: &str = "2.0.0.127 A 127.0.0.2\n78.113.0.203 A 127.0.0.3\n78.113.0.203 A 127.0.0.10\n";
/// The name was sold: everybody is listed.
const SOLD: &str = "* A 127.0.0.2\n";
/// It refuses whoever asks.
const REFUSING: &str = "* A 127.255.255.254\n";
/// It was emptied.
const EMPTY: &str = "@ TXT \"closed\"\n";

fn zone(name: &'static str, records: &'static str) -> Zone<'static> {
    Zone { name, records: Some(records), signed: false }
}

fn start() -> Knot {
    Knot::start(&[
        zone("113.0.203.in-addr.arpa", NAMES),
        zone("0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", SIX),
        zone("example.com", HOSTS),
        zone("provider.example", "x A 192.0.2.1\n"),
        zone("zen.spamhaus.org", ZEN),
        zone("b.barracudacentral.org", HEALTHY),
        zone("bl.spamcop.net", REFUSING),
        zone("dnsbl-1.uceprotect.net", HEALTHY),
        zone("dnsbl-2.uceprotect.net", "2.0.0.127 A 127.0.0.2\n78.113.0.203 A 127.0.0.2\n"),
        zone("dnsbl-3.uceprotect.net", HEALTHY),
        zone("rep.mailspike.net", EMPTY),
        zone("psbl.surriel.com", SOLD),
        zone("all.spamrats.com", HEALTHY),
        zone("bl.0spam.org", HEALTHY),
        zone("dnsbl.dronebl.org", HEALTHY),
        zone("bl.blocklist.de", HEALTHY),
        zone("list.dnswl.org", "2.0.0.127 A 127.0.10.0\n77.113.0.203 A 127.0.10.3\n"),
        zone("key1.combined.mail.abusix.zone", "2.0.0.127 A 127.0.0.2\n77.113.0.203 A 127.0.0.4\n"),
    ])
}

fn run(home: &Home, arguments: &[&str]) -> Output {
    home.command(arguments).env_remove("COLUMNS").output().unwrap()
}

struct Looked {
    found: Value,
    status: Option<i32>,
}

fn look(knot: &Knot, more: &[&str]) -> Looked {
    let resolver = knot.address().to_string();
    let mut arguments = vec!["--json", "check", "ip", "--resolver", &resolver];
    arguments.extend(more);
    let output = run(&Home::new(), &arguments);
    let found = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    Looked { found, status: output.status.code() }
}

impl Looked {
    fn check(&self, id: &str) -> (&str, &str) {
        let checks = self.found["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["id"] == id).unwrap();
        (check["result"].as_str().unwrap(), check["evidence"].as_str().unwrap())
    }
}

#[test]
fn an_address_with_a_name_of_its_own_passes_and_lists_that_do_not_answer_leave_it_open() {
    let knot = start();
    let looked = look(&knot, &["203.0.113.77", "--helo", "mail.example.com"]);
    for id in [
        "DNS-01", "DNS-02", "DNS-03", "DNS-04", "DNS-05", "DNS-06", "DNS-07", "DNS-08", "DNS-10",
        "SPF-17", "BL-01", "BL-05", "BL-07",
    ] {
        assert_eq!(looked.check(id).0, "pass", "{id}: {}", looked.check(id).1);
    }
    let (refused, why) = looked.check("BL-06");
    assert_eq!(refused, "error");
    assert!(why.contains("query refused: asked through a public resolver"), "{why}");
    let (unhealthy, why) = looked.check("BL-08");
    assert_eq!(unhealthy, "error");
    assert!(why.contains("not healthy: it does not list its test entry"), "{why}");
    let (sold, why) = looked.check("BL-09");
    assert_eq!(sold, "error");
    assert!(why.contains("not healthy: it lists what no list may"), "{why}");
    assert_eq!(looked.check("BL-16").0, "info");
    assert_eq!(looked.check("BL-04").0, "skip");
    assert_eq!(looked.found["gates"]["t-online"]["verdict"], "ready");
    assert_eq!(looked.status, Some(3));
}

#[test]
fn a_list_that_wants_a_key_is_asked_with_one_and_the_key_is_not_shown() {
    let knot = start();
    let looked = look(&knot, &["203.0.113.77", "--blocklist-key", "abusix=KEY1"]);
    let (listed, why) = looked.check("BL-04");
    assert_eq!(listed, "fail");
    assert!(why.contains("203.0.113.77 is listed (127.0.0.4): exploit"), "{why}");
    assert!(!looked.found.to_string().to_lowercase().contains("key1"), "{}", looked.found);
    assert_eq!(looked.status, Some(1));
}

#[test]
fn an_address_of_a_dial_up_range_is_told_with_what_to_do() {
    let knot = start();
    let resolver = knot.address().to_string();
    let arguments = ["check", "ip", "203.0.113.78", "--helo", "localhost", "--resolver", &resolver];
    let output = run(&Home::new(), &arguments);
    assert_eq!(output.status.code(), Some(1));
    golden("check-ip.txt", &String::from_utf8(output.stdout).unwrap());
}

#[test]
fn an_ipv6_address_is_looked_up_in_its_own_names() {
    let knot = start();
    let looked = look(&knot, &["2001:db8::77", "--helo", "mail.example.com"]);
    for id in ["DNS-01", "DNS-02", "DNS-07", "DNS-11", "SPF-17"] {
        assert_eq!(looked.check(id).0, "pass", "{id}: {}", looked.check(id).1);
    }
    assert_eq!(looked.check("BL-06").0, "skip");
}

#[test]
fn a_look_can_be_had_again_without_a_name_server() {
    let knot = start();
    let home = Home::new();
    let record = home.path().join("dns.json").display().to_string();
    let resolver = knot.address().to_string();
    let ask = |from: &[&str]| {
        let mut arguments = vec!["--json", "check", "ip", "203.0.113.78"];
        arguments.extend(from);
        run(&home, &arguments).stdout
    };
    let seen = ask(&["--resolver", &resolver, "--record", &record]);
    drop(knot);
    assert_eq!(ask(&["--replay", &record]), seen);
}
