//! A seeded world of models, in virtual time: hosts that accept, defer, refuse, hang up and
//! turn away. Keeps a diary of everything and checks the house's laws as it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use postlane_engine::*;
use postlane_lanes::{Memory, Reservation};
use postlane_mail::{
    Code, Family, Instant, Place, QueueId, QueueIdSource, Rate, Reply, Shard, Span, Stage, Status,
    Stream,
};
use postlane_replies::{Diagnosis, Label};

pub(crate) const START: Instant = Instant::from_unix_s(1_800_000_000);

pub(crate) struct Model {
    pub(crate) now: Instant,
    pub(crate) dice: u64,
    pub(crate) temper: Temper,
    pub(crate) ids: QueueIdSource,
    pub(crate) later: BTreeMap<(Instant, u64), Input<()>>,
    pub(crate) serial: u64,
    pub(crate) diary: String,
    pub(crate) submitted: BTreeSet<(QueueId, u16)>,
    pub(crate) ended: BTreeMap<(QueueId, u16), End>,
    pub(crate) held: BTreeSet<(QueueId, u16)>,
    pub(crate) slots: BTreeMap<SlotId, (SourceId, HostId, bool)>,
    pub(crate) attempts: Vec<(Instant, SlotId, QueueId, Vec<u16>)>,
    pub(crate) opens: Vec<(Instant, SlotId)>,
    /// Refusals that were told.
    pub(crate) refusals: u64,
    pub(crate) ceilings: Ceilings,
    /// Addresses we send from.
    pub(crate) sources: u16,
    /// Sessions of all sources at one time, at most so far.
    pub(crate) sessions_most: u16,
    pub(crate) end_at: Instant,
    pub(crate) stopped: bool,
    pub(crate) answered: Vec<(u64, u64)>,
    pub(crate) outputs_most: usize,
    outputs: usize,
    pub(crate) mail: BTreeMap<QueueId, Stream>,
    pub(crate) together: Together,
    /// From then on all mail goes to other hosts, which can be reached.
    pub(crate) moved_at: Option<Instant>,
    /// Until when domains are on hold, if they are.
    pub(crate) on_hold: Option<Instant>,
    /// What was kept of lanes and providers.
    pub(crate) kept: BTreeMap<Scope, Memory>,
    /// What was granted of restart plans' days.
    pub(crate) reserved: BTreeMap<Scope, Reservation>,
}

/// What the numbers of exchanges are larger by when mail goes to other hosts.
const MOVED: u32 = 10;

/// What a host says to recipients that are too many.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum TooMany {
    /// That they are.
    #[default]
    Plainly,
    /// As old hosts do, by the code of a mailbox that is full.
    By552,
}

/// How hosts behave, in percent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Temper {
    pub(crate) unreachable: u64,
    pub(crate) turns_away: u64,
    pub(crate) defers: u64,
    pub(crate) refuses: u64,
    pub(crate) hangs_up: u64,
    pub(crate) unable: u64,
    pub(crate) no_route: u64,
    pub(crate) latency_ms: u64,
    /// Recipients a transaction may have, where there is a limit.
    pub(crate) recipients_max: Option<usize>,
    /// What is said to those beyond it.
    pub(crate) too_many: TooMany,
    /// Messages a session may carry, where there is a limit; the next is told so by 452, and the
    /// session stays open.
    pub(crate) session_share: Option<usize>,
}

fn too_many(how: TooMany) -> Outcome {
    let (code, text) = match how {
        TooMany::Plainly => (452, "4.5.3 Error: too many recipients"),
        TooMany::By552 => (552, "Enough"),
    };
    let reply = Reply::new(Code::new(code).expect("a code"), text);
    let label = match how {
        TooMany::Plainly => Label::RecipientsPerMessage,
        TooMany::By552 => Label::Unknown,
    };
    Outcome::Refused(Diagnosis::of_label(label, Stage::Rcpt, &reply))
}

fn share_is_used_up() -> Outcome {
    let code = Code::new(452).expect("a code");
    let reply = Reply::new(code, "4.7.0 too many messages in this session");
    Outcome::Refused(Diagnosis::of_label(Label::MessagesPerConnection, Stage::Mail, &reply))
}

