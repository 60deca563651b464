//! A lane that all our sources share: a smart host's.

use postlane_engine::*;
use postlane_lanes::State;
use postlane_mail::{Rate, Span};
use postlane_replies::Label;

use crate::receiver::{Receiver, refusal};

#[test]
fn sources_share_the_lane_of_a_smart_host() {
    let mut world = Receiver::new((1, 3), Limits::OfAll, |_| None);
    world.send(Span::from_s(5), Span::from_min(20));
    let views = world.views();
    assert_eq!(views.iter().map(|view| view.source).collect::<Vec<_>>(), [SourceId::ANY]);
    assert_eq!(views[0].accepted, 240);
    let by = |n| world.tried.iter().filter(|tried| tried.source == SourceId(n)).count();
    assert!((0..3).all(|n| by(n) > 0), "they still take turns");
}

#[test]
fn what_waits_for_the_shared_lane_is_counted_once() {
    let closed =
        |_: &crate::receiver::Tried| Some(refusal(421, "4.7.1 slow down", Label::RateLimited));
    let mut world = Receiver::new((1, 3), Limits::OfAll, closed);
    world.send(Span::from_s(10), Span::from_min(2));
    let view = &world.views()[0];
    assert!(matches!(view.state, State::Cooling { .. }), "{:?}", view.state);
    assert!((1..=12).contains(&view.ready), "{} of 12", view.ready);
}

#[test]
fn what_a_smart_host_says_to_one_source_slows_all() {
    let refused = SourceId(1);
    let says = move |tried: &crate::receiver::Tried| {
        let limit = refusal(451, "4.7.1 slow down", Label::RateLimited);
        (tried.source == refused).then_some(limit)
    };
    let mut world = Receiver::new((1, 2), Limits::OfAll, says);
    world.send(Span::from_s(1), Span::from_min(1));
    let first = world.tried.iter().find(|tried| !tried.taken).expect("it was tried").at;
    let soon = world.tried.iter().filter(|tried| tried.at > first);
    assert_eq!(soon.filter(|tried| tried.at < first + Span::from_s(30)).count(), 0);
    assert!(matches!(world.views()[0].state, State::Cooling { .. }));
}

#[test]
fn a_recipients_problem_behind_a_smart_host_slows_nothing() {
    let mut n = 0;
    let says = move |_: &crate::receiver::Tried| {
        n += 1;
        (n % 3 == 0).then(|| refusal(452, "4.2.2 mailbox full", Label::MailboxFull))
    };
    let mut world = Receiver::new((1, 2), Limits::OfAll, says);
    world.send(Span::from_s(2), Span::from_min(30));
    assert!(world.taken() >= 590, "{} of 900, a third of which waits", world.taken());
    assert!(world.views()[0].quotas.is_empty());
}

#[test]
fn a_ceiling_of_a_smart_hosts_lane_binds_the_sum_of_all_sources() {
    let mut world = Receiver::new((1, 4), Limits::OfAll, |_| None);
    let ceilings = Ceilings { rate: Rate::new(6, Span::from_min(1)), ..crate::WIDE };
    let mut settings = crate::model::settings(ceilings);
    let all: Vec<SourceId> = (0..4).map(SourceId).collect();
    let source = |id: &SourceId| Source { id: *id, family: postlane_mail::Family::V4 };
    settings.sources = all.iter().map(source).collect();
    settings.pools = vec![Pool { id: PoolId(0), sources: all.iter().map(|id| (*id, 1)).collect() }];
    world.engine.handle(world.now, Input::Settings(settings.into()));
    world.send(Span::from_s(1), Span::from_min(10));
    let most = world.tried.iter().map(|first| {
        let minute = |tried: &&crate::receiver::Tried| {
            tried.at >= first.at && tried.at < first.at + Span::from_min(1)
        };
        world.tried.iter().filter(minute).count()
    });
    assert!(most.max() <= Some(6) && world.tried.len() >= 55, "{}", world.tried.len());
}

#[test]
fn orders_hold_for_the_shared_lane() {
    let mut world = Receiver::new((1, 2), Limits::OfAll, |_| None);
    world.send(Span::from_s(5), Span::from_min(1));
    let what = postlane_lanes::Instruction::Exclude;
    let scope = Scope { provider: ProviderId(0), source: Some(SourceId::ANY) };
    let by = postlane_lanes::Who::new("anna");
    let action = LaneAction::Give { what, until: None };
    let command = LaneCommand { request: 1, scope, by, action };
    world.engine.handle(world.now, Input::Lane(command));
    let before = world.tried.len();
    world.send(Span::from_s(5), Span::from_min(5));
    assert_eq!(world.tried.len(), before);
}
