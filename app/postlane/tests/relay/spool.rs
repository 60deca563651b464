//! The queue on disk, verified, explained and moved by the program itself.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::process::Output;

use crate::peer::Peer;
use crate::relay::{Home, Relay};

const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9"];

fn run(home: &Home, arguments: &[&str], exits: i32) -> Output {
    let output = home.command(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exits), "{arguments:?}: {said}");
    output
}

fn json(home: &Home, arguments: &[&str], exits: i32) -> serde_json::Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    serde_json::from_slice(&run(home, &arguments, exits).stdout).unwrap()
}

fn keys(value: &serde_json::Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A relay's folder with one message that nobody takes, and its id.
fn waiting() -> (Relay, String) {
    let relay = Relay::start(&NOWHERE);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let to = ["jo@example.net", "al@example.org"];
    let id = dialogue.hand_over("app@example.com", &to, "Subject: hello\r\n\r\nhi");
    (relay, id)
}

#[test]
fn a_queue_is_moved_to_another_host_and_goes_on_there() {
    let (relay, id) = waiting();
    let (_, home) = relay.stop();
    let file = home.path().join("queue");
    let file = file.to_str().unwrap();
    let exported = json(&home, &["spool", "export", file], 0);
    assert_eq!(
        keys(&exported),
        ["messages", "recipients", "keyed", "octets", "missing", "findings"]
    );
    assert_eq!((&exported["messages"], &exported["recipients"]), (&1.into(), &2.into()));
    assert_eq!(fs::metadata(file).unwrap().len(), exported["octets"].as_u64().unwrap());
    // It is not written over.
    run(&home, &["spool", "export", file], 2);
    let there = Home::new();
    fs::create_dir_all(there.data()).unwrap();
    let imported = json(&there, &["spool", "import", file], 0);
    assert_eq!(keys(&imported), ["messages", "keyed", "known", "findings"]);
    assert_eq!(imported["messages"], 1);
    let again = json(&there, &["spool", "import", file], 0);
    assert_eq!((&again["messages"], &again["known"][0]), (&0.into(), &id.as_str().into()));
    let relay = there.start(&NOWHERE);
    let waits = relay.ask_json(&["queue", "list"]);
    assert_eq!(waits.len(), 2);
    assert!(waits.iter().all(|row| row["id"] == id.as_str()));
}

#[test]
fn a_spool_that_a_server_has_is_not_checked_but_explained() {
    let (relay, _) = waiting();
    let home = relay.home();
    let refused = run(home, &["spool", "check"], 75);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("is in use by process"), "{said}");
    let stats = json(home, &["spool", "stats"], 0);
    assert_eq!((&stats["messages"], &stats["recipients"]), (&1.into(), &2.into()));
    let named = [
        "messages",
        "recipients",
        "states",
        "keyed",
        "oldest_s",
        "free_octets",
        "ages_min",
        "by_age",
        "segments",
        "findings",
    ];
    assert_eq!(keys(&stats), named);
}

#[test]
fn a_check_says_all_is_well_or_names_what_is_damaged() {
    let (relay, id) = waiting();
    let (_, home) = relay.stop();
    let well = json(&home, &["spool", "check"], 0);
    assert_eq!(keys(&well), ["segments", "octets", "messages", "findings"]);
    assert_eq!(well["findings"], serde_json::json!([]));
    let segment = home.data().join("spool/00000001.seg");
    let mut octets = fs::read(&segment).unwrap();
    let at = octets.windows(2).rposition(|pair| pair == b"hi").unwrap();
    octets[at] ^= 1;
    fs::write(segment, octets).unwrap();
    let hurt = json(&home, &["spool", "check"], 1);
    let found = &hurt["findings"][0];
    let named = ["segment", "offset", "octets", "wrong", "loss", "id", "kept", "text"];
    assert_eq!(keys(found), named);
    assert_eq!((&found["wrong"], &found["id"]), (&"message".into(), &id.as_str().into()));
    let said = run(&home, &["spool", "check"], 1).stdout;
    assert!(String::from_utf8(said).unwrap().contains(&format!("message {id} is damaged")));
}

#[test]
fn of_a_message_that_the_disk_has_damaged_its_sender_still_hears() {
    let peer = Peer::start();
    let away = ["--route", "example.net=127.0.0.1:9", "--route", &peer.route()];
    let relay = Relay::start(&away);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let message = "Subject: hello\r\n\r\na body on a bad sector";
    let id = dialogue.hand_over("app@example.com", &["jo@example.net"], message);
    let segment = relay.home().data().join("spool/00000001.seg");
    let octets = fs::read(&segment).unwrap();
    let at = octets.windows(10).position(|octets| octets == b"bad sector").unwrap();
    fs::File::options().write(true).open(segment).unwrap().write_all_at(b"B", at as u64).unwrap();
    assert!(relay.ask(&["queue", "bounce", &id]).status.success());
    let log = relay.logged(&["event=original-unread", &id]);
    assert!(log.contains("message 0 of segment 1"), "{log}");
    let report = peer.wait(|seen| seen.taken.first().cloned());
    assert_eq!(report.0, "");
    assert!(report.1.contains("Final-Recipient: rfc822; jo@example.net"), "{report:?}");
    assert!(!report.1.contains("bad sector"), "{report:?}");
}

#[test]
fn where_there_is_no_spool_that_is_said() {
    let home = Home::new();
    for command in [&["spool", "check"][..], &["spool", "stats"], &["spool", "export", "x"]] {
        let refused = home.command(command).current_dir(home.path()).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("there is no spool"));
    }
    // Half an export is none.
    assert!(!home.path().join("x").exists());
}
