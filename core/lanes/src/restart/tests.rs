use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::fields::Reader;

const START: Instant = Instant::from_unix_s(86_400 * 1000);
const DAY: Span = Span::from_h(24);

fn plan(days: &[u32]) -> Restart {
    Restart::begin(Ladder::new(days).unwrap(), Who::new("jo"), START, None)
}

/// Sends so many now, all reserved at once; what becomes of the first attempts.
fn send(plan: &mut Restart, now: Instant, accepted: u32, deferred: u32) {
    let first = (0..accepted).map(|_| FirstAttempt::Accepted);
    for what in first.chain((0..deferred).map(|_| FirstAttempt::Deferred)) {
        reserve(plan, now);
        assert_eq!(plan.allows(now, Stream::Engaged), Allowance::Granted);
        plan.spend(now, Stream::Engaged);
        plan.tried(now, what);
    }
}

fn reserve(plan: &mut Restart, now: Instant) {
    while let Some(reservation) = plan.wants(now) {
        plan.reserved(reservation);
    }
}

/// Two stable sends on the day that begins then, three hours apart.
fn good_day(plan: &mut Restart, begins: Instant) {
    let half = plan.cap().unwrap() / 2;
    send(plan, begins + Span::from_h(1), half, 0);
    send(plan, begins + Span::from_h(4), half, 0);
}

#[test]
fn seven_good_days_climb_a_ladder_of_seven() {
    let mut plan = plan(&[50, 100, 200, 400, 800, 1600, 3200]);
    let mut caps = Vec::new();
    for day in 0..7 {
        let begins = START + DAY.times(day);
        caps.push(plan.cap().unwrap());
        good_day(&mut plan, begins);
        plan.turn(begins + DAY, Some(0)).unwrap();
    }
    assert_eq!(caps, [50, 100, 200, 400, 800, 1600, 3200]);
    assert!(plan.is_finished());
    assert_eq!(plan.allows(START + DAY.times(7), Stream::Cold), Allowance::Granted);
}

#[test]
fn the_days_cap_holds_until_the_day_turns() {
    let mut plan = plan(&[50, 100]);
    send(&mut plan, START, 50, 0);
    let until = START + DAY;
    assert_eq!(plan.allows(START, Stream::Transactional), Allowance::Used { until });
    assert_eq!(plan.next_turn(), until);
    assert_eq!(plan.wants(START), None);
    plan.turn(until, None);
    assert_eq!(plan.allows(until, Stream::Cold), Allowance::Reserving);
    reserve(&mut plan, until);
    assert_eq!(plan.allows(until, Stream::Cold), Allowance::Granted);
}

#[test]
fn one_stable_send_raises_nothing_and_two_do() {
    let mut plan = plan(&[50, 100]);
    send(&mut plan, START + Span::from_h(1), 40, 0);
    let judged = plan.turn(START + DAY, Some(0)).unwrap();
    let hindrance = Hindrance::Sends { stable: 1, wanted: 2 };
    assert_eq!(judged.verdict, Verdict::Stayed(hindrance));
    send(&mut plan, START + DAY + Span::from_h(1), 40, 0);
    let judged = plan.turn(START + DAY.times(2), Some(0)).unwrap();
    assert_eq!(judged.verdict, Verdict::Raised { from: 50, to: 100 });
}

#[test]
fn a_cap_that_was_not_tried_is_not_raised() {
    let mut plan = plan(&[50, 100]);
    send(&mut plan, START + Span::from_h(1), 12, 0);
    send(&mut plan, START + Span::from_h(4), 12, 0);
    let judged = plan.turn(START + DAY, Some(0)).unwrap();
    assert_eq!(judged.verdict, Verdict::Stayed(Hindrance::Untried));
}

#[test]
fn a_queue_that_grew_over_night_keeps_the_cap() {
    let mut plan = plan(&[50, 100]);
    plan.turn(START + DAY, Some(5));
    good_day(&mut plan, START + DAY);
    let judged = plan.turn(START + DAY.times(2), Some(6)).unwrap();
    assert_eq!(judged.verdict, Verdict::Stayed(Hindrance::Queue));
    assert_eq!(judged.signs.queue, Sign::Bad);
}

#[test]
fn a_wave_rolls_back_to_the_last_stable_level_at_once() {
    let mut plan = plan(&[50, 100, 200]);
    for day in 0..2 {
        good_day(&mut plan, START + DAY.times(day));
        plan.turn(START + DAY.times(day + 1), Some(0));
    }
    let now = START + DAY.times(2) + Span::from_h(1);
    send(&mut plan, now, 30, 0);
    assert_eq!(plan.cap(), Some(200));
    let mut fell = None;
    for _ in 0..5 {
        reserve(&mut plan, now);
        plan.spend(now, Stream::Engaged);
        let judged = plan.tried(now, FirstAttempt::Deferred);
        fell = fell.or(judged);
    }
    assert_eq!(fell.unwrap().verdict, Verdict::RolledBack { from: 200, to: 100 });
    let judged = plan.turn(START + DAY.times(3), Some(0)).unwrap();
    assert_eq!(judged.verdict, Verdict::Stayed(Hindrance::Wave));
}

