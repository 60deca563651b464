use postlane_mail::{Instant, Rate, Span};
use proptest::prelude::*;

use super::*;
use crate::opening::Opening;
use crate::order::{Instruction, Order, Who};
use crate::quota::Reset;
use crate::restart::Ladder;

const NOW: Instant = Instant::from_unix_s(1_000_000);

fn learned() -> Learned {
    let quota = LearnedQuota {
        window: Span::from_h(1),
        messages: 100,
        support: 3,
        least: Span::from_min(30),
        reset: Reset::Assumed,
        asks_at: NOW,
        patience: 4,
    };
    let clock = Reset::Clock { from: NOW, to: NOW + Span::from_s(5) };
    let stretch = Past { at: NOW, all: 7, accepted: 6, transactional: 2 };
    let past = (0..9).map(|n| Past { at: NOW + Span::from_min(3 * n), ..stretch });
    Learned {
        is_shared: true,
        counts_refused: Some(false),
        puts_off: true,
        at: NOW,
        is_last: true,
        gap: Span::from_ms(10),
        gap_held: Some(Span::from_ms(11)),
        gap_bad: Some(Span::from_ms(9)),
        is_probing: false,
        quotas: vec![quota, LearnedQuota { reset: clock, ..quota }],
        suspects: vec![LearnedQuota { reset: Reset::Slides, ..quota }],
        suspected_for: Span::from_min(40),
        penalty: Some(Span::from_h(2)),
        opening: Some(Opening { from: NOW, to: NOW + Span::from_h(1), seen: 2 }),
        connections: Some(5),
        session_messages: Some(20),
        credit: -4_500,
        hints_fail: true,
        wordings: 0b1001,
        rest: Some(LearnedRest {
            refused: NOW,
            began: NOW,
            gap: Some(Span::from_s(1)),
            first: Span::from_s(60),
            canaries: 2,
            tried: NOW,
            until: NOW + Span::from_h(1),
            explained: Some(1),
        }),
        last_refused: Some(NOW),
        accepted: 100_000,
        refused: 12,
        usual: Some((12, Span::from_h(6))),
        past: past.collect(),
    }
}

fn memory() -> Memory {
    let mut orders = Orders::default();
    let what = Instruction::Pin(Rate::parse("2/m").unwrap());
    orders.give(Order { what, by: Who::new("jo"), since: NOW, until: None });
    orders.give(Order {
        what: Instruction::Exclude,
        by: Who::new("al"),
        since: NOW,
        until: Some(NOW),
    });
    let restart = Restart::begin(Ladder::new([50, 100]).unwrap(), Who::new("jo"), NOW, None);
    Memory { orders, restart: Some(restart), learned: Some(learned()) }
}

#[test]
fn a_lane_is_recalled_as_it_was_kept() {
    let full = memory();
    let recalled = Memory::recall(&full.to_octets());
    assert_eq!(recalled, Recalled { memory: full, unread: 0 });
    let empty = Memory::default();
    assert_eq!(Memory::recall(&empty.to_octets()), Recalled::default());
    assert_eq!(Memory::recall(&[]), Recalled::default());
}

#[test]
fn of_a_later_version_the_orders_hold_and_the_rest_is_told() {
    let full = memory();
    let mut octets = full.to_octets();
    octets[0] = VERSION + 1;
    let recalled = Memory::recall(&octets);
    assert_eq!(recalled.memory, Memory { orders: full.orders, ..Memory::default() });
    assert_eq!(recalled.unread, 1);
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let full = memory();
    let mut octets = full.to_octets();
    octets.extend([200, 2, 0, 1, 2]);
    assert_eq!(Memory::recall(&octets), Recalled { memory: full, unread: 0 });
}

#[test]
fn a_plan_that_cannot_be_read_is_told() {
    let mut octets = vec![VERSION];
    octets.extend([RESTART, 1, 0, 9]);
    assert_eq!(Memory::recall(&octets).unread, 1);
}

#[test]
fn a_past_longer_than_a_day_loses_its_oldest_part() {
    let long = (0..600).map(|n| Past { at: Instant(n), ..Past::default() }).collect();
    let memory = Memory { learned: Some(Learned { past: long, ..learned() }), ..memory() };
    let recalled = Memory::recall(&memory.to_octets()).memory.learned.unwrap();
    assert_eq!(recalled.past.len(), Learned::PAST_MAX);
    assert_eq!(recalled.past.last().unwrap().at, Instant(599));
}

#[test]
fn a_reservation_is_read_back() {
    let reservation = Reservation { day: Day(20_000), upto: 350 };
    assert_eq!(Reservation::recall(&reservation.to_octets()), Some(reservation));
    assert_eq!(Reservation::recall(&[9, 1]), None);
    assert_eq!(Reservation::recall(b"12 400"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn foreign_octets_are_no_fault(
        octets in prop::collection::vec(any::<u8>(), 0..100), at in 0_usize..900, to in any::<u8>(),
    ) {
        drop(Memory::recall(&octets));
        if let Some(read) = Reservation::recall(&octets) {
            prop_assert_eq!(Reservation::recall(&read.to_octets()), Some(read));
        }
        let mut spoiled = memory().to_octets();
        if let Some(octet) = spoiled.get_mut(at) {
            *octet = to;
        }
        let recalled = Memory::recall(&spoiled);
        drop(Memory::recall(&recalled.memory.to_octets()));
        spoiled.truncate(at);
        drop(Memory::recall(&spoiled));
    }
}
