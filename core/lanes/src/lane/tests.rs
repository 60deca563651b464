use postlane_mail::{Rate, Span};
use proptest::prelude::*;

use super::*;

const NOW: Instant = Instant::from_unix_s(1_000);

fn lane(connections: u16, per_minute: u32) -> Lane {
    let rate = Rate::new(per_minute, Span::from_min(1));
    Lane::new(Ceilings { connections, rate, session_messages: 100 }, Learning::Off, 1)
}

fn ask(lane: &Lane, now: Instant, ask: Ask) -> Permit {
    lane.permit(now, Stream::Engaged, ask)
}

#[test]
fn connections_and_messages_draw_on_one_budget() {
    let mut lane = lane(10, 60);
    lane.opening(NOW);
    let Permit::After(Waiting::Pace { until }) = ask(&lane, NOW, Ask::Message) else {
        panic!("paced")
    };
    assert_eq!(ask(&lane, NOW, Ask::Connection), Permit::After(Waiting::Pace { until }));
    assert_eq!(ask(&lane, until, Ask::Message), Permit::Now);
}

#[test]
fn a_lane_opens_no_more_sessions_than_its_ceiling() {
    let mut lane = lane(2, 60_000);
    lane.opening(NOW);
    lane.opening(NOW);
    let later = NOW + Span::from_s(10);
    assert_eq!(ask(&lane, later, Ask::Connection), Permit::Full);
    lane.closed();
    assert_eq!(ask(&lane, later, Ask::Connection), Permit::Now);
}

#[test]
fn other_ceilings_hold_from_now_on_and_close_nothing() {
    let mut lane = lane(5, 60_000);
    (0..3).for_each(|_| lane.opening(NOW));
    let ceilings = Ceilings { connections: 1, rate: None, session_messages: 1 };
    lane.keep_to(ceilings, Learning::Off);
    assert_eq!((lane.open(), ask(&lane, NOW, Ask::Connection)), (3, Permit::Full));
    assert_eq!(ask(&lane, NOW, Ask::Message), Permit::Now);
}

#[test]
fn a_session_that_opens_late_does_not_send_upon_the_next_message() {
    let mut lane = lane(10, 60);
    lane.opening(NOW);
    let Permit::After(next) = lane.permit(NOW, Stream::Engaged, Ask::Message) else {
        panic!("paced")
    };
    let next = next.until().unwrap();
    lane.sending(next, Stream::Engaged, Ask::Message);
    let soon = next + Span::from_ms(1);
    let Permit::After(waiting) = lane.permit(soon, Stream::Engaged, Ask::Prepaid) else {
        panic!("two messages within a millisecond, under a ceiling of one a second")
    };
    assert!(waiting.until().unwrap() >= next + Span::from_ms(980));
}

#[test]
fn under_a_ceiling_a_message_is_given_out_when_it_goes() {
    assert_eq!(lane(10, 60).depth(2), 1);
    let ceilings = Ceilings { rate: None, ..lane(10, 60).ceilings() };
    assert_eq!(Lane::new(ceilings, Learning::Off, 1).depth(2), 2);
}

#[test]
fn while_each_message_can_have_a_session_of_its_own_none_waits_behind_another() {
    let lane = |connections| {
        let ceilings = Ceilings { connections, rate: None, session_messages: 100 };
        let mut lane = Lane::new(ceilings, Learning::On, 1);
        let heard = |sent| Heard {
            signal: Signal::Accepted,
            sent,
            stream: Stream::Engaged,
            attempts: 0,
            carried: 0,
            open: 1,
        };
        for second in 0..300 {
            let sent = NOW + Span::from_s(second);
            lane.sending(sent, Stream::Engaged, Ask::Message);
            lane.over(Stream::Engaged);
            lane.observe(sent + Span::from_ms(500), &heard(sent));
        }
        lane
    };
    assert_eq!(lane(20).depth(2), 1);
    assert_eq!(lane(1).depth(2), 2);
}

