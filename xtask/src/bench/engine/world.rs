//! A queue of so many recipients around an engine, and hosts that answer at once.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use postlane_engine::{
    Action, Ceilings, DomainId, Engagement, Engine, ExchangeId, FlowId, HostId, Input, Keeping,
    Learning, Limits, Operator, Outcome, Output, Pool, PoolId, ProviderId, RecipientOutcome,
    Resolved, RetrySchedule, Route, RouteHost, Selection, Settings, Source, SourceId, Submission,
    SubmittedRecipient, Together,
};
use postlane_mail::{
    Code, Family, Instant, Place, QueueIdSource, Reply, Shard, Span, Stage, Stream,
};
use postlane_replies::Diagnosis;

/// What the hosts say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Load {
    /// All is taken, and another message comes for each.
    Delivered,
    /// All is deferred for its own sake, and comes back.
    Deferred,
    /// All is taken, and lanes find out what may be sent.
    Learned,
}

/// An engine with its queue.
pub(crate) struct Queue {
    engine: Engine<()>,
    load: Load,
    lanes: u32,
    next_domain: u32,
    ids: QueueIdSource,
    now: Instant,
    answers: VecDeque<Input<()>>,
    reply: Diagnosis,
    decided: u64,
    /// Nothing new comes any more.
    is_closed: bool,
}

/// A second of virtual time is so many decisions, about, where nothing paces them.
const IN_A_SECOND: u64 = 20_000;

impl Load {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Learned => "learned",
        }
    }

    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Delivered => {
                "All is taken, and a new message comes for each; lanes do not learn."
            }
            Self::Deferred => {
                "All is deferred for its own sake and comes back; lanes do not learn."
            }
            Self::Learned => "All is taken, and a new message comes for each; lanes learn.",
        }
    }
}

impl Queue {
    pub(crate) fn new(load: Load, lanes: u32, learning: Learning) -> Self {
        let reply = match load {
            Load::Deferred => "450 4.2.1 mailbox busy",
            Load::Delivered | Load::Learned => "250 2.0.0 taken",
        };
        let (code, text) = reply.split_at(3);
        let code = Code::new(code.parse().expect("three digits")).expect("a code");
        let reply = Diagnosis::by_code(Stage::Rcpt, &Reply::new(code, text.trim()));
        Self {
            engine: Engine::new(Arc::new(settings(learning)), 1),
            load,
            lanes,
            next_domain: 0,
            ids: QueueIdSource::new(Shard(0), None),
            now: Instant::from_unix_s(1_800_000_000),
            answers: VecDeque::new(),
            reply,
            decided: 0,
            is_closed: false,
        }
    }

    /// So many more recipients wait, in turn for each lane.
    pub(crate) fn fill(&mut self, recipients: u32) {
        for _ in 0..recipients {
            let domain = DomainId(self.next_domain % self.lanes);
            self.next_domain += 1;
            self.submit(domain);
            // Where mail goes is known; it is not given out yet.
            while let Some(output) = self.engine.poll() {
                self.answer(output);
            }
            while let Some(answer) = self.answers.pop_front() {
                self.engine.handle(self.now, answer);
            }
        }
    }

    /// What waits goes out from now on.
    pub(crate) fn begin(&mut self) {
        self.decide(0);
    }

    /// Runs until so many transactions are over.
    pub(crate) fn decide(&mut self, decisions: u64) {
        let until = self.decided + decisions;
        while self.decided < until {
            let before = self.decided;
            self.turn();
            let went = self.decided - before;
            let next = self.now + Span(went * 1_000_000 / IN_A_SECOND);
            self.now = match self.engine.deadline(self.now) {
                Some(due) if went == 0 && self.answers.is_empty() => due.max(self.now),
                _ => next,
            };
        }
    }

    /// All mail is held, and what is under way ends.
    pub(crate) fn hold_all(&mut self) {
        self.is_closed = true;
        let action = Action::Hold;
        let selection = Selection::default();
        self.engine.handle(self.now, Input::Operator(Operator { request: 1, action, selection }));
        let until = self.now + Span::from_min(2);
        self.run_until(until);
    }

