//! A receiver with some hosts that says to each message what a test wants.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use postlane_engine::*;
use postlane_mail::{
    Code, Family, Instant, Place, QueueId, QueueIdSource, Reply, Shard, Span, Stage,
};
use postlane_replies::{Diagnosis, Label};

use crate::WIDE;
use crate::model::{START, settings};

/// A message that was given to a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tried {
    pub(crate) at: Instant,
    pub(crate) message: QueueId,
    pub(crate) source: SourceId,
    pub(crate) host: HostId,
    /// Whether it was taken.
    pub(crate) taken: bool,
}

/// One provider, some hosts of equal preference, some sources.
pub(crate) struct Receiver<S> {
    pub(crate) engine: Engine<()>,
    pub(crate) now: Instant,
    ids: QueueIdSource,
    hosts: u8,
    limits: Limits,
    says: S,
    sessions: BTreeMap<SlotId, (SourceId, HostId)>,
    pub(crate) tried: Vec<Tried>,
    /// At its first command the host closes the session, and says nothing.
    pub(crate) cuts: Option<QueueId>,
    /// How long a transaction takes.
    pub(crate) takes: Span,
    later: BTreeMap<(Instant, u64), Input<()>>,
    serial: u64,
}

impl<S: FnMut(&Tried) -> Option<Diagnosis>> Receiver<S> {
    pub(crate) fn new((hosts, sources): (u8, u16), limits: Limits, says: S) -> Self {
        Self::with_sources(hosts, &vec![Family::V4; sources.into()], limits, says)
    }

    /// Hosts have addresses of IPv4; sources are of these families.
    pub(crate) fn with_sources(hosts: u8, families: &[Family], limits: Limits, says: S) -> Self {
        let all = (0..).map(SourceId).zip(families);
        let sources: Vec<Source> = all.map(|(id, family)| Source { id, family: *family }).collect();
        let settings = Settings {
            learning: Learning::On,
            pools: vec![Pool {
                id: PoolId(0),
                sources: sources.iter().map(|s| (s.id, 1)).collect(),
            }],
            sources,
            ..settings(WIDE)
        };
        Self {
            engine: Engine::new(Arc::new(settings), 1),
            now: START,
            ids: QueueIdSource::new(Shard(0), None),
            hosts,
            limits,
            says,
            sessions: BTreeMap::new(),
            tried: Vec::new(),
            cuts: None,
            takes: Span::ZERO,
            later: BTreeMap::new(),
            serial: 0,
        }
    }

    /// A message with nothing particular to it.
    pub(crate) fn message(&mut self) -> Submission {
        let recipient =
            SubmittedRecipient { index: 0, domain: DomainId(0), progress: Default::default() };
        Submission {
            id: self.ids.next(self.now),
            place: Place { segment: 0, ordinal: 0 },
            stream: postlane_mail::Stream::Engaged,
            flow: FlowId(0),
            engaged: None,
            pool: PoolId(0),
            awaits_verdict: false,
            together: Together::WhereTheyCan,
            recipients: [recipient].into_iter().collect(),
        }
    }

    pub(crate) fn submit(&mut self, submission: Submission) {
        self.engine.handle(self.now, Input::Submitted(vec![submission]));
    }

    /// A message every so often, for so long.
    pub(crate) fn send(&mut self, every: Span, span: Span) {
        let until = self.now + span;
        while self.now < until {
            let message = self.message();
            self.submit(message);
            self.run(every);
        }
    }

    pub(crate) fn run(&mut self, span: Span) {
        let until = self.now + span;
        loop {
            self.engine.wake(self.now);
            while let Some(output) = self.engine.poll() {
                self.perform(output);
            }
            let due = self.engine.deadline(self.now);
            let told = self.later.keys().next().map(|(at, _)| *at);
            let Some(next) = due.into_iter().chain(told).min().filter(|at| *at <= until) else {
                break;
            };
            self.now = next.max(self.now);
            while let Some(first) = self.later.first_entry().filter(|e| e.key().0 <= self.now) {
                let input = first.remove();
                self.engine.handle(self.now, input);
            }
        }
        self.now = until;
    }

    fn perform(&mut self, output: Output<()>) {
        match output {
            Output::Resolve { domain } => {
                let host = |n: u8| RouteHost {
                    host: HostId(n.into()),
                    preference: 10,
                    addresses: [SocketAddr::from(([203, 0, 113, n], 25))].into(),
                };
                let answer = Resolved::Route(Route {
                    provider: ProviderId(0),
                    limits: self.limits,
                    exchange: ExchangeId(0),
                    hosts: (0..self.hosts).map(host).collect(),
                    until: Instant::MAX,
                });
                self.tell(Span::ZERO, Input::Resolved { domain, answer });
            }
            Output::Open { slot, source, host, .. } => {
                self.sessions.insert(slot, (source, host));
                self.tell(Span::ZERO, Input::Opened { slot });
            }
            Output::Attempt { slot, attempt, message, .. } => {
                let (source, host) = self.sessions[&slot];
                let is_cut = self.cuts == Some(message);
                let mut tried = Tried { at: self.now, message, source, host, taken: false };
                let said = if is_cut { None } else { (self.says)(&tried) };
                tried.taken = said.is_none() && !is_cut;
                self.tried.push(tried);
                let taken = Reply::new(Code::new(250).expect("a code"), "2.0.0 taken");
                let outcome = match said {
                    _ if is_cut => Outcome::CutOff,
                    Some(said) => Outcome::Refused(said),
                    None => Outcome::Delivered(Diagnosis::by_code(Stage::Dot, &taken)),
                };
                let outcomes = [RecipientOutcome { index: 0, outcome }].into_iter().collect();
                self.tell(self.takes, Input::Finished { slot, attempt, outcomes, evidence: () });
                if is_cut {
                    self.tell(self.takes, Input::Closed { slot, said: None, evidence: None });
                }
            }
            Output::Close { slot } => {
                self.sessions.remove(&slot);
                let over = Input::Closed { slot, said: None, evidence: None };
                self.tell(self.takes, over);
            }
            Output::Reserve { seq, .. } => self.tell(Span::ZERO, Input::Committed { upto: seq }),
            _ => {}
        }
    }

    fn tell(&mut self, after: Span, input: Input<()>) {
        self.serial += 1;
        self.later.insert((self.now + after, self.serial), input);
    }

    pub(crate) fn views(&self) -> Vec<LaneView> {
        self.engine.lane_views(self.now, Some(ProviderId(0)), 32)
    }

    pub(crate) fn taken(&self) -> usize {
        self.tried.iter().filter(|tried| tried.taken).count()
    }
}

/// What a host says at MAIL.
pub(crate) fn refusal(code: u16, text: &str, label: Label) -> Diagnosis {
    let reply = Reply::new(Code::new(code).expect("a code"), text);
    Diagnosis::of_label(label, Stage::Mail, &reply)
}