/// What a provider may say, drawn by number.
fn said(number: u32, minutes: u64) -> Signal {
    let wait =
        Some(crate::Hinted { wait: Span::from_min(minutes), exact: number.is_multiple_of(2) });
    let window = (number.is_multiple_of(3)).then_some(Span::from_h(1));
    let hint = crate::Hint { wait, window, quota: Some(number), closes: number.is_multiple_of(5) };
    match number % 14 {
        0 => Signal::Rate { hint },
        1 => Signal::Rate { hint: crate::Hint::default() },
        2 => Signal::Outage { hint },
        3 => Signal::Conn,
        4 => Signal::PerConn,
        5 => Signal::Greylist,
        6 => Signal::Ambiguous,
        7 => Signal::Temp,
        8 => Signal::Policy,
        9 => Signal::Perm,
        10 => Signal::Mailbox,
        _ => Signal::Accepted,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Whatever a provider says and whenever it says it, a lane lives, says until when it waits,
    /// and sends nothing beside its canary.
    #[test]
    fn no_conversation_breaks_a_lane(
        steps in proptest::collection::vec((0u32..10_000, 0u64..400_000, 0u64..3000), 1..1500),
    ) {
        let ceilings = Ceilings { connections: 20, rate: None, session_messages: 100 };
        let mut lane = Lane::new(ceilings, Learning::On, 7);
        let mut now = NOW;
        for (number, gap_ms, minutes) in steps {
            now = now + Span::from_ms(gap_ms);
            let stream = if number.is_multiple_of(7) { Stream::Transactional } else { Stream::Engaged };
            if let Permit::After(waiting) = lane.permit(now, stream, Ask::Message) {
                prop_assert!(waiting.until().is_some_and(|until| until > now), "{waiting:?}");
                now = waiting.until().unwrap_or(now);
            }
            if lane.permit(now, stream, Ask::Message) != Permit::Now {
                continue;
            }
            lane.sending(now, stream, Ask::Message);
            if lane.state() == State::Canary {
                prop_assert_ne!(lane.permit(now, stream, Ask::Message), Permit::Now);
            }
            let sent = now;
            now = now + Span::from_ms(u64::from(number % 900));
            lane.over(stream);
            let (attempts, carried, open) = ((number % 6) as u16, number % 50, number % 9);
            let signal = said(number, minutes);
            lane.observe(now, &Heard { signal, sent, stream, attempts, carried, open });
            lane.expect(u64::from(number));
        }
    }
}

/// Sends to a provider as soon as the lane lets it and there is mail, until then; `takes` says what it
/// takes of what it has taken.
fn converse(
    lane: &mut Lane,
    until: Instant,
    mail: impl Fn(Instant) -> bool,
    mut takes: impl FnMut(Instant, &[Instant]) -> bool,
) {
    let (mut now, mut taken) = (NOW, Vec::new());
    while now < until {
        if !mail(now) {
            now = now + Span::from_min(1);
            continue;
        }
        lane.expect(100_000);
        match lane.permit(now, Stream::Engaged, Ask::Message) {
            Permit::After(waiting) => now = waiting.until().unwrap_or(until),
            Permit::Now => {
                let (sent, stream) = (now, Stream::Engaged);
                lane.sending(now, stream, Ask::Message);
                now = now + Span::from_ms(300);
                lane.over(stream);
                let signal = if takes(sent, &taken) {
                    taken.push(sent);
                    Signal::Accepted
                } else {
                    Signal::Rate { hint: crate::Hint::default() }
                };
                let (attempts, carried, open) = (0, 1, 1);
                lane.observe(now, &Heard { signal, sent, stream, attempts, carried, open });
            }
            Permit::Full | Permit::Busy => panic!("nothing is under way"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 12, ..ProptestConfig::default() })]

    /// A limit that is learned, and then times at which the provider takes nothing at all: the lane
    /// lives through them, and sends again.
    #[test]
    fn a_lane_that_knows_its_limit_lives_through_hours_without_mail(
        quota in 5usize..120,
        window_min in prop_oneof![Just(1u64), Just(7), Just(10), Just(30), Just(60)],
        shut in proptest::collection::vec((60u64..3000, 1u64..400), 1..6),
        idle_min in 0u64..200,
    ) {
        let ceilings = Ceilings { connections: 20, rate: None, session_messages: 100 };
        let mut lane = Lane::new(ceilings, Learning::On, 3);
        let until = NOW + Span::from_h(96);
        let window = Span::from_min(window_min);
        let is_shut = |at: Instant| {
            shut.iter().any(|(from, long)| {
                let from = NOW + Span::from_min(*from);
                at >= from && at < from + Span::from_min(*long)
            })
        };
        // Mail for three hours, then none for a while.
        let mail = |at: Instant| at.since(NOW).as_s() / 60 % (180 + idle_min) < 180;
        converse(&mut lane, until, mail, |at, taken| {
            let counted = taken.iter().rev().take_while(|t| **t + window > at).count();
            counted < quota && !is_shut(at)
        });
        let (accepted, _) = lane.tally();
        prop_assert!(accepted as usize > 3 * quota, "{accepted} accepted");
    }
}
