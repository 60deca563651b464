//! What everybody is promised, whoever asks and however it is asked.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::peer::Peer;
use crate::relay::{Dialogue, PATIENCE, Relay};

/// What the API answers, all of it.
fn asked(relay: &Relay, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(relay.http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    write!(stream, "{head}Authorization: Bearer {token}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn hello(relay: &Relay) -> Dialogue {
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    dialogue
}

/// The rows of all that waits, once all of it has been deferred.
fn deferred(relay: &Relay) -> Vec<Value> {
    let rows = std::iter::repeat_with(|| relay.ask_json(&["queue", "list"])).take(1000);
    let is_deferred = |row: &Value| row["status"] == "deferred";
    let mut rows = rows.skip_while(|rows| rows.is_empty() || !rows.iter().all(is_deferred));
    rows.next().expect("what is put off is deferred")
}

#[test]
fn a_null_reverse_path_is_never_bounced() {
    let host = Peer::start();
    let relay = Relay::start(&["--route", &host.route()]);
    let mut dialogue = hello(&relay);
    let first = dialogue.hand_over("", &["gone-1@example.net"], "Subject: a\r\n\r\nb");
    let second =
        dialogue.hand_over("app@example.com", &["gone-2@example.net"], "Subject: a\r\n\r\nb");
    // A host that refused the only recipient may still be sent a dot.
    let letter = |(_, message): &&(String, String)| !message.is_empty();
    let (from, report) = host.wait(|seen| seen.taken.iter().find(letter).cloned());
    assert_eq!(from, "");
    assert!(report.contains("gone-2@example.net"), "{report}");
    // What is under way when a relay ends is finished first.
    let (_, home) = relay.stop();
    let reports = host.wait(|seen| Some(seen.taken.iter().filter(letter).count()));
    assert_eq!(reports, 1, "there is a second report");
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    let says = |event: &str, id: &str| {
        log.lines().any(|line| line.contains(&format!("event={event} ")) && line.contains(id))
    };
    assert!(says("bounced", &first) && says("bounced", &second), "{log}");
    assert!(says("report", &second) && !says("report", &first), "{log}");
}

#[test]
fn no_log_no_figure_and_no_row_shows_a_body() {
    let host = Peer::start();
    let relay = Relay::start(&["--route", &host.route()]);
    let to = ["jo@example.net", "later-1@example.net", "gone-1@example.net"];
    let message = "Subject: the-subject\r\n\r\nthe-body-is-nobody-s";
    let id = hello(&relay).hand_over("app@example.com", &to, message);
    let taken = host.wait(|seen| (seen.taken.len() == 2).then(|| seen.taken.clone()));
    assert!(taken.iter().any(|(_, message)| message.contains("the-body")), "{taken:?}");
    deferred(&relay);
    let token = relay.token();
    let pages = [
        "/metrics".to_owned(),
        "/v1/queue".to_owned(),
        "/v1/queue/summary".to_owned(),
        format!("/v1/queue/{id}"),
    ];
    for page in &pages {
        let answer = asked(&relay, page, &token);
        assert!(answer.starts_with("HTTP/1.1 200"), "{page}: {answer}");
        assert!(!answer.contains("the-body"), "{page}: {answer}");
        let shows_addresses = answer.contains("@example.net");
        assert_eq!(shows_addresses, page.starts_with("/v1/queue") && !page.ends_with("summary"));
    }
    for page in &pages[1..] {
        let answer = asked(&relay, page, "nobody's");
        assert!(answer.starts_with("HTTP/1.1 401"), "{page}: {answer}");
        assert!(!answer.contains("@example.net"), "{page}: {answer}");
    }
    let (_, home) = relay.stop();
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    assert!(log.contains(&id) && !log.contains("the-body"), "{log}");
}

#[test]
fn what_waits_says_why_alike_to_programs_and_to_people() {
    let host = Peer::start();
    let relay = Relay::start(&["--route", &host.route()]);
    hello(&relay).hand_over("app@example.com", &["later-1@example.net"], "Subject: a\r\n\r\nb");
    let rows = deferred(&relay);
    let waiting = &rows[0]["waiting"];
    let reason = waiting["reason"].as_str().unwrap();
    assert!(!reason.is_empty() && waiting["until"].is_string(), "{waiting}");
    let answer = asked(&relay, "/v1/queue", &relay.token());
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let page: Value = serde_json::from_str(body).unwrap();
    assert_eq!(&page["recipients"][0]["waiting"], waiting);
    let table = String::from_utf8(relay.ask(&["queue", "list"]).stdout).unwrap();
    assert!(table.contains(reason), "{table}");
}
