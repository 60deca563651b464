//! Hosts that greylist by the address that mail comes from, and pools.

use std::collections::{BTreeMap, BTreeSet};

use postlane_engine::*;
use postlane_lanes::{Instruction, Who};
use postlane_mail::{Instant, QueueId, Span};
use postlane_replies::{Diagnosis, Label};

use crate::receiver::{Receiver, Tried, refusal};

/// Puts off what it has not seen from a source for so long, whatever the message.
fn greylists(wait: Span) -> impl FnMut(&Tried) -> Option<Diagnosis> {
    let mut seen: BTreeMap<(QueueId, SourceId), Instant> = BTreeMap::new();
    move |tried| {
        let first = *seen.entry((tried.message, tried.source)).or_insert(tried.at);
        let is_early = tried.at.since(first) < wait;
        is_early.then(|| refusal(451, "4.7.1 greylisted, try again later", Label::Greylisted))
    }
}

/// By which sources each message went, in their order.
fn ways_of(tried: &[Tried]) -> BTreeMap<QueueId, Vec<SourceId>> {
    let mut ways: BTreeMap<QueueId, Vec<SourceId>> = BTreeMap::new();
    for tried in tried {
        ways.entry(tried.message).or_default().push(tried.source);
    }
    ways
}

#[test]
fn what_was_greylisted_goes_again_by_its_source_and_is_taken() {
    let mut world = Receiver::new((2, 4), Limits::OfSource, greylists(Span::from_min(5)));
    world.send(Span::from_s(3), Span::from_h(1));
    world.run(Span::from_min(30));
    let ways = ways_of(&world.tried);
    assert_eq!((ways.len(), world.taken()), (1200, 1200));
    for (message, by) in &ways {
        assert!(matches!(by[..], [first, again] if first == again), "{message}: {by:?}");
    }
    let sources: BTreeSet<_> = ways.values().map(|by| by[0]).collect();
    assert_eq!(sources.len(), 4, "each source had its share");
}

#[test]
fn what_was_greylisted_waits_for_no_source_that_is_excluded() {
    let mut world = Receiver::new((1, 3), Limits::OfSource, greylists(Span::from_min(5)));
    world.send(Span::from_s(10), Span::from_min(4));
    let scope = Scope { provider: ProviderId(0), source: Some(SourceId(0)) };
    let action = LaneAction::Give { what: Instruction::Exclude, until: None };
    let command = LaneCommand { request: 1, scope, by: Who::new("olaf"), action };
    world.engine.handle(world.now, Input::Lane(command));
    let excluded = world.now;
    world.run(Span::from_min(30));
    assert_eq!(world.taken(), 24);
    let after: Vec<_> = world.tried.iter().filter(|tried| tried.at > excluded).collect();
    assert!(after.iter().all(|tried| tried.source != SourceId(0)));
    // To the others it was new, and it waited for them as long as any mail does.
    let moved: Vec<_> =
        ways_of(&world.tried).into_values().filter(|by| by[0] == SourceId(0)).collect();
    assert!(moved.len() >= 6, "{moved:?}");
    for by in moved {
        assert!(matches!(by[..], [_, first, again] if first == again), "{by:?}");
    }
}

#[test]
fn what_was_greylisted_waits_no_longer_than_an_hour_for_a_source_that_comes_to_nothing() {
    // One source is refused for good after its first messages.
    let mut greylist = greylists(Span::from_min(5));
    let mut first: BTreeSet<QueueId> = BTreeSet::new();
    let says = move |tried: &Tried| {
        let is_first = first.insert(tried.message);
        let shut = tried.source == SourceId(0) && !is_first;
        let refused = || refusal(421, "4.7.0 too many messages, slow down", Label::RateLimited);
        if shut { Some(refused()) } else { greylist(tried) }
    };
    let mut world = Receiver::new((1, 2), Limits::OfSource, says);
    world.send(Span::from_s(10), Span::from_min(4));
    world.run(Span::from_h(2));
    assert_eq!(world.taken(), 24);
}
