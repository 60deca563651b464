use proptest::prelude::*;

use super::*;
use crate::blocklist::Entry;

const RHYTHM: Rhythm = Rhythm {
    critical: Span::from_min(15),
    others: Span::from_h(6),
    listing: Span::from_min(2),
    delisting: Span::from_min(30),
    refused: Span::from_h(6),
};

fn at(minutes: u64) -> Instant {
    Instant::from_unix_s(1_790_000_000) + Span::from_min(minutes)
}

fn listed(code: u8, outcome: Outcome) -> Reading {
    Reading::Listed(vec![Entry {
        answer: [127, 0, 0, code].into(),
        outcome,
        means: format!("code {code}"),
        is_dynamic: false,
    }])
}

fn refused() -> Reading {
    Reading::Unclear(Unclear::PublicResolver([127, 255, 255, 254].into()))
}

fn hear(cell: &mut Cell, minutes: u64, reading: &Reading) -> Option<Turn> {
    cell.hear(at(minutes), reading, (&RHYTHM, Weight::Critical), 7)
}

#[test]
fn a_listing_is_told_when_a_second_answer_confirms_it_and_since_the_first() {
    let mut cell = Cell::new(at(0));
    assert_eq!(hear(&mut cell, 0, &listed(2, Outcome::Fail)), None);
    assert_eq!((cell.shown(), cell.colour()), (Shown::Suspected, Colour::Amber));
    assert!(cell.next <= at(3), "it is asked again soon");
    let Some(Turn::Listed(told)) = hear(&mut cell, 2, &listed(2, Outcome::Fail)) else { panic!() };
    assert_eq!((told.since, &*told.answers, &*told.means), (at(0), "127.0.0.2", "code 2"));
    assert_eq!((cell.shown(), cell.colour()), (Shown::Listed, Colour::Red));
    // The same again is nothing new; another code is.
    assert_eq!(hear(&mut cell, 17, &listed(2, Outcome::Fail)), None);
    let altered = hear(&mut cell, 32, &listed(3, Outcome::Warn));
    assert!(matches!(altered, Some(Turn::Altered(ListedAs { since, .. })) if since == at(0)));
    assert_eq!(cell.colour(), Colour::Amber);
}

#[test]
fn one_answer_alone_lists_nobody() {
    let mut cell = Cell::new(at(0));
    hear(&mut cell, 0, &listed(2, Outcome::Fail));
    assert_eq!(hear(&mut cell, 2, &Reading::NotListed), None);
    assert_eq!((cell.shown(), cell.listed()), (Shown::Clear, None));
}

#[test]
fn somebody_is_off_a_list_when_it_has_said_so_twice_far_enough_apart() {
    let mut cell = Cell::new(at(0));
    hear(&mut cell, 0, &listed(2, Outcome::Fail));
    hear(&mut cell, 2, &listed(2, Outcome::Fail));
    assert_eq!(hear(&mut cell, 20, &Reading::NotListed), None);
    assert_eq!(cell.shown(), Shown::Clearing);
    assert_eq!(hear(&mut cell, 40, &Reading::NotListed), None, "20 minutes are too few");
    assert!(cell.next >= at(50) && cell.next <= at(52), "{:?}", cell.next);
    let Some(Turn::Delisted(was)) = hear(&mut cell, 50, &Reading::NotListed) else { panic!() };
    assert_eq!((was.since, cell.shown()), (at(0), Shown::Clear));
}

#[test]
fn a_list_that_says_no_and_then_yes_again_has_never_taken_it_off() {
    let mut cell = Cell::new(at(0));
    hear(&mut cell, 0, &listed(2, Outcome::Fail));
    hear(&mut cell, 2, &listed(2, Outcome::Fail));
    hear(&mut cell, 20, &Reading::NotListed);
    assert_eq!(hear(&mut cell, 50, &listed(2, Outcome::Fail)), None);
    assert_eq!(cell.listed().unwrap().since, at(0));
    // The first clear answer from before counts no more.
    hear(&mut cell, 60, &Reading::NotListed);
    assert_eq!(hear(&mut cell, 65, &Reading::NotListed), None);
}