#[test]
fn a_few_deferrals_among_the_first_are_no_wave() {
    let mut plan = plan(&[50, 100]);
    for _ in 0..19 {
        assert_eq!(plan.tried(START, FirstAttempt::Deferred), None);
    }
    assert!(plan.tried(START, FirstAttempt::Deferred).is_some());
}

#[test]
fn what_nobody_sees_is_unknown_and_never_clean() {
    let mut plan = plan(&[50, 100, 200]);
    good_day(&mut plan, START);
    plan.tell(Told::Headers, Sign::Clean);
    let judged = plan.turn(START + DAY, None).unwrap();
    assert_eq!(judged.verdict, Verdict::Raised { from: 50, to: 100 });
    let unknown = judged.signs.named().into_iter().filter(|(_, sign)| *sign == Sign::Unknown);
    let unknown: Vec<_> = unknown.map(|(name, _)| name).collect();
    assert_eq!(unknown, ["queue", "complaints", "unsubscribes"]);
    // What was told of yesterday says nothing of today.
    assert_eq!(plan.signs_now().headers, Sign::Unknown);
}

#[test]
fn a_plan_that_does_not_go_on_blindly_waits_for_every_sign() {
    let mut ladder = Ladder::new([50, 100]).unwrap();
    ladder.unseen = Unseen::Stay;
    let mut plan = Restart::begin(ladder, Who::new("jo"), START, None);
    good_day(&mut plan, START);
    let judged = plan.turn(START + DAY, Some(0)).unwrap();
    assert_eq!(judged.verdict, Verdict::Stayed(Hindrance::Unseen));
    good_day(&mut plan, START + DAY);
    Told::ALL.into_iter().for_each(|told| plan.tell(told, Sign::Clean));
    let judged = plan.turn(START + DAY.times(2), Some(0)).unwrap();
    assert_eq!(judged.verdict, Verdict::Raised { from: 50, to: 100 });
}

#[test]
fn complaints_that_are_told_keep_the_cap() {
    let mut plan = plan(&[50, 100]);
    good_day(&mut plan, START);
    plan.tell(Told::Complaints, Sign::Bad);
    let judged = plan.turn(START + DAY, Some(0)).unwrap();
    assert_eq!(judged.verdict, Verdict::Stayed(Hindrance::Told(Told::Complaints)));
}

#[test]
fn bulk_leaves_room_for_as_many_receipts_as_yesterday() {
    let mut plan = plan(&[100]);
    for _ in 0..30 {
        plan.spend(START, Stream::Transactional);
    }
    plan.turn(START + DAY, None);
    let now = START + DAY;
    send(&mut plan, now, 70, 0);
    assert_eq!(plan.allows(now, Stream::Cold), Allowance::Used { until: START + DAY.times(2) });
    reserve(&mut plan, now);
    assert_eq!(plan.allows(now, Stream::Transactional), Allowance::Granted);
}

#[test]
fn a_crash_forfeits_a_block_and_a_clean_stop_nothing() {
    let mut plan = plan(&[100]);
    let mut durable = None;
    for _ in 0..7 {
        while let Some(reservation) = plan.wants(START) {
            durable = Some(reservation);
            plan.reserved(reservation);
        }
        plan.spend(START, Stream::Engaged);
    }
    let kept = plan.fields().into_octets();
    let back = |reservation| {
        let mut plan = Restart::read(Reader(&kept)).unwrap();
        plan.forfeit(reservation);
        plan.used()
    };
    assert_eq!(back(plan.reservation()), 7);
    assert_eq!(back(durable.unwrap()), 10);
}

#[test]
fn a_plan_that_is_begun_anew_on_the_same_day_grants_nothing_twice() {
    let mut first = plan(&[50]);
    send(&mut first, START, 40, 0);
    let ladder = Ladder::new([60]).unwrap();
    let second = Restart::begin(ladder, Who::new("al"), START + Span::from_h(1), Some(&first));
    assert_eq!((second.used(), second.cap()), (40, Some(60)));
}

#[test]
fn other_days_of_a_plan_hold_from_the_same_step_on() {
    let mut plan = plan(&[50, 100, 200]);
    good_day(&mut plan, START);
    plan.turn(START + DAY, Some(0));
    plan.climb(Ladder::new([40, 80]).unwrap());
    assert_eq!((plan.step(), plan.cap()), (2, Some(80)));
    plan.climb(Ladder::new([40]).unwrap());
    assert_eq!((plan.step(), plan.cap()), (1, Some(40)));
    assert!(plan.end() && !plan.end());
    assert_eq!(plan.cap(), None);
}

/// What can happen to a plan.
#[derive(Debug, Clone)]
enum Happens {
    Send(bool),
    Asks,
    Durable,
    Snapshot,
    Crash,
    Passes(u32),
    ClockSetBack(u32),
    RollBack,
}

