//! Attempts along time: what a plot shows.

use std::collections::BTreeMap;

use postlane_mail::{Instant, Span};

use crate::figures::Figures;
use crate::picture::Tally;

/// Sums of tallies by slot, in order of time; slots in which nothing happened are not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slots(BTreeMap<Instant, Figures>);

/// One slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot<'s> {
    /// Where it begins.
    pub at: Instant,
    /// What happened in it.
    pub figures: &'s Figures,
}

impl Slots {
    /// How many slots are kept; what comes behind them is counted in the last (chosen, not
    /// measured: two months of minutes).
    pub const MAX: usize = 90_000;

    /// The sums of these tallies by slots of this length, a second at least.
    pub fn of<'t>(tallies: impl IntoIterator<Item = &'t Tally>, slot: Span) -> Self {
        let length = slot.0.max(1_000_000);
        let mut slots: BTreeMap<Instant, Figures> = BTreeMap::new();
        for tally in tallies {
            let at = Instant(tally.at.0 / length * length);
            if slots.len() >= Self::MAX && !slots.contains_key(&at) {
                if let Some(mut last) = slots.last_entry() {
                    last.get_mut().add(tally);
                }
                continue;
            }
            slots.entry(at).or_default().add(tally);
        }
        Self(slots)
    }

    /// They, in order of time.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Slot<'_>> {
        self.0.iter().map(|(at, figures)| Slot { at: *at, figures })
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
