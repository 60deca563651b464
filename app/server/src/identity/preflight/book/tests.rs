//! Which messages are looked at, and which wait.

use postlane_checks::Outcome;
use postlane_mail::{Domain, Label, Place, Stream};
use postlane_registry::GateStep;

use super::super::Missing;
use super::super::kept::{read_held, read_sight};
use super::*;
use crate::config::{Config, Overrides};
use crate::setup::Setup;

fn setup(text: &str) -> PreflightSetup {
    let read = Config::parse(text, None, &Overrides::default());
    Setup::of(&read.unwrap_or_else(|error| panic!("{error}"))).preflight
}

fn subject(author: &str) -> Subject {
    Subject {
        provider: "united-internet".into(),
        source: "v4".into(),
        stream: Stream::Cold,
        author: Domain::parse(author).ok(),
        tenant: Label::NONE,
    }
}

/// Not one of those that chance picks.
fn message(number: u64) -> Passing {
    let held = Held { place: Place { segment: 1, ordinal: 0 }, recipient: 0 };
    Passing { id: QueueId::from_bits(number), held, octets: 4_096, chance: 1 }
}

fn at(s: u64) -> Instant {
    Instant::from_unix_s(1_795_000_000 + s)
}

fn sight(s: u64, standing: Standing) -> Sight {
    let missing = Missing {
        check: "IDN-05".into(),
        outcome: Outcome::Fail,
        evidence: "no good signature".to_owned(),
        remedy: "Sign.".to_owned(),
        reference: "RFC 6376".into(),
    };
    let missing = if standing == Standing::Ready { vec![] } else { vec![missing] };
    let message_id = "<1@shop.example>".to_owned();
    Sight { at: at(s), id: QueueId::from_bits(1), message_id, standing, missing }
}

const HOLD: &str = "[preflight]\npolicy = \"hold\"\n";

#[test]
fn the_first_message_is_looked_at_and_the_next_one_when_its_time_has_come() {
    let (mut book, setup, shop) = (Book::default(), setup(""), subject("shop.example"));
    let looks = |book: &mut Book, s| book.pass(at(s), &shop, message(s), &setup).look;
    assert_eq!(looks(&mut book, 0), Some(Trust::Heard));
    assert_eq!(looks(&mut book, 1), None, "a look is under way");
    book.learn(&shop, sight(2, Standing::Ready), &setup);
    assert_eq!(looks(&mut book, 2 + 899), None);
    assert_eq!(looks(&mut book, 2 + 900), Some(Trust::Heard));
    book.learn(&shop, sight(910, Standing::Blocked), &setup);
    assert_eq!(looks(&mut book, 910 + 299), None);
    assert_eq!(looks(&mut book, 910 + 300), Some(Trust::Heard));
}

#[test]
fn a_look_that_never_ends_does_not_end_looking() {
    let (mut book, setup, shop) = (Book::default(), setup(""), subject("shop.example"));
    assert!(book.pass(at(0), &shop, message(1), &setup).look.is_some());
    assert!(book.pass(at(299), &shop, message(2), &setup).look.is_none());
    assert!(book.pass(at(300), &shop, message(3), &setup).look.is_some());
}

#[test]
fn chance_picks_some_more_and_what_is_too_large_is_passed_over() {
    let (mut book, setup, shop) = (Book::default(), setup(""), subject("shop.example"));
    let large = Passing { octets: (1 << 20) + 1, ..message(1) };
    assert!(book.pass(at(0), &shop, large, &setup).look.is_none());
    assert!(book.pass(at(1), &shop, message(2), &setup).look.is_some());
    book.learn(&shop, sight(2, Standing::Ready), &setup);
    let picked = Passing { chance: 30_000, ..message(3) };
    assert!(book.pass(at(3), &shop, picked, &setup).look.is_some());
}

#[test]
fn what_is_missing_holds_mail_only_where_that_is_ordered() {
    let shop = subject("shop.example");
    for (text, is_held) in [
        ("", false),
        (HOLD, true),
        ("[preflight]\npolicy = \"hold\"\nhold_streams = [\"engaged\"]\n", false),
        ("[lane.\"gmx\"]\npreflight = \"hold\"\n", true),
        ("[preflight]\npolicy = \"hold\"\n[lane.\"gmx\"]\npreflight = \"warn\"\n", false),
    ] {
        let (mut book, setup) = (Book::default(), setup(text));
        assert_eq!(book.pass(at(0), &shop, message(1), &setup).hold, None, "nothing is known yet");
        book.learn(&shop, sight(1, Standing::Blocked), &setup);
        let hold = book.pass(at(2), &shop, message(2), &setup).hold;
        assert_eq!(hold.is_some(), is_held, "{text}");
        assert_eq!(book.rows(&setup)[0].held, usize::from(is_held));
    }
}

