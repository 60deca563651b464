//! What operators order of lanes, and restart plans, in the engine.

use std::collections::BTreeMap;

use postlane_engine::*;
use postlane_lanes::{Instruction, Ladder, OrderKind, Rules, Streams, Who};
use postlane_mail::{Instant, Span, Stream};
use proptest::prelude::*;

use crate::model::{Model, START, Temper, run};

const WIDE: Ceilings = Ceilings { connections: 20, rate: None, session_messages: 100 };

/// Domains 0 to 19 are its.
const PROVIDER: Scope = Scope { provider: ProviderId(0), source: None };
const LANE: Scope = Scope { provider: ProviderId(0), source: Some(SourceId(0)) };

fn command(model: &mut Model, at: Instant, scope: Scope, action: LaneAction) {
    let by = Who::new("jo");
    model.tell_at(at, Input::Lane(LaneCommand { request: at.0, scope, by, action }));
}

fn give(what: Instruction) -> LaneAction {
    LaneAction::Give { what, until: None }
}

fn model(runs_for: Span) -> Model {
    Model::new(7, Temper { latency_ms: 20, ..Temper::default() }, WIDE, runs_for)
}

fn after(minutes: u64) -> Instant {
    START + Span::from_min(minutes)
}

fn sent_in(model: &Model, from: Instant, to: Instant) -> usize {
    model.attempts.iter().filter(|(at, ..)| *at > from && *at <= to).count()
}

fn why(model: &Model, engine: &Engine<()>) -> Vec<String> {
    let all = Selection::default();
    let (rows, _) = engine.list(model.now, &all, None, Cursor::default(), usize::MAX);
    rows.iter().map(|row| row.waiting.map_or_else(String::new, |w| w.to_string())).collect()
}

#[test]
fn a_paused_provider_sends_nothing_until_it_is_resumed() {
    for scope in [PROVIDER, LANE] {
        let mut model = model(Span::from_min(40));
        command(&mut model, after(0), scope, give(Instruction::Pause(Streams::ALL)));
        for n in 0..30 {
            model.message(after(n % 20 + 1), Stream::Engaged, 1, &[(n % 20) as u32]);
        }
        model.message(after(1), Stream::Engaged, 1, &[25]);
        command(&mut model, after(30), scope, LaneAction::Resume);
        run(&mut model, 1);
        assert_eq!(sent_in(&model, after(0), after(30)), 1, "another provider's mail goes");
        assert_eq!(sent_in(&model, after(30), after(40)), 30);
        assert_eq!(model.answered, [(after(0).0, 1), (after(30).0, 1)]);
    }
}

#[test]
fn what_waits_for_an_order_says_so() {
    let mut model = model(Span::from_min(10));
    command(&mut model, after(0), PROVIDER, give(Instruction::Pause(Streams::ALL)));
    model.message(after(1), Stream::Engaged, 1, &[3]);
    let engine = run(&mut model, 1);
    assert_eq!(why(&model, &engine), ["an operator has paused it"]);
}

#[test]
fn a_pause_of_cold_mail_lets_receipts_go() {
    let mut model = model(Span::from_min(10));
    let cold = Streams::of([Stream::Cold]).unwrap();
    command(&mut model, after(0), PROVIDER, give(Instruction::Pause(cold)));
    let held = model.message(after(1), Stream::Cold, 1, &[3]);
    model.message(after(1), Stream::Transactional, 1, &[3]);
    model.message(after(2), Stream::Engaged, 1, &[3]);
    run(&mut model, 1);
    assert_eq!(model.ended.len(), 2);
    assert!(!model.ended.contains_key(&(held, 0)));
}

#[test]
fn an_order_that_ends_by_itself_lets_mail_go_then() {
    let mut model = model(Span::from_min(60));
    let (what, until) = (Instruction::Pause(Streams::ALL), Some(after(30)));
    command(&mut model, after(0), PROVIDER, LaneAction::Give { what, until });
    model.message(after(1), Stream::Engaged, 1, &[3]);
    run(&mut model, 1);
    let at = model.attempts.first().unwrap().0;
    assert!(at >= after(30) && at < after(31), "{at:?}");
    assert!(model.kept[&PROVIDER].is_empty(), "an order that has ended is forgotten");
}

#[test]
fn new_mail_waits_while_the_old_goes() {
    let mut model = model(Span::from_min(40));
    command(&mut model, after(0), PROVIDER, give(Instruction::Pause(Streams::ALL)));
    let old: Vec<_> =
        (0..10).map(|flow| model.message(after(1), Stream::Engaged, flow % 3, &[3])).collect();
    command(&mut model, after(5), PROVIDER, give(Instruction::HoldNew(Streams::ALL)));
    command(&mut model, after(10), PROVIDER, LaneAction::TakeBack(OrderKind::Pause));
    let new: Vec<_> =
        (0..10).map(|flow| model.message(after(7), Stream::Engaged, flow % 3, &[3])).collect();
    let engine = run(&mut model, 1);
    assert!(old.iter().all(|id| model.ended.contains_key(&(*id, 0))));
    assert!(new.iter().all(|id| !model.ended.contains_key(&(*id, 0))));
    assert!(why(&model, &engine).iter().all(|why| why.contains("holds new mail")));
}

#[test]
fn a_lane_that_runs_dry_opens_no_session() {
    let mut model = model(Span::from_min(20));
    model.message(after(1), Stream::Engaged, 1, &[3]);
    command(&mut model, after(5), LANE, give(Instruction::Drain));
    model.message(after(6), Stream::Engaged, 1, &[3]);
    run(&mut model, 1);
    assert_eq!(model.opens.len(), 1);
}