pub(crate) fn settings(ceilings: Ceilings) -> Settings {
    Settings {
        sources: vec![Source { id: SourceId(0), family: Family::V4 }],
        pools: vec![Pool { id: PoolId(0), sources: vec![(SourceId(0), 1)] }],
        ceilings,
        provider_ceilings: BTreeMap::new(),
        learning: Learning::Off,
        keeping: Keeping::On,
        families_off: BTreeMap::new(),
        retry: RetrySchedule {
            first: Span::from_min(5),
            factor_percent: 200,
            longest: Span::from_h(4),
            jitter_percent: 20,
        },
        engagement: Engagement::DEFAULT,
        expires_after: [Span::from_h(24), Span::from_h(120), Span::from_h(120)],
        delay_notice_after: Some(Span::from_h(4)),
        transaction_recipients_max: 50,
        sessions_max: 200,
        session_idle: Span::from_s(5),
        session_depth: 2,
    }
}

impl Model {
    pub(crate) fn new(seed: u64, temper: Temper, ceilings: Ceilings, runs_for: Span) -> Self {
        Self {
            now: START,
            dice: seed | 1,
            temper,
            ids: QueueIdSource::new(Shard(0), None),
            later: BTreeMap::new(),
            serial: 0,
            diary: String::new(),
            submitted: BTreeSet::new(),
            ended: BTreeMap::new(),
            held: BTreeSet::new(),
            slots: BTreeMap::new(),
            attempts: Vec::new(),
            opens: Vec::new(),
            refusals: 0,
            ceilings,
            sources: 1,
            sessions_most: 0,
            end_at: START + runs_for,
            stopped: false,
            answered: Vec::new(),
            outputs_most: 0,
            outputs: 0,
            mail: BTreeMap::new(),
            together: Together::default(),
            moved_at: None,
            on_hold: None,
            kept: BTreeMap::new(),
            reserved: BTreeMap::new(),
        }
    }

    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) % below
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    pub(crate) fn tell_at(&mut self, at: Instant, input: Input<()>) {
        self.serial += 1;
        self.later.insert((at, self.serial), input);
    }

    pub(crate) fn tell_soon(&mut self, input: Input<()>) {
        let wait = 1_000 * (self.temper.latency_ms + 1);
        let wait = Span(wait / 2 + self.roll(wait));
        self.tell_at(self.now + wait, input);
    }

    pub(crate) fn message(
        &mut self,
        at: Instant,
        stream: Stream,
        flow: u32,
        domains: &[u32],
    ) -> QueueId {
        let id = self.ids.next(at);
        let recipients = domains.iter().zip(0..).map(|(domain, index)| SubmittedRecipient {
            index,
            domain: DomainId(*domain),
            progress: Default::default(),
        });
        let submission = Submission {
            id,
            place: Place { segment: 1, ordinal: self.submitted.len() as u32 },
            stream,
            flow: FlowId(flow),
            engaged: None,
            pool: PoolId(0),
            awaits_verdict: false,
            together: self.together,
            recipients: recipients.collect(),
        };
        self.submitted.extend(submission.recipients.iter().map(|r| (id, r.index)));
        self.mail.insert(id, stream);
        self.tell_at(at, Input::Submitted(vec![submission]));
        id
    }

    fn outcome(&mut self) -> (Outcome, bool) {
        let said = |stage, code| {
            Diagnosis::by_code(stage, &Reply::new(Code::new(code).expect("a code"), "4.0.0 x"))
        };
        if let Some(until) = self.on_hold.filter(|until| *until > self.now) {
            return (Outcome::Waits { status: Status::new(4, 3, 2), until }, false);
        }
        if self.chance(self.temper.hangs_up) {
            let unsaid = [Outcome::Unknown, Outcome::NotTried, Outcome::CutOff];
            return (unsaid[self.roll(3) as usize].clone(), true);
        }
        if self.chance(self.temper.defers) {
            return match self.roll(3) {
                0 => (Outcome::Refused(said(Stage::Rcpt, 451)), false),
                1 => (Outcome::Refused(said(Stage::Dot, 452)), false),
                _ => (Outcome::Refused(said(Stage::Mail, 421)), true),
            };
        }
        if self.chance(self.temper.refuses) {
            return (Outcome::Refused(said(Stage::Rcpt, 550)), false);
        }
        if self.chance(self.temper.unable) {
            return (Outcome::HostUnable(Status::new(5, 6, 3)), false);
        }
        (Outcome::Delivered(said(Stage::Dot, 250)), false)
    }

    fn attempt(&mut self, slot: SlotId, attempt: AttemptId, message: QueueId, recipients: &[u16]) {
        for index in recipients {
            let key = (message, *index);
            assert!(self.submitted.contains(&key), "{message}/{index} was never submitted");
            assert!(!self.ended.contains_key(&key), "{message}/{index} has ended already");
            assert!(!self.held.contains(&key), "{message}/{index} is held");
        }
        self.attempts.push((self.now, slot, message, recipients.to_vec()));
        let (_, _, open) = self.slots[&slot];
        assert!(open, "an attempt on a session that is not open");
        let mut outcomes = Vec::new();
        let mut ends = false;
        let mut parting = None;
        let most = self.temper.recipients_max.unwrap_or(usize::MAX);
        let carried = || self.attempts.iter().filter(|(_, on, ..)| *on == slot).count();
        let is_used_up = self.temper.session_share.is_some_and(|share| carried() > share);
        for (index, place) in recipients.iter().zip(0..) {
            let (outcome, closes) = match place {
                _ if is_used_up => (share_is_used_up(), false),
                place if place < most => self.outcome(),
                _ => (too_many(self.temper.too_many), false),
            };
            ends |= closes;
            if let (Outcome::Refused(said), true) = (&outcome, closes) {
                parting = Some(said.clone());
            }
            outcomes.push(RecipientOutcome { index: *index, outcome });
        }
        self.tell_soon(Input::Finished { slot, attempt, outcomes: outcomes.into(), evidence: () });
        if ends {
            let last = self.later.keys().map(|(at, _)| *at).max().unwrap_or(self.now);
            self.tell_at(last + Span(1), Input::Closed { slot, said: parting, evidence: None });
        }
    }

    fn open(&mut self, slot: SlotId, source: SourceId, host: HostId) {
        self.opens.push((self.now, slot));
        self.slots.insert(slot, (source, host, false));
        let mut by_lane: BTreeMap<(SourceId, u32), u16> = BTreeMap::new();
        for (source, host, _) in self.slots.values() {
            *by_lane.entry((*source, host.0 / 4)).or_default() += 1;
        }
        self.sessions_most = self.sessions_most.max(self.slots.len() as u16);
        let most = by_lane.values().max().copied().unwrap_or_default();
        assert!(most <= self.ceilings.connections, "{most} sessions in a lane");
        let moved = host.0 >= MOVED * 2;
        if !moved && self.chance(self.temper.unreachable) {
            self.tell_soon(Input::ConnectFailed { slot, why: Unreached::Network, evidence: () });
        } else if self.chance(self.temper.turns_away) {
            let said = Diagnosis::by_code(
                Stage::Connect,
                &Reply::new(Code::new(421).expect("a code"), ""),
            );
            let why = Unreached::TurnedAway(said);
            self.tell_soon(Input::ConnectFailed { slot, why, evidence: () });
        } else {
            self.tell_soon(Input::Opened { slot });
        }
    }

    fn keep(&mut self, kept: Kept) {
        self.answered.extend(kept.request.map(|request| (request, 1)));
        self.kept.insert(kept.scope, kept.memory);
    }

    fn settled(&mut self, settled: &Settled<()>) {
        for (index, fate) in &settled.recipients {
            let key = (settled.message, *index);
            match fate {
                Fate::Ended(end) => {
                    let twice = self.ended.insert(key, *end);
                    assert!(twice.is_none(), "{key:?} ended twice");
                    self.held.remove(&key);
                }
                Fate::Deferred { progress, .. } => {
                    assert!(progress.attempts > 0 || progress.notified)
                }
                Fate::Held(_) => drop(self.held.insert(key)),
                Fate::Released(_) => drop(self.held.remove(&key)),
            }
        }
    }

    /// No lane ever had more sessions than its ceiling, nor more units in a minute than its rate.
    pub(crate) fn check_rate(&self, rate: Rate) {
        // A connection is a unit and pays for its first message.
        let mut paid: BTreeSet<SlotId> = BTreeSet::new();
        let mut units: Vec<Instant> = self.opens.iter().map(|(at, _)| *at).collect();
        for (at, slot, ..) in &self.attempts {
            if !paid.insert(*slot) {
                units.push(*at);
            }
        }
        units.sort_unstable();
        for (i, first) in units.iter().enumerate() {
            let within = units[i..].iter().take_while(|at| **at < *first + rate.per()).count();
            assert!(within <= rate.messages() as usize + 1, "{within} in a window of {rate:?}");
        }
    }
}