#[test]
fn what_could_not_be_found_out_never_holds() {
    let (mut book, setup, shop) = (Book::default(), setup(HOLD), subject("shop.example"));
    book.pass(at(0), &shop, message(1), &setup);
    for standing in [Standing::Undetermined, Standing::AtRisk, Standing::Ready] {
        book.learn(&shop, sight(1, Standing::Blocked), &setup);
        assert!(book.pass(at(2), &shop, message(2), &setup).hold.is_some());
        assert!(book.let_go(&setup).is_empty());
        book.learn(&shop, sight(3, standing), &setup);
        assert_eq!(book.pass(at(4), &shop, message(3), &setup).hold, None);
        assert_eq!(book.let_go(&setup), [(shop.clone(), vec![QueueId::from_bits(2)])]);
    }
}

#[test]
fn what_is_held_is_looked_at_again_one_of_each_and_let_go_by_another_policy() {
    let (mut book, setup, shop) = (Book::default(), setup(HOLD), subject("shop.example"));
    book.pass(at(0), &shop, message(1), &setup);
    book.learn(&shop, sight(1, Standing::Blocked), &setup);
    book.pass(at(2), &shop, message(8), &setup);
    book.pass(at(2), &shop, message(9), &setup);
    assert!(book.again(at(300)).is_empty());
    let again = book.again(at(301));
    assert_eq!(again.iter().map(|a| a.id.bits()).collect::<Vec<_>>(), [8]);
    assert!(book.again(at(302)).is_empty(), "a look is under way");
    book.gone(&shop, QueueId::from_bits(8));
    assert_eq!(book.again(at(303))[0].id.bits(), 9);
    assert_eq!(book.let_go(&self::setup(""))[0].1, [QueueId::from_bits(9)]);
}

#[test]
fn an_order_to_look_again_believes_nothing_that_was_heard_before() {
    let (mut book, setup, shop) = (Book::default(), setup(HOLD), subject("shop.example"));
    book.pass(at(0), &shop, message(1), &setup);
    book.learn(&shop, sight(1, Standing::Ready), &setup);
    assert_eq!(book.recheck(|_| false), 0);
    assert_eq!(book.pass(at(2), &shop, message(2), &setup).look, None);
    assert_eq!(book.recheck(|subject| *subject == shop), 1);
    assert_eq!(book.pass(at(3), &shop, message(3), &setup).look, Some(Trust::Nothing));
}

#[test]
fn mail_that_is_held_comes_back_one_by_one_and_not_later_than_in_four_hours() {
    let (mut book, setup, shop) = (Book::default(), setup(HOLD), subject("shop.example"));
    book.pass(at(0), &shop, message(1), &setup);
    book.learn(&shop, sight(0, Standing::Blocked), &setup);
    let mut back = |number| {
        let (until, _) = book.pass(at(0), &shop, message(number), &setup).hold.unwrap();
        until.since(at(0)).as_s()
    };
    let backs: Vec<u64> = (2..4_000).map(&mut back).collect();
    assert_eq!(backs[..3], [300, 305, 310]);
    assert_eq!(backs.last(), Some(&(4 * 3_600)));
}

#[test]
fn a_gate_is_told_when_it_turns_and_not_each_time() {
    let (mut book, setup, shop) = (Book::default(), setup(""), subject("shop.example"));
    book.pass(at(0), &shop, message(1), &setup);
    let mut told = |s, standing| book.learn(&shop, sight(s, standing), &setup);
    assert_eq!(told(1, Standing::Ready), None, "it was never shut");
    assert_eq!(told(2, Standing::Blocked), Some(Turn::Failed));
    assert_eq!(told(3, Standing::Blocked), None);
    assert_eq!(told(4, Standing::Undetermined), None);
    assert_eq!(told(5, Standing::Blocked), None);
    assert_eq!(told(6, Standing::AtRisk), Some(Turn::Ready));
    assert_eq!(told(7, Standing::Ready), None);
    assert_eq!(told(8, Standing::Blocked), Some(Turn::Failed));
    assert_eq!(told(8 + 86_399, Standing::Blocked), None);
    assert_eq!(told(8 + 86_400, Standing::Blocked), Some(Turn::Failed), "each day anew");
}

