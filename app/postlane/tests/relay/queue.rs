//! What waits, as operators look at it and act on it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use crate::golden::{golden, timeless};
use crate::http::Api;
use crate::peer::Peer;
use crate::relay::{Home, PATIENCE, Relay};

/// Nobody listens there.
const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9,lane=provider"];

/// Asks until the answer is good.
fn until(relay: &Relay, arguments: &[&str], mut good: impl FnMut(&[Value]) -> bool) -> Vec<Value> {
    let patience = Instant::now() + PATIENCE;
    loop {
        let answer = relay.ask_json(arguments);
        if good(&answer) {
            return answer;
        }
        assert!(Instant::now() < patience, "{arguments:?}: {answer:?}");
    }
}

/// What a command prints, and with what status it ends.
fn text(relay: &Relay, arguments: &[&str], exits: i32) -> String {
    let output = relay.ask(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exits), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap() + &said
}

fn send(relay: &Relay, to: &[&str], more: &[&str]) -> String {
    let to = to.iter().flat_map(|to| ["--to", to]);
    let arguments =
        ["send", "--from", "App <app@example.com>", "--subject", "hello", "--text", "hi"];
    let arguments: Vec<&str> =
        arguments.into_iter().chain(to).chain(more.iter().copied()).collect();
    text(relay, &arguments, 0).trim().to_owned()
}

/// A relay with one message deferred by its host, one that no host takes, and one that is held.
fn three_that_wait(peer: &Peer) -> (Relay, Vec<String>) {
    let home = Home::new();
    let file = home.path().join("postlane.toml");
    fs::write(&file, "[relay]\nhostname = \"relay.example\"\n").unwrap();
    let file = file.to_str().unwrap().to_owned();
    let route = peer.route_to_providers();
    let nowhere = "down.example=127.0.0.1:9,lane=provider";
    let now = "2026-11-21T05:00:00Z";
    let relay =
        home.start(&["--config", &file, "--now", now, "--route", nowhere, "--route", &route]);
    let labels = ["--tenant", "acme", "--campaign", "spring"];
    let later = send(&relay, &["later-jo@web.de", "al@example.net"], &labels);
    let resting = send(&relay, &["jo@down.example"], &["--stream", "transactional"]);
    let held = send(&relay, &["bo@down.example"], &["--stream", "cold"]);
    relay.list_until(|rows| rows.iter().any(|row| row["id"] == *held));
    assert_eq!(text(&relay, &["queue", "hold", &held], 0), "hold: 1 recipient\n");
    relay.list_until(|rows| {
        let [one, two, three] = rows else { return false };
        let rests = two["waiting"]["reason"].as_str().is_some_and(|why| why.contains("rests"));
        one["attempts"] == 1 && one["status"] == "deferred" && rests && three["status"] == "held"
    });
    (relay, vec![later, resting, held])
}

#[test]
fn what_waits_is_listed_summed_up_and_shown() {
    let peer = Peer::start();
    let (relay, ids) = three_that_wait(&peer);
    let mut gone: Vec<&str> = ids.iter().map(String::as_str).collect();
    let port = peer.address.port().to_string();
    gone.push(&port);
    let list = text(&relay, &["queue", "list"], 0);
    golden("queue-list.txt", &timeless(&list, &gone));
    let mut rows = String::new();
    for row in relay.ask_json(&["queue", "list"]) {
        writeln!(rows, "{row:#}").unwrap();
    }
    golden("queue-list.json", &timeless(&rows, &gone));
    golden("queue-summary.txt", &text(&relay, &["queue", "summary"], 0));
    golden("queue-summary.json", &format!("{:#}\n", relay.ask_json(&["queue", "summary"])[0]));
    for (id, name) in ids.iter().zip(["deferred", "resting"]) {
        let shown = text(&relay, &["queue", "show", id], 0);
        golden(&format!("queue-show-{name}.txt"), &timeless(&shown, &gone));
    }
    let shown = &relay.ask_json(&["queue", "show", &ids[0]])[0];
    assert_eq!(shown["recipients"][0]["last_reply"]["stage"], "rcpt");
}

