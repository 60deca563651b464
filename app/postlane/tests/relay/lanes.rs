//! Lanes: what operators see of them, and order of them.

use serde_json::{Value, json};

use crate::events::Events;
use crate::golden::{golden, timeless};
use crate::http::Api;
use crate::peer::Peer;
use crate::relay::{Dialogue, Home, PATIENCE, Relay};
use crate::sink::Sink;

const MESSAGE: &str = "Subject: hi\r\n\r\nhi";

fn hello(relay: &Relay) -> Dialogue {
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    client
}

/// What a command prints, and with what status it ends.
fn text(relay: &Relay, arguments: &[&str], exits: i32) -> String {
    let mut command = relay.home().command(arguments);
    let output = command.env("USER", "jo").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exits), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap() + &said
}

fn lane(relay: &Relay, provider: &str) -> Value {
    relay.ask_json(&["lanes", "show", provider]).remove(0)
}

/// A lane, when it is so.
fn lane_when(relay: &Relay, provider: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let began = std::time::Instant::now();
    loop {
        let lane = lane(relay, provider);
        if is_so(&lane) {
            return lane;
        }
        assert!(began.elapsed() < PATIENCE, "{lane:#}");
        std::thread::yield_now();
    }
}

fn deliver(relay: &Relay, to: &str) -> String {
    let id = hello(relay).hand_over("app@example.com", &[to], MESSAGE);
    relay.logged(&[&format!(" event=delivered id={id} ")]);
    id
}

#[test]
fn a_paused_provider_waits_says_why_and_goes_on_when_it_is_resumed() {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route_to_providers()]);
    let mut events = Events::of(&relay);
    deliver(&relay, "jo@example.net");
    let pause = ["lanes", "pause", "example.net", "--why", "they asked us to"];
    assert_eq!(text(&relay, &pause, 0), "example.net: pause\n");
    let line = relay.logged(&[" event=lane-ordered "]);
    for part in [" provider=example.net ", " command=pause ", " by=jo ", "they asked us to"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let event = events.next("lane-ordered", "");
    assert_eq!(event["provider"], "example.net", "{event:#}");
    assert_eq!(event["detail"], "pause, by jo: they asked us to");
    let held = hello(&relay).hand_over("app@example.com", &["al@example.net"], MESSAGE);
    deliver(&relay, "al@example.org");
    let rows = relay.list_until(|rows| rows.len() == 1 && rows[0]["status"] == "ready");
    let reason = "an operator has paused it";
    assert_eq!(rows[0]["waiting"], json!({"reason": reason, "until": null}));
    let shown = lane(&relay, "example.net");
    assert_eq!((&shown["state"], &shown["ready"]), (&json!("held"), &json!(1)));
    assert_eq!(shown["waiting"], rows[0]["waiting"], "both say the same");
    let order = &shown["orders"][0];
    assert_eq!((&order["order"], &order["by"]), (&json!("pause"), &json!("jo")));
    assert_eq!((&order["to"], &order["why"]), (&json!("provider"), &json!("they asked us to")));
    let said = text(&relay, &["diagnose", "--provider", "example.net"], 0);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let held_by =
        "example.net. 1 recipient waits: the lane of default-v4 is held by an order of jo: pause.";
    assert!(said.starts_with(held_by), "{said}");
    assert!(
        said.contains(
            "2. If it is not meant any more, take it back: postlane lanes resume example.net"
        ),
        "{said}"
    );
    // What was ordered outlives a crash.
    let relay = relay.crash().start(&["--route", &peer.route_to_providers()]);
    relay.list_until(|rows| rows.len() == 1 && rows[0]["waiting"]["reason"] == reason);
    assert_eq!(text(&relay, &["lanes", "resume", "example.net"], 0), "example.net: resume\n");
    relay.logged(&[&format!(" event=delivered id={held} ")]);
    let again = "example.net: resume: there was nothing to change\n";
    assert_eq!(text(&relay, &["lanes", "resume", "example.net"], 1), again);
}

#[test]
fn an_order_for_a_stream_ends_by_itself() {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route()]);
    let pause = ["lanes", "pause", "example.net", "--stream", "cold", "--for", "1s"];
    let said = text(&relay, &pause, 0);
    assert!(said.starts_with("example.net: pause cold until 2"), "{said}");
    let mut client = hello(&relay);
    let cold = format!("X-Postlane-Stream: cold\r\n{MESSAGE}");
    let id = client.hand_over("app@example.com", &["al@example.net"], &cold);
    deliver(&relay, "jo@example.net");
    relay.logged(&[&format!(" event=delivered id={id} ")]);
}

