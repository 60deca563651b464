//! The real engine in virtual time: the twin of the server's world.
//!
//! Sockets are a model receiver, the spool is a list, the DNS knows one route, and the clock goes
//! where something happens next. Replies are read by the same rules as in the server. What comes
//! to pass is told to the recorder; nothing here decides when mail is sent.

mod agenda;
mod clock;
mod knowledge;
mod mail;
mod marks;
mod sessions;
mod settings;

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::net::SocketAddr;
use std::sync::Arc;
use std::vec;

use postlane_engine::{
    DomainId, End, Engine, ExchangeId, Fate, HostId, Input, Output, Resolved, Route, RouteHost,
    Settings, Settled, SlotId, World, drive,
};
use postlane_mail::Instant;
use postlane_receivers::{Addressee, Arrival, Ms, Receiver, Scenario, Workload};

use self::agenda::Agenda;
use self::clock::Clock;
use self::knowledge::Meanings;
use self::mail::{DOMAIN, Post, message_at};
use self::marks::Marks;
use self::sessions::{Happening, Session};
use self::settings::PROVIDER;
use crate::recorder::Recorder;
use crate::run::Run;

pub use knowledge::Knowledge;
pub use settings::default_settings;

/// Runs the engine through a scenario, to its end or until nothing is left. The recorder comes
/// back with the moment at which the run was over.
pub(crate) fn run(
    scenario: &Scenario,
    seed: u64,
    knowledge: &Knowledge,
    settings: &Settings,
    recorder: Recorder,
) -> (Run, Option<Vec<u8>>) {
    let mut around = Around::new(scenario, seed, knowledge, recorder);
    let settings = settings::settings_of(scenario, settings);
    let mut engine = Engine::new(Arc::new(settings), seed);
    drive(&mut engine, &mut around);
    let end = around.now;
    around.recorder.finish(end)
}

/// Everything around the engine.
struct Around<'r> {
    scenario: &'r Scenario,
    clock: Clock,
    now: Ms,
    agenda: Agenda<Happening>,
    arrivals: Peekable<vec::IntoIter<Arrival>>,
    post: Post,
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
            Output::Reserve { seq, .. } => self.inputs.push(Input::Committed { upto: seq }),
            Output::Record(_) | Output::Keep(_) | Output::Answered { .. } | Output::Stopped => {}
        }
    }

    fn next(&mut self, deadline: Option<Instant>) -> Option<Vec<Input<()>>> {
        if self.inputs.is_empty() {
            if self.unfinished == 0 && self.arrivals.peek().is_none() {
                return None;
            }
            let wake = deadline.map(|at| self.clock.not_before(at));
            let arrival = self.arrivals.peek().map(|arrival| arrival.at);
            let next = [wake, arrival, self.agenda.next()].into_iter().flatten().min();
            let end = self.scenario.meta.horizon;
            self.now = next.unwrap_or(end).clamp(self.now, end);
            if self.now == end {
                return None;
            }
            self.arrive();
            while let Some(happening) = self.agenda.due(self.now) {
                self.happen(happening);
            }
        }
        Some(std::mem::take(&mut self.inputs))
    }

    fn look(&mut self, engine: &Engine<()>) {
        self.marks.look(self.now, engine, &mut self.recorder);
    }
}

impl<'r> Around<'r> {
    fn new(
        scenario: &'r Scenario,
        seed: u64,
        knowledge: &'r Knowledge,
        recorder: Recorder,
    ) -> Self {
        let arrivals: Vec<Arrival> = Workload::new(scenario, seed).arrivals;
        Self {
            scenario,
            clock: Clock::of(scenario),
            now: Ms(0),
            agenda: Agenda::new(),
            arrivals: arrivals.into_iter().peekable(),
            post: Post::of(scenario),
            addressees: Vec::new(),
            unfinished: 0,
            receiver: Receiver::new(scenario, seed),
            meanings: Meanings::new(knowledge, &scenario.receiver.site),
            sessions: BTreeMap::new(),
            recorder,
            marks: Marks::default(),
            inputs: Vec::new(),
        }
    }

    /// Mail that is due now is accepted, and durable at once.
    fn arrive(&mut self) {
        let mut submissions = Vec::new();
        while let Some(arrival) = self.arrivals.next_if(|arrival| arrival.at <= self.now) {
            let message = self.recorder.arrived(self.now, &arrival);
            submissions.push(self.post.submission(self.clock, self.now, message, &arrival));
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
            exchange: ExchangeId(0),
            hosts: (0..self.scenario.receiver.shards.max(1)).map(host).collect(),
            until: self.clock.at(self.scenario.meta.horizon + Ms::DAY),
        });
        self.inputs.push(Input::Resolved { domain, answer });
    }

    fn settled(&mut self, settled: &Settled<()>) {
        let message = message_at(settled.place);
        for (_, fate) in &settled.recipients {
            let Fate::Ended(end) = fate else { continue };
            self.unfinished -= 1;
            match end {
                // The recorder has heard the 250.
                End::Delivered => {}
                End::Expired => self.recorder.expired(self.now, message),
                End::Bounced(_) | End::BouncedByOperator | End::Deleted => {
                    self.recorder.bounced(self.now, message);
                }
            }
        }
    }
}
