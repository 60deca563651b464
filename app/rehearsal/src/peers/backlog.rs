//! Messages that wait, each for a moment of its own.

use std::collections::BTreeSet;

use postlane_receivers::Ms;

use crate::run::MessageNo;

/// Messages that wait, the one whose moment comes first in front.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: BTreeSet<(Ms, MessageNo)>,
    /// By message: for when it waits, and how often it was refused.
    messages: Vec<(Option<Ms>, u32)>,
}

impl Backlog {
    /// A message has arrived and can go at once.
    pub(super) fn arrived(&mut self, message: MessageNo, now: Ms) {
        self.messages.resize(message.0 as usize + 1, (None, 0));
        self.put(message, now);
    }

    /// A message was refused; it says how often by now.
    pub(super) fn refused(&mut self, message: MessageNo) -> u32 {
        let (_, refused) = &mut self.messages[message.0 as usize];
        *refused += 1;
        *refused
    }

    /// A message waits until then.
    pub(super) fn put(&mut self, message: MessageNo, until: Ms) {
        self.remove(message);
        self.messages[message.0 as usize].0 = Some(until);
        self.waiting.insert((until, message));
    }

    /// A message waits no longer.
    pub(super) fn remove(&mut self, message: MessageNo) {
        if let Some(until) = self.messages[message.0 as usize].0.take() {
            self.waiting.remove(&(until, message));
        }
    }

    /// The message whose moment comes first, and that moment.
    pub(super) fn first(&self) -> Option<(Ms, MessageNo)> {
        self.waiting.first().copied()
    }
}
