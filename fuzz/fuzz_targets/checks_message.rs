//! Any octets as a message, and any text in the DNS: a look at it ends, and every check is in it.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::fuzz_target;
use postlane_checks::message::Message;
use postlane_checks::{
    Answer, Arrived, Client, Found, Kind, Known, Record, Session, check_message, message_checks,
};
use postlane_mail::{Instant, Span};

/// More than any message may make a receiver ask.
const QUESTIONS_MAX: usize = 2_000;

fuzz_target!(|octets: &[u8]| {
    // Lines up to an empty one are what the DNS says, in turn; the rest is the message.
    let end = octets.windows(2).position(|two| two == b"\n\n").unwrap_or(octets.len());
    let (zone, message) = octets.split_at(end);
    let mut texts = zone.split(|octet| *octet == b'\n').cycle();
    let arrived = Arrived {
        message: Message::new(message.get(2..).unwrap_or_default()),
        now: Instant::from_unix_s(1_800_000_000),
        is_utf8: octets.len() % 2 == 1,
        client: Some(Client {
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            helo: "mail.example.com",
            mail_from: "jo@example.com",
        }),
        is_transactional: octets.len() % 3 == 1,
        may_fetch: false,
        session: Session::Unseen,
    };
    let (mut known, mut asked) = (Known::new(), 0);
    let findings = loop {
        if let Some((_, findings)) = check_message(&mut known, &arrived) {
            break findings;
        }
        for question in known.take_missing() {
            asked += 1;
            let text = texts.next().unwrap_or_default();
            let answer = match question.kind {
                Kind::Txt if !text.is_empty() => Answer::Found(Found {
                    records: vec![Record::Txt(text.into())],
                    ttl: Span::from_s(300),
                    authentic: false,
                }),
                _ => Answer::NoData,
            };
            known.learn(question, answer);
        }
        assert!(asked < QUESTIONS_MAX, "the questions do not end");
    };
    assert_eq!(findings.len(), message_checks().count());
});
