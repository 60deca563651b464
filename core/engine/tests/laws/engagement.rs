//! The order of first attempts within a flow: who was engaged lately goes first, and nobody waits
//! for ever.

use postlane_engine::*;
use postlane_mail::{Instant, QueueId, Rate, Span, Stream};
use proptest::prelude::*;

use crate::WIDE;
use crate::receiver::{Receiver, Tried};
use postlane_replies::Diagnosis;

const DAY: Span = Span::from_h(24);

fn nothing_refused(_: &Tried) -> Option<Diagnosis> {
    None
}

/// A receiver that is sent ten messages a minute, by one session.
fn slow(longest_wait: Span) -> Receiver<fn(&Tried) -> Option<Diagnosis>> {
    let mut world =
        Receiver::new((1, 1), Limits::OfSource, nothing_refused as fn(&Tried) -> Option<Diagnosis>);
    let ceilings = Ceilings { connections: 1, rate: Rate::new(10, Span::from_min(1)), ..WIDE };
    let settings = Settings {
        engagement: Engagement { dormant_after: DAY.times(365), longest_wait },
        session_depth: 1,
        ..crate::model::settings(ceilings)
    };
    world.engine.handle(world.now, Input::Settings(settings.into()));
    world
}

/// A message and how many days its recipient has been quiet.
struct Given {
    id: QueueId,
    at: Instant,
    stream: Stream,
    flow: u32,
    quiet: Option<u64>,
}

fn give(
    world: &mut Receiver<fn(&Tried) -> Option<Diagnosis>>,
    given: (Stream, u32, Option<u64>),
) -> Given {
    let (stream, flow, quiet) = given;
    let engaged = quiet.map(|days| world.now - DAY.times(days));
    let message = Submission { stream, flow: FlowId(flow), engaged, ..world.message() };
    let given = Given { id: message.id, at: world.now, stream, flow, quiet };
    world.submit(message);
    given
}

#[test]
fn who_read_something_lately_comes_before_who_has_been_quiet() {
    let mut world = slow(Span::from_h(12));
    // The first goes at once, whoever it is for.
    give(&mut world, (Stream::Engaged, 0, None));
    world.run(Span::from_ms(1));
    let quiet = [Some(400), Some(200), None, Some(100), Some(1), Some(20)];
    let given: Vec<Given> =
        quiet.map(|quiet| give(&mut world, (Stream::Engaged, 0, quiet))).into_iter().collect();
    world.run(Span::from_min(5));
    let order: Vec<_> = world.tried[1..]
        .iter()
        .map(|tried| given.iter().find(|of| of.id == tried.message).unwrap().quiet)
        .collect();
    assert_eq!(order, [Some(1), Some(20), None, Some(100), Some(200), Some(400)]);
}

#[test]
fn a_dormant_recipients_mail_comes_out_however_much_follows() {
    let mut world = slow(Span::from_h(2));
    give(&mut world, (Stream::Engaged, 0, None));
    world.run(Span::from_ms(1));
    let dormant = give(&mut world, (Stream::Engaged, 0, Some(1_000)));
    // As much comes all the time as can go.
    for _ in 0..240 {
        for _ in 0..10 {
            give(&mut world, (Stream::Engaged, 0, Some(1)));
        }
        world.run(Span::from_min(1));
    }
    let went = world.tried.iter().find(|tried| tried.message == dormant.id);
    let waited = went.expect("it comes out").at.since(dormant.at);
    assert!(waited >= Span::from_h(2) && waited < Span::from_min(130), "{waited:?}");
}

#[test]
fn without_a_wait_mail_goes_in_the_order_it_came() {
    let mut world = slow(Span::ZERO);
    for quiet in [900, 1, 400, 2] {
        give(&mut world, (Stream::Engaged, 0, Some(quiet)));
    }
    world.run(Span::from_min(2));
    assert!(world.tried.is_sorted_by_key(|tried| tried.message), "{:?}", world.tried);
}

fn message() -> impl Strategy<Value = (usize, u32, Option<u64>, u64)> {
    (0..3_usize, 0..3_u32, proptest::option::of(0..800_u64), 0..20_000_u64)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    /// Within a stream and flow: whoever is engaged more goes before who came within the longest wait;
    /// over streams: nothing goes while a more urgent stream waits.
    #[test]
    fn engagement_orders_a_flow_and_no_class(messages in proptest::collection::vec(message(), 1..80)) {
        let wait = Span::from_h(1);
        let mut world = slow(wait);
        let mut all = Vec::new();
        for (stream, flow, quiet, after_ms) in messages {
            all.push(give(&mut world, (Stream::ALL[stream], flow, quiet)));
            world.run(Span::from_ms(after_ms));
        }
        world.run(Span::from_h(3));
        let went = |of: &Given| world.tried.iter().find(|tried| tried.message == of.id).map(|t| t.at);
        for one in &all {
            let at = went(one);
            prop_assert!(at.is_some(), "everything goes");
            for other in &all {
                let (first, second) = (went(one), went(other));
                let overtaken = second < first && other.at > one.at;
                if overtaken && one.stream == other.stream && one.flow == other.flow {
                    prop_assert!(other.quiet.unwrap_or(75) <= one.quiet.unwrap_or(75));
                    prop_assert!(other.at.since(one.at) <= wait);
                }
                // A session takes a moment to be opened for whatever was first.
                let waited = second.is_some_and(|second| one.at + Span::from_s(1) < second);
                if waited && second < first {
                    prop_assert!(one.stream >= other.stream, "a less urgent stream went first");
                }
            }
        }
    }
}
