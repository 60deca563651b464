//! The floor on which scripted policies send: virtual time, one receiver, mail and connections.
//!
//! It keeps what every sender has, whatever its policy: messages that arrive, wait and expire,
//! connections that carry one message at a time, replies that are heard some time after the
//! receiver has judged. When to send what from where is the script's.

mod connections;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use postlane_mail::{Reply, Stage, Stream};
use postlane_receivers::{
    Addressee, Answer, Arrival, Asking, Cause, ConnId, Ms, Receiver, Room, Scenario, Source,
    Workload,
};

use crate::recorder::Recorder;
use crate::run::{ConnectionNo, MessageNo, Run};
use crate::watch::Going;
use connections::{Connections, Slot};

/// What a policy does when something happens. It is told of everything that happens within one
/// millisecond first, and then asked once.
pub(crate) trait Script {
    /// How it treats its connections.
    fn habits(&self) -> Habits;

    /// A message has arrived.
    fn arrived(&mut self, floor: &Floor<'_>, message: MessageNo);

    /// A reply to a message was heard; if it was a 4xx, the message is queued again.
    fn heard(&mut self, floor: &mut Floor<'_>, heard: &Heard);

    /// A message that was queued has expired.
    fn expired(&mut self, message: MessageNo);

    /// Sends what may be sent now. Says when to be asked again if nothing happens before.
    fn decide(&mut self, floor: &mut Floor<'_>) -> Option<Ms>;
}

/// How a policy treats its connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// Messages it offers on one connection before it closes it.
    pub(crate) per_connection: u32,
    /// How long it keeps one open that has nothing to carry.
    pub(crate) idle: Ms,
}

/// A reply to a message, as a policy hears it.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) message: MessageNo,
    pub(crate) source: Source,
    /// Where in the dialogue.
    pub(crate) stage: Stage,
    pub(crate) reply: Arc<Reply>,
    /// Whether the message is queued again: it was deferred and has not expired.
    pub(crate) is_queued: bool,
    /// When it was sent.
    pub(crate) sent: Ms,
    /// Who in the receiver said it: for the oracle; others cannot see it.
    pub(crate) cause: Cause,
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Queued,
    InFlight,
    Ended,
}

/// What the floor waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A message reaches its `max_age`.
    Expiry(MessageNo),
    /// The reply on a connection is heard.
    Reply(Slot),
    /// A connection has had nothing to carry for long, if it is the same and has carried no more.
    Idle(Slot, ConnectionNo, u32),
}

/// The floor.
pub(crate) struct Floor<'s> {
    now: Ms,
    scenario: &'s Scenario,
    receiver: Receiver,
    recorder: Recorder,
    habits: Habits,
    /// All mail of the run, in order of arrival; a message's number is its place.
    mail: Vec<Arrival>,
    places: Vec<Where>,
    arrived: usize,
    ended: usize,
    events: BinaryHeap<Reverse<(Ms, u64, Event)>>,
    told: u64,
    connections: Connections,
}

impl<'s> Floor<'s> {
    pub(crate) fn new(
        scenario: &'s Scenario,
        seed: u64,
        mail: Workload,
        recorder: Recorder,
    ) -> Self {
        let mail = mail.arrivals;
        Self {
            now: Ms(0),
            scenario,
            receiver: Receiver::new(scenario, seed),
            recorder,
            habits: Habits { per_connection: u32::MAX, idle: Ms(0) },
            places: Vec::with_capacity(mail.len()),
            mail,
            arrived: 0,
            ended: 0,
            events: BinaryHeap::new(),
            told: 0,
            connections: Connections::new(scenario.sender.ips.len()),
        }
    }

    /// Runs the script to the horizon, or until nothing is left.
    pub(crate) fn run(mut self, script: &mut dyn Script) -> (Run, Option<Vec<u8>>) {
        self.habits = script.habits();
        let mut wake = None;
        loop {
            let at = [self.next_arrival(), self.next_event(), wake].into_iter().flatten().min();
            let horizon = self.scenario.meta.horizon;
            let Some(at) = at.filter(|at| *at < horizon) else {
                self.now = horizon;
                break;
            };
            self.now = at;
            if self.recorder.passes(at) == Going::Stop {
                break;
            }
            self.arrive(script);
            self.happen(script);
            if self.ended == self.mail.len() {
                break;
            }
            wake = script.decide(&mut self).map(|wake| wake.max(at + Ms(1)));
        }
        self.recorder.finish(self.now)
    }

    /// Offers a queued message to the receiver: on the source's latest idle connection, or on a
    /// new one.
    pub(crate) fn send(&mut self, message: MessageNo, source: Source) {
        let to = self.mail[message.0 as usize].to;
        let idle = self.connections.take_idle(source);
        let conn = idle.and_then(|slot| self.connections.conn(slot));
        let answer = self.receiver.dispatch(self.now, source, conn, to);
        let slot = idle.unwrap_or_else(|| {
            let number = self.recorder.connecting(self.now, source, answer.shard);
            self.connections.opened(source, number, answer.conn)
        });
        self.recorder.dispatched(self.now, self.connections.number(slot), message);
        self.note_box(source, &answer);
        self.places[message.0 as usize] = Where::InFlight;
        self.at(self.now + answer.latency, Event::Reply(slot));
        self.connections.carries(slot, message, answer);
    }

