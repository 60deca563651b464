//! A smart host has a lane of its own, whoever its mail is for.

use serde_json::json;

use crate::http::Api;
use crate::relay::{Home, Relay};
use crate::sink::Sink;

/// The configuration of a relay with two addresses that hands everything to a host.
fn text(host: &Sink, more: &str) -> String {
    format!(
        "[lane]\nlearning = \"on\"\n{more}\
         [[source]]\nname = \"one\"\naddress = \"127.0.0.1\"\n\
         [[source]]\nname = \"two\"\naddress = \"127.0.0.2\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\n",
        host.address
    )
}

/// Such a relay, and the name of its lane.
fn relay(host: &Sink, more: &str) -> (Relay, String) {
    (Home::new().start_by_file(&text(host, more)), format!("route:{}", host.address))
}

fn hand_over(relay: &Relay, to: &str) -> String {
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    client.hand_over("app@example.com", &[to], "Subject: hi\r\n\r\nhi")
}

#[test]
fn what_a_smart_host_refuses_slows_its_own_lane_for_all_it_carries() {
    let host = Sink::start(&["-r", "MAIL", "-b", "451 4.7.1 Too many messages, slow down"]);
    let (relay, name) = relay(&host, "");
    hand_over(&relay, "jo@web.de");
    let line = relay.logged(&[" event=lane-rests "]);
    assert!(line.contains(&format!(" provider={name} source=* ")), "{line}");
    hand_over(&relay, "al@example.net");
    relay.list_until(|rows| {
        rows.len() == 2 && rows.iter().all(|row| row["provider"] == name.as_str())
    });
    let lanes = relay.ask_json(&["lanes", "show", &name]);
    assert_eq!(lanes.len(), 1, "{lanes:#?}");
    assert_eq!((&lanes[0]["source"], &lanes[0]["state"]), (&json!("*"), &json!("resting")));
    assert_eq!(lanes[0]["last_reply"]["code"], 451);
    // By the place alone, too, and nothing of it is web.de's.
    let place = host.address.to_string();
    assert_eq!(relay.ask_json(&["lanes", "show", &place]), lanes);
    assert!(!relay.ask(&["lanes", "show", "web.de"]).status.success());
    let said = relay.ask(&["lanes", "pause", &name, "--source", "one"]);
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("all sources share the lane"), "{said}");
    let answer = Api::of(&relay).get("/metrics");
    let figures = answer.text();
    let figure = format!("lane_ready{{provider=\"{name}\",source=\"*\",state=\"resting\"}}");
    assert!(figures.contains(&figure), "{figure} in {figures}");
    // What it knows outlives a crash.
    let relay = relay.crash().start_by_file(&text(&host, ""));
    let after = relay.ask_json(&["lanes", "show", &name]).remove(0);
    assert_eq!(after["state"], "resting", "{after:#}");
}

#[test]
fn what_a_smart_host_says_of_a_recipient_slows_nothing() {
    let host = Sink::start(&["-r", "RCPT", "-b", "452 4.2.2 The mailbox is full"]);
    let (relay, name) = relay(&host, "");
    for n in 0..6 {
        let id = hand_over(&relay, &format!("jo{n}@example.net"));
        let line = relay.logged(&[&format!(" event=deferred id={id} ")]);
        assert!(line.contains(" label=mailbox_full "), "{line}");
    }
    let lane = relay.ask_json(&["lanes", "show", &name]).remove(0);
    assert_eq!(lane["state"], "healthy", "{lane:#}");
}

#[test]
fn a_section_for_a_route_binds_its_lane() {
    let host = Sink::start(&[]);
    let section = format!("[lane.\"route:{}\"]\nmax_connections_per_source = 3\n", host.address);
    let (relay, name) = relay(&host, &section);
    let id = hand_over(&relay, "jo@example.net");
    relay.logged(&[&format!(" event=delivered id={id} ")]);
    let lane = relay.ask_json(&["lanes", "show", &name]).remove(0);
    assert_eq!(lane["ceilings"]["connections"], 3, "{lane:#}");
}
