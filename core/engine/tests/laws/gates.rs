//! Ceilings over several sources and inside lanes, and how messages wait by what an operator says.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use postlane_engine::*;
use postlane_lanes::{Ceiling, Rules};
use postlane_mail::{Instant, QueueId, Rate, Span, Stream};
use proptest::prelude::*;

use crate::model::{Model, START, Temper, run};
use crate::{WIDE, temper};

fn ceiling(connections: u16, rate: Option<Rate>) -> Ceiling {
    Ceiling { connections: NonZeroU16::new(connections), rate }
}

fn together(connections: u16, rate: Option<Rate>) -> Rules {
    Rules { together: ceiling(connections, rate), ..Rules::default() }
}

fn per_minute(messages: u32) -> Option<Rate> {
    Rate::new(messages, Span::from_min(1))
}

/// A section for a flow, and one for a domain.
fn inside(flow: Rules, domain: Rules) -> [Input<()>; 2] {
    let inside = BTreeMap::from([(SectionId(1), flow), (SectionId(2), domain)]);
    [
        Input::Sections(Box::new(Sections { inside, ..Sections::default() })),
        Input::Passes(vec![
            Passes::Flow(FlowId(1), Some(SectionId(1))),
            Passes::Domain(DomainId(1), Some(SectionId(2))),
        ]),
    ]
}

fn with(model: &mut Model, inputs: impl IntoIterator<Item = Input<()>>) {
    inputs.into_iter().for_each(|input| model.tell_at(START, input));
}

/// No more than so many of these attempts in any span of a rate.
fn keeps_to(model: &Model, rate: Rate, is: impl Fn(&QueueId) -> bool) {
    let mut at: Vec<Instant> =
        model.attempts.iter().filter(|(_, _, id, _)| is(id)).map(|(at, ..)| *at).collect();
    at.sort_unstable();
    for (first, next) in at.iter().zip(at.iter().skip(rate.messages() as usize)) {
        assert!(next.since(*first) >= rate.per(), "{first:?} {next:?} {rate}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_providers_sources_together_keep_to_its_ceilings(
        seed: u64,
        temper in temper(),
        messages in 1u32..200,
        connections in 1u16..6,
    ) {
        let rate = per_minute(messages).unwrap();
        let mut model = Model::new(seed, temper, WIDE, Span::from_h(4));
        model.sources = 3;
        let all = together(connections, Some(rate));
        with(&mut model, [Input::Sections(Box::new(Sections { all, ..Sections::default() }))]);
        for _ in 0..200 {
            let at = START + Span(1 + model.roll(3_600_000_000));
            let domain = model.roll(20) as u32;
            model.message(at, Stream::Engaged, 0, &[domain]);
        }
        run(&mut model, seed);
        model.check_rate(rate);
        prop_assert!(model.sessions_most <= connections, "{}", model.sessions_most);
    }

    /// Sections are read anew amid open sessions: those that are open count on.
    #[test]
    fn a_reload_forgets_no_connection(seed: u64, temper in temper(), connections in 1u16..6) {
        let mut model = Model::new(seed, temper, WIDE, Span::from_h(4));
        model.sources = 3;
        for minute in 0..60 {
            let rate = per_minute(100 + minute);
            let all = together(connections, rate);
            let sections = Sections { all, ..Sections::default() };
            let at = START + Span::from_s(u64::from(minute) * 61);
            model.tell_at(at, Input::Sections(Box::new(sections)));
        }
        for _ in 0..300 {
            let at = START + Span(1 + model.roll(3_600_000_000));
            let domain = model.roll(20) as u32;
            model.message(at, Stream::Engaged, 0, &[domain]);
        }
        run(&mut model, seed);
        prop_assert!(model.sessions_most <= connections, "{}", model.sessions_most);
        prop_assert!(model.sessions_most > 0);
    }

    #[test]
    fn a_tenant_and_a_domain_keep_to_their_ceilings_whatever_happens(
        seed: u64,
        temper in temper(),
        of_tenant in 1u32..60,
        of_domain in 1u32..60,
    ) {
        let rates = [of_tenant, of_domain].map(|messages| per_minute(messages).unwrap());
        let mut model = Model::new(seed, temper, WIDE, Span::from_h(4));
        model.sources = 2;
        with(&mut model, inside(together(2, Some(rates[0])), together(0, Some(rates[1]))));
        let (mut tenants, mut domains) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            let at = START + Span(1 + model.roll(1_800_000_000));
            let (flow, domain) = (model.roll(3) as u32, model.roll(4) as u32);
            let id = model.message(at, Stream::Engaged, flow, &[domain]);
            tenants.extend((flow == 1).then_some(id));
            domains.extend((domain == 1).then_some(id));
        }
        run(&mut model, seed);
        keeps_to(&model, rates[0], |id| tenants.contains(id));
        keeps_to(&model, rates[1], |id| domains.contains(id));
    }
}

