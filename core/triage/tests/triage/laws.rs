//! Laws of verdicts.

use postlane_mail::{Instant, Label as Name, Span};
use postlane_replies::Label;
use postlane_triage::{
    Backlog, Class, Figures, Kind, Picture, Ptr, SourceSeen, Tally, Turn, Verdict, assess,
};
use proptest::prelude::*;

use crate::story::{HERE, START, picture, told};
use crate::world::draw;

fn likelihood(verdict: &Verdict, class: Class) -> f64 {
    verdict.likelihoods.iter().find(|(of, _)| *of == class).unwrap().1
}

/// A label that names each cause.
const NAMED: [(Class, Label); 8] = [
    (Class::Throttle, Label::RateLimited),
    (Class::Policy, Label::Policy),
    (Class::Identity, Label::AuthDmarc),
    (Class::Recipients, Label::TooManyInvalidRcpts),
    (Class::Block, Label::Blocklisted),
    (Class::Infra, Label::PtrMissing),
    (Class::Outage, Label::Timeout),
    (Class::Greylisting, Label::Greylisted),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_reply_that_names_a_cause_never_speaks_against_it(seed in 0u64..100_000, every in 1usize..5) {
        let (_, picture) = draw(seed);
        prop_assume!(picture.tallies.iter().any(|tally| &*tally.provider == HERE));
        let before = told(&picture).verdict;
        for (class, label) in NAMED {
            let mut named = picture.clone();
            let unnamed = named.tallies.iter_mut().filter(|tally| {
                &*tally.provider == HERE && tally.kind == Kind::Deferred && tally.label == Label::Unknown
            });
            for tally in unnamed.step_by(every) {
                tally.label = label;
            }
            let after = told(&named).verdict;
            let (then, now) = (likelihood(&before, class), likelihood(&after, class));
            prop_assert!(now >= then - 1e-9, "{class}: {then} to {now}");
        }
    }

    #[test]
    fn the_order_of_tallies_does_not_matter(seed in 0u64..100_000) {
        let (_, mut picture) = draw(seed);
        let before = assess(&picture);
        picture.tallies.reverse();
        let turned = (seed % 7) as usize % picture.tallies.len().max(1);
        picture.tallies.rotate_left(turned);
        picture.backlogs.reverse();
        prop_assert_eq!(before, assess(&picture));
    }

    #[test]
    fn elsewhere_is_what_the_same_sources_sent_to_all_others(seed in 0u64..100_000) {
        let (_, mut picture) = draw(seed);
        picture.tallies.retain(|tally| tally.count > 0);
        for assessment in assess(&picture) {
            let sources: Vec<_> = assessment.sources.iter().map(|source| &source.source).collect();
            let others = picture.tallies.iter().filter(|tally| {
                tally.provider != assessment.provider && sources.contains(&&tally.source)
            });
            prop_assert_eq!(&assessment.elsewhere, &Figures::of(others));
        }
    }

    #[test]
    fn splitting_a_tally_changes_nothing(seed in 0u64..100_000) {
        let (_, mut picture) = draw(seed);
        for tally in &mut picture.tallies { tally.count *= 2; }
        let before = assess(&picture);
        let halves: Vec<Tally> = picture.tallies.iter().map(|tally| Tally { count: tally.count / 2, ..tally.clone() }).collect();
        picture.tallies = halves.iter().chain(&halves).cloned().collect();
        prop_assert_eq!(before, assess(&picture));
    }

    #[test]
    fn no_numbers_break_it(
        counts in prop::collection::vec((any::<u64>(), 0usize..5, any::<bool>(), 0usize..49, any::<u64>(), 0usize..3, 0usize..3), 0..40),
        from in any::<u64>(), to in any::<u64>(), slot in any::<u64>(), ages in prop::collection::vec((any::<u64>(), any::<u64>()), 0..4),
        before in any::<u64>(),
    ) {
        let tally = |(at, kind, fresh, label, count, provider, source): (u64, usize, bool, usize, u64, usize, usize)| Tally {
            at: Instant(at),
            provider: ["p", "q", ""][provider].into(),
            source: ["a", "b", ""][source].into(),
            stream: None,
            tenant: Name::NONE,
            kind: Kind::ALL[kind],
            turn: if fresh { Turn::Fresh } else { Turn::Retry },
            label: Label::ALL[label],
            count,
        };
        let tallies: Vec<Tally> = counts.into_iter().map(tally).collect();
        let backlog = |(at, age): (u64, u64)| Backlog { at: Instant(at), provider: "p".into(), recipients: at, age: Span(age) };
        let picture = Picture {
            from: Instant(from),
            to: Instant(to),
            slot: Span(slot),
            before: tallies.clone(),
            before_span: Span(before),
            tallies,
            backlogs: ages.into_iter().map(backlog).collect(),
            sources: vec![SourceSeen { source: "a".into(), address: None, ehlo: vec![], ptr: Ptr::Missing }],
            ..Picture::default()
        };
        for assessment in assess(&picture) {
            let verdicts = assessment.sources.iter().map(|source| &source.verdict).chain([&assessment.verdict]);
            for verdict in verdicts {
                prop_assert!(verdict.confidence.is_finite() && (0.0..=1.0).contains(&verdict.confidence));
                prop_assert!(!verdict.against.is_empty());
                prop_assert!(!verdict.settle.is_empty());
                prop_assert!(!verdict.steps.is_empty());
                let whole: f64 = verdict.likelihoods.iter().map(|(_, share)| share).sum();
                prop_assert!((whole - 1.0).abs() < 1e-6);
                for evidence in verdict.evidence.iter().chain(&verdict.against) {
                    prop_assert!(evidence.weight.is_finite() && evidence.measure.value.is_finite());
                    prop_assert!(!evidence.says.contains("NaN"), "{}", evidence.says);
                }
            }
        }
    }
}

