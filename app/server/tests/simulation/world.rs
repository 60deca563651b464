//! What the engine asks for, and how the house does it.

use std::net::SocketAddr;

use postlane_engine::{
    End, Engine, ExchangeId, Fate, HostId, Input, Limits, Outcome, Output, ProviderId,
    RecipientOutcome, Resolved, Route, RouteHost, Settled, SlotId, World,
};
use postlane_mail::{Instant, Progress, ReversePath, Span, Status, Stream};
use postlane_replies::Extent;
use postlane_spool::{Change, Changes, Store, Urgency};

use crate::hosts::{Flight, Session, Standing};
use crate::house::{Happening, House, insertion};
use crate::laws::Addressee;

impl World for House {
    type Evidence = ();

    fn now(&mut self) -> Instant {
        self.now
    }

    fn perform(&mut self, output: Output<()>) {
        self.note(&output);
        match output {
            Output::Resolve { domain } => {
                let answer = self.resolve(domain.0);
                self.soon(Happening::Told(Input::Resolved { domain, answer }));
            }
            Output::Open { slot, .. } => self.open(slot),
            Output::Attempt { slot, attempt, message, place, recipients } => {
                let stored = self.spool.read(place).expect("what is tried is in the spool");
                assert_eq!(stored.id, message, "another message is at this place");
                let recipients = recipients.to_vec();
                self.laws.tried(&Addressee::of(message, recipients.iter().copied()));
                self.attempt(slot, Flight { attempt, message, recipients });
            }
            Output::Close { slot } => self.close(slot),
            Output::Settled(settled) => self.settle(settled),
            Output::Answered { .. }
            | Output::Stopped
            | Output::Record(_)
            | Output::Keep(_)
            | Output::Unused(_)
            | Output::Forgotten(_) => {}
            Output::Reserve { .. } => unreachable!("nothing is reserved in this simulation"),
        }
    }

    fn next(&mut self, deadline: Option<Instant>) -> Option<Vec<Input<()>>> {
        self.flush();
        if !self.advance(deadline) || !self.go_on() {
            return None;
        }
        Some(std::mem::take(&mut self.inputs))
    }

    fn look(&mut self, _: &Engine<()>) {}
}

impl House {
    /// Ten domains share an exchange of two hosts.
    fn resolve(&mut self, domain: u32) -> Resolved {
        let until = self.now + Span::from_min(5);
        if self.dice.chance(self.plan.temper.no_route) {
            return Resolved::Failed { status: Status::new(4, 4, 3), until };
        }
        let exchange = domain / 10;
        let host = |n: u32| RouteHost {
            host: HostId(exchange * 2 + n),
            preference: 10 * n as u16,
            addresses: [SocketAddr::from(([192, 0, 2, exchange as u8], 25 + n as u16))].into(),
        };
        let hosts = [host(0), host(1)].into();
        let (provider, exchange) = (ProviderId(exchange), ExchangeId(exchange));
        Resolved::Route(Route { provider, limits: Limits::OfSource, exchange, hosts, until })
    }

    fn open(&mut self, slot: SlotId) {
        match self.plan.temper.connect(&mut self.dice) {
            Some(why) => {
                self.soon(Happening::Told(Input::ConnectFailed { slot, why, evidence: () }));
            }
            None => {
                self.sessions.insert(slot, Session::default());
                self.after(Span(1), Happening::Told(Input::Opened { slot }));
                if self.dice.chance(self.plan.temper.hangs_up) {
                    let wait = 2 + self.dice.roll(10_000_000);
                    self.after(Span(wait), Happening::Lost(slot));
                }
            }
        }
    }

    fn attempt(&mut self, slot: SlotId, flight: Flight) {
        let session = self.sessions.get_mut(&slot).expect("attempts go to sessions that are there");
        match session.standing {
            Standing::Leaving => panic!("an attempt on a session that is to be closed"),
            Standing::Dead => self.untried(slot, &flight),
            Standing::Open => {
                session.flights.push_back(flight);
                if session.flights.len() == 1 {
                    self.soon(Happening::AtHost(slot));
                }
            }
        }
    }

    /// What was given to a connection that is lost already comes back.
    fn untried(&mut self, slot: SlotId, flight: &Flight) {
        let (attempt, outcomes) = (flight.attempt, flight.lost(None).into());
        let finished = Input::Finished { slot, attempt, outcomes, evidence: () };
        self.after(Span::ZERO, Happening::Told(finished));
    }