#[test]
fn whoever_waits_for_a_ceiling_of_his_own_holds_up_nobody_else() {
    let mut model = Model::new(5, Temper::default(), WIDE, Span::from_h(4));
    let rate = per_minute(1).unwrap();
    with(&mut model, inside(together(1, Some(rate)), together(0, Some(rate))));
    let at = START + Span::from_s(1);
    let (mut slow, mut quick) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        slow.push(model.message(at, Stream::Transactional, 1, &[2]));
        slow.push(model.message(at, Stream::Engaged, 1, &[2]));
        slow.push(model.message(at, Stream::Engaged, 0, &[1]));
    }
    for _ in 0..100 {
        quick.push(model.message(at, Stream::Engaged, 0, &[2]));
    }
    run(&mut model, 5);
    let last = model.attempts.iter().filter(|(_, _, id, _)| quick.contains(id));
    let last = last.map(|(at, ..)| *at).max().unwrap();
    assert!(last < START + Span::from_s(20), "{last:?}");
    let sent = slow.iter().filter(|id| model.ended.contains_key(&(**id, 0))).count();
    assert!((290..=300).contains(&sent), "{sent}");
    let of_tenant = |id: &QueueId| {
        slow.iter().step_by(3).chain(slow.iter().skip(1).step_by(3)).any(|s| s == id)
    };
    keeps_to(&model, rate, of_tenant);
}

#[test]
fn the_rules_of_a_pool_and_of_hosts_bind_their_mail() {
    let mut model = Model::new(5, Temper::default(), WIDE, Span::from_h(3));
    let rate = per_minute(2).unwrap();
    let sections = Sections {
        inside: BTreeMap::from([(SectionId(1), together(1, Some(rate)))]),
        ..Sections::default()
    };
    let hosts = Passes::Exchange(ExchangeId(0), [SectionId(1)].into_iter().collect());
    with(&mut model, [Input::Sections(Box::new(sections)), Input::Passes(vec![hosts])]);
    let at = START + Span::from_s(1);
    let slow: Vec<_> = (0..50).map(|_| model.message(at, Stream::Engaged, 0, &[1])).collect();
    let quick: Vec<_> = (0..50).map(|_| model.message(at, Stream::Engaged, 0, &[11])).collect();
    run(&mut model, 5);
    keeps_to(&model, rate, |id| slow.contains(id));
    assert_eq!(model.ended.len(), 100);
    let last = model.attempts.iter().filter(|(_, _, id, _)| quick.contains(id)).map(|a| a.0).max();
    assert!(last.unwrap() < START + Span::from_s(20), "{last:?}");
}

#[test]
fn a_deferred_message_waits_and_lives_as_long_as_an_operator_says() {
    let temper = Temper { defers: 100, ..Temper::default() };
    let mut model = Model::new(5, temper, WIDE, Span::from_h(10));
    let rules = Rules {
        retry_backoff: Some(Span::from_min(30)),
        retry_max_age: Some(Span::from_h(2)),
        ..Rules::default()
    };
    let providers = BTreeMap::from([(ProviderId(0), rules)]);
    with(&mut model, [Input::Sections(Box::new(Sections { providers, ..Sections::default() }))]);
    let at = START + Span::from_s(1);
    let ruled = model.message(at, Stream::Engaged, 0, &[1]);
    let other = model.message(at, Stream::Engaged, 0, &[21]);
    run(&mut model, 5);
    let tries = |id: QueueId| -> Vec<Instant> {
        model.attempts.iter().filter(|(_, _, of, _)| *of == id).map(|(at, ..)| *at).collect()
    };
    let ruled_at = tries(ruled);
    assert!(ruled_at.len() >= 3, "{ruled_at:?}");
    for pair in ruled_at.windows(2) {
        let is_last = pair[1].since(at) >= Span::from_h(2);
        assert!(pair[1].since(pair[0]) >= Span::from_min(30) || is_last, "{ruled_at:?}");
    }
    assert_eq!(model.ended.get(&(ruled, 0)), Some(&End::Expired));
    assert!(ruled_at.last().unwrap().since(at) < Span::from_min(125));
    assert!(tries(other)[1].since(at) < Span::from_min(10));
    assert_eq!(model.ended.get(&(other, 0)), None);
}

