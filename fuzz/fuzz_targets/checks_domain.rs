//! Any text in the DNS and on web servers: a look at a domain ends, and every check is in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_checks::tlsa::TlsaRecord;
use postlane_checks::{
    Answer, FetchFailure, Fetched, Found, Greeting, KeysSeen, Kind, Known, Name, Record,
    SendingDomain, Served, Taken, check_domain, domain_checks,
};
use postlane_mail::{Instant, Span};

/// More than any domain may make us ask.
const QUESTIONS_MAX: usize = 5_000;

fuzz_target!(|octets: &[u8]| {
    let mut texts = octets.split(|octet| *octet == b'\n').cycle();
    let name = Name::parse("a.example.com").expect("a name");
    let asked = SendingDomain {
        return_path: name.clone(),
        name,
        selectors: vec!["s1".into(), "s2".into()],
        selectors_are_guessed: octets.len() % 2 == 1,
        addresses: vec![[192, 0, 2, 1].into()],
        now: Instant::from_unix_s(1_800_000_000),
        registered: None,
        may_call: true,
        unsubscribe: vec!["https://u.example/x".into(), "mailto:u@a.example.com".into()],
        spf_source: None,
        keys_seen: KeysSeen::default(),
    };
    let (mut known, mut count) = (Known::new(), 0);
    let report = loop {
        if let Some(report) = check_domain(&mut known, &asked) {
            break report;
        }
        for question in known.take_missing() {
            count += 1;
            let text = texts.next().unwrap_or_default();
            known.learn(question.clone(), answer(question.kind, text));
        }
        for authority in known.take_missing_authorities() {
            known.learn_authority(authority, Served::Lame);
        }
        for page in known.take_missing_pages() {
            let body = texts.next().unwrap_or_default();
            let fetched = match body.len() > page.octets_max {
                true => Fetched::Failed(FetchFailure::TooLarge),
                false => Fetched::Page {
                    status: 200,
                    media_type: "text/plain".into(),
                    location: "".into(),
                    body: body.into(),
                },
            };
            known.learn_page(page, fetched);
        }
        for exchanger in known.take_missing_greetings() {
            let chain = vec![texts.next().unwrap_or_default().into()];
            let version = "TLSv1.3".into();
            known.learn_greeting(exchanger, Greeting::Encrypted { chain, distrust: None, version });
        }
        for mailbox in known.take_missing_mailboxes() {
            known.learn_mailbox(mailbox, Taken::Yes("250 Ok".into()));
        }
        assert!(count < QUESTIONS_MAX, "the questions do not end");
    };
    assert_eq!(report.findings.len(), domain_checks().count());
});

fn answer(kind: Kind, text: &[u8]) -> Answer {
    let name = || std::str::from_utf8(text).ok().and_then(|text| Name::parse(text).ok());
    let record = match kind {
        _ if text.is_empty() => None,
        Kind::Txt | Kind::Spf => Some(Record::Txt(text.into())),
        Kind::A => Some(Record::A([198, 51, 100, text[0]].into())),
        Kind::Mx => Some(Record::Mx { preference: 10, exchange: name() }),
        Kind::Cname => name().map(Record::Cname),
        Kind::Ns => name().map(Record::Ns),
        Kind::Tlsa => TlsaRecord::parse(text).map(Record::Tlsa),
        _ => None,
    };
    match record {
        Some(record) => {
            Answer::Found(Found { records: vec![record], ttl: Span::from_s(300), authentic: true })
        }
        None => Answer::NoData,
    }
}