impl World for Model {
    type Evidence = ();

    fn now(&mut self) -> Instant {
        self.now
    }

    fn perform(&mut self, output: Output<()>) {
        self.outputs += 1;
        use std::fmt::Write as _;
        writeln!(self.diary, "{} {output:?}", self.now.0).expect("writing to a String cannot fail");
        match output {
            Output::Resolve { domain } => {
                let until = self.now + Span::from_min(5);
                let answer = if self.chance(self.temper.no_route) {
                    Resolved::Failed { status: Status::new(4, 4, 3), until }
                } else {
                    // Domains of one ten share an exchange of two hosts.
                    let moved = self.moved_at.is_some_and(|at| at <= self.now);
                    let exchange = domain.0 / 10 + if moved { MOVED } else { 0 };
                    let host = |n: u32| RouteHost {
                        host: HostId(exchange * 2 + n),
                        preference: 10 * n as u16,
                        addresses: [SocketAddr::from(([192, 0, 2, exchange as u8], 25 + n as u16))]
                            .into(),
                    };
                    Resolved::Route(Route {
                        provider: ProviderId(exchange / 2),
                        limits: Limits::OfSource,
                        exchange: ExchangeId(exchange),
                        hosts: [host(0), host(1)].into(),
                        until,
                    })
                };
                self.tell_soon(Input::Resolved { domain, answer });
            }
            Output::Open { slot, source, host, .. } => self.open(slot, source, host),
            Output::Attempt { slot, attempt, message, recipients, .. } => {
                self.attempt(slot, attempt, message, &recipients);
            }
            Output::Close { slot } => {
                let last = self
                    .later
                    .iter()
                    .filter(|(_, i)| matches!(i, Input::Finished { slot: s, .. } if *s == slot));
                let last = last.map(|((at, _), _)| *at).max().unwrap_or(self.now);
                self.tell_at(last + Span(1), Input::Closed { slot, said: None, evidence: None });
            }
            Output::Settled(settled) => self.settled(&settled),
            Output::Answered { request, recipients } => self.answered.push((request, recipients)),
            Output::Stopped => self.stopped = true,
            Output::Keep(kept) => self.keep(*kept),
            Output::Reserve { seq, scope, reservation } => {
                self.reserved.insert(scope, reservation);
                self.tell_soon(Input::Committed { upto: seq });
            }
            Output::Record(_) | Output::Unused(_) | Output::Forgotten(_) => {}
        }
    }

