//! Incidents: what is wrong for a while is seen, survives the power, and is over when mail flows.

use std::time::Instant;

use serde_json::Value;

use crate::http::Api;
use crate::relay::{Dialogue, Home, PATIENCE, Relay};
use crate::sink::Sink;
use crate::webhooks::program;

/// An hour passes in six seconds.
const SPEED: &str = "600";

fn start(home: Home, sink: &Sink, arguments: &[&str]) -> Relay {
    let config = home.write(
        "postlane.toml",
        &format!(
            "[webhooks]\nprivate_addresses = true\n[[route]]\npattern = \"*\"\nto = \"{}\"\n",
            sink.address
        ),
    );
    home.start(&[&["--config", &config, "--clock-speed", SPEED], arguments].concat())
}

/// Hands in mail for new people, in a session of its own. Nobody is told what became of it.
fn send(relay: &Relay, many: usize, first: &mut usize) {
    let mut client = Dialogue::open(relay.smtp);
    assert!(client.say("EHLO app.example").starts_with("250"));
    for _ in 0..many {
        *first += 1;
        let to = format!("u{first}@example.net");
        client.hand_over("", &[&to], "Subject: hello\r\n\r\nhello");
    }
}

/// Hands in mail until incidents are as they should be; gives the one.
fn send_until(relay: &Relay, sent: &mut usize, is_so: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        send(relay, 10, sent);
        let rows = relay.ask_json(&["incidents", "list", "--all"]);
        assert!(rows.len() <= 1, "one thing is wrong: {rows:?}");
        if let Some(row) = rows.into_iter().find(&is_so) {
            return row;
        }
        assert!(Instant::now() < until, "{}", relay.log());
    }
}

fn show(relay: &Relay) -> Value {
    relay.ask_json(&["incidents", "show", "1"]).remove(0)
}

