//! Sessions with the model receiver: a connection, and one transaction after the other on it.

use std::collections::VecDeque;

use postlane_engine::{
    AttemptId, HostId, Input, Outcome, RecipientOutcome, SlotId, SourceId, Unreached,
};
use postlane_receivers::{Answer, ConnId, Greeting, Source};
use smallvec::smallvec;

use super::Around;
use crate::run::{ConnectionNo, MessageNo};

/// Something of a session that lies ahead.
#[derive(Debug)]
pub(super) enum Happening {
    /// The banner comes: the session is open.
    Greeted(SlotId),
    /// It is turned away.
    TurnedAway(SlotId, Answer),
    /// A transaction is answered.
    Answered(SlotId, Answer),
    /// The connection is closed, as the engine wished.
    Closed(SlotId),
    /// The oldest batch that is being written is durable.
    Durable,
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    number: ConnectionNo,
    source: Source,
    /// What the receiver calls it, once it was let in.
    connection: Option<ConnId>,
    /// What it was given, the one under way first.
    flights: VecDeque<Flight>,
    /// It is to be closed when all that it was given is done.
    is_leaving: bool,
}

/// A message on a session.
#[derive(Debug, Clone, Copy)]
struct Flight {
    attempt: AttemptId,
    message: MessageNo,
}

impl Around<'_> {
    /// Connects. The receiver judges at once; the engine hears of it when the banner comes.
    pub(super) fn open(&mut self, slot: SlotId, source: SourceId, host: HostId) {
        let source = Source(source.0);
        let host = u16::try_from(host.0).unwrap_or(u16::MAX);
        let number = self.recorder.connecting(self.now, source, host);
        let mut session = Session {
            number,
            source,
            connection: None,
            flights: VecDeque::new(),
            is_leaving: false,
        };
        match self.receiver.connect_to(self.now, source, host) {
            Greeting::Open { conn, latency, .. } => {
                session.connection = Some(conn);
                self.agenda.put(self.now + latency, Happening::Greeted(slot));
            }
            Greeting::Refused(answer) => {
                let at = self.now + answer.latency;
                self.note_box(source, &answer);
                self.agenda.put(at, Happening::TurnedAway(slot, answer));
            }
        }
        self.sessions.insert(slot, session);
    }

    /// Gives a session a message; it begins when what is before it has been answered.
    pub(super) fn attempt(&mut self, slot: SlotId, attempt: AttemptId, message: MessageNo) {
        let Some(session) = self.sessions.get_mut(&slot) else { return };
        session.flights.push_back(Flight { attempt, message });
        if session.flights.len() == 1 {
            self.dispatch(slot);
        }
    }

    /// Closes a session when what it was given is done.
    pub(super) fn close(&mut self, slot: SlotId) {
        let Some(session) = self.sessions.get_mut(&slot) else { return };
        session.is_leaving = true;
        if session.flights.is_empty() {
            self.agenda.put(self.now, Happening::Closed(slot));
        }
    }

    pub(super) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Greeted(slot) => self.inputs.push(Input::Opened { slot }),
            Happening::TurnedAway(slot, answer) => self.turned_away(slot, &answer),
            Happening::Answered(slot, answer) => self.answered(slot, &answer),
            Happening::Closed(slot) => self.closed(slot),
            Happening::Durable => self.durable(),
        }
    }

    /// The first of a session's messages is sent, and judged at once.
    fn dispatch(&mut self, slot: SlotId) {
        let Some(session) = self.sessions.get(&slot) else { return };
        let (number, source) = (session.number, session.source);
        let (Some(flight), Some(connection)) = (session.flights.front(), session.connection) else {
            return;
        };
        let message = flight.message;
        self.recorder.dispatched(self.now, number, message);
        let to = self.addressees[message.0 as usize];
        let answer = self.receiver.transact(self.now, source, connection, to);
        let at = self.now + answer.latency;
        self.note_box(source, &answer);
        self.agenda.put(at, Happening::Answered(slot, answer));
    }

    fn turned_away(&mut self, slot: SlotId, answer: &Answer) {
        let Some(session) = self.sessions.get(&slot) else { return };
        let number = session.number;
        self.recorder.heard(self.now, number, None, answer);
        let why = Unreached::TurnedAway(self.meanings.of(answer.stage, &answer.reply));
        self.inputs.push(Input::ConnectFailed { slot, why, evidence: () });
        self.forget(slot);
    }

    fn answered(&mut self, slot: SlotId, answer: &Answer) {
        let Some(session) = self.sessions.get_mut(&slot) else { return };
        let Some(Flight { attempt, message }) = session.flights.pop_front() else { return };
        let (number, goes_on) = (session.number, !session.flights.is_empty());
        let is_leaving = session.is_leaving;
        self.recorder.heard(self.now, number, Some(message), answer);
        let means = self.meanings.of(answer.stage, &answer.reply);
        let is_taken = answer.reply.code().is_success();
        let outcome = if is_taken { Outcome::Delivered(means) } else { Outcome::Refused(means) };
        self.finished(slot, attempt, outcome);
        if answer.closes {
            self.closed(slot);
        } else if goes_on {
            self.dispatch(slot);
        } else if is_leaving {
            self.agenda.put(self.now, Happening::Closed(slot));
        }
    }

    /// A connection is gone, and with it the turn of what it had not begun.
    fn closed(&mut self, slot: SlotId) {
        let Some(session) = self.sessions.get_mut(&slot) else { return };
        for flight in std::mem::take(&mut session.flights) {
            self.finished(slot, flight.attempt, Outcome::NotTried);
        }
        self.forget(slot);
        self.inputs.push(Input::Closed { slot, said: None, evidence: None });
    }

    fn forget(&mut self, slot: SlotId) {
        if let Some(session) = self.sessions.remove(&slot) {
            self.let_go(&session);
        }
    }

    /// Nothing is left of a session on either side.
    pub(super) fn let_go(&mut self, session: &Session) {
        if let Some(connection) = session.connection {
            self.receiver.close(self.now, connection);
        }
        self.recorder.closed(self.now, session.number);
    }

    fn finished(&mut self, slot: SlotId, attempt: AttemptId, outcome: Outcome) {
        let outcomes = smallvec![RecipientOutcome { index: 0, outcome }];
        self.inputs.push(Input::Finished { slot, attempt, outcomes, evidence: () });
    }

    /// Writes down until when a limit's box holds the source, if it has one.
    fn note_box(&mut self, source: Source, answer: &Answer) {
        if let Some((limit, until)) = self.receiver.boxed(self.now, source, answer) {
            self.recorder.boxed(self.now, limit, source, until);
        }
    }
}
