//! A source that one provider refuses, and a host that is out of service alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use postlane_engine::*;
use postlane_lanes::{OrderKind, Who};
use postlane_mail::{
    Code, Family, Instant, Place, QueueIdSource, Reply, Shard, Span, Stage, Stream,
};
use postlane_replies::{Diagnosis, Label};

use crate::WIDE;
use crate::model::{START, settings};

/// One provider with two hosts, and two sources.
struct World {
    engine: Engine<()>,
    now: Instant,
    ids: QueueIdSource,
    /// The source that is refused.
    refused: Option<SourceId>,
    /// The host that turns everybody away.
    down: Option<HostId>,
    sources: BTreeMap<SlotId, SourceId>,
    /// Messages tried, by source.
    tried: BTreeMap<SourceId, Vec<Instant>>,
    delivered: usize,
    turns: Vec<(SourceId, Turn)>,
    changed: Vec<u64>,
}

impl World {
    fn new() -> Self {
        let all = [SourceId(0), SourceId(1)];
        let settings = Settings {
            learning: Learning::On,
            sources: all.map(|id| Source { id, family: Family::V4 }).to_vec(),
            pools: vec![Pool { id: PoolId(0), sources: all.map(|id| (id, 1)).to_vec() }],
            ..settings(WIDE)
        };
        Self {
            engine: Engine::new(Arc::new(settings), 1),
            now: START,
            ids: QueueIdSource::new(Shard(0), None),
            refused: None,
            down: None,
            sources: BTreeMap::new(),
            tried: BTreeMap::new(),
            delivered: 0,
            turns: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// A message every so often, for so long.
    fn send(&mut self, every: Span, span: Span) {
        let until = self.now + span;
        while self.now < until {
            let recipient =
                SubmittedRecipient { index: 0, domain: DomainId(0), progress: Default::default() };
            let submission = Submission {
                id: self.ids.next(self.now),
                place: Place { segment: 0, ordinal: 0 },
                stream: Stream::Engaged,
                flow: FlowId(0),
                engaged: None,
                pool: PoolId(0),
                awaits_verdict: false,
                together: Together::WhereTheyCan,
                recipients: [recipient].into_iter().collect(),
            };
            self.engine.handle(self.now, Input::Submitted(vec![submission]));
            self.run(every);
        }
    }

    fn run(&mut self, span: Span) {
        let until = self.now + span;
        loop {
            self.engine.wake(self.now);
            while let Some(output) = self.engine.poll() {
                if let Some(answer) = self.answer(output) {
                    self.engine.handle(self.now, answer);
                    self.engine.wake(self.now);
                }
            }
            match self.engine.deadline(self.now) {
                Some(due) if due <= until => self.now = due.max(self.now),
                _ => break,
            }
        }
        self.now = until;
    }

    fn answer(&mut self, output: Output<()>) -> Option<Input<()>> {
        match output {
            Output::Resolve { domain } => {
                let host = |n: u8| RouteHost {
                    host: HostId(n.into()),
                    preference: 10,
                    addresses: [SocketAddr::from(([203, 0, 113, n], 25))].into(),
                };
                let answer = Resolved::Route(Route {
                    provider: ProviderId(0),
                    limits: Limits::OfSource,
                    exchange: ExchangeId(0),
                    hosts: [host(0), host(1)].into(),
                    until: Instant::MAX,
                });
                Some(Input::Resolved { domain, answer })
            }
            Output::Open { slot, host, .. } if Some(host) == self.down => {
                let said = refusal("4.3.2 service not available", Label::ServerUnavailable);
                let why = Unreached::TurnedAway(said);
                Some(Input::ConnectFailed { slot, why, evidence: () })
            }
            Output::Open { slot, source, .. } => {
                self.sources.insert(slot, source);
                Some(Input::Opened { slot })
            }
            Output::Attempt { slot, attempt, .. } => {
                let source = self.sources[&slot];
                self.tried.entry(source).or_default().push(self.now);
                let taken = Reply::new(Code::new(250).expect("a code"), "2.0.0 taken");
                let outcome = if self.refused == Some(source) {
                    let said = refusal("4.7.0 too many messages, slow down", Label::RateLimited);
                    Outcome::Refused(said)
                } else {
                    self.delivered += 1;
                    Outcome::Delivered(Diagnosis::by_code(Stage::Dot, &taken))
                };
                let outcomes = [RecipientOutcome { index: 0, outcome }].into_iter().collect();
                Some(Input::Finished { slot, attempt, outcomes, evidence: () })
            }
            Output::Close { slot } => Some(Input::Closed { slot, said: None, evidence: None }),
            Output::Record(Event::Quarantine { source, turn, .. }) => {
                self.turns.push((source, turn));
                None
            }
            Output::Keep(kept) => {
                self.changed.extend(kept.request);
                None
            }
            _ => None,
        }
    }

    fn view(&self, source: u16) -> LaneView {
        let views = self.engine.lane_views(self.now, Some(ProviderId(0)), 0);
        views.into_iter().find(|view| view.source == SourceId(source)).expect("it has sent")
    }
}

fn refusal(text: &str, label: Label) -> Diagnosis {
    Diagnosis::of_label(label, Stage::Mail, &Reply::new(Code::new(421).expect("a code"), text))
}

#[test]
fn a_source_that_is_refused_alone_is_quarantined_and_its_mail_goes_by_the_other() {
    let mut world = World::new();
    world.refused = Some(SourceId(1));
    world.send(Span::from_s(30), Span::from_h(6));
    assert_eq!(world.turns, [(SourceId(1), Turn::Begins)]);
    let view = world.view(1);
    let since = view.quarantined.unwrap();
    assert!(since < START + Span::from_min(5), "since its first refusal");
    assert_eq!(world.view(0).quarantined, None);
    // Nothing waited for it but its canaries, each of which went by the other then.
    let asked = world.tried[&SourceId(1)].len();
    assert!(asked <= 10, "{asked} tries on a source that is refused");
    assert!(world.delivered >= 700, "{} of 720 delivered", world.delivered);

    world.refused = None;
    world.send(Span::from_s(30), Span::from_h(30));
    assert_eq!(world.turns.last(), Some(&(SourceId(1), Turn::Ends)));
    assert_eq!(world.view(1).quarantined, None);
    assert!(world.tried[&SourceId(1)].len() > asked + 10, "it carries mail again");
}

#[test]
fn who_includes_a_quarantined_source_sends_its_canary_at_once() {
    let mut world = World::new();
    world.refused = Some(SourceId(1));
    world.send(Span::from_s(30), Span::from_h(6));
    let asked = world.tried[&SourceId(1)].len();
    world.refused = None;
    let scope = Scope { provider: ProviderId(0), source: Some(SourceId(1)) };
    let action = LaneAction::TakeBack(OrderKind::Exclude);
    let command = LaneCommand { request: 5, scope, by: Who::new("anna"), action };
    world.engine.handle(world.now, Input::Lane(command));
    assert_eq!(world.view(1).quarantined, None);
    world.send(Span::from_s(10), Span::from_min(2));
    assert_eq!(world.changed, [5], "there was something to change");
    assert!(world.tried[&SourceId(1)].len() > asked);
    assert_eq!(world.turns, [(SourceId(1), Turn::Begins), (SourceId(1), Turn::Ends)]);
}

#[test]
fn a_host_that_is_out_of_service_rests_and_its_lane_does_not() {
    let mut world = World::new();
    world.send(Span::from_s(10), Span::from_min(10));
    world.down = Some(HostId(0));
    let before = world.delivered;
    world.send(Span::from_s(20), Span::from_h(1));
    let delivered = world.delivered - before;
    assert!(delivered >= 178, "{delivered} of 180 by the other host");
    for source in [0, 1] {
        let view = world.view(source);
        assert!(!matches!(view.state, postlane_lanes::State::Cooling { .. }), "{:?}", view.state);
        let host = |id: u32| view.hosts.iter().find(|view| view.host == HostId(id)).unwrap();
        assert!(host(1).accepted > 0 && host(1).rests_until.is_none());
    }
    let refused = |source| {
        let hosts = world.view(source).hosts;
        hosts.iter().find(|view| view.host == HostId(0)).map_or(0, |view| view.refused)
    };
    assert!(refused(0) + refused(1) > 0);
}