    /// The host has the whole of the message that is under way.
    pub(crate) fn at_host(&mut self, slot: SlotId) {
        let Some(session) = self.sessions.get_mut(&slot) else { return };
        if session.standing == Standing::Dead || session.decided.is_some() {
            return;
        }
        let Some(flight) = session.flights.front() else { return };
        let decided = self.plan.temper.decide(&mut self.dice, &flight.recipients);
        let message = flight.message;
        session.decided = Some(decided.clone());
        self.note((slot, message, &decided));
        for of in decided.iter().filter(|of| matches!(of.outcome, Outcome::Delivered(_))) {
            self.laws.taken(Addressee { message, index: of.index });
        }
        let hangs_up = self.dice.chance(self.plan.temper.hangs_up);
        let then = if hangs_up { Happening::Lost(slot) } else { Happening::Answer(slot) };
        self.soon(then);
    }

    /// The host's answer is there.
    pub(crate) fn answered(&mut self, slot: SlotId) {
        let Some(session) = self.sessions.get_mut(&slot) else { return };
        if session.standing == Standing::Dead {
            return;
        }
        let Some(decided) = session.decided.take() else { return };
        let Some(flight) = session.flights.pop_front() else { return };
        let goes_on = !session.flights.is_empty();
        let leaves = session.standing == Standing::Leaving;
        let says_421 = |of: &RecipientOutcome| matches!(&of.outcome, Outcome::Refused(said) if said.extent == Extent::Session);
        let ends = decided.iter().any(says_421);
        let (attempt, outcomes) = (flight.attempt, decided.into());
        self.inputs.push(Input::Finished { slot, attempt, outcomes, evidence: () });
        if ends {
            self.lost(slot);
        } else if goes_on {
            self.soon(Happening::AtHost(slot));
        } else if leaves {
            self.after(Span(1), Happening::Closed(slot));
        }
    }

    /// The connection is lost.
    pub(crate) fn lost(&mut self, slot: SlotId) {
        let Some(session) = self.sessions.get_mut(&slot) else { return };
        if session.standing == Standing::Dead {
            return;
        }
        session.standing = Standing::Dead;
        let mut decided = session.decided.take();
        for flight in std::mem::take(&mut session.flights) {
            for of in decided.iter().flatten() {
                if matches!(of.outcome, Outcome::Delivered(_)) {
                    self.laws.unknown(Addressee { message: flight.message, index: of.index });
                }
            }
            let (attempt, outcomes) = (flight.attempt, flight.lost(decided.take()).into());
            self.inputs.push(Input::Finished { slot, attempt, outcomes, evidence: () });
        }
        self.soon(Happening::Closed(slot));
    }

    fn close(&mut self, slot: SlotId) {
        let Some(session) = self.sessions.get_mut(&slot) else { return };
        if session.standing == Standing::Open {
            session.standing = Standing::Leaving;
            if session.flights.is_empty() {
                self.after(Span(1), Happening::Closed(slot));
            }
        }
    }

    pub(crate) fn closed(&mut self, slot: SlotId) {
        if self.sessions.remove(&slot).is_some() {
            self.inputs.push(Input::Closed { slot, said: None, evidence: None });
        }
    }

    /// What has become of recipients: deliveries and deferrals at the end of the turn, what
    /// owes a report when its thread comes to it, with the report in one batch.
    fn settle(&mut self, settled: Settled<()>) {
        let Settled { message: id, place, recipients, .. } = settled;
        let mut owed = Changes { urgency: Urgency::Now, ..Changes::default() };
        let mut about = Vec::new();
        for (recipient, fate) in recipients {
            let addressee = Addressee { message: id, index: recipient };
            self.laws.settled(addressee, &fate);
            let waiting = |progress: Progress| postlane_spool::Fate::Waiting(progress, None);
            let change = |fate| Change { id, place, recipient, fate };
            match fate {
                Fate::Ended(End::Delivered | End::Deleted) => {
                    self.changes.push(change(postlane_spool::Fate::Done));
                }
                Fate::Ended(_) => {
                    about.push(addressee);
                    owed.recipients.push(change(postlane_spool::Fate::Done));
                }
                Fate::Deferred { progress, notice: true, .. } => {
                    owed.recipients.push(change(waiting(progress)));
                }
                Fate::Deferred { progress, .. }
                | Fate::Held(progress)
                | Fate::Released(progress) => {
                    self.changes.push(change(waiting(progress)));
                }
            }
        }
        if owed.recipients.is_empty() {
            return;
        }
        let stored = self.spool.read(place).expect("what is reported is in the spool");
        let mut report = None;
        // A null reverse-path is never answered (RFC 5321 §4.5.5).
        if let ReversePath::Mailbox(to) = stored.envelope.reverse_path {
            let id = self.next_id();
            let path = ReversePath::Null;
            owed.insertions.push(insertion(id, path, vec![to], Stream::Transactional));
            report = Some(id);
        }
        for addressee in about {
            self.laws.given_up(addressee, report);
        }
        // Now and then it has much to do, and what it writes is older than what is known.
        let wait = if self.dice.chance(10) { Span::from_min(60) } else { Span::from_s(2) };
        let wait = Span(self.dice.roll(wait.0));
        self.after(wait, Happening::Report(owed));
    }
}