/// The same, `times` as long.
fn longer(picture: &Picture, times: u64) -> Picture {
    let span = picture.to.since(picture.from);
    let again = |n: u64| {
        let later = span.times(n);
        picture.tallies.iter().map(move |tally| Tally { at: tally.at + later, ..tally.clone() })
    };
    let mut longer = picture.clone();
    longer.tallies = (0..times).flat_map(again).collect();
    longer.to = picture.from + span.times(times);
    longer
}

#[test]
fn the_same_for_longer_is_the_same_verdict_and_never_less_sure() {
    for story in [
        "a fresh accepted 60\na fresh deferred rate_limited 40\nb fresh accepted 66\nb fresh deferred rate_limited 38",
        "a fresh deferred blocklisted 30",
        "a fresh accepted 50\na fresh bounced auth_spf 20",
        "a fresh unreached timeout 40\na fresh accepted 4",
        "a fresh accepted 100\nb fresh accepted 20\nb fresh deferred unknown 80",
        "a fresh deferred ptr_missing 30",
    ] {
        let short = picture(story);
        let mut before = told(&short).verdict;
        for times in [2, 4, 16] {
            let after = told(&longer(&short, times)).verdict;
            assert_eq!(before.class, after.class, "{story}");
            assert!(after.confidence >= before.confidence - 1e-6, "{story}: {times}");
            before = after;
        }
    }
}

#[test]
fn what_is_refused_here_is_compared_with_the_same_sources_elsewhere_only() {
    let story = "a fresh accepted 4\na fresh deferred policy 60\nelsewhere z fresh accepted 900";
    let assessment = told(&picture(story));
    assert_eq!(assessment.elsewhere.attempts(), 0);
    assert_eq!(assessment.slots.iter().next().unwrap().at.0 / 60_000_000, START.0 / 60_000_000);
}

#[test]
fn an_empty_picture_has_nothing_to_say() {
    assert_eq!(assess(&Picture::default()), []);
}
