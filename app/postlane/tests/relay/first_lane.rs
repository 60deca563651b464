//! The guide's first lane: the example, the model receiver, and the mail that it speaks of.

use std::time::Instant;

use crate::receiver::Listening;
use crate::relay::{Home, PATIENCE, Relay};

const EXAMPLE: &str = include_str!("../../../../examples/model-receiver.toml");
const GUIDE: &str = include_str!("../../../../docs/guide/first-lane.md");

/// Times as fast as the wall's, ten times as fast as the guide's.
const SPEED: &str = "600";

/// What `lanes show web.de` has of the lane, when it is as `wanted`.
fn lane_until(relay: &Relay, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let until = Instant::now() + PATIENCE;
    loop {
        if let [lane] = &relay.ask_json(&["lanes", "show", "web.de"])[..]
            && wanted(lane)
        {
            return lane.clone();
        }
        assert!(Instant::now() < until, "{}", relay.log());
    }
}

#[test]
fn a_lane_finds_the_limit_of_the_guides_receiver_and_all_mail_is_taken() {
    let speeds = GUIDE.matches("--speed 60").count() + GUIDE.matches("--clock-speed 60").count();
    assert_eq!(speeds, 2, "both sides of the guide keep the same time");
    let home = Home::new();
    let model = Listening::start(&home, &["p01-webde", "--speed", SPEED]);
    let text = EXAMPLE.replace("127.0.0.1:2600", &model.address().to_string());
    let file = home.write("model-receiver.toml", &text);
    let relay = home.start(&["--config", &file, "--clock-speed", SPEED]);
    // An hour is six seconds here: however long handing over takes, the lane begins with all of it.
    assert!(relay.ask(&["lanes", "pause", "web.de"]).status.success());
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    for n in 0..120 {
        dialogue.hand_over(
            "shop@example.com",
            &[&format!("user{n}@web.de")],
            "Subject: a\r\n\r\nb",
        );
    }
    assert!(relay.ask(&["lanes", "resume", "web.de"]).status.success());
    relay.logged(&[" event=lane-rests ", "the provider refuses"]);
    let over = lane_until(&relay, |lane| lane["accepted"] == 120);
    assert!(over["last_reply"]["text"].as_str().unwrap().contains("Too many messages"));
    let refused = over["refused"].as_u64();
    assert!(refused > Some(0) && refused < Some(10), "{over:#}");
}
