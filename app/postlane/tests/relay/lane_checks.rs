//! What a lane's own figures say, in `lanes show` and in `diagnose`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::relay::Home;
use crate::sink::Sink;

const MESSAGE: &str =
    "From: app@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.com>\r\n\r\nHi\r\n";

/// Every check of scope L, by the list of checks, and the two that are about what a source shows.
const IDS: [&str; 28] = [
    "BL-14", "BULK-09", "BULK-10", "BULK-11", "BULK-12", "BULK-20", "DMARC-16", "DMARC-17",
    "DMARC-18", "DMARC-19", "DNS-09", "INF-01", "INF-02", "INF-03", "INF-04", "INF-05", "INF-06",
    "INF-07", "INF-08", "INF-09", "INF-10", "INF-12", "INF-13", "INF-19", "INF-20", "TLS-12",
    "TLS-13", "TLS-14",
];

fn results(checks: &Value, ids: &[&str]) -> Vec<String> {
    let all = checks.as_array().unwrap();
    let names: BTreeSet<&str> = all.iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(names, IDS.into_iter().collect());
    let of = |id: &&str| all.iter().find(|check| check["id"] == **id).unwrap()["result"].as_str();
    ids.iter().map(|id| of(id).unwrap().to_owned()).collect()
}

#[test]
fn a_lanes_figures_are_checked_where_it_is_shown_and_where_it_is_diagnosed() {
    // Each message is put off once it was named.
    let host = Sink::start(&["-r", "RCPT"]);
    let text = format!(
        "[[route]]\npattern = \"*\"\nlane = \"provider\"\nto = \"{}\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\n",
        host.address
    );
    let relay = Home::new().start_by_file(&text);
    let mut client = relay.dial();
    client.say("EHLO client.example");
    client.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    relay.list_until(|rows| rows.len() == 1 && rows[0]["attempts"] == 1);
    relay.remembers(1);
    let lanes = relay.ask_json(&["lanes", "show", "example.net"]);
    let ids = ["INF-04", "DNS-09", "INF-20", "INF-01", "TLS-12"];
    let shown = results(&lanes[0]["checks"], &ids);
    assert_eq!(shown, ["pass", "pass", "pass", "skip", "skip"], "{:#}", lanes[0]["checks"]);
    let page = &relay.ask_json(&["diagnose"])[0];
    let checks = &page["providers"][0]["sources"][0]["checks"];
    // How many sessions there may be is the lane's to say, and not history's.
    assert_eq!(results(checks, &ids), ["skip", "pass", "pass", "skip", "skip"], "{checks:#}");
    let text = relay.ask(&["lanes", "show", "example.net"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains(" as they should be, ") && text.contains(" not counted (--json"),
        "{text}"
    );
}
