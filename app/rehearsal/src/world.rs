//! The real engine in virtual time: the twin of the server's world.
//!
//! Sockets are a model receiver, the spool is a list, the DNS knows one route, and the clock goes
//! where something happens next. Replies are read by the same rules as in the server. What comes
//! to pass is told to the recorder; nothing here decides when mail is sent.

mod agenda;
mod beliefs;
mod clock;
mod knowledge;
mod life;
mod mail;
mod marks;
mod operator;
mod sessions;
mod settings;
mod spool;

use std::collections::{BTreeMap, VecDeque};
use std::iter::Peekable;
use std::net::SocketAddr;
use std::sync::Arc;
use std::{slice, vec};

use postlane_engine::{
    DomainId, End, Engine, Fate, HostId, Input, Limits, Output, Resolved, Route, RouteHost,
    Settings, Settled, SlotId, World,
};
use postlane_mail::Instant;
use postlane_receivers::{Addressee, Arrival, Ms, Receiver, Restart, Scenario, Workload};

use self::agenda::Agenda;
use self::clock::Clock;
use self::knowledge::Meanings;
use self::life::Life;
use self::mail::{Post, message_at};
use self::marks::Marks;
use self::operator::Typed;
use self::sessions::{Happening, Session};
use self::spool::{Change, Spool, WRITING};
use crate::destination::{DOMAIN, EXCHANGE, PROVIDER};
use crate::recorder::Recorder;
use crate::run::{Left, MessageNo};
use crate::said::Said;
use crate::watch::Going;

pub(crate) use beliefs::Beliefs;
pub use knowledge::Knowledge;
pub use operator::CommandError;
pub use settings::default_settings;

/// Runs the engine through a scenario, to its end or until nothing is left, with what its lanes
/// believed `before`; what the run leaves, and what they believe then.
pub(crate) fn run(
    (scenario, seed): (&Scenario, u64),
    knowledge: &Knowledge,
    (settings, said): (&Settings, &Said),
    before: &Beliefs,
    recorder: Recorder,
) -> Result<(Left, Beliefs), CommandError> {
    let mut around = Around::new((scenario, seed), knowledge, said, recorder)?;
    let settings = Arc::new(settings::settings_of(scenario, settings));
    let beliefs = around.live(&settings, before);
    around.recorder.believed(beliefs.told());
    let (run, trace) = around.recorder.finish(around.now);
    Ok((Left { run, trace }, beliefs))
}

/// Everything around the engine.
struct Around<'r> {
    scenario: &'r Scenario,
    said: &'r Said,
    seed: u64,
    clock: Clock,
    now: Ms,
    life: Life,
    agenda: Agenda<Happening>,
    arrivals: Peekable<vec::IntoIter<Arrival>>,
    commands: Peekable<vec::IntoIter<Typed>>,
    restarts: Peekable<slice::Iter<'r, Restart>>,
    post: Post,
    spool: Spool,
    /// Batches under way to the disk, the oldest first.
    writing: VecDeque<Vec<Change>>,
    /// To whom each message goes, by its number.
    addressees: Vec<Addressee>,
    /// Messages that have arrived and are neither delivered nor given up.
    unfinished: u64,
    receiver: Receiver,
    meanings: Meanings<'r>,
    sessions: BTreeMap<SlotId, Session>,
    recorder: Recorder,
    marks: Marks,
    /// What the engine has not heard yet.
    inputs: Vec<Input<()>>,
}

impl World for Around<'_> {
    type Evidence = ();

    fn now(&mut self) -> Instant {
        self.clock.at(self.now)
    }

    fn perform(&mut self, output: Output<()>) {
        match output {
            Output::Resolve { domain } => self.resolve(domain),
            Output::Open { slot, source, host, .. } => self.open(slot, source, host),
            Output::Attempt { slot, attempt, place, .. } => {
                self.attempt(slot, attempt, message_at(place));
            }
            Output::Close { slot } => self.close(slot),
            Output::Settled(settled) => self.settled(&settled),
            Output::Reserve { seq, scope, reservation } => {
                self.spool.write(Change::Reserve { seq, scope, reservation });
            }
            Output::Keep(kept) if self.starts_again() => self.spool.write(Change::Keep(kept)),
            Output::Stopped => self.stopped(),
            Output::Record(_)
            | Output::Keep(_)
            | Output::Answered { .. }
            | Output::Unused(_)
            | Output::Forgotten(_) => {}
        }
    }

    fn next(&mut self, deadline: Option<Instant>) -> Option<Vec<Input<()>>> {
        if let Some(changes) = self.spool.flush() {
            self.writing.push_back(changes);
            self.agenda.put(self.now + WRITING, Happening::Durable);
        }
        if self.is_up() && self.inputs.is_empty() {
            self.advance(deadline);
        }
        self.is_up().then(|| std::mem::take(&mut self.inputs))
    }

    fn look(&mut self, engine: &Engine<()>) {
        self.marks.look(self.now, engine, &mut self.recorder);
    }
}

