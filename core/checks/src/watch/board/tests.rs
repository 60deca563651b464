use std::collections::BTreeSet;

use postlane_mail::Span;
use proptest::prelude::*;

use super::*;
use crate::Name;
use crate::watch::{Budget, Limits, Shown};

const RHYTHM: Rhythm = Rhythm {
    critical: Span::from_min(15),
    others: Span::from_h(6),
    listing: Span::from_min(2),
    delisting: Span::from_min(30),
    refused: Span::from_h(6),
};

const BEGIN: Instant = Instant::from_unix_s(1_790_000_000);

fn subjects(many: u8) -> BTreeSet<Subject> {
    let address = |n: u8| Subject::Address([203, 0, 113, n].into());
    let name = |n: u8| Subject::Domain(Name::parse(&format!("d{n}.example.com")).unwrap());
    (0..many).flat_map(|n| [address(n), name(n)]).collect()
}

fn lists() -> Vec<&'static List> {
    Lists::built_in().all().filter(|list| !list.is_of_good_senders()).collect()
}

#[test]
fn addresses_are_asked_of_lists_of_addresses_and_domains_of_those_of_domains() {
    let mut board = Board::default();
    board.watch(BEGIN, &subjects(1), &lists(), &Keys::default());
    for (list, subject, cell) in board.cells() {
        assert!(subject.is_of(Lists::built_in().named(list).unwrap()));
        let wants_key = Lists::built_in().named(list).unwrap().wants_key();
        assert_eq!(cell.shown() == Shown::Keyless, wants_key, "{list}");
    }
    let due = board.due(BEGIN);
    assert!(due.iter().all(|due| due.list != "abusix".into()), "nobody has a key");
    let zen = due.iter().find(|due| due.list == "spamhaus-zen".into()).unwrap();
    assert_eq!((zen.subjects.len(), zen.questions()), (1, 3));
    assert!(due.iter().any(|due| due.list == "spamhaus-dbl".into()));
}

#[test]
fn a_key_that_is_given_later_lets_its_list_be_asked() {
    let mut board = Board::default();
    board.watch(BEGIN, &subjects(1), &lists(), &Keys::default());
    let mut keys = Keys::default();
    keys.add(Lists::built_in(), "abusix", "k1").unwrap();
    assert!(board.watch(BEGIN, &subjects(1), &lists(), &keys).is_empty());
    assert!(board.due(BEGIN).iter().any(|due| due.list == "abusix".into()));
}

#[test]
fn who_is_watched_no_more_is_given_back_with_how_it_was_listed() {
    let mut board = Board::default();
    let both = subjects(2);
    board.watch(BEGIN, &both, &lists(), &Keys::default());
    let somebody = Subject::Address([203, 0, 113, 1].into());
    let listed = Reading::Listed(vec![crate::blocklist::Entry {
        answer: [127, 0, 0, 2].into(),
        outcome: crate::Outcome::Fail,
        means: "x".to_owned(),
        is_dynamic: false,
    }]);
    for minutes in [0, 5] {
        let at = BEGIN + Span::from_min(minutes);
        board.hear(at, ("psbl", &somebody), &listed, &RHYTHM);
    }
    let gone = board.watch(BEGIN, &subjects(1), &lists(), &Keys::default());
    let was = gone.iter().find(|gone| gone.list == "psbl".into()).unwrap();
    assert_eq!((&was.subject, was.listed.is_some()), (&somebody, true));
    assert!(gone.iter().filter(|gone| gone.listed.is_some()).count() == 1);
}

/// Runs a board for so many hours, minute by minute; gives how often each list was asked about
/// the first address, and how many questions there were in the busiest minute.
fn run(seed: u64, hours: u64, many: u8, limits: Limits) -> (BTreeMap<Box<str>, u32>, u64) {
    let mut board = Board::restored(seed, []);
    board.watch(BEGIN, &subjects(many), &lists(), &Keys::default());
    let mut budget = Budget::default();
    let (mut asked, mut busiest) = (BTreeMap::new(), 0);
    for minute in 0..hours * 60 {
        let now = BEGIN + Span::from_min(minute);
        let before = budget.asked();
        for due in board.due(now).into_iter().flat_map(|due| due.in_parts(limits.minute)) {
            if !budget.takes(now, &due.list, due.questions(), limits) {
                continue;
            }
            for subject in &due.subjects {
                if *subject == Subject::Address([203, 0, 113, 0].into()) {
                    *asked.entry(due.list.clone()).or_insert(0) += 1;
                }
                board.hear(now, (&due.list, subject), &Reading::NotListed, &RHYTHM);
            }
        }
        busiest = busiest.max(budget.asked() - before);
    }
    (asked, busiest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn each_list_is_asked_as_often_as_its_weight_says_and_never_more(seed: u64) {
        let limits = Limits { minute: 60, day: 100_000 };
        let (asked, busiest) = run(seed, 24, 3, limits);
        prop_assert!(busiest <= 60, "{}", busiest);
        for (list, times) in &asked {
            let every = RHYTHM.every(Lists::built_in().named(list).unwrap().weight);
            let most = 24 * 60 / (every.as_s() / 60) + 1;
            let least = 24 * 60 * 8 / (every.as_s() / 60) / 10;
            let times = u64::from(*times);
            prop_assert!((least..=most).contains(&times), "{}: {} of {}..{}", list, times, least, most);
        }
    }

    #[test]
    fn however_many_are_watched_no_minute_and_no_day_has_too_many_questions(
        seed: u64, many in 1_u8..40, minute in 10_u32..100, day in 100_u32..400,
    ) {
        let limits = Limits { minute, day };
        let (_, busiest) = run(seed, 12, many, limits);
        prop_assert!(busiest <= u64::from(minute), "{} of {}", busiest, minute);
    }
}
