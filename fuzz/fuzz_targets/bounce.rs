//! Any octets as mail that came back: whole, and as each of the parts that bounces are made of.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_message::{Bounced, read_bounces};

fuzz_target!(|octets: &[u8]| {
    check(&read_bounces(octets));
    let wrappings: [&[u8]; 4] = [
        b"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\n",
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n",
        b"Content-Type: message/feedback-report\n\n",
        b"Content-Type: multipart/report; boundary=b\n\n--b\n",
    ];
    for wrapping in wrappings {
        check(&read_bounces(&[wrapping, octets].concat()));
    }
});

fn check(all: &[Bounced]) {
    assert!(all.len() <= 1_000);
    for bounced in all {
        assert_eq!(bounced.action.is_some(), bounced.kind.is_bounce());
        if let Some(said) = bounced.reply_text() {
            let code = bounced.code.expect("a reply has its code").to_string();
            assert!(said.starts_with(&code));
        }
        let octets = bounced.diagnostic.as_ref().map_or(0, String::len);
        assert!(octets <= 4_096, "{octets}");
    }
}