    fn next(&mut self, deadline: Option<Instant>) -> Option<Vec<Input<()>>> {
        self.outputs_most = self.outputs_most.max(std::mem::take(&mut self.outputs));
        if self.stopped {
            return None;
        }
        let event = self.later.keys().next().map(|(at, _)| *at);
        let at = match (event, deadline) {
            (Some(event), Some(deadline)) => event.min(deadline),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) => return None,
        };
        if at > self.end_at {
            self.now = self.end_at;
            return None;
        }
        self.now = self.now.max(at);
        let mut inputs = Vec::new();
        while let Some(entry) = self.later.first_entry().filter(|e| e.key().0 <= self.now) {
            let input = entry.remove();
            match &input {
                Input::Opened { slot } => {
                    self.slots.get_mut(slot).expect("only slots that are there are opened").2 = true
                }
                Input::ConnectFailed { slot, .. } => drop(self.slots.remove(slot)),
                // Two reasons to close, one close.
                Input::Closed { slot, .. } if self.slots.remove(slot).is_none() => continue,
                // What was chained behind a session's end comes back untried.
                Input::Finished { slot, .. } if !self.slots.contains_key(slot) => continue,
                Input::Finished { outcomes, .. } => {
                    let refused = |o: &&RecipientOutcome| matches!(o.outcome, Outcome::Refused(_));
                    self.refusals += outcomes.iter().filter(refused).count() as u64;
                }
                _ => {}
            }
            inputs.push(input);
        }
        Some(inputs)
    }

    fn look(&mut self, _: &Engine<()>) {}
}

pub(crate) fn run(model: &mut Model, seed: u64) -> Engine<()> {
    let mut settings = settings(model.ceilings);
    let numbers = (0..model.sources).map(SourceId);
    settings.sources = numbers.clone().map(|id| Source { id, family: Family::V4 }).collect();
    settings.pools[0].sources = numbers.map(|id| (id, 1)).collect();
    let mut engine = Engine::new(Arc::new(settings), seed);
    drive(&mut engine, model);
    engine
}
