//! Policies of made-up domains, by both ways.

use postlane_mail::Span;

use super::*;
use crate::dns::{Found, Record};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn run(zone: &[(&str, &str)], author: &str, spf: Option<&str>, dkim: &[&str]) -> Report {
    let found = Authenticated {
        author: name(author),
        spf: spf.map(name),
        dkim: dkim.iter().copied().map(name).collect(),
    };
    let mut known = Known::new();
    loop {
        if let Some(report) = evaluate(&mut known, &found) {
            return report;
        }
        for question in known.take_missing() {
            let text = zone.iter().find(|(name, _)| *name == question.name.as_str());
            let answer = match text {
                Some((_, "SERVFAIL")) => Answer::Failed(Failure::ServFail),
                Some((_, text)) if question.kind == Kind::Txt => {
                    let records = vec![Record::Txt(text.as_bytes().into())];
                    Answer::Found(Found { records, ttl: Span::from_s(1), authentic: false })
                }
                Some(_) => Answer::NoData,
                None => Answer::NoName,
            };
            known.learn(question, answer);
        }
    }
}

const ZONE: &[(&str, &str)] = &[
    ("_dmarc.example.com", "v=DMARC1; p=reject; sp=quarantine; np=reject"),
    ("news.example.com", "exists"),
    ("_dmarc.strict.example", "v=DMARC1; p=reject; adkim=s; aspf=s"),
    ("_dmarc.trial.example", "v=DMARC1; p=reject; t=y"),
    ("_dmarc.broken.example", "SERVFAIL"),
];

#[test]
fn either_mechanism_is_enough_and_relaxed_is_the_rule() {
    let report = run(ZONE, "news.example.com", Some("bounce.example.com"), &[]);
    assert_eq!(report.tree_walk.verdict, Verdict::Pass);
    assert_eq!(report.tree_walk.aligned, Aligned { spf: true, dkim: false });
    let report = run(ZONE, "example.com", Some("esp.example.net"), &["example.com"]);
    assert_eq!(report.tree_walk.aligned, Aligned { spf: false, dkim: true });
    assert!(!report.differs());
}

#[test]
fn a_policy_that_is_worth_nothing_hides_the_one_above_from_who_goes_by_the_list() {
    let zone = &[
        ("_dmarc.example.com", "v=DMARC1; p=reject"),
        // Neither a policy nor an address for reports (RFC 7489 §6.6.3, 6; RFC 9989 §4.7).
        ("_dmarc.news.example.com", "v=DMARC1; p=rejekt"),
        ("_dmarc.other.example.com", "some other text"),
    ];
    let report = run(zone, "news.example.com", None, &[]);
    assert_eq!(
        (report.tree_walk.verdict, report.tree_walk.policy),
        (Verdict::Fail, Some(Policy::Reject))
    );
    assert_eq!(
        (report.public_suffixes.verdict, report.public_suffixes.policy),
        (Verdict::None, None)
    );
    assert!(report.differs());
    let report = run(zone, "other.example.com", None, &[]);
    assert_eq!(report.public_suffixes.policy, Some(Policy::Reject));
}

#[test]
fn strict_wants_the_very_domain() {
    let report = run(ZONE, "strict.example", Some("m.strict.example"), &["m.strict.example"]);
    assert_eq!(report.tree_walk.verdict, Verdict::Fail);
    let report = run(ZONE, "strict.example", None, &["strict.example"]);
    assert_eq!(report.tree_walk.verdict, Verdict::Pass);
}

#[test]
fn what_is_asked_depends_on_whether_the_author_is_below_and_exists() {
    let policy = |author| run(ZONE, author, None, &[]).tree_walk.policy;
    assert_eq!(policy("example.com"), Some(Policy::Reject));
    assert_eq!(policy("news.example.com"), Some(Policy::Quarantine));
    assert_eq!(policy("nowhere.example.com"), Some(Policy::Reject));
    assert_eq!(policy("trial.example"), Some(Policy::Quarantine));
}

#[test]
fn who_goes_by_rfc_7489_knows_the_tags_of_its_time() {
    let zone = &[
        ("_dmarc.t.example", "v=DMARC1; p=reject; sp=quarantine; np=none; t=y"),
        ("_dmarc.zero.example", "v=DMARC1; p=reject; pct=0"),
        ("_dmarc.some.example", "v=DMARC1; p=quarantine; pct=5; t=n"),
        ("_dmarc.odd.example", "v=DMARC1; p=quarantine; pct=101"),
    ];
    let policies = |author| {
        let report = run(zone, author, None, &[]);
        (report.tree_walk.policy.unwrap(), report.public_suffixes.policy.unwrap())
    };
    assert_eq!(policies("t.example"), (Policy::Quarantine, Policy::Reject));
    assert_eq!(policies("nowhere.t.example"), (Policy::None, Policy::Quarantine));
    assert_eq!(policies("zero.example"), (Policy::Reject, Policy::Quarantine));
    assert_eq!(policies("some.example"), (Policy::Quarantine, Policy::Quarantine));
    assert_eq!(policies("odd.example"), (Policy::Quarantine, Policy::Quarantine));
}

#[test]
fn without_a_policy_there_is_no_verdict() {
    let report = run(ZONE, "nobody.test", Some("nobody.test"), &[]);
    assert_eq!(report.tree_walk.verdict, Verdict::None);
    assert_eq!(report.public_suffixes.verdict, Verdict::None);
}

#[test]
fn a_policy_that_could_not_be_looked_up_is_neither_pass_nor_fail() {
    let report = run(ZONE, "broken.example", Some("broken.example"), &[]);
    assert_eq!(report.tree_walk.verdict, Verdict::TempError);
    assert_eq!(report.public_suffixes.failure, Some(Failure::ServFail));
}

#[test]
fn the_two_ways_differ_where_a_domain_draws_its_own_line() {
    let zone = &[
        ("_dmarc.example.com", "v=DMARC1; p=none"),
        ("_dmarc.unit.example.com", "v=DMARC1; p=reject; psd=n"),
    ];
    let report = run(zone, "unit.example.com", Some("other.example.com"), &[]);
    assert_eq!(report.tree_walk.verdict, Verdict::Fail);
    assert_eq!(report.public_suffixes.verdict, Verdict::Pass);
    assert!(report.differs());
}
