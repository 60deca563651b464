//! Counts by slots of time, for whoever weighs them: how many of what outcome, and what was said.

use std::collections::BTreeMap;

use postlane_replies::Label;

use crate::attempt::{Outcome, Turn};

/// A count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Where the slot begins, in seconds since 1970.
    pub at_s: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether it was the first try.
    pub turn: Turn,
    /// What was said.
    pub label: Label,
    /// How many recipients.
    pub count: u64,
}

/// Counts of a lane.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    counts: BTreeMap<(u32, Outcome, Turn, Label), u64>,
    slot_s: u32,
}

impl Default for Slots {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), slot_s: 60 }
    }
}

impl Slots {
    /// Counts one; gives how many counts more there are.
    pub(crate) fn add(&mut self, at_s: u32, outcome: Outcome, turn: Turn, label: Label) -> usize {
        let before = self.counts.len();
        let key = (at_s / self.slot_s * self.slot_s, outcome, turn, label);
        *self.counts.entry(key).or_default() += 1;
        self.counts.len() - before
    }

    /// Makes slots of this length, if they are shorter.
    pub(crate) fn widen(&mut self, slot_s: u32) {
        if slot_s <= self.slot_s {
            return;
        }
        self.slot_s = slot_s;
        let counts = std::mem::take(&mut self.counts);
        for ((at_s, outcome, turn, label), count) in counts {
            *self.counts.entry((at_s / slot_s * slot_s, outcome, turn, label)).or_default() +=
                count;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// All of them, in order of time.
    pub(crate) fn all(&self) -> Vec<Slot> {
        let slot = |((at_s, outcome, turn, label), count): (&(u32, Outcome, Turn, Label), &u64)| {
            Slot { at_s: *at_s, outcome: *outcome, turn: *turn, label: *label, count: *count }
        };
        self.counts.iter().map(slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_slots_hold_what_the_narrow_ones_held() {
        let mut slots = Slots::default();
        for at_s in [0, 59, 60, 130] {
            slots.add(at_s, Outcome::Accepted, Turn::First, Label::Accepted);
        }
        assert_eq!(slots.len(), 3);
        slots.widen(120);
        let counts: Vec<_> = slots.all().iter().map(|slot| (slot.at_s, slot.count)).collect();
        assert_eq!(counts, [(0, 3), (120, 1)]);
    }
}
