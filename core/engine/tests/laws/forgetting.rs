//! What nobody has used for long is forgotten, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use postlane_engine::*;
use postlane_mail::{Code, Instant, Place, QueueIdSource, Reply, Shard, Span, Stage, Stream};
use postlane_replies::{Diagnosis, Label};

use crate::WIDE;
use crate::model::{START, settings};

/// Hosts that answer at once: each domain has a provider of its own.
struct World {
    engine: Engine<()>,
    now: Instant,
    ids: QueueIdSource,
    /// What each domain's host says; what is not here is taken.
    refused: BTreeMap<u32, Diagnosis>,
    /// Recipients that wait, by domain.
    waiting: BTreeMap<u32, u32>,
    unused: BTreeSet<Name>,
    forgotten: BTreeSet<Name>,
}

impl World {
    fn new() -> Self {
        let settings = Settings { learning: Learning::On, ..settings(WIDE) };
        Self {
            engine: Engine::new(Arc::new(settings), 1),
            now: START,
            ids: QueueIdSource::new(Shard(0), None),
            refused: BTreeMap::new(),
            waiting: BTreeMap::new(),
            unused: BTreeSet::new(),
            forgotten: BTreeSet::new(),
        }
    }

    fn submit(&mut self, domain: u32) {
        self.submit_of(domain, 0);
    }

    fn submit_of(&mut self, domain: u32, flow: u32) {
        *self.waiting.entry(domain).or_default() += 1;
        let recipient =
            SubmittedRecipient { index: 0, domain: DomainId(domain), progress: Default::default() };
        let submission = Submission {
            id: self.ids.next(self.now),
            place: Place { segment: domain, ordinal: domain },
            stream: Stream::Engaged,
            flow: FlowId(flow),
            engaged: None,
            pool: PoolId(0),
            awaits_verdict: false,
            together: Together::WhereTheyCan,
            recipients: [recipient].into_iter().collect(),
        };
        self.engine.handle(self.now, Input::Submitted(vec![submission]));
    }

    fn run(&mut self, span: Span) {
        let until = self.now + span;
        loop {
            self.settle();
            match self.engine.deadline(self.now) {
                Some(due) if due <= until => self.now = due.max(self.now),
                _ => break,
            }
        }
        self.now = until;
    }

    fn settle(&mut self) {
        self.engine.wake(self.now);
        while let Some(output) = self.engine.poll() {
            if let Some(answer) = self.answer(output) {
                self.engine.handle(self.now, answer);
                self.engine.wake(self.now);
            }
        }
    }

    fn answer(&mut self, output: Output<()>) -> Option<Input<()>> {
        match output {
            Output::Resolve { domain } => {
                assert!(
                    !self.forgotten.contains(&Name::Domain(domain)),
                    "{domain:?} means nothing"
                );
                Some(Input::Resolved { domain, answer: self.route(domain.0) })
            }
            Output::Open { slot, .. } => Some(Input::Opened { slot }),
            Output::Attempt { slot, attempt, place, .. } => {
                let taken = Reply::new(Code::new(250).expect("a code"), "2.0.0 taken");
                let outcome = match self.refused.get(&place.ordinal) {
                    Some(said) => Outcome::Refused(said.clone()),
                    None => Outcome::Delivered(Diagnosis::by_code(Stage::Dot, &taken)),
                };
                let outcomes = [RecipientOutcome { index: 0, outcome }].into_iter().collect();
                Some(Input::Finished { slot, attempt, outcomes, evidence: () })
            }
            Output::Close { slot } => Some(Input::Closed { slot, said: None, evidence: None }),
            Output::Settled(settled) => {
                if matches!(settled.recipients[0].1, Fate::Ended(_)) {
                    *self.waiting.get_mut(&settled.place.ordinal).expect("it was submitted") -= 1;
                }
                None
            }
            Output::Unused(name) => {
                self.unused.insert(name);
                None
            }
            Output::Forgotten(name) => {
                if let Name::Domain(domain) = name {
                    assert_eq!(self.waiting.get(&domain.0), Some(&0), "{domain:?} is waited for");
                }
                assert!(self.unused.contains(&name), "{name:?} was not said to be unused");
                assert!(self.forgotten.insert(name), "{name:?} was forgotten twice");
                None
            }
            _ => None,
        }
    }

