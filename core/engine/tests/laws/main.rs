//! The engine's laws, held against hosts of every temper.

mod engagement;
mod forgetting;
mod gates;
mod greylisted;
mod hosts;
mod model;
mod ordered;
mod quarantine;
mod receiver;
mod shared;
mod together;

use std::collections::BTreeMap;

use model::{Model, START, Temper, TooMany, run};
use postlane_engine::*;
use postlane_mail::{Instant, Rate, Span, Stream};
use proptest::prelude::*;

const WIDE: Ceilings = Ceilings { connections: 20, rate: None, session_messages: 100 };

fn temper() -> impl Strategy<Value = Temper> {
    let hosts = (0u64..40, 0u64..30, 0u64..60, 0u64..20, 0u64..20, 0u64..15, 0u64..30, 0u64..2000);
    (hosts, proptest::option::of(1usize..5)).prop_map(|(hosts, recipients_max)| {
        let (unreachable, turns_away, defers, refuses, hangs_up, unable, no_route, latency_ms) =
            hosts;
        Temper {
            unreachable,
            turns_away,
            defers,
            refuses,
            hangs_up,
            unable,
            no_route,
            latency_ms,
            recipients_max,
            ..Temper::default()
        }
    })
}

fn mail(model: &mut Model, messages: u64) {
    for i in 0..messages {
        let at = START + Span(model.roll(3_600_000_000));
        let stream = Stream::ALL[model.roll(3) as usize];
        let flow = model.roll(4) as u32;
        let many = 1 + if i % 7 == 0 { model.roll(6) } else { 0 };
        let domains: Vec<u32> = (0..many).map(|_| model.roll(40) as u32).collect();
        model.message(at, stream, flow, &domains);
    }
    for _ in 0..3 {
        let at = START + Span(model.roll(3_600_000_000));
        model.tell_at(at, Input::Reroute);
    }
}

fn everybody_is_somewhere(model: &Model, engine: &Engine<()>) {
    let all = Selection::default();
    let (rows, next) = engine.list(model.now, &all, None, Cursor::default(), usize::MAX);
    assert!(next.is_none());
    let mut waiting = BTreeMap::new();
    for row in &rows {
        let twice = waiting.insert((row.id, row.index), row);
        assert!(twice.is_none(), "{row:?} waits twice");
        let says_why = row.waiting.is_some() || row.standing == Standing::Active;
        assert!(says_why, "{row:?} does not say why it waits");
        assert!(row.standing != Standing::Deferred || row.due.is_some());
    }
    for key in &model.submitted {
        let (waits, ended) = (waiting.contains_key(key), model.ended.contains_key(key));
        assert!(waits != ended, "{key:?}: waits {waits}, ended {ended}");
    }
    let counts = engine.counts();
    let counted = counts.active + counts.ready + counts.routing + counts.deferred + counts.held;
    assert_eq!(counted as usize, rows.len());
    assert!(rows.is_sorted_by_key(|row| (row.id, row.index)));
    for limit in [1, 7] {
        assert_eq!(in_pages(model.now, engine, limit), rows, "pages of {limit}");
    }
}