#[test]
fn a_restart_plan_lets_so_many_go_and_a_restart_grants_no_more() {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route_to_providers()]);
    let start = ["lanes", "restart-plan", "start", "example.net", "--days", "3,9"];
    let note = "there is no lane to example.net yet; that holds for those that come\n";
    assert_eq!(text(&relay, &start, 0), format!("example.net: restart-plan 3,9\n{note}"));
    let mut client = hello(&relay);
    for n in 0..5 {
        client.hand_over("app@example.com", &[&format!("jo{n}@example.net")], MESSAGE);
    }
    let rows = relay.list_until(|rows| {
        rows.len() == 2 && rows.iter().all(|row| row["waiting"]["until"].is_string())
    });
    let reason = "the restart plan's cap for the day is used up";
    assert_eq!(rows[0]["waiting"]["reason"], reason);
    let shown = lane(&relay, "example.net");
    assert_eq!((&shown["state"], &shown["restart_day"]), (&json!("restart"), &json!(1)));
    let plan = &shown["restart_plan"];
    assert_eq!((&plan["used"], &plan["cap"], &plan["by"]), (&json!(3), &json!(3), &json!("jo")));
    assert_eq!(plan["signs"]["complaints"], "unknown");
    assert_eq!(plan["turns_at"], rows[0]["waiting"]["until"]);
    let sign = ["lanes", "restart-plan", "sign", "example.net", "headers", "clean"];
    text(&relay, &sign, 0);
    let relay = relay.crash().start(&["--route", &peer.route_to_providers()]);
    let rows = relay.list_until(|rows| rows.len() == 2 && rows[0]["waiting"]["reason"] == reason);
    assert_eq!(rows[0]["attempts"], 0);
    let plan = lane(&relay, "example.net")["restart_plan"].clone();
    assert_eq!((&plan["used"], &plan["signs"]["headers"]), (&json!(3), &json!("clean")));
    text(&relay, &["lanes", "restart-plan", "stop", "example.net"], 0);
    relay.list_until(|rows| rows.is_empty());
}

#[test]
fn a_name_that_nobody_has_is_refused_with_the_nearest() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let said = text(&relay, &["lanes", "pause", "untied-internet"], 1);
    assert!(said.contains("did you mean \"united-internet\"?"), "{said}");
    let said = text(&relay, &["lanes", "pause", "web.de", "--source", "default-v5"], 1);
    assert!(said.contains("did you mean \"default-v"), "{said}");
    let said = text(&relay, &["lanes", "show", "gmx"], 1);
    assert!(said.contains("has no lane"), "{said}");
    let said = text(&relay, &["lanes", "pin", "web.de", "fast"], 2);
    assert!(said.contains("a rate is written N/s"), "{said}");
    let exclude = ["lanes", "exclude", "web.de", "default-v4", "--why", "blocklisted"];
    assert!(text(&relay, &exclude, 0).contains(" by default-v4: exclude"));
    assert_eq!(text(&relay, &["lanes", "list"], 1).lines().count(), 1);
}

#[test]
fn lanes_are_shown_as_the_files_say() {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route_to_providers()]);
    deliver(&relay, "jo@example.net");
    text(&relay, &["lanes", "pin", "example.net", "2/h", "--why", "their postmaster said so"], 0);
    text(&relay, &["lanes", "restart-plan", "start", "example.net", "--days", "5,10"], 0);
    lane_when(&relay, "example.net", |lane| lane["open"] == 0);
    relay.remembers(1);
    golden("lanes/list.txt", &timeless(&text(&relay, &["lanes", "list"], 0), &[]));
    golden("lanes/show.txt", &timeless(&text(&relay, &["lanes", "show", "example.net"], 0), &[]));
    let keys: Vec<String> =
        lane(&relay, "example.net").as_object().unwrap().keys().cloned().collect();
    golden("lanes/keys.txt", &format!("{}\n", keys.join("\n")));
    let metrics = Api::of(&relay).get("/metrics");
    let metrics = metrics.text();
    for line in ["postlane_lanes{state=\"restart\"} 1", "postlane_lanes{state=\"resting\"} 0"] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[test]
fn the_api_orders_and_refuses_in_its_own_words() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let api = Api::of(&relay);
    let done = api.post("/v1/lanes/web.de/pause", &json!({"by": "al", "lasts_s": 60}));
    assert_eq!((done.status, &done.json()["changed"]), (200, &json!(true)), "{:#}", done.json());
    assert_eq!(done.json()["provider"], "united-internet");
    for (path, body, status, pointer) in [
        ("/v1/lanes/web.de/stop", json!({}), 422, "/command"),
        ("/v1/lanes/web.de/pin", json!({}), 422, "/rate"),
        ("/v1/lanes/web.de/exclude", json!({}), 422, "/source"),
        ("/v1/lanes/web.de/pause", json!({"stream": "cold"}), 422, "/stream"),
    ] {
        let refused = api.post(path, &body);
        assert_eq!(refused.status, status, "{path}: {:#}", refused.json());
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{:#}", refused.json());
    }
    let page = api.get("/v1/lanes/gmx");
    assert_eq!(page.json()["providers"][0]["orders"][0]["by"], "al", "{:#}", page.json());
    assert_eq!(api.get("/v1/lanes/nobody-at-all").status, 404);
}