#[test]
fn a_list_that_refuses_is_shown_so_and_asked_more_seldom() {
    let mut cell = Cell::new(at(0));
    hear(&mut cell, 0, &refused());
    assert_eq!((cell.shown(), cell.colour()), (Shown::Refused, Colour::Grey));
    assert!(cell.hearing.why().starts_with("query refused"));
    assert!(cell.next >= at(360));
    let mut broken = Cell::new(at(0));
    hear(&mut broken, 0, &Reading::Unclear(Unclear::Unhealthy("it lists what no list may")));
    assert_eq!(broken.shown(), Shown::Broken);
    let mut silent = Cell::new(at(0));
    hear(&mut silent, 0, &Reading::Unclear(Unclear::NoAnswer(Failure::TimedOut)));
    assert_eq!(silent.shown(), Shown::Unreachable);
    assert!(silent.next <= at(17));
}

#[test]
fn an_entry_that_speaks_for_somebody_is_no_listing() {
    let mut cell = Cell::new(at(0));
    for minutes in [0, 5] {
        assert_eq!(hear(&mut cell, minutes, &listed(18, Outcome::Pass)), None);
    }
    assert_eq!(cell.shown(), Shown::Clear);
}

/// What a list may say.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Listed,
    Clear,
    Refused,
    Broken,
    Silent,
}

impl Says {
    fn reading(self) -> Reading {
        match self {
            Self::Listed => listed(2, Outcome::Fail),
            Self::Clear => Reading::NotListed,
            Self::Refused => refused(),
            Self::Broken => Reading::Unclear(Unclear::Unhealthy("it lists what no list may")),
            Self::Silent => Reading::Unclear(Unclear::NoAnswer(Failure::TimedOut)),
        }
    }

    fn is_clear_answer(self) -> bool {
        matches!(self, Self::Listed | Self::Clear)
    }
}

fn story() -> impl Strategy<Value = Vec<(u64, Says)>> {
    let says = prop_oneof![
        3 => Just(Says::Listed), 3 => Just(Says::Clear), 1 => Just(Says::Refused),
        1 => Just(Says::Broken), 1 => Just(Says::Silent),
    ];
    proptest::collection::vec((1..90_u64, says), 1..60)
}

proptest! {
    #[test]
    fn whatever_lists_say_listings_begin_and_end_in_turn_by_two_answers_each(story in story()) {
        let mut cell = Cell::new(at(0));
        let mut now = 0;
        let mut heard: Vec<(u64, Says)> = Vec::new();
        let mut is_listed = false;
        for (wait, says) in story {
            now += wait;
            let before = cell.standing.clone();
            let turn = hear(&mut cell, now, &says.reading());
            if !says.is_clear_answer() {
                prop_assert_eq!(&cell.standing, &before, "a list that says nothing changes nothing");
                prop_assert_eq!(&turn, &None);
                prop_assert_eq!(cell.colour(), Colour::Grey);
                continue;
            }
            heard.push((now, says));
            let same = heard.iter().rev().take_while(|(_, of)| *of == says).collect::<Vec<_>>();
            match turn {
                Some(Turn::Listed(_)) => {
                    prop_assert!(!is_listed && says == Says::Listed && same.len() >= 2);
                    is_listed = true;
                }
                Some(Turn::Delisted(_)) => {
                    prop_assert!(is_listed && says == Says::Clear && same.len() >= 2);
                    let first = same.last().unwrap().0;
                    prop_assert!(now - first >= 30, "{} minutes are too few", now - first);
                    is_listed = false;
                }
                Some(Turn::Altered(_)) => prop_assert!(false, "the code never changed"),
                None => {}
            }
            prop_assert_eq!(cell.listed().is_some(), is_listed);
            prop_assert!(cell.next > at(now), "it is never asked again at once");
        }
    }
}