#[test]
fn a_host_that_turns_sessions_away_is_quoted_and_tried_at_once_when_told_to() {
    let peer = Peer::start();
    peer.greet("421 4.7.0 come back when you are older");
    let relay = Relay::start(&["--route", &peer.route()]);
    send(&relay, &["jo@example.net"], &[]);
    let rows =
        relay.list_until(|rows| rows.first().is_some_and(|row| !row["last_reply"].is_null()));
    let last = &rows[0]["last_reply"];
    assert_eq!((&last["code"], &last["stage"]), (&json!(421), &json!("connect")));
    assert_eq!(last["enhanced"], "4.7.0");
    relay.list_until(|rows| !rows[0]["waiting"]["until"].is_null());
    peer.greet("220 sink.example");
    assert_eq!(text(&relay, &["queue", "retry", "--all"], 0), "retry: 1 recipient\n");
    peer.wait(|seen| (!seen.taken.is_empty()).then_some(()));
}

#[test]
fn filters_find_what_agrees_with_all_of_them() {
    let relay = Relay::start(&NOWHERE);
    let a = send(&relay, &["jo@web.de", "al@example.net"], &["--tenant", "acme"]);
    let b = send(&relay, &["jo@example.net"], &["--campaign", "spring", "--stream", "cold"]);
    send(&relay, &["jo@example.org"], &["--tenant", "acme", "--campaign", "spring"]);
    relay.list_until(|rows| rows.len() == 4);
    relay.ask(&["queue", "hold", "--domain", "example.org"]);
    let found = |filter: &[&str]| {
        let rows = relay.ask_json(&[&["queue", "list"], filter].concat());
        rows.iter().map(|row| row["recipient"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (web, al) = ("jo@web.de", "al@example.net");
    let (net, org) = ("jo@example.net", "jo@example.org");
    assert_eq!(found(&[]), [web, al, net, org]);
    assert_eq!(found(&["--domain", "example.net"]), [al, net]);
    assert_eq!(found(&["--domain", "EXAMPLE.net", "--tenant", "acme"]), [al]);
    assert_eq!(found(&["--provider", "united-internet"]), [web]);
    assert_eq!(found(&["--stream", "cold"]), [net]);
    assert_eq!(found(&["--tenant", "acme"]), [web, al, org]);
    assert_eq!(found(&["--campaign", "spring"]), [net, org]);
    assert_eq!(found(&["--campaign", "spring", "--tenant", "acme"]), [org]);
    assert_eq!(found(&["--status", "held"]), [org]);
    assert_eq!(found(&[&a, &b]), [web, al, net]);
    assert_eq!(found(&["--younger-than", "1h"]), [web, al, net, org]);
    assert_eq!(found(&["--limit", "1"]), [web, al], "a message is not cut");
    for nothing in [["--older-than", "1h"], ["--domain", "example.com"], ["--provider", "google"]] {
        assert!(found(&nothing).is_empty(), "{nothing:?}");
        let said = text(&relay, &[&["queue", "list"], &nothing[..]].concat(), 1);
        assert!(said.contains("`postlane queue summary` tells what waits"), "{said}");
    }
}

#[test]
fn age_is_counted_from_acceptance_on_the_servers_clock() {
    let at = |time| ["--route", "*=127.0.0.1:9", "--now", time];
    let relay = Relay::start(&at("2026-03-01T00:00:00Z"));
    send(&relay, &["jo@example.net"], &[]);
    let (_, home) = relay.stop();
    let relay = home.start(&at("2026-03-01T03:00:00Z"));
    send(&relay, &["al@example.net"], &[]);
    let old = until(&relay, &["queue", "list", "--older-than", "2h"], |rows| rows.len() == 1);
    assert_eq!(old[0]["recipient"], "jo@example.net");
    assert!(old[0]["arrived_at"].as_str().unwrap().starts_with("2026-03-01T00:00:"), "{old:?}");
    let by_age = &relay.ask_json(&["queue", "summary"])[0]["providers"][0]["by_age"];
    assert_eq!(*by_age, json!([1, 0, 0, 0, 0, 0, 1, 0, 0, 0]));
}

#[test]
fn an_empty_queue_teaches_the_next_step() {
    let relay = Relay::start(&NOWHERE);
    for command in ["list", "summary"] {
        let said = text(&relay, &["queue", command], 1);
        assert!(said.contains("`postlane send`"), "{said}");
    }
    assert!(relay.ask(&["queue", "list", "--json"]).stdout.is_empty());
    let said = text(&relay, &["queue", "release", "--all"], 1);
    assert!(said.starts_with("release: 0 recipients\n"), "{said}");
    assert!(said.contains("nothing that agrees with this is held"), "{said}");
}

/// So many recipients that none of our batches holds them all.
const MANY: usize = 3000;

fn hand_in_many(relay: &Relay) {
    let api = Api::of(relay);
    for part in 0..MANY / 1000 {
        let message = |i: usize| json!({"from": "app@example.com", "to": format!("later-{part}-{i}@example.net"), "text": "hi"});
        let messages: Vec<Value> = (0..1000).map(message).collect();
        let answer = api.post("/v1/messages", &json!(messages));
        assert_eq!(answer.status, 202);
        assert!(answer.json().as_array().unwrap().iter().all(|one| one["id"].is_string()));
    }
}

/// The queue, a page at a time.
fn in_pages(api: &Api<'_>, limit: usize) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("/v1/queue?limit={limit}{cursor}")).json();
        let on_page = page["recipients"].as_array().unwrap();
        assert!(on_page.len() <= limit, "each message has one recipient");
        rows.extend(on_page.iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

#[test]
fn an_action_is_done_once_to_each_of_thousands() {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route()]);
    hand_in_many(&relay);
    let all =
        |field: &'static str| move |pages: &[Value]| pages[0]["providers"][0][field] == json!(MANY);
    until(&relay, &["queue", "summary"], all("deferred"));
    let said = |action: &str| text(&relay, &["queue", action, "--all"], 0);
    assert_eq!(said("hold"), "hold: 3000 recipients\n");
    assert_eq!(relay.ask_json(&["queue", "summary"])[0]["providers"][0]["held"], json!(MANY));
    let rows = relay.ask_json(&["queue", "list", "--status", "held"]);
    let keys = rows.iter().map(|row| (row["id"].to_string(), row["recipient"].to_string()));
    let distinct: BTreeSet<(String, String)> = keys.clone().collect();
    assert_eq!((rows.len(), distinct.len()), (MANY, MANY));
    assert!(keys.map(|(id, _)| id).is_sorted(), "the oldest come first");
    assert_eq!(in_pages(&Api::of(&relay), 700), rows);
    assert_eq!(said("release"), "release: 3000 recipients\n");
    // Released mail keeps its turn: it has been tried once and is tried again.
    until(&relay, &["queue", "summary"], all("deferred"));
    assert_eq!(said("deliver-now"), "deliver-now: 3000 recipients\n");
    let tries = peer.wait(|seen| {
        let all = seen.tries.values().all(|tries| *tries >= 3);
        (seen.tries.len() == MANY && all).then(|| seen.tries.clone())
    });
    assert!(tries.values().all(|tries| *tries == 3), "each was tried once by each command");
    until(&relay, &["queue", "summary"], all("deferred"));
    assert_eq!(said("delete"), "delete: 3000 recipients\n");
    assert_eq!(relay.ask(&["queue", "list"]).status.code(), Some(1));
}