    /// Whether the receiver would take a message now, looked at from inside: for the oracle.
    pub(crate) fn look(&mut self, to: Addressee, source: Source, reserve: u32) -> Room {
        let conn = self.idle_connection(source);
        self.receiver.would_take(self.now, Asking { source, conn, to, reserve })
    }

    pub(crate) fn now(&self) -> Ms {
        self.now
    }

    pub(crate) fn sources(&self) -> impl Iterator<Item = Source> + use<> {
        (0..self.connections.sources()).map(Source)
    }

    pub(crate) fn arrival(&self, message: MessageNo) -> &Arrival {
        &self.mail[message.0 as usize]
    }

    pub(crate) fn is_transactional(&self, message: MessageNo) -> bool {
        self.arrival(message).stream == Stream::Transactional
    }

    /// Messages of that source that are in flight.
    pub(crate) fn in_flight(&self, source: Source) -> u32 {
        self.connections.in_flight(source)
    }

    /// The connection on which the next message of that source would go; `None`: a new one.
    pub(crate) fn idle_connection(&self, source: Source) -> Option<ConnId> {
        self.connections.idle(source).and_then(|slot| self.connections.conn(slot))
    }

    fn next_arrival(&self) -> Option<Ms> {
        self.mail.get(self.arrived).map(|arrival| arrival.at)
    }

    fn next_event(&self) -> Option<Ms> {
        self.events.peek().map(|Reverse((at, ..))| *at)
    }

    fn at(&mut self, at: Ms, event: Event) {
        self.events.push(Reverse((at, self.told, event)));
        self.told += 1;
    }

    fn arrive(&mut self, script: &mut dyn Script) {
        while self.next_arrival().is_some_and(|at| at <= self.now) {
            let message = self.recorder.arrived(self.now, &self.mail[self.arrived]);
            let max_age = self.mail[self.arrived].max_age;
            self.arrived += 1;
            self.places.push(Where::Queued);
            if let Some(max_age) = max_age {
                self.at(self.now + max_age, Event::Expiry(message));
            }
            script.arrived(self, message);
        }
    }

    fn happen(&mut self, script: &mut dyn Script) {
        while self.next_event().is_some_and(|at| at <= self.now) {
            let Some(Reverse((_, _, event))) = self.events.pop() else { return };
            match event {
                Event::Expiry(message) => {
                    if self.places[message.0 as usize] == Where::Queued {
                        self.end(message);
                        self.recorder.expired(self.now, message);
                        script.expired(message);
                    }
                }
                Event::Reply(slot) => self.reply(slot, script),
                Event::Idle(slot, number, carried) => {
                    if self.connections.is_idle_since(slot, number, carried) {
                        self.close(slot);
                    }
                }
            }
        }
    }

    fn reply(&mut self, slot: Slot, script: &mut dyn Script) {
        let Some((message, answer)) = self.connections.heard(slot) else { return };
        let source = self.connections.source(slot);
        self.recorder.heard(self.now, self.connections.number(slot), Some(message), &answer);
        self.settle(slot, &answer);
        let is_queued = self.fate(message, &answer);
        let sent = self.now - answer.latency;
        let Answer { reply, cause, stage, .. } = answer;
        script.heard(self, &Heard { message, source, stage, reply, is_queued, sent, cause });
    }

    /// What becomes of the message: whether it is queued again.
    fn fate(&mut self, message: MessageNo, answer: &Answer) -> bool {
        let code = answer.reply.code();
        if !code.is_transient() {
            self.end(message);
            if !code.is_success() {
                self.recorder.bounced(self.now, message);
            }
            return false;
        }
        let arrival = self.arrival(message);
        if arrival.max_age.is_some_and(|max_age| arrival.at + max_age <= self.now) {
            self.end(message);
            self.recorder.expired(self.now, message);
            return false;
        }
        self.places[message.0 as usize] = Where::Queued;
        true
    }

    /// What becomes of the connection.
    fn settle(&mut self, slot: Slot, answer: &Answer) {
        let carried = self.connections.carried(slot);
        if answer.closes || answer.conn.is_none() || carried >= self.habits.per_connection {
            self.close(slot);
        } else {
            self.connections.rests(slot);
            let number = self.connections.number(slot);
            self.at(self.now + self.habits.idle, Event::Idle(slot, number, carried));
        }
    }

    fn close(&mut self, slot: Slot) {
        if let Some(conn) = self.connections.conn(slot) {
            self.receiver.close(self.now, conn);
        }
        self.recorder.closed(self.now, self.connections.number(slot));
        self.connections.closed(slot);
    }

    fn end(&mut self, message: MessageNo) {
        self.places[message.0 as usize] = Where::Ended;
        self.ended += 1;
    }

    /// Writes down until when a limit's box holds the source, if it has one.
    fn note_box(&mut self, source: Source, answer: &Answer) {
        if let Some((limit, until)) = self.receiver.boxed(self.now, source, answer) {
            self.recorder.boxed(self.now, limit, source, until);
        }
    }
}
