use proptest::prelude::*;

use super::*;
use crate::dns::{Failure, Found};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn txt(text: &str) -> Record {
    Record::Txt(text.as_bytes().into())
}

fn found(records: Vec<Record>, ttl_s: u64) -> Answer {
    Answer::Found(Found { records, ttl: Span::from_s(ttl_s), authentic: false })
}

fn known(answers: &[(&str, Kind, Answer)]) -> Known {
    let mut known = Known::new();
    for (of, kind, answer) in answers {
        known.learn(Question { name: name(of), kind: *kind }, answer.clone());
    }
    known
}

fn look(records: &mut Records, at: u64, answers: &[(&str, Kind, Answer)]) -> Vec<RecordChange> {
    let (observed, _) = observed(&known(answers), &name("example.com"));
    records.look(Instant(at), observed)
}

const SPF: &str = "v=spf1 ip4:192.0.2.0/24 -all";

#[test]
fn a_change_is_told_with_what_was_there_and_until_when() {
    let mut records = Records::default();
    let spf = |text| ("example.com", Kind::Txt, found(vec![txt(text)], 300));
    assert!(look(&mut records, 1, &[spf(SPF)]).is_empty(), "the first look knows nothing before");
    assert!(look(&mut records, 2, &[spf(SPF)]).is_empty());
    let changes = look(&mut records, 3, &[spf("v=spf1 ?all")]);
    let [change] = &*changes else { panic!("{changes:?}") };
    assert_eq!(change.set.shown(), "example.com TXT");
    assert_eq!(
        (change.was.since, change.was.seen, change.now.since),
        (Instant(1), Instant(2), Instant(3))
    );
    assert_eq!(
        (change.was.values.shown(), change.now.values.shown()),
        (SPF.to_owned(), "v=spf1 ?all".to_owned())
    );
}

#[test]
fn order_ttl_marks_of_services_and_servers_that_fail_are_no_change() {
    let mut records = Records::default();
    let mx = |preference, host| Record::Mx { preference, exchange: Some(name(host)) };
    let first = [
        (
            "example.com",
            Kind::Mx,
            found(vec![mx(10, "a.example.com"), mx(20, "b.example.net")], 60),
        ),
        ("example.com", Kind::Txt, found(vec![txt(SPF), txt("site-verification=1")], 60)),
        ("example.com", Kind::Soa, found(vec![], 60)),
        ("b.example.net", Kind::A, found(vec![Record::A([192, 0, 2, 1].into())], 60)),
    ];
    look(&mut records, 1, &first);
    let then = [
        ("example.com", Kind::Mx, found(vec![mx(20, "b.example.net"), mx(10, "a.example.com")], 9)),
        ("example.com", Kind::Txt, found(vec![txt("other-verification=2"), txt(SPF)], 3600)),
        ("b.example.net", Kind::A, found(vec![Record::A([192, 0, 2, 99].into())], 60)),
    ];
    assert!(look(&mut records, 2, &then).is_empty());
    for failure in [Failure::ServFail, Failure::TimedOut, Failure::Refused] {
        let failed = [("example.com", Kind::Txt, Answer::Failed(failure))];
        assert!(look(&mut records, 3, &failed).is_empty());
    }
    let spf = records.iter().find(|(set, _)| set.kind == Kind::Txt).unwrap().1;
    assert_eq!((spf.since, spf.seen), (Instant(1), Instant(2)));
}

#[test]
fn a_record_that_mail_needs_is_gone_when_two_looks_have_not_seen_it() {
    let mut records = Records::default();
    let domain = name("example.com");
    let there = [
        ("_dmarc.example.com", Kind::Txt, found(vec![txt("v=DMARC1; p=reject")], 60)),
        ("default._bimi.example.com", Kind::Txt, found(vec![txt("v=BIMI1; l=")], 60)),
    ];
    look(&mut records, 1, &there);
    let gone = [
        ("_dmarc.example.com", Kind::Txt, Answer::NoName),
        ("default._bimi.example.com", Kind::Txt, Answer::NoName),
    ];
    assert_eq!(look(&mut records, 2, &gone).len(), 2, "it is a change at once");
    assert_eq!(records.gone(&domain).count(), 0);
    assert!(look(&mut records, 3, &gone).is_empty());
    let shown: Vec<String> = records.gone(&domain).map(|(set, _)| set.shown()).collect();
    assert_eq!(shown, ["_dmarc.example.com TXT"], "nobody needs a logo");
    look(&mut records, 4, &there);
    assert_eq!(records.gone(&domain).count(), 0);
}

#[test]
fn what_was_never_there_is_not_remembered() {
    let mut records = Records::default();
    look(&mut records, 1, &[("s1._domainkey.example.com", Kind::Txt, Answer::NoName)]);
    assert_eq!(records.iter().count(), 0);
}

proptest! {
    #[test]
    fn versions_follow_each_other_without_a_gap_in_what_was_seen(story in proptest::collection::vec(0..4_u8, 1..60)) {
        let mut records = Records::default();
        let mut last: Option<String> = None;
        for (at, says) in story.into_iter().enumerate() {
            let now = u64::try_from(at).unwrap() + 1;
            let answer = match says {
                0 => Answer::Failed(Failure::ServFail),
                1 => Answer::NoName,
                n => found(vec![txt(&format!("v=spf1 ip4:192.0.2.{n} -all"))], 60),
            };
            let changes = look(&mut records, now, &[("example.com", Kind::Txt, answer.clone())]);
            if says == 0 {
                prop_assert!(changes.is_empty());
                continue;
            }
            let value = Values::new(answer.records().iter().filter_map(|r| written(r, &name("example.com"), true)));
            for change in &changes {
                prop_assert_eq!(Some(change.was.values.shown()), last.clone());
                prop_assert!(change.was.seen < change.now.since);
            }
            let is_change = last.as_ref().is_some_and(|last| *last != value.shown());
            prop_assert_eq!(changes.len(), usize::from(is_change));
            if last.is_some() || !value.is_empty() {
                last = Some(value.shown());
            }
        }
    }
}
