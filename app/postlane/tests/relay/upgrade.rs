//! A data directory that an earlier version has left behind.
//!
//! `earlier.tar.gz` is one of commit 7e79557 (2026-11-22), killed while it ran: three messages that
//! were deferred, two delivered and one bounced, a recipient on the suppression list, a token, and an
//! order for a provider's lanes. It is never made anew: what is read here is what is out there.

use std::path::Path;
use std::process::Command;

use crate::peer::Peer;
use crate::relay::{Home, Relay};

/// A moment after the one at which it was killed, before anything in it expires.
const THEN: &str = "2026-11-22T10:40:00Z";

/// A relay of today in the directory of then.
fn relay(peer: &Peer) -> Relay {
    let home = Home::new();
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/relay/earlier.tar.gz");
    let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(home.path()).status();
    assert!(unpacked.unwrap().success());
    home.start(&["--now", THEN, "--route", &peer.route()])
}

#[test]
fn what_an_earlier_version_left_behind_is_all_there_and_goes_on() {
    let peer = Peer::start();
    let relay = relay(&peer);
    let waits = relay.list_until(|rows| rows.len() == 3);
    for (row, n) in waits.iter().zip(["0@a", "1@b", "2@c"]) {
        assert_eq!(row["recipient"], format!("later-{n}.example"));
        assert_eq!(row["attempts"], 1, "{row}");
    }
    let happened = relay.ask_json(&["log", "-n", "500", "--until", THEN]);
    let count = |kind: &str| happened.iter().filter(|entry| entry["kind"] == kind).count();
    let counts = ["accepted", "deferred", "delivered", "bounced", "suppressed"].map(count);
    assert_eq!(counts, [6, 3, 3, 1, 1], "{happened:#?}");
    assert_eq!(relay.ask_json(&["suppression", "list"])[0]["address"], "bob@sup.example");
    assert_eq!(relay.ask_json(&["token", "list"])[0]["name"], "ci");
    let lanes = String::from_utf8(relay.ask(&["lanes", "list"]).stdout).unwrap();
    assert!(lanes.contains("pause until 2026-12-22T10:39:37.820Z"), "{lanes}");
    assert!(!relay.ask_json(&["audit"]).is_empty());
    for alarm in relay.log().lines().filter(|line| line.contains("event=alarm")) {
        assert!(alarm.contains("not whole") || alarm.contains("torn write"), "{alarm}");
    }
    assert!(relay.ask(&["queue", "retry", "--all"]).status.success());
    peer.wait(|seen| (seen.tries.len() == 3).then_some(()));
    let (_, home) = relay.stop();
    assert!(home.command(&["spool", "check"]).output().unwrap().status.success());
}
