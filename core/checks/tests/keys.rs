//! What other looks tell of a domain's keys.

#![expect(clippy::unwrap_used, reason = "a test may fail by unwrapping")]

use postlane_checks::{
    Answer, Found, KeysSeen, Kind, Known, Name, Outcome, Record, SendingDomain, Served,
    check_domain,
};
use postlane_mail::{Instant, Span};

const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// What DKIM-18 and DKIM-19 say of a domain with one key.
fn said(keys_seen: KeysSeen) -> [(Outcome, String); 2] {
    let asked = SendingDomain {
        name: name("example.com"),
        return_path: name("example.com"),
        selectors: vec!["s1".into()],
        selectors_are_guessed: false,
        addresses: Vec::new(),
        now: Instant::from_unix_s(1_800_000_000),
        registered: None,
        may_call: false,
        unsubscribe: Vec::new(),
        spf_source: None,
        keys_seen,
    };
    let mut known = Known::new();
    loop {
        if let Some(report) = check_domain(&mut known, &asked) {
            return ["DKIM-18", "DKIM-19"].map(|id| {
                let finding = report.findings.iter().find(|finding| finding.id == id).unwrap();
                (finding.outcome, finding.evidence.clone())
            });
        }
        for authority in known.take_missing_authorities() {
            known.learn_authority(authority, Served::Lame);
        }
        for question in known.take_missing() {
            let is_key = question.name == name("s1._domainkey.example.com");
            let records = vec![Record::Txt(KEY.as_bytes().into())];
            let found = Found { records, ttl: Span::from_h(1), authentic: false };
            let is_key = is_key && question.kind == Kind::Txt;
            known.learn(question, if is_key { Answer::Found(found) } else { Answer::NoData });
        }
    }
}

fn seen(days: u64, elsewhere: &[(&str, &str)]) -> KeysSeen {
    let since = Instant::from_unix_s(1_800_000_000 - days * 86_400);
    let elsewhere = elsewhere.iter().map(|(at, text)| (name(at), (*text).into())).collect();
    KeysSeen { since: [(name("s1._domainkey.example.com"), since)].into(), elsewhere }
}

#[test]
fn a_key_is_old_after_a_year_and_one_that_others_have_is_held_against_both() {
    let of = |seen| said(seen).map(|(outcome, _)| outcome);
    assert_eq!(of(KeysSeen::default()), [Outcome::Skip, Outcome::Skip]);
    let other = "v=DKIM1; k=ed25519; p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let apart = [("s9._domainkey.example.net", other)];
    assert_eq!(of(seen(365, &apart)), [Outcome::Pass, Outcome::Pass]);
    let same = [("s9._domainkey.example.net", KEY)];
    assert_eq!(of(seen(366, &same)), [Outcome::Info, Outcome::Warn]);
    // A domain below the same organisation's is no stranger.
    let own = [("s1._domainkey.news.example.com", KEY)];
    assert_eq!(of(seen(1, &own)), [Outcome::Pass, Outcome::Skip]);
    let [age, shared] = said(seen(366, &same));
    assert_eq!(age.1, "s1: seen for 366 days");
    assert_eq!(shared.1, "s1: also at s9._domainkey.example.net");
}