    /// A minute in which nothing is due.
    pub(crate) fn idle_minute(&mut self) {
        self.run_until(self.now + Span::from_min(1));
    }

    fn run_until(&mut self, until: Instant) {
        while let Some(due) = self.engine.deadline(self.now).filter(|due| *due <= until) {
            self.now = due.max(self.now);
            self.turn();
        }
        self.now = until;
    }

    fn turn(&mut self) {
        self.engine.wake(self.now);
        while let Some(output) = self.engine.poll() {
            self.answer(output);
        }
        for _ in 0..self.answers.len() {
            if let Some(answer) = self.answers.pop_front() {
                self.engine.handle(self.now, answer);
            }
        }
    }

    fn submit(&mut self, domain: DomainId) {
        let submission = Submission {
            id: self.ids.next(self.now),
            place: Place { segment: 1, ordinal: self.next_domain },
            stream: Stream::ALL[self.next_domain as usize % 3],
            flow: FlowId(self.next_domain % 5),
            engaged: None,
            pool: PoolId(0),
            awaits_verdict: false,
            together: Together::WhereTheyCan,
            recipients: [SubmittedRecipient { index: 0, domain, progress: Default::default() }]
                .into_iter()
                .collect(),
        };
        self.engine.handle(self.now, Input::Submitted(vec![submission]));
    }

    fn answer(&mut self, output: Output<()>) {
        let answer = match output {
            Output::Resolve { domain } => Input::Resolved { domain, answer: route(domain) },
            Output::Open { slot, .. } => Input::Opened { slot },
            Output::Attempt { slot, attempt, recipients, .. } => {
                let said = self.reply.clone();
                let outcome = match self.load {
                    Load::Deferred => Outcome::Refused(said),
                    Load::Delivered | Load::Learned => Outcome::Delivered(said),
                };
                let outcomes = recipients
                    .iter()
                    .map(|index| RecipientOutcome { index: *index, outcome: outcome.clone() })
                    .collect();
                Input::Finished { slot, attempt, outcomes, evidence: () }
            }
            Output::Close { slot } => Input::Closed { slot, said: None, evidence: None },
            Output::Settled(settled) => {
                self.decided += u64::from(settled.attempt.is_some());
                let is_over = settled.attempt.is_some() && !self.is_closed;
                if self.load != Load::Deferred && is_over {
                    let domain = DomainId(self.next_domain % self.lanes);
                    self.next_domain += 1;
                    self.submit(domain);
                }
                return;
            }
            Output::Reserve { .. }
            | Output::Keep(_)
            | Output::Record(_)
            | Output::Answered { .. }
            | Output::Unused(_)
            | Output::Forgotten(_)
            | Output::Stopped => return,
        };
        self.answers.push_back(answer);
    }
}

/// Each domain has a provider of its own, and so a lane.
fn route(domain: DomainId) -> Resolved {
    let [_, b, c, d] = domain.0.to_be_bytes();
    let host = RouteHost {
        host: HostId(domain.0),
        preference: 10,
        addresses: [SocketAddr::from(([203, b, c, d], 25))].into(),
    };
    Resolved::Route(Route {
        provider: ProviderId(domain.0),
        limits: Limits::OfSource,
        exchange: ExchangeId(domain.0),
        hosts: [host].into(),
        until: Instant::MAX,
    })
}

fn settings(learning: Learning) -> Settings {
    Settings {
        sources: vec![Source { id: SourceId(0), family: Family::V4 }],
        pools: vec![Pool { id: PoolId(0), sources: vec![(SourceId(0), 1)] }],
        ceilings: Ceilings { connections: 20, rate: None, session_messages: 100 },
        provider_ceilings: BTreeMap::new(),
        learning,
        keeping: Keeping::On,
        families_off: BTreeMap::new(),
        retry: RetrySchedule {
            first: Span::from_min(5),
            factor_percent: 200,
            longest: Span::from_min(5),
            jitter_percent: 20,
        },
        engagement: Engagement::DEFAULT,
        expires_after: [Span::from_h(120); 3],
        delay_notice_after: None,
        transaction_recipients_max: 50,
        sessions_max: 20_000,
        session_idle: Span::from_s(10),
        session_depth: 2,
    }
}