#[test]
fn a_rest_outlives_a_crash() {
    const ENOUGH: &str = "421 4.7.0 Too many messages have been received in a short period of time. \
                          Please reduce the sending rate.";
    let host = Sink::start(&["-r", "MAIL", "-b", ENOUGH]);
    let text = format!(
        "[lane]\nlearning = \"on\"\n[[route]]\npattern = \"*\"\nlane = \"provider\"\nto = \"{}\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\n",
        host.address
    );
    let relay = Home::new().start_by_file(&text);
    let mut events = Events::of(&relay);
    hello(&relay).hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    let line = relay.logged(&[" event=lane-rests "]);
    assert!(line.contains(" provider=example.net source=default-v4 "), "{line}");
    assert_eq!(events.next("lane-rests", "")["provider"], "example.net");
    let rests = |relay: &Relay| {
        let lane = lane_when(relay, "example.net", |lane| lane["state"] == "resting");
        assert_eq!(lane["controller"], "cooling", "{lane:#}");
        assert_eq!(lane["waiting"]["reason"], "the provider refused; the lane rests");
        assert_eq!(lane["waiting"]["until"], lane["canary_at"]);
        lane
    };
    let before = rests(&relay);
    assert_eq!(before["last_reply"]["code"], 421, "{before:#}");
    let decision = before["decisions"].as_array().unwrap().last().unwrap();
    assert!(decision["says"].as_str().unwrap().starts_with("rests: "), "{decision:#}");
    relay.list_until(|rows| rows.len() == 1 && rows[0]["attempts"] == 1);
    relay.remembers(1);
    diagnosed_as_waiting(&relay, before["canary_at"].as_str().unwrap(), "the reply was");
    drop(events);
    let (_, home) = relay.stop();
    let relay = home.start_by_file(&text);
    let after = rests(&relay);
    assert_eq!(after["canary_at"], before["canary_at"]);
    let rows = relay.list_until(|rows| rows.len() == 1 && rows[0]["status"] == "ready");
    assert_eq!(rows[0]["attempts"], 1, "{:#}", rows[0]);
    // Of what was said before the crash, history knows.
    diagnosed_as_waiting(&relay, before["canary_at"].as_str().unwrap(), "what was said most is");
    // Nor does a crash make it try at once.
    let relay = relay.crash().start_by_file(&text);
    assert_eq!(rests(&relay)["canary_at"], before["canary_at"]);
}

/// One refusal is too little to say anything of the provider; that mail waits is known.
fn diagnosed_as_waiting(relay: &Relay, until: &str, after: &str) {
    let said = text(relay, &["diagnose"], 0);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let rests = format!(
        "example.net. 1 recipient waits: the lane of default-v4 rests until {until}, when one \
         message asks whether it may go on; {after} \"421 4.7.0 Too many messages"
    );
    assert!(said.starts_with(&rests), "{said}");
    assert!(said.contains("Nothing needs to be done meanwhile; read"), "{said}");
    assert!(!said.contains("healthy") && !said.contains("Nothing needs to be done. "), "{said}");
    // What was is no matter of what stands still now.
    let was: Value = relay.ask_json(&["diagnose", "--until", "0s"]).remove(0);
    assert_ne!(was["providers"][0]["verdict"]["class"], "waiting", "{was:#}");
}

#[test]
fn a_plan_of_the_configuration_binds_from_the_first_message_on() {
    let host = Sink::start(&[]);
    let text = format!(
        "[lane.\"provider:example.net\"]\nrestart = {{ days = [2, 4] }}\n[[route]]\npattern = \"*\"\nlane = \"provider\"\n\
         to = \"{}\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n",
        host.address
    );
    let relay = Home::new().start_by_file(&text);
    let mut client = hello(&relay);
    for n in 0..4 {
        client.hand_over("app@example.com", &[&format!("jo{n}@example.net")], MESSAGE);
    }
    let is_used = |rows: &[Value]| {
        let says = "the restart plan's cap for the day is used up";
        rows.len() == 2 && rows.iter().all(|row| row["waiting"]["reason"] == says)
    };
    relay.list_until(is_used);
    let plan = lane(&relay, "example.net")["restart_plan"].clone();
    assert_eq!((&plan["by"], &plan["days"]), (&json!("configuration"), &json!([2, 4])));
    let relay = relay.crash().start_by_file(&text);
    relay.list_until(is_used);
    let began = text_of(&relay, &["lanes", "restart-plan", "start", "example.net"]);
    assert_eq!(began, "example.net: restart-plan 2,4\n");
    text_of(&relay, &["lanes", "restart-plan", "stop", "example.net"]);
    relay.list_until(|rows| rows.is_empty());
}

fn text_of(relay: &Relay, arguments: &[&str]) -> String {
    text(relay, arguments, 0)
}