#[test]
fn new_mail_waits_while_old_mail_ages() {
    let temper = Temper { defers: 100, ..Temper::default() };
    let mut model = Model::new(5, temper, WIDE, Span::from_h(12));
    let all = Rules {
        hold_new_when_deferred_older_than: Some(Span::from_h(1)),
        retry_max_age: Some(Span::from_h(3)),
        ..Rules::default()
    };
    with(&mut model, [Input::Sections(Box::new(Sections { all, ..Sections::default() }))]);
    let old = model.message(START + Span::from_s(1), Stream::Engaged, 0, &[1]);
    let before = model.message(START + Span::from_min(50), Stream::Engaged, 0, &[1]);
    let beside = model.message(START + Span::from_min(90), Stream::Engaged, 0, &[1]);
    let urgent = model.message(START + Span::from_min(90), Stream::Transactional, 0, &[1]);
    let elsewhere = model.message(START + Span::from_min(90), Stream::Engaged, 0, &[21]);
    run(&mut model, 5);
    let first = |id: QueueId| {
        let tried = model.attempts.iter().find(|(_, _, of, _)| *of == id);
        tried.map(|(at, ..)| at.since(START).as_s() / 60)
    };
    assert_eq!((first(old), first(before)), (Some(0), Some(50)));
    assert_eq!((first(urgent), first(elsewhere)), (Some(90), Some(90)));
    // The old one is given up after three hours, the one after it fifty minutes later.
    let waited = first(beside).unwrap();
    assert!((230..=275).contains(&waited), "{waited}");
}

#[test]
fn a_provider_is_sent_no_more_recipients_at_once_than_an_operator_says() {
    let mut model = Model::new(5, Temper::default(), WIDE, Span::from_h(1));
    let all = Rules { recipients_per_transaction: NonZeroU16::new(3), ..Rules::default() };
    with(&mut model, [Input::Sections(Box::new(Sections { all, ..Sections::default() }))]);
    let id = model.message(START + Span::from_s(1), Stream::Engaged, 0, &[1; 10]);
    run(&mut model, 5);
    let many: Vec<usize> = model.attempts.iter().map(|(_, _, _, all)| all.len()).collect();
    assert_eq!(many, [3, 3, 3, 1]);
    assert_eq!(model.ended.keys().filter(|(of, _)| *of == id).count(), 10);
}

#[test]
fn a_restart_plan_that_is_written_down_begins_by_itself() {
    let mut model = Model::new(5, Temper::default(), WIDE, Span::from_h(5));
    let plan = postlane_lanes::Ladder::new([7, 14]).unwrap();
    let rules = Rules { restart: Some(plan), ..Rules::default() };
    let providers = BTreeMap::from([(ProviderId(0), rules)]);
    let told = || {
        Input::Sections(Box::new(Sections { providers: providers.clone(), ..Sections::default() }))
    };
    with(&mut model, [told()]);
    // Told again, as at a reload, it does not begin anew.
    model.tell_at(START + Span::from_h(1), told());
    for _ in 0..30 {
        model.message(START + Span::from_s(1), Stream::Engaged, 0, &[1]);
    }
    run(&mut model, 5);
    assert_eq!((model.attempts.len(), model.ended.len()), (7, 7));
}

#[test]
fn a_ceiling_that_is_lifted_lets_all_go() {
    let mut model = Model::new(5, Temper::default(), WIDE, Span::from_h(1));
    let rate = Rate::new(1, Span::from_h(24));
    with(&mut model, inside(together(1, rate), together(1, rate)));
    for _ in 0..50 {
        model.message(START + Span::from_s(1), Stream::Engaged, 1, &[1]);
    }
    let lifted = START + Span::from_min(30);
    model.tell_at(lifted, Input::Sections(Box::default()));
    let gone = Passes::Flow(FlowId(1), None);
    model.tell_at(lifted, Input::Passes(vec![gone, Passes::Domain(DomainId(1), None)]));
    run(&mut model, 5);
    let early = model.attempts.iter().filter(|(at, ..)| *at < lifted).count();
    assert_eq!((early, model.ended.len()), (1, 50));
}

#[test]
fn what_of_a_mailing_passes_a_gate_that_is_open_waits_for_no_other_mail_of_it() {
    let narrow = Ceilings { connections: 1, rate: None, session_messages: 10_000 };
    let mut model = Model::new(3, Temper::default(), narrow, Span::from_h(1));
    with(&mut model, inside(Rules::default(), together(1, per_minute(6_000))));
    (0..1000).for_each(|_| {
        model.message(START, Stream::Engaged, 0, &[2]);
    });
    let gated: Vec<_> = (0..10).map(|_| model.message(START, Stream::Engaged, 0, &[1])).collect();
    run(&mut model, 3);
    let last = model.attempts.iter().rposition(|(_, _, id, _)| gated.contains(id)).unwrap();
    assert!(last < 200, "of 1,010 the last of the domain with a gate was number {last}");
}