    fn route(&self, domain: u32) -> Resolved {
        let host = RouteHost {
            host: HostId(domain),
            preference: 10,
            addresses: [SocketAddr::from(([203, 0, 113, 1], 25))].into(),
        };
        Resolved::Route(Route {
            provider: ProviderId(domain),
            limits: Limits::OfSource,
            exchange: ExchangeId(domain),
            hosts: [host].into(),
            until: self.now + Span::from_min(5),
        })
    }
}

fn refusal(code: u16, text: &str, label: Label) -> Diagnosis {
    Diagnosis::of_label(label, Stage::Mail, &Reply::new(Code::new(code).expect("a code"), text))
}

#[test]
fn a_hundred_thousand_domains_go_through_and_what_is_known_stays_small() {
    let mut world = World::new();
    // One waits all the time, and of one something was learned.
    let full = refusal(452, "4.2.2 mailbox full", Label::MailboxFull);
    world.refused.insert(1, full);
    let limited = refusal(421, "4.7.0 too many messages, slow down", Label::RateLimited);
    world.refused.insert(2, limited);
    world.submit(1);
    world.submit(2);
    world.run(Span::from_s(10));
    world.refused.remove(&2);
    let mut most = 0;
    for domain in 10..100_010 {
        world.submit(domain);
        world.run(Span::from_ms(500));
        most = most.max(world.engine.known().domains);
    }
    // Two a second, each for an hour and some minutes at most.
    let known = world.engine.known();
    assert!(most <= 8_000, "{most} domains at once");
    for many in [known.exchanges, known.lines, known.paths, known.lanes, known.leaving] {
        assert!(many <= 24_000, "{known:?}");
    }
    assert!(!world.unused.contains(&Name::Domain(DomainId(1))), "its mail waits");
    world.run(Span::from_h(5));
    let known = world.engine.known();
    // The one whose mail waits, and the lane that was told to slow down.
    assert_eq!((known.domains, known.lanes), (1, 2), "{known:?}");
    let views = world.engine.lane_views(world.now, None, 0);
    assert!(views.iter().all(|lane| lane.provider.0 <= 2));
}

#[test]
fn who_comes_with_a_number_that_was_unused_is_heard_and_the_number_stays() {
    let mut world = World::new();
    world.submit(7);
    let name = Name::Domain(DomainId(7));
    while !world.unused.contains(&name) {
        world.run(Span::from_min(1));
    }
    world.unused.remove(&name);
    world.submit(7);
    world.run(Span::from_min(29));
    assert_eq!(world.waiting[&7], 0, "it was delivered");
    assert!(!world.forgotten.contains(&name));
    world.run(Span::from_h(3));
    assert!(world.forgotten.contains(&name));
    assert_eq!(world.engine.known().domains, 0);
}

#[test]
fn a_hundred_thousand_campaigns_go_through_and_only_those_that_wait_are_known() {
    let mut world = World::new();
    let full = refusal(452, "4.2.2 mailbox full", Label::MailboxFull);
    world.refused.insert(1, full);
    world.submit_of(1, 7);
    let mut most = 0;
    for flow in 10..100_010 {
        world.submit_of(2, flow);
        world.run(Span::from_ms(500));
        most = most.max(world.engine.known().flows);
    }
    assert!(most <= 8_000, "{most} campaigns at once");
    world.run(Span::from_h(3));
    assert_eq!(world.engine.known().flows, 1);
    assert!(!world.unused.contains(&Name::Flow(FlowId(7))), "its mail waits");
    let name = Name::Flow(FlowId(10));
    assert!(world.forgotten.contains(&name));
    // Its number stays understood for those who are on their way with it.
    world.unused.clear();
    world.forgotten.clear();
    world.submit_of(2, 7);
    world.run(Span::from_h(100));
    assert!(!world.forgotten.contains(&Name::Flow(FlowId(7))), "one of its messages still waits");
}

#[test]
fn a_month_after_a_refusal_it_is_forgotten_too() {
    let mut world = World::new();
    let limited = refusal(421, "4.7.0 too many messages, slow down", Label::RateLimited);
    world.refused.insert(2, limited);
    world.submit(2);
    world.run(Span::from_s(10));
    world.refused.clear();
    world.run(Span::from_h(20 * 24));
    assert_eq!(world.engine.known().lanes, 1);
    world.run(Span::from_h(15 * 24));
    assert_eq!(world.engine.known().lanes, 0);
    assert!(world.forgotten.contains(&Name::Provider(ProviderId(2))));
}
