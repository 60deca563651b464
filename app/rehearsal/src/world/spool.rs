//! What is durable: mail that waits, what is kept of lanes, and the days of restart plans. What is
//! being written when the program crashes is lost.

use std::collections::BTreeMap;

use postlane_engine::{Kept, Recalled, Scope, Submission};
use postlane_lanes::{Memory, Reservation};
use postlane_mail::Progress;
use postlane_receivers::Ms;

use crate::run::MessageNo;

/// From the end of a turn until what it has written is durable. Chosen, not measured: a disk that
/// writes through takes less, a slow one more.
pub(super) const WRITING: Ms = Ms(5);

/// A disk.
#[derive(Debug, Default)]
pub(super) struct Spool {
    waiting: BTreeMap<MessageNo, Submission>,
    kept: BTreeMap<Scope, Memory>,
    reserved: BTreeMap<Scope, Reservation>,
    /// Not under way to the disk yet.
    unwritten: Vec<Change>,
}

/// One change of what is durable.
#[derive(Debug)]
pub(super) enum Change {
    /// A message waits for another attempt.
    Deferred(MessageNo, Progress),
    /// A message is over.
    Done(MessageNo),
    /// What is kept of a lane or a provider is another.
    Keep(Box<Kept>),
    /// So much of a day may be used.
    Reserve {
        /// The batch, for the engine.
        seq: u64,
        /// Whose.
        scope: Scope,
        /// How much.
        reservation: Reservation,
    },
}

impl Spool {
    /// Mail is accepted: it is durable before the client hears so.
    pub(super) fn accept(&mut self, message: MessageNo, submission: Submission) {
        self.waiting.insert(message, submission);
    }

    /// Writes with the end of this turn.
    pub(super) fn write(&mut self, change: Change) {
        self.unwritten.push(change);
    }

    /// The end of a turn: what goes to the disk now.
    pub(super) fn flush(&mut self) -> Option<Vec<Change>> {
        (!self.unwritten.is_empty()).then(|| std::mem::take(&mut self.unwritten))
    }

    /// It is on the disk. The last batch of a budget that may be used now.
    pub(super) fn durable(&mut self, changes: Vec<Change>) -> Option<u64> {
        let mut upto = None;
        for change in changes {
            match change {
                Change::Deferred(message, progress) => {
                    let waits = self.waiting.get_mut(&message);
                    waits.into_iter().flat_map(|waits| &mut waits.recipients).for_each(|to| {
                        to.progress = progress;
                    });
                }
                Change::Done(message) => {
                    self.waiting.remove(&message);
                }
                Change::Keep(kept) => {
                    self.kept.insert(kept.scope, kept.memory);
                }
                Change::Reserve { seq, scope, reservation } => {
                    self.reserved.insert(scope, reservation);
                    upto = upto.max(Some(seq));
                }
            }
        }
        upto
    }

    /// What never reached the disk.
    pub(super) fn lose(&mut self) {
        self.unwritten.clear();
    }

    /// What is found of lanes and providers after a start.
    pub(super) fn recall(&self) -> Vec<Recalled> {
        let recalled = |(scope, memory): (&Scope, &Memory)| Recalled {
            scope: *scope,
            memory: memory.clone(),
            reserved: self.reserved.get(scope).copied(),
        };
        self.kept.iter().map(recalled).collect()
    }

    /// Mail that is found after a start, the oldest first.
    pub(super) fn waiting(&self) -> Vec<Submission> {
        self.waiting.values().cloned().collect()
    }
}