fn anything() -> impl Strategy<Value = Happens> {
    prop_oneof![
        12 => prop::bool::weighted(0.9).prop_map(Happens::Send),
        6 => Just(Happens::Asks),
        6 => Just(Happens::Durable),
        1 => Just(Happens::Snapshot),
        1 => Just(Happens::Crash),
        1 => (1_u32..90_000).prop_map(Happens::Passes),
        1 => (1_u32..200_000).prop_map(Happens::ClockSetBack),
        1 => Just(Happens::RollBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_day_is_granted_more_than_its_cap_whatever_crashes(
        days in prop::collection::vec(1_u32..60, 1..5),
        story in prop::collection::vec(anything(), 1..400),
    ) {
        let mut days = days;
        days.sort_unstable();
        let mut plan = plan(&days);
        let (mut now, mut asked) = (START, Vec::new());
        let (mut snapshot, mut durable) = (plan.fields().into_octets(), None);
        let mut sent: BTreeMap<Day, u32> = BTreeMap::new();
        let top = *days.last().unwrap();
        for happens in story {
            match happens {
                Happens::Send(good) => {
                    plan.turn(now, None);
                    if plan.cap().is_some() && plan.allows(now, Stream::Engaged) == Allowance::Granted {
                        *sent.entry(plan.reservation().day).or_default() += 1;
                        plan.spend(now, Stream::Engaged);
                        let what = if good { FirstAttempt::Accepted } else { FirstAttempt::Deferred };
                        plan.tried(now, what);
                        prop_assert!(plan.used() <= top);
                    }
                }
                Happens::Asks => asked.extend(plan.wants(now)),
                Happens::Durable => for reservation in asked.drain(..) {
                    durable = Some(reservation);
                    plan.reserved(reservation);
                },
                Happens::Snapshot => snapshot = plan.fields().into_octets(),
                Happens::Crash => {
                    // What was on its way may have become durable, or not: here it has.
                    durable = asked.drain(..).next_back().or(durable);
                    plan = Restart::read(Reader(&snapshot)).unwrap();
                    if let Some(reservation) = durable {
                        plan.forfeit(reservation);
                    }
                }
                Happens::Passes(s) => now = now + Span::from_s(s.into()),
                Happens::ClockSetBack(s) => now = START.max(now - Span::from_s(s.into())),
                Happens::RollBack => drop(plan.roll_back(now)),
            }
        }
        for (day, sent) in sent {
            prop_assert!(sent <= top, "{sent} on {day:?}");
        }
    }

    #[test]
    fn a_cap_is_raised_only_after_a_healthy_day(
        sends in prop::collection::vec((0_u32..60, 0_u32..6, 1_u64..20), 1..40),
    ) {
        let mut plan = plan(&[50, 100, 200, 400]);
        let mut now = START;
        let (mut accepted, mut deferred) = (0_u32, 0_u32);
        for (good, bad, hours) in sends {
            for n in 0..good + bad {
                let what = if n < good { FirstAttempt::Accepted } else { FirstAttempt::Deferred };
                reserve(&mut plan, now);
                if plan.is_finished() || plan.allows(now, Stream::Engaged) != Allowance::Granted {
                    break;
                }
                plan.spend(now, Stream::Engaged);
                plan.tried(now, what);
                if n < good { accepted += 1 } else { deferred += 1 }
            }
            now = now + Span::from_h(hours);
            if let Some(judged) = plan.turn(now, None) {
                if matches!(judged.verdict, Verdict::Raised { .. } | Verdict::Finished) {
                    prop_assert!(deferred * 50 <= accepted + deferred, "{deferred} of {accepted}");
                    prop_assert!(judged.used * 2 >= judged.cap);
                }
                (accepted, deferred) = (0, 0);
            }
        }
    }

    #[test]
    fn a_plan_is_read_back_as_it_was_written(
        story in prop::collection::vec((any::<bool>(), 0_u64..90_000), 0..60), told in 0_usize..3,
    ) {
        let mut plan = plan(&[20, 40, 80]);
        let mut now = START;
        plan.tell(Told::ALL[told], Sign::Clean);
        for (good, s) in story {
            now = now + Span::from_s(s);
            plan.turn(now, Some(s));
            plan.spend(now, if good { Stream::Cold } else { Stream::Transactional });
            plan.tried(now, if good { FirstAttempt::Accepted } else { FirstAttempt::Deferred });
        }
        let read = Restart::read(Reader(&plan.fields().into_octets())).unwrap();
        prop_assert_eq!(read, Restart { reserved: plan.used, asked: None, ..plan });
    }

    #[test]
    fn foreign_octets_are_no_plan_and_no_fault(at in 0_usize..200, to in any::<u8>()) {
        let mut plan = plan(&[20, 40, 80]);
        plan.roll_back(START);
        let mut octets = plan.fields().into_octets();
        if let Some(octet) = octets.get_mut(at) {
            *octet = to;
        }
        for octets in [&octets[..], octets.get(..at).unwrap_or(&octets)] {
            if let Some(mut plan) = Restart::read(Reader(octets)) {
                plan.turn(START + DAY.times(2), None);
                plan.wants(START + DAY.times(2));
                plan.spend(START, Stream::Cold);
                plan.tried(START, FirstAttempt::Deferred);
                let said = (plan.allows(START, Stream::Cold), plan.fields());
                drop(said);
            }
        }
    }
}
