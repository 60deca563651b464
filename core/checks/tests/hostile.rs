//! What a hostile zone can cost whoever looks at it.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use postlane_checks::spf::{self, Envelope, Explained, SpfRecord, Verdict};
use postlane_checks::{Answer, Found, Kind, Known, Name, Question, Record};
use postlane_mail::{Instant, Span};
use proptest::prelude::*;

/// Evaluates with a zone that makes up its answers; says how many questions that took.
fn evaluate(zone: impl Fn(&Question) -> Answer) -> (Explained, usize) {
    let envelope = Envelope {
        address: "192.0.2.1".parse().unwrap(),
        helo: "mail.example.com",
        mail_from: "jo@example.com",
        receiver: "mx.example.net",
        now: Instant::from_unix_s(0),
    };
    let (mut known, mut asked) = (Known::new(), 0);
    loop {
        if let Some(explained) = spf::check_host(&mut known, &envelope) {
            return (explained, asked);
        }
        for question in known.take_missing() {
            asked += 1;
            let answer = zone(&question);
            known.learn(question, answer);
        }
        assert!(asked < 300, "the questions do not end");
    }
}

fn found(records: Vec<Record>) -> Answer {
    Answer::Found(Found { records, ttl: Span::from_s(60), authentic: false })
}

fn txt(text: &str) -> Answer {
    found(vec![Record::Txt(text.as_bytes().into())])
}

#[test]
fn includes_a_hundred_deep_end_at_the_eleventh() {
    let (explained, asked) = evaluate(|question| {
        let depth: usize = question
            .name
            .as_str()
            .strip_prefix("i")
            .map_or(0, |rest| rest.split('.').next().unwrap().parse().unwrap_or(0));
        txt(&format!("v=spf1 include:i{}.example.com -all", depth + 1))
    });
    assert_eq!((explained.verdict, asked), (Verdict::PermError, 11));
    assert_eq!(explained.tree.records(), 11);
}

#[test]
fn a_record_that_includes_itself_ends() {
    let (explained, asked) = evaluate(|_| txt("v=spf1 include:example.com -all"));
    assert_eq!((explained.verdict, asked), (Verdict::PermError, 1));
}

#[test]
fn ten_exchangers_in_each_of_ten_terms_are_the_most_that_is_asked() {
    let (explained, asked) = evaluate(|question| match question.kind {
        Kind::Txt => txt(&format!(
            "v=spf1 {} -all",
            (0..10).map(|n| format!("mx:m{n}.example.com")).collect::<Vec<_>>().join(" ")
        )),
        Kind::Mx => found(
            (0..10)
                .map(|n| Record::Mx {
                    preference: n,
                    exchange: Name::parse(&format!("h{n}.{}", question.name)).ok(),
                })
                .collect(),
        ),
        _ => found(vec![Record::A("203.0.113.1".parse().unwrap())]),
    });
    assert_eq!((explained.verdict, asked), (Verdict::Fail, 111));
}

#[test]
fn five_megabytes_of_text_are_read_once() {
    let text = format!("v=spf1 {}-all", "a:x ".repeat(1_250_000));
    let (explained, asked) = evaluate(|_| txt(&text));
    assert_eq!((explained.verdict, asked), (Verdict::PermError, 1));
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut record = b"v=spf1 ".to_vec();
        record.extend(text);
        let (read, faults) = SpfRecord::read(&record);
        prop_assert_eq!(SpfRecord::parse(&record).is_ok(), faults.is_empty());
        prop_assert!(read.terms.len() <= record.len());
        for fault in faults {
            prop_assert!(fault.at < record.len());
        }
    }

    #[test]
    fn whatever_a_zone_says_there_is_a_verdict(
        terms in prop::collection::vec(
            prop::sample::select(vec![
                "a", "mx", "ptr", "-all", "include:%{d}", "exists:%{ir}.%{l}.%{p}", "redirect=x.%{d2}",
                "ip4:192.0.2.0/24", "?a:%{h}//64", "exp=e.%{d}", "include:%{l1r-}.%{o}", "foo=%{s}",
            ]),
            0..12,
        ),
        seed in any::<u64>(),
    ) {
        let record = format!("v=spf1 {}", terms.join(" "));
        let (explained, asked) = evaluate(|question| {
            let chance = question.name.as_str().bytes().fold(seed, |hash, octet| {
                (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
            });
            match (question.kind, chance % 5) {
                (_, 0) => Answer::NoName,
                (_, 1) => Answer::NoData,
                (Kind::Txt, _) => txt(&record),
                (Kind::Ptr, _) => found(vec![Record::Ptr(Name::parse("a.example.com").unwrap())]),
                (Kind::Mx, _) => found(vec![Record::Mx { preference: 1, exchange: None }]),
                _ => found(vec![Record::A("192.0.2.1".parse().unwrap())]),
            }
        });
        prop_assert!(explained.lookups <= 10 && explained.voids <= 3);
        prop_assert!(asked < 150);
    }
}