impl<'r> Around<'r> {
    fn new(
        (scenario, seed): (&'r Scenario, u64),
        knowledge: &'r Knowledge,
        said: &'r Said,
        recorder: Recorder,
    ) -> Result<Self, CommandError> {
        let arrivals: Vec<Arrival> = Workload::new(scenario, seed).arrivals;
        Ok(Self {
            scenario,
            said,
            seed,
            clock: Clock::of(scenario),
            now: Ms(0),
            life: Life::Runs,
            agenda: Agenda::new(),
            arrivals: arrivals.into_iter().peekable(),
            commands: operator::read(scenario, knowledge)?.into_iter().peekable(),
            restarts: scenario.restart.iter().peekable(),
            post: Post::of(scenario),
            spool: Spool::default(),
            writing: VecDeque::new(),
            addressees: Vec::new(),
            unfinished: 0,
            receiver: Receiver::new(scenario, seed),
            meanings: Meanings::new(knowledge, &scenario.receiver.site),
            sessions: BTreeMap::new(),
            recorder,
            marks: Marks::default(),
            inputs: Vec::new(),
        })
    }

    /// Whether there is a program.
    fn is_up(&self) -> bool {
        matches!(self.life, Life::Runs | Life::Stops)
    }

    /// Goes to the next moment at which something happens, and lets it happen.
    fn advance(&mut self, deadline: Option<Instant>) {
        let listens = self.life == Life::Runs;
        if listens && self.unfinished == 0 && self.arrivals.peek().is_none() {
            self.life = Life::Over;
            return;
        }
        let wake = deadline.map(|at| self.clock.not_before(at));
        let arrival = self.arrivals.peek().map(|arrival| arrival.at).filter(|_| listens);
        let command = self.commands.peek().map(|typed| typed.at).filter(|_| listens);
        let restart = self.restarts.peek().map(|restart| restart.at);
        let happening = self.agenda.next();
        let next = [wake, arrival, command, restart, happening].into_iter().flatten().min();
        let end = self.scenario.meta.horizon;
        self.now = next.unwrap_or(end).clamp(self.now, end);
        let is_stopped = self.recorder.passes(self.now) == Going::Stop;
        if self.now == end || is_stopped {
            self.life = Life::Over;
            return;
        }
        self.meet_restart();
        if self.life == Life::Gone {
            return;
        }
        if self.life == Life::Runs {
            self.arrive();
            self.listen();
        }
        while let Some(happening) = self.agenda.due(self.now) {
            self.happen(happening);
        }
    }

    /// An operator types.
    fn listen(&mut self) {
        while let Some(typed) = self.commands.next_if(|typed| typed.at <= self.now) {
            self.inputs.push(Input::Lane(typed.command));
        }
    }

    /// Whether the program stops and starts again in this run: else nothing is ever read back.
    fn starts_again(&self) -> bool {
        !self.scenario.restart.is_empty()
    }

    /// The oldest batch is on the disk.
    fn durable(&mut self) {
        let Some(changes) = self.writing.pop_front() else { return };
        if let Some(upto) = self.spool.durable(changes) {
            self.inputs.push(Input::Committed { upto });
        }
    }

    /// Mail that is due now is accepted, and durable at once.
    fn arrive(&mut self) {
        let mut submissions = Vec::new();
        while let Some(arrival) = self.arrivals.next_if(|arrival| arrival.at <= self.now) {
            let message = self.recorder.arrived(self.now, &arrival);
            let submission = self.post.submission(self.clock, self.now, message, &arrival);
            self.inputs.extend(self.post.news(self.said).map(Input::Passes));
            if self.starts_again() {
                self.spool.accept(message, submission.clone());
            }
            submissions.push(submission);
            self.addressees.push(arrival.to);
            self.unfinished += 1;
        }
        if !submissions.is_empty() {
            self.inputs.push(Input::Submitted(submissions));
        }
    }

    /// One provider, one exchange, and as many hosts of equal preference as there are shards.
    fn resolve(&mut self, domain: DomainId) {
        debug_assert_eq!(domain, DOMAIN, "a scenario has one domain");
        let host = |place: u16| RouteHost {
            host: HostId(place.into()),
            preference: 10,
            addresses: [SocketAddr::from(([192, 0, 2, place.to_le_bytes()[0]], 25))].into(),
        };
        let answer = Resolved::Route(Route {
            provider: PROVIDER,
            limits: Limits::OfSource,
            exchange: EXCHANGE,
            hosts: (0..self.scenario.receiver.shards.max(1)).map(host).collect(),
            until: self.clock.at(self.scenario.meta.horizon + Ms::DAY),
        });
        self.inputs.push(Input::Resolved { domain, answer });
    }

    fn settled(&mut self, settled: &Settled<()>) {
        let message = message_at(settled.place);
        for (_, fate) in &settled.recipients {
            match fate {
                Fate::Ended(end) => self.ended(message, *end),
                Fate::Deferred { progress, .. }
                | Fate::Held(progress)
                | Fate::Released(progress) => {
                    if self.starts_again() {
                        self.spool.write(Change::Deferred(message, *progress));
                    }
                }
            }
        }
    }

    fn ended(&mut self, message: MessageNo, end: End) {
        self.unfinished -= 1;
        match end {
            // The recorder has heard the 250.
            End::Delivered => {}
            End::Expired => self.recorder.expired(self.now, message),
            End::Bounced(_) | End::BouncedByOperator | End::Deleted => {
                self.recorder.bounced(self.now, message);
            }
        }
        if self.starts_again() {
            self.spool.write(Change::Done(message));
        }
    }
}