#[test]
fn of_more_domains_than_there_is_room_for_nothing_is_looked_at() {
    let (mut book, setup) = (Book::default(), setup("[preflight]\ndomains = 100\n"));
    let mut looks = |s: u64, number: u64| {
        let author = subject(&format!("d{number}.example"));
        book.pass(at(s), &author, message(number), &setup).look.is_some()
    };
    assert!((0..100).all(|number| looks(number, number)));
    assert!(!looks(100, 100));
    assert!(looks(26 * 3_600, 100), "what nobody has sent for a day makes room");
}

/// All that is noted, kept and taken in by a book that begins anew at this moment.
fn started_again(book: &mut Book, s: u64, setup: &PreflightSetup) -> Book {
    let (mut seen, mut held) = (Vec::new(), Vec::new());
    for step in book.steps(usize::MAX) {
        match step {
            GateStep::Seen(of) => seen.push(read_sight(&of).unwrap()),
            GateStep::Held(of) => held.push(read_held(&of).unwrap()),
            GateStep::Gone(_, id) => held.retain(|(_, of, _)| of.bits() != id),
            GateStep::Free(_) => held.clear(),
        }
    }
    let mut again = Book::default();
    again.remember(at(s), seen, held, setup);
    again
}

#[test]
fn what_was_found_holds_after_a_restart_and_is_looked_at_as_old_as_it_is() {
    let (mut book, setup, shop) = (Book::default(), setup(HOLD), subject("shop.example"));
    book.pass(at(0), &shop, message(1), &setup);
    book.learn(&shop, sight(1, Standing::Blocked), &setup);
    let says = book.pass(at(2), &shop, message(8), &setup).hold.unwrap().1;
    let mut book = started_again(&mut book, 60, &setup);
    let row = &book.rows(&setup)[0];
    assert_eq!((row.held, row.is_remembered, row.since), (1, true, at(1)));
    assert_eq!(row.sight, Some(sight(1, Standing::Blocked)));
    let passed = book.pass(at(300), &shop, message(9), &setup);
    assert_eq!((passed.look, passed.hold.unwrap().1), (None, says), "it is not due yet");
    assert!(book.again(at(300)).is_empty());
    assert_eq!(book.again(at(301))[0].id.bits(), 8);
    // A gate that was told to be shut is told to be open, and the rest need not be kept any more.
    assert_eq!(book.learn(&shop, sight(302, Standing::Ready), &setup), Some(Turn::Ready));
    assert!(!book.rows(&setup)[0].is_remembered);
    assert_eq!(book.let_go(&setup)[0].1.len(), 2);
    assert_eq!(started_again(&mut book, 303, &setup).rows(&setup)[0].held, 0);
}

#[test]
fn what_was_found_since_the_start_counts_for_more_than_what_was_kept() {
    let (mut book, setup, shop) = (Book::default(), setup(HOLD), subject("shop.example"));
    book.pass(at(0), &shop, message(1), &setup);
    book.learn(&shop, sight(1, Standing::Blocked), &setup);
    let GateStep::Seen(kept) = book.steps(9).remove(0) else { panic!("it was seen") };
    book.learn(&shop, sight(5, Standing::Ready), &setup);
    book.remember(at(6), read_sight(&kept), [], &setup);
    assert_eq!(book.rows(&setup)[0].sight, Some(sight(5, Standing::Ready)));
    // What nobody has sent for a day is forgotten, and what the clock has not reached is due.
    let mut late = Book::default();
    late.remember(at(26 * 3_600), read_sight(&kept), [], &setup);
    assert!(late.rows(&setup).is_empty());
    late.remember(at(0) - Span::from_h(9), read_sight(&kept), [], &setup);
    assert_eq!(late.rows(&setup)[0].due, at(0) - Span::from_h(9) + Span::from_min(5));
}

#[test]
fn a_registry_that_keeps_nothing_takes_no_memory() {
    let (mut book, setup, shop) = (Book::default(), setup(HOLD), subject("shop.example"));
    book.pass(at(0), &shop, message(1), &setup);
    book.learn(&shop, sight(1, Standing::Blocked), &setup);
    for number in 0..100_100 {
        book.pass(at(2), &shop, message(number), &setup);
        book.gone(&shop, QueueId::from_bits(number));
    }
    assert_eq!(book.steps(usize::MAX).len(), 100_000);
    assert!(book.steps(usize::MAX).is_empty());
}

#[test]
fn the_reason_names_the_check_the_evidence_and_the_cure() {
    assert_eq!(
        sight(0, Standing::Blocked).says_of_hold(&subject("shop.example")),
        "held by preflight: mail of shop.example to united-internet fails IDN-05: no good \
         signature; to put it right: Sign."
    );
}
