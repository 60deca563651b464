//! The relay is killed at any moment; nothing that it has said 250 to is lost.

use crate::relay::Relay;

#[test]
fn what_was_taken_is_there_after_a_crash() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let id = dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: hello\r\n\r\nhi");
    let home = relay.crash();
    let relay = home.start(&["--route", "*=127.0.0.1:9"]);
    assert!(!relay.log().contains("event=alarm"), "{}", relay.log());
    assert_eq!(relay.ask_json(&["queue", "list"])[0]["id"], id.as_str());
}
