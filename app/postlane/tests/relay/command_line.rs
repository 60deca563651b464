//! The program run cold: what it prints, and with what status it ends.

use crate::relay::{Home, Relay};

#[test]
fn a_command_without_a_server_says_so_and_exits_with_4() {
    let output = Home::new().command(&["queue", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is a server running"), "{said}");
}

#[test]
fn a_relay_that_is_told_to_end_ends_well_and_keeps_what_waits() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let id = dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: hello\r\n\r\nhi");
    let (status, home) = relay.stop();
    assert!(status.success(), "{status}");
    let relay = home.start(&["--route", "*=127.0.0.1:9"]);
    // The queue comes back behind the first mail that is taken again.
    relay.list_until(|waits| waits.len() == 1 && waits[0]["id"] == id.as_str());
}