#[test]
fn what_changes_nothing_is_answered_with_nothing() {
    let mut model = model(Span::from_min(20));
    command(&mut model, after(1), PROVIDER, LaneAction::Resume);
    command(&mut model, after(2), LANE, LaneAction::RollBack);
    command(&mut model, after(3), LANE, LaneAction::EndPlan);
    run(&mut model, 1);
    let nothing = [1, 2, 3].map(|minute| (after(minute).0, 0));
    assert_eq!(model.answered, nothing);
    assert!(model.kept.is_empty());
}

fn again(model: &Model, runs_for: Span) -> Model {
    let mut next = self::model(Span::ZERO);
    next.now = model.now;
    next.end_at = model.now + runs_for;
    let recalled = model.kept.iter().map(|(scope, memory)| Recalled {
        scope: *scope,
        memory: postlane_lanes::Memory::recall(&memory.to_octets()).memory,
        reserved: model.reserved.get(scope).copied(),
    });
    (next.kept, next.reserved) = (model.kept.clone(), model.reserved.clone());
    next.tell_at(model.now, Input::Recalled(recalled.collect()));
    next
}

#[test]
fn orders_outlive_the_engine() {
    let mut first = model(Span::from_min(5));
    command(&mut first, after(1), PROVIDER, give(Instruction::Pause(Streams::ALL)));
    run(&mut first, 1);
    let mut second = again(&first, Span::from_min(10));
    second.message(second.now, Stream::Engaged, 1, &[3]);
    let engine = run(&mut second, 1);
    assert_eq!(why(&second, &engine), ["an operator has paused it"]);
}

#[test]
fn a_plan_that_waits_for_its_day_says_so() {
    let mut model = model(Span::from_h(2));
    command(&mut model, after(0), PROVIDER, LaneAction::Begin(Ladder::new([5]).unwrap()));
    for n in 0..8 {
        model.message(after(n + 1), Stream::Engaged, 1, &[3]);
    }
    let engine = run(&mut model, 1);
    assert_eq!(model.attempts.len(), 5);
    let says = "the restart plan's cap for the day is used up";
    assert_eq!(why(&model, &engine), [says; 3]);
}

#[test]
fn a_plan_of_the_configuration_is_begun_once() {
    let plans = |model: &mut Model| {
        let ladder = Ladder::new([5, 50]).unwrap();
        let rules = Rules { restart: Some(ladder), ..Rules::default() };
        let providers = BTreeMap::from([(ProviderId(0), rules)]);
        let sections = Sections { providers, ..Sections::default() };
        model.tell_at(model.now, Input::Sections(Box::new(sections)));
    };
    let mut first = model(Span::from_h(1));
    plans(&mut first);
    for n in 0..8 {
        first.message(after(n + 1), Stream::Engaged, 1, &[3]);
    }
    run(&mut first, 1);
    assert_eq!(first.attempts.len(), 5);
    let mut second = again(&first, Span::from_h(1));
    plans(&mut second);
    command(&mut second, after(90), PROVIDER, LaneAction::EndPlan);
    second.message(after(70), Stream::Engaged, 1, &[3]);
    run(&mut second, 1);
    assert!(second.attempts.iter().all(|(at, ..)| *at >= after(90)), "the day is used");
    let mut third = again(&second, Span::from_h(1));
    plans(&mut third);
    third.message(third.now, Stream::Engaged, 1, &[3]);
    run(&mut third, 1);
    assert_eq!(third.attempts.len(), 1, "it was ended, and is not begun again");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_day_carries_no_more_than_its_cap_through_crashes(
        seed: u64,
        caps in prop::collection::vec(1_u32..120, 1..4),
        lives_min in prop::collection::vec(1_u64..1500, 1..7),
        defers in 0_u64..30,
    ) {
        let mut caps = caps;
        caps.sort_unstable();
        let top = *caps.last().unwrap();
        let ladder = Ladder::new(caps).unwrap();
        let mut sent: BTreeMap<u32, u32> = BTreeMap::new();
        let mut model = model(Span::ZERO);
        command(&mut model, START, PROVIDER, LaneAction::Begin(ladder.clone()));
        for minutes in lives_min {
            model.temper.defers = defers;
            model.end_at = model.now + Span::from_min(minutes);
            for n in 0..150 {
                let (at, domain) = (model.now + Span::from_s(7 * n), model.roll(20) as u32);
                model.message(at, Stream::Engaged, 1, &[domain]);
            }
            run(&mut model, seed);
            let plan = model.kept[&PROVIDER].restart.as_ref();
            let finished = plan.is_some_and(|plan| plan.is_finished());
            // What a session carries first is paid for by its opening.
            let mut paid = std::collections::BTreeSet::new();
            let opened = model.opens.iter().map(|(at, _)| *at);
            let more = model.attempts.iter().filter(|(_, slot, ..)| !paid.insert(*slot));
            for at in opened.chain(more.map(|(at, ..)| *at)) {
                *sent.entry(ladder.day_at(at).0).or_default() += 1;
            }
            if finished {
                break;
            }
            for (day, sent) in &sent {
                prop_assert!(*sent <= top, "{sent} on day {day} of {top}");
            }
            // A crash: what was not durable is gone.
            model = again(&model, Span::ZERO);
        }
    }
}
