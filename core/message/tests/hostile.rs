//! What a hostile bounce can cost whoever reads it.

use std::time::Duration;

use postlane_message::read_bounces;

const HEAD: &str = "From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n\r\n\
    Your message could not be delivered:\r\n";

/// A MiB, as much as is read, of one thing again and again.
fn letter(again: &str) -> String {
    format!("{HEAD}{}", again.repeat((1 << 20) / again.len()))
}

/// Cost is held against a limit that no slow machine comes near and that every quadratic search
/// is beyond.
#[expect(clippy::disallowed_methods, reason = "the time that the reading itself takes is measured")]
#[test]
fn hostile_bounces_cost_no_more_than_long_ones() {
    for again in [
        "@[",
        "\"@",
        "a@",
        "@",
        "<a@",
        "550 ",
        "550-",
        "5.1.1 ",
        "... ",
        "(reason: 550 ",
        "{\"a\":",
        "<a@b.example>:\r\n",
        "<<< 550-5.1.1 x\r\n",
        "Final-Recipient: rfc822; a@b.example\r\n",
        "host ",
        "<a ",
        "=?",
    ] {
        let letter = letter(again);
        let started = std::time::Instant::now();
        let found = read_bounces(letter.as_bytes());
        let took = started.elapsed();
        assert!(took < Duration::from_secs(8), "{took:?} for {again:?}");
        assert!(found.len() <= 1_000);
    }
}