fn in_pages(now: Instant, engine: &Engine<()>, limit: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut from = Some(Cursor::default());
    while let Some(cursor) = from {
        let (page, next) = engine.list(now, &Selection::default(), None, cursor, limit);
        assert!(!page.is_empty() || next.is_none());
        rows.extend(page);
        from = next;
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_recipient_ends_once_or_waits_and_says_why(seed: u64, temper in temper(), minutes in 1u64..600) {
        let mut model = Model::new(seed, temper, WIDE, Span::from_min(minutes));
        mail(&mut model, 200);
        model.end_at = model.end_at.max(START + Span::from_h(1));
        let engine = run(&mut model, seed);
        everybody_is_somewhere(&model, &engine);
    }

    #[test]
    fn everything_has_ended_when_the_longest_life_is_over(seed: u64, temper in temper()) {
        let mut model = Model::new(seed, temper, WIDE, Span::from_h(122));
        mail(&mut model, 60);
        let engine = run(&mut model, seed);
        everybody_is_somewhere(&model, &engine);
        prop_assert_eq!(model.ended.len(), model.submitted.len());
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes(seed: u64, temper in temper()) {
        let diary = || {
            let mut model = Model::new(seed, temper, WIDE, Span::from_h(3));
            mail(&mut model, 100);
            run(&mut model, seed);
            model.diary
        };
        prop_assert_eq!(diary(), diary());
    }

    #[test]
    fn no_lane_is_faster_than_its_rate_whatever_happens(
        seed: u64,
        temper in temper(),
        per_minute in 1u32..200,
    ) {
        let rate = Rate::new(per_minute, Span::from_min(1)).unwrap();
        let ceilings = Ceilings { connections: 5, rate: Some(rate), session_messages: 20 };
        let mut model = Model::new(seed, temper, ceilings, Span::from_h(5));
        // One lane: the domains of one exchange.
        for _ in 0..300 {
            let at = START + Span(model.roll(7_200_000_000));
            let domain = model.roll(10) as u32;
            model.message(at, Stream::Engaged, 0, &[domain]);
        }
        run(&mut model, seed);
        model.check_rate(rate);
    }
}

#[test]
fn nothing_bursts_after_a_pause() {
    let rate = Rate::new(60, Span::from_min(1)).unwrap();
    let ceilings = Ceilings { connections: 5, rate: Some(rate), session_messages: 1000 };
    let mut model = Model::new(7, Temper::default(), ceilings, Span::from_h(3));
    model.message(START, Stream::Engaged, 0, &[1]);
    for _ in 0..500 {
        model.message(START + Span::from_h(1), Stream::Engaged, 0, &[1]);
    }
    run(&mut model, 7);
    assert_eq!(model.ended.len(), 501);
    model.check_rate(rate);
}

#[test]
fn transactional_mail_goes_first_and_cold_mail_last() {
    let ceilings = Ceilings { connections: 1, rate: None, session_messages: 10_000 };
    let mut model = Model::new(3, Temper::default(), ceilings, Span::from_h(1));
    // All of it is there before the lane has its first session.
    for _ in 0..50 {
        for stream in [Stream::Cold, Stream::Engaged, Stream::Transactional] {
            model.message(START, stream, 0, &[1]);
        }
    }
    run(&mut model, 3);
    let order: Vec<Stream> = model.attempts.iter().map(|(_, _, id, _)| model.mail[id]).collect();
    assert_eq!(order.len(), 150);
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn a_refusal_that_ends_its_session_counts_once() {
    let temper = Temper { defers: 30, ..Temper::default() };
    // Not so long that the lane has nothing to do any more, and is forgotten with its tally.
    let mut model = Model::new(5, temper, WIDE, Span::from_h(1));
    (0..200).for_each(|_| {
        model.message(START, Stream::Engaged, 0, &[1]);
    });
    let engine = run(&mut model, 5);
    let refused: u64 = engine.each_lane().map(|(.., lane)| lane.tally().1).sum();
    assert!(model.refusals > 50, "{}", model.refusals);
    assert_eq!(refused, model.refusals);
}

#[test]
fn flows_of_a_stream_take_turns() {
    let ceilings = Ceilings { connections: 1, rate: None, session_messages: 10_000 };
    let mut model = Model::new(3, Temper::default(), ceilings, Span::from_h(1));
    let mut small = Vec::new();
    (0..1000).for_each(|_| {
        model.message(START, Stream::Engaged, 1, &[1]);
    });
    (0..10).for_each(|_| small.push(model.message(START, Stream::Engaged, 2, &[1])));
    run(&mut model, 3);
    let last = model.attempts.iter().rposition(|(_, _, id, _)| small.contains(id)).unwrap();
    assert!(last < 25, "the small mailing's last message was number {last}");
}

#[test]
fn recipients_of_one_message_in_one_exchange_share_a_transaction() {
    let mut model = Model::new(3, Temper::default(), WIDE, Span::from_h(1));
    // The routes are known when the second message comes.
    model.message(START, Stream::Engaged, 0, &[1, 2, 3, 11]);
    let id = model.message(START + Span::from_s(2), Stream::Engaged, 0, &[1, 2, 3, 11]);
    run(&mut model, 3);
    let of = model.attempts.iter().filter(|(_, _, i, _)| *i == id);
    let mut recipients: Vec<_> = of.map(|(.., r)| r.clone()).collect();
    recipients.sort();
    assert_eq!(recipients, [vec![0, 1, 2], vec![3]]);
}

/// How many recipients each transaction with a message had, and when it was.
fn transactions_of(model: &Model, id: postlane_mail::QueueId) -> Vec<(Instant, usize)> {
    let of = model.attempts.iter().filter(|(_, _, i, _)| *i == id);
    of.map(|(at, .., recipients)| (*at, recipients.len())).collect()
}

#[test]
fn recipients_that_are_too_many_at_once_go_in_a_further_transaction_and_next_time_are_not() {
    let temper = Temper { recipients_max: Some(10), ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_min(10));
    let first = model.message(START, Stream::Engaged, 0, &[1; 45]);
    let next = model.message(START + Span::from_min(1), Stream::Engaged, 0, &[1; 25]);
    run(&mut model, 3);
    let (first, next) = (transactions_of(&model, first), transactions_of(&model, next));
    let sizes = |of: &[(Instant, usize)]| of.iter().map(|(_, many)| *many).collect::<Vec<_>>();
    assert_eq!(sizes(&first), [45, 10, 10, 10, 5]);
    assert!(first.last().unwrap().0 < START + Span::from_s(1), "{first:?}");
    assert_eq!(sizes(&next), [10, 10, 5]);
    assert_eq!(model.opens.len(), 2, "one session for each message");
    assert!(model.ended.values().all(|end| *end == End::Delivered));
    assert_eq!(model.ended.len(), 70);
    assert!(!model.diary.contains("Deferred"), "no attempt has failed");
}

#[test]
fn a_552_behind_recipients_that_were_taken_refuses_nobody_for_good_and_in_front_of_all_it_does() {
    for (most, ends) in [(10, End::Delivered), (0, End::Bounced(None))] {
        let temper =
            Temper { recipients_max: Some(most), too_many: TooMany::By552, ..Temper::default() };
        let mut model = Model::new(3, temper, WIDE, Span::from_min(1));
        model.message(START, Stream::Engaged, 0, &[1; 25]);
        run(&mut model, 3);
        assert_eq!(model.ended.len(), 25);
        assert!(model.ended.values().all(|end| *end == ends), "{:?}", model.ended);
    }
}

#[test]
fn a_host_is_asked_for_more_recipients_again_after_an_hour() {
    let temper = Temper { recipients_max: Some(10), ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_h(2));
    model.message(START, Stream::Engaged, 0, &[1; 15]);
    let soon = model.message(START + Span::from_min(59), Stream::Engaged, 0, &[1; 15]);
    let later = model.message(START + Span::from_min(61), Stream::Engaged, 0, &[1; 15]);
    run(&mut model, 3);
    let sizes = |id| transactions_of(&model, id).iter().map(|(_, n)| *n).collect::<Vec<_>>();
    assert_eq!((sizes(soon), sizes(later)), (vec![10, 5], vec![15, 5]));
}

#[test]
fn further_transactions_of_a_message_keep_to_the_lanes_rate() {
    let rate = Rate::new(4, Span::from_min(1)).unwrap();
    let ceilings = Ceilings { connections: 5, rate: Some(rate), session_messages: 20 };
    let temper = Temper { recipients_max: Some(5), ..Temper::default() };
    let mut model = Model::new(3, temper, ceilings, Span::from_h(1));
    model.message(START, Stream::Engaged, 0, &[1; 50]);
    run(&mut model, 3);
    assert_eq!((model.ended.len(), model.attempts.len()), (50, 10));
    model.check_rate(rate);
}

#[test]
fn a_host_that_takes_not_even_one_recipient_is_tried_again_as_any_other() {
    let temper = Temper { recipients_max: Some(0), ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_min(12));
    let id = model.message(START, Stream::Engaged, 0, &[1; 5]);
    run(&mut model, 3);
    let [(first, 5), (second, 5)] = transactions_of(&model, id)[..] else {
        panic!("{:?}", model.attempts)
    };
    assert!(second.since(first) >= Span::from_min(4));
}

#[test]
fn a_session_that_has_had_its_share_costs_no_message_an_attempt_and_no_first_one_goes_in_circles() {
    let temper = Temper { session_share: Some(3), ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_min(1));
    for _ in 0..10 {
        model.message(START, Stream::Engaged, 0, &[1]);
    }
    run(&mut model, 3);
    assert_eq!(model.ended.len(), 10);
    assert!(model.ended.values().all(|end| *end == End::Delivered));
    assert!(!model.diary.contains("Deferred"), "no attempt has failed");
    let temper = Temper { session_share: Some(0), ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_min(12));
    model.message(START, Stream::Engaged, 0, &[1]);
    run(&mut model, 3);
    assert!(model.attempts.len() <= 3, "{} in twelve minutes", model.attempts.len());
    assert!(model.diary.contains("Deferred"));
}

#[test]
fn a_second_of_a_hundred_thousand_is_released_in_steps() {
    let temper = Temper { latency_ms: 1, ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_h(2));
    let due = START + Span::from_min(30);
    for i in 0..100_000u32 {
        let id = model.ids.next(START);
        model.submitted.insert((id, 0));
        let progress = postlane_mail::Progress { attempts: 1, due, ..Default::default() };
        let recipient = SubmittedRecipient { index: 0, domain: DomainId(1), progress };
        let submission = Submission {
            id,
            place: postlane_mail::Place { segment: 1, ordinal: i },
            stream: Stream::Engaged,
            flow: FlowId(0),
            engaged: None,
            pool: PoolId(0),
            awaits_verdict: false,
            together: Together::default(),
            recipients: [recipient].into_iter().collect(),
        };
        model.mail.insert(id, Stream::Engaged);
        model.tell_at(START, Input::Submitted(vec![submission]));
    }
    run(&mut model, 3);
    assert_eq!(model.ended.len(), 100_000);
    assert!(model.outputs_most < 3_000, "{} outputs in one step", model.outputs_most);
}

fn command(model: &mut Model, at: Instant, request: u64, action: Action) {
    let selection = Selection { domains: Some(vec![DomainId(1)]), ..Selection::default() };
    model.tell_at(at, Input::Operator(Operator { request, action, selection }));
}

#[test]
fn held_mail_is_not_tried_and_its_clock_stands_still() {
    let temper = Temper { defers: 100, ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_h(400));
    (0..20).for_each(|_| {
        model.message(START, Stream::Engaged, 0, &[1]);
    });
    command(&mut model, START + Span::from_h(1), 1, Action::Hold);
    command(&mut model, START + Span::from_h(200), 2, Action::Release);
    let engine = run(&mut model, 3);
    assert_eq!(model.answered, [(1, 20), (2, 20)]);
    // 120 hours of life, of which 199 were spent held: it ends after 319.
    assert!(model.ended.values().all(|end| *end == End::Expired), "{:?}", model.ended);
    assert_eq!(model.ended.len(), 20);
    let last = model.attempts.iter().map(|(at, ..)| *at).max().unwrap();
    assert!(last > START + Span::from_h(318) && last < START + Span::from_h(320));
    everybody_is_somewhere(&model, &engine);
}

#[test]
fn deleted_mail_is_gone_and_bounced_mail_is_reported() {
    let temper = Temper { defers: 100, ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_h(2));
    (0..5).for_each(|_| {
        model.message(START, Stream::Engaged, 0, &[1, 2]);
    });
    command(&mut model, START + Span::from_h(1), 1, Action::Delete);
    let engine = run(&mut model, 3);
    assert_eq!(model.answered, [(1, 5)]);
    assert_eq!(model.ended.values().filter(|end| **end == End::Deleted).count(), 5);
    everybody_is_somewhere(&model, &engine);
}

#[test]
fn who_says_now_tries_hosts_that_rest() {
    let temper = Temper { unreachable: 50, defers: 100, ..Temper::default() };
    for (seed, action) in (1..40).flat_map(|s| [(s, Action::Retry), (s, Action::DeliverNow)]) {
        let mut model = Model::new(seed, temper, WIDE, Span::from_h(2));
        let meant = model.message(START, Stream::Engaged, 0, &[1]);
        // Mail that is not meant may find that the host rests, while what is meant is deferred.
        model.message(START + Span::from_min(69), Stream::Engaged, 0, &[1]);
        let said = START + Span::from_min(70);
        let selection = Selection { ids: Some(vec![meant]), ..Selection::default() };
        model.tell_at(said, Input::Operator(Operator { request: 1, action, selection }));
        run(&mut model, seed);
        assert_eq!(model.answered, [(1, 1)], "seed {seed}");
        let soon = said..said + Span::from_s(1);
        let opens = model.opens.iter().any(|(at, _)| soon.contains(at));
        let sends = model.attempts.iter().any(|(at, ..)| soon.contains(at));
        assert!(opens || sends, "seed {seed}, {action:?}: {:?}", model.opens);
    }
}

#[test]
fn mail_that_waits_for_hosts_that_are_gone_goes_where_a_new_route_leads() {
    let temper = Temper { unreachable: 100, ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_min(62));
    (0..300).for_each(|n| {
        model.message(START, Stream::ALL[n % 3], 0, &[1, 2, 11, 12]);
    });
    let at = START + Span::from_h(1);
    // The world is asked for this one's route, and answers when it is another one.
    model.message(at, Stream::Engaged, 0, &[25]);
    (model.temper.latency_ms, model.moved_at) = (100, Some(at + Span(1)));
    model.tell_at(at + Span(1), Input::Reroute);
    let engine = run(&mut model, 3);
    assert!(model.attempts.iter().all(|(when, ..)| *when > at));
    // What was deferred an hour ago is not due yet.
    let rows = engine.list(model.now, &Selection::default(), None, Cursor::default(), usize::MAX).0;
    assert!(rows.iter().all(|row| row.standing == Standing::Deferred), "{rows:?}");
    assert!(model.ended.len() > 1000, "{}", model.ended.len());
    everybody_is_somewhere(&model, &engine);
}

#[test]
fn mail_for_hosts_that_are_gone_follows_the_dns_by_itself() {
    let temper = Temper { unreachable: 100, ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_h(3));
    (0..300).for_each(|n| {
        model.message(START, Stream::ALL[n % 3], 0, &[1, 2, 11, 12]);
    });
    let at = START + Span::from_h(1);
    (model.temper.latency_ms, model.moved_at) = (100, Some(at));
    let engine = run(&mut model, 3);
    // All rests are over within half an hour, and the deferrals of the first hour within two.
    assert!(model.attempts.iter().all(|(when, ..)| *when > at));
    let most = model.submitted.len() * 9 / 10;
    assert!(model.ended.len() > most, "{} of {}", model.ended.len(), model.submitted.len());
    everybody_is_somewhere(&model, &engine);
}

#[test]
fn mail_for_a_domain_on_hold_waits_until_the_hold_ends_and_goes_then() {
    let mut model = Model::new(3, Temper::default(), WIDE, Span::from_h(10));
    let until = START + Span::from_h(6);
    model.on_hold = Some(until);
    (0..20).for_each(|_| {
        model.message(START, Stream::Engaged, 0, &[1, 1]);
    });
    model.message(START, Stream::Transactional, 0, &[1]);
    let engine = run(&mut model, 3);
    let (first, later) = (START + Span::from_min(1), until + Span::from_min(1));
    let is_meant = |at: Instant| at < first || (until..later).contains(&at);
    assert!(model.attempts.iter().all(|(at, ..)| is_meant(*at)), "{:?}", model.attempts);
    assert_eq!(model.attempts.len(), 2 * 21);
    assert_eq!(model.ended.len(), 41);
    assert!(model.ended.values().all(|end| *end == End::Delivered));
    everybody_is_somewhere(&model, &engine);
}

#[test]
fn recipients_with_reverse_paths_of_their_own_share_no_transaction() {
    let temper = Temper { defers: 50, ..Temper::default() };
    for together in [Together::WhereTheyCan, Together::Never] {
        let mut model = Model::new(3, temper, WIDE, Span::from_h(100));
        model.together = together;
        (0..20).for_each(|_| {
            model.message(START, Stream::Engaged, 0, &[1, 1, 1, 2]);
        });
        let engine = run(&mut model, 3);
        let largest = model.attempts.iter().map(|(.., recipients)| recipients.len()).max();
        assert_eq!(largest == Some(1), together == Together::Never, "{largest:?}");
        everybody_is_somewhere(&model, &engine);
    }
}

#[test]
fn sessions_carry_their_fill_while_nobody_else_waits_for_their_lane() {
    let temper = Temper { latency_ms: 20, ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_h(1));
    (0..20_000).for_each(|n| {
        model.message(START + Span::from_ms(n / 8), Stream::ALL[n as usize % 3], 0, &[1]);
    });
    let engine = run(&mut model, 3);
    assert_eq!(model.ended.len(), 20_000);
    // 200 sessions of 100 messages each, and those that were open at the end.
    let most = 200 + usize::from(WIDE.connections);
    assert!(model.opens.len() <= most, "{} sessions", model.opens.len());
    everybody_is_somewhere(&model, &engine);
}

#[test]
fn a_shutdown_waits_for_what_is_under_way_and_begins_nothing() {
    let temper = Temper { latency_ms: 500, ..Temper::default() };
    let mut model = Model::new(3, temper, WIDE, Span::from_h(2));
    (0..500).for_each(|_| {
        model.message(START, Stream::Engaged, 0, &[1]);
    });
    let at = START + Span::from_s(3);
    model.tell_at(at, Input::Shutdown);
    let engine = run(&mut model, 3);
    assert!(model.stopped);
    assert!(model.attempts.iter().all(|(when, ..)| *when <= at));
    assert_eq!(engine.counts().active, 0);
    everybody_is_somewhere(&model, &engine);
}