#[test]
fn an_incident_opens_survives_the_power_and_closes_when_mail_flows_again() {
    let refuses = ["-f", "rcpt", "-B", "550 5.7.26 This mail is unauthenticated: SPF did not pass"];
    let sink = Sink::start(&refuses);
    let (address, told) = program(&[200]);
    let relay = start(Home::new(), &sink, &[]);
    let url = format!("http://{address}/hook");
    let events = "incident.opened,incident.updated,incident.closed";
    let made = relay.ask(&["webhook", "add", &url, "--events", events]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(relay.ask(&["incidents", "list"]).status.code(), Some(0));

    let mut sent = 0;
    let row = send_until(&relay, &mut sent, |_| true);
    assert_eq!((&row["id"], &row["kind"]), (&1.into(), &"identity".into()), "{row}");
    assert_eq!(row["state"], "open");
    // All mail goes by one route, which is a provider of its own.
    assert!(row["provider"].as_str().unwrap().starts_with("route:"), "{row}");
    assert_eq!(relay.ask(&["incidents", "list"]).status.code(), Some(1));
    let shown = relay.ask(&["incidents", "show", "1"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("\nto do       [ ] record "), "{shown}");
    let ticked = relay.ask(&["incidents", "tick", "1", "record", "--by", "jo"]);
    assert_eq!(ticked.status.code(), Some(0), "{}", String::from_utf8_lossy(&ticked.stderr));
    assert_eq!(relay.ask(&["incidents", "tick", "1", "dance"]).status.code(), Some(2));
    assert_eq!(relay.ask(&["incidents", "tick", "7", "record"]).status.code(), Some(1));
    let seen: jiff::Timestamp = show(&relay)["seen_at"].as_str().unwrap().parse().unwrap();

    let home = relay.crash();
    let at = sink.address;
    drop(sink);
    let sink = Sink::start_at(at, &[]);
    let later = seen.checked_add(jiff::SignedDuration::from_hours(3)).unwrap().to_string();
    let relay = start(home, &sink, &["--now", &later]);
    let story = show(&relay);
    assert_eq!((&story["state"], &story["steps"][0]["done_by"]), (&"open".into(), &"jo".into()));
    assert!(story["bounced"].as_u64().is_some_and(|many| many > 0), "{story}");
    send_until(&relay, &mut sent, |row| row["state"] == "closed");
    let story = show(&relay);
    assert_eq!(story["closed_why"], "not seen for an hour in which mail was tried");
    let whats: Vec<&Value> =
        story["history"].as_array().unwrap().iter().map(|event| &event["what"]).collect();
    let position = |what: &str| whats.iter().position(|of| *of == what).unwrap();
    assert!(
        position("opened") < position("step-done") && position("step-done") < position("closed")
    );

    let mut heard: Vec<(u64, String)> = Vec::new();
    while heard.last().is_none_or(|(_, kind)| kind != "incident.closed") {
        let one = told.recv_timeout(PATIENCE).unwrap();
        let body: Value = serde_json::from_slice(&one.body).unwrap();
        for event in body["events"].as_array().unwrap() {
            assert_eq!((&event["incident"], &event["label"]), (&1.into(), &"identity".into()));
            heard
                .push((event["seq"].as_u64().unwrap(), event["kind"].as_str().unwrap().to_owned()));
        }
    }
    heard.sort_unstable();
    assert_eq!(heard[0].1, "incident.opened");
    assert!(heard.iter().any(|(_, kind)| kind == "incident.updated"), "{heard:?}");
}

#[test]
fn a_webhook_that_is_gone_is_an_incident_until_it_is_removed() {
    let sink = Sink::start(&[]);
    let (address, told) = program(&[410]);
    let relay = start(Home::new(), &sink, &[]);
    let url = format!("http://{address}/hook");
    let arguments = ["webhook", "add", &url, "--name", "shop", "--tenant", "acme"];
    assert!(relay.ask(&arguments).status.success());
    let message = serde_json::json!({"from": "a@example.com", "to": "b@example.net",
        "text": "hi", "tenant": "acme"});
    assert_eq!(Api::of(&relay).post("/v1/messages", &message).status, 202);
    told.recv_timeout(PATIENCE).unwrap();
    let row = until(&relay, |rows| !rows.is_empty()).remove(0);
    assert_eq!((&row["kind"], &row["webhook"]), (&"webhook_paused".into(), &"shop".into()));
    assert_eq!((&row["tenant"], &row["steps"][2]["id"]), (&"acme".into(), &"resume".into()));

    // Whoever is bound to the tenant sees it, and whoever is bound to another does not.
    let bound = |tenant: &str| {
        let arguments =
            ["token", "new", "--name", tenant, "--scope", "operate", "--tenant", tenant];
        let made = relay.ask(&arguments);
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    };
    let (acme, other) = (bound("acme"), bound("other"));
    let (acme, other) = (Api::with(&relay, &acme), Api::with(&relay, &other));
    assert_eq!(acme.get("/v1/incidents").json()["incidents"].as_array().unwrap().len(), 1);
    assert_eq!(other.get("/v1/incidents").json()["incidents"].as_array().unwrap().len(), 0);
    let none = serde_json::json!({});
    assert_eq!(other.get("/v1/incidents/1").status, 404);
    assert_eq!(other.post("/v1/incidents/1/acknowledge", &none).status, 404);
    assert_eq!(other.post("/v1/incidents/1/steps/mend", &none).status, 404);
    assert_eq!(acme.post("/v1/incidents/1/acknowledge", &none).json()["acknowledged_by"], "acme");
    assert_eq!(acme.post("/v1/incidents/1/close", &none).status, 422);
    assert_eq!(acme.post("/v1/incidents/1/dance", &none).status, 422);

    assert!(relay.ask(&["webhook", "remove", "shop"]).status.success());
    until(&relay, <[Value]>::is_empty);
    let story = show(&relay);
    assert_eq!(story["closed_why"], "it is told again, or was removed");
    assert_eq!(relay.ask(&["incidents", "close", "1", "--why", "done"]).status.code(), Some(1));
    let why = serde_json::json!({"why": "done"});
    assert_eq!(acme.post("/v1/incidents/1/close", &why).status, 409);
}

/// Open incidents, as soon as they are as they should be.
fn until(relay: &Relay, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let rows = relay.ask_json(&["incidents", "list"]);
        if is_so(&rows) {
            return rows;
        }
        assert!(Instant::now() < until, "{}", relay.log());
    }
}
