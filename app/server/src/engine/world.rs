//! The real world around the engine: what it hears, and what is done when it asks.
//!
//! Runs on the engine's own thread and never waits for anything but its mailbox: sockets,
//! disks and the DNS are served by others, who put what happened into the mailbox.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_engine::{Engine, Input, Output, World, drive};
use postlane_mail::Instant;
use tokio::sync::oneshot;

use crate::ground::clock::Clock;
use crate::ground::mailbox::Mailbox;
use crate::outbound::Outbound;
use crate::outbound::evidence::Evidence;
use crate::outbound::routing::Routing;
use crate::outcome::settling::Settling;

/// What the engine's thread can be told.
pub(crate) enum Told {
    /// Something the engine must hear.
    Input(Input<Evidence>),
    /// Somebody wants to look at the engine between two turns.
    Look(Look),
    /// The end: everything is closed.
    End,
}

/// A look at the engine. Must be quick: everything waits for it.
pub(crate) struct Look(Box<dyn Looks>);

trait Looks: FnOnce(&Engine<Evidence>, Instant) + Send {}

impl<F: FnOnce(&Engine<Evidence>, Instant) + Send> Looks for F {}

/// The engine's mailbox, for everybody who has something to tell it.
#[derive(Clone)]
pub(crate) struct EngineMailbox(Arc<Mailbox<Told>>);

impl EngineMailbox {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mailbox::new()))
    }

    pub(crate) fn tell(&self, input: Input<Evidence>) {
        self.0.put(Told::Input(input));
    }

    pub(crate) fn look(&self, look: impl FnOnce(&Engine<Evidence>, Instant) + Send + 'static) {
        self.0.put(Told::Look(Look(Box::new(look))));
    }

    /// Waits until the engine has heard all that it was told before.
    pub(crate) fn until_heard(&self) {
        let (heard, wait) = std::sync::mpsc::channel();
        self.look(move |_, _| {
            // Who waits is still there.
            let _ = heard.send(());
        });
        // Without an engine nobody hears anything any more.
        let _ = wait.recv();
    }

    pub(crate) fn end(&self) {
        self.0.put(Told::End);
    }
}

/// Sockets, disks and the DNS, as the engine meets them.
pub(crate) struct Around {
    clock: Clock,
    mailbox: EngineMailbox,
    routing: Routing,
    outbound: Outbound,
    settling: Settling,
    answers: Answers,
    told: Vec<Told>,
    looks: Vec<Look>,
    now: Instant,
    stopped: bool,
}

impl Around {
    pub(crate) fn new(
        clock: Clock,
        mailbox: EngineMailbox,
        routing: Routing,
        outbound: Outbound,
        settling: Settling,
        answers: Answers,
    ) -> Self {
        let (told, looks) = (Vec::new(), Vec::new());
        let now = clock.now();
        Self {
            clock,
            mailbox,
            routing,
            outbound,
            settling,
            answers,
            told,
            looks,
            now,
            stopped: false,
        }
    }

    /// Runs the engine in here until it has stopped or the mailbox says so.
    pub(crate) fn run(mut self, mut engine: Engine<Evidence>) {
        drive(&mut engine, &mut self);
    }
}

impl World for Around {
    type Evidence = Evidence;

    fn now(&mut self) -> Instant {
        // A clock that is set back stands still here until the time has caught up: what was
        // in order stays in order.
        self.now = self.now.max(self.clock.now());
        self.now
    }

    fn perform(&mut self, output: Output<Evidence>) {
        match output {
            Output::Resolve { domain } => self.routing.resolve(domain),
            Output::Open { slot, source, host, address } => {
                self.outbound.open(slot, source, host, address);
            }
            Output::Attempt { slot, attempt, message, place, recipients } => {
                self.outbound.attempt(slot, attempt, message, place, recipients);
            }
            Output::Close { slot } => self.outbound.close(slot),
            Output::Settled(settled) => self.settling.settled(self.now, settled),
            Output::Record(event) => self.settling.record(self.now, event),
            Output::Reserve { seq, scope, reservation } => {
                self.settling.keeping.reserve(seq, scope, reservation);
            }
            Output::Keep(kept) => self.settling.keeping.keep(*kept),
            Output::Answered { request, recipients } => {
                self.settling.keeping.lanes.changed_nothing(request);
                self.answers.answer(request, recipients);
            }
            Output::Unused(name) => self.routing.names.leave(name),
            Output::Forgotten(name) => self.routing.forget(name),
            Output::Stopped => self.stopped = true,
        }
    }

    fn next(&mut self, deadline: Option<Instant>) -> Option<Vec<Input<Evidence>>> {
        self.settling.flush(self.now);
        if self.stopped {
            return None;
        }
        let deadline = deadline.map(|at| self.clock.monotonic(at));
        self.mailbox.0.take(&mut self.told, deadline);
        let mut inputs = Vec::with_capacity(self.told.len());
        for told in self.told.drain(..) {
            match told {
                Told::Input(input) => {
                    if let Input::Closed { slot, .. } | Input::ConnectFailed { slot, .. } = &input {
                        self.outbound.forget(*slot);
                    }
                    inputs.push(input);
                }
                Told::Look(look) => self.looks.push(look),
                Told::End => return None,
            }
        }
        Some(inputs)
    }

    fn look(&mut self, engine: &Engine<Evidence>) {
        for Look(look) in mem::take(&mut self.looks) {
            look(engine, self.now);
        }
    }
}

/// Who waits for which operator's command to be done.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    last: u64,
    by_request: BTreeMap<u64, oneshot::Sender<u64>>,
}

impl Answers {
    /// A number for a command, and where its answer will come: recipients it was done to.
    pub(crate) fn ask(&self) -> (u64, oneshot::Receiver<u64>) {
        let (answered, answer) = oneshot::channel();
        let mut waiting = self.0.lock();
        waiting.last += 1;
        let request = waiting.last;
        waiting.by_request.insert(request, answered);
        (request, answer)
    }

    pub(crate) fn answer(&self, request: u64, recipients: u64) {
        if let Some(answered) = self.0.lock().by_request.remove(&request) {
            // Who asked may have gone away.
            let _ = answered.send(recipients);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What lies in a mailbox for the engine, or comes there until then.
    pub(crate) fn heard(
        mailbox: &EngineMailbox,
        until: std::time::Instant,
    ) -> Vec<Input<Evidence>> {
        let mut told = Vec::new();
        mailbox.0.take(&mut told, Some(until));
        let input = |told| match told {
            Told::Input(input) => Some(input),
            Told::Look(_) | Told::End => None,
        };
        told.into_iter().filter_map(input).collect()
    }
}
