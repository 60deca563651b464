//! In which order mail of one flow is tried for the first time: by how lately its recipient has
//! opened or clicked anything, where the sender says so.
//!
//! It is no order of classes: nobody's turn is taken but that of the same stream, tenant and
//! campaign. Who has been quiet for longer stands as if the message had come later, by a step for
//! each tier; so nothing waits for more than what was accepted within the longest of these steps.

use postlane_mail::{Instant, Span};

/// How recipients who are quiet are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Engagement {
    /// Whoever has been quiet for so long is dormant, and comes last.
    pub dormant_after: Span,
    /// Mail to a dormant recipient waits for what was accepted up to so long after it; to one that
    /// has been quiet for less, for a part of that. Zero tries all in the order of acceptance.
    pub longest_wait: Span,
}

/// How long a recipient had been quiet when a message was accepted. A lower one goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tier(u8);

/// Tiers, the dormant one last. Steps as senders draw them: a week, one to three months, half a
/// year, a year. Chosen, not measured.
const QUIET_DAYS: [u64; 6] = [7, 30, 60, 90, 180, 365];

/// Of whom nobody says anything: as of the middle ones.
const UNKNOWN: Tier = Tier(3);

const DORMANT: Tier = Tier(7);

impl Engagement {
    /// A year, and half a day. Chosen, not measured.
    pub const DEFAULT: Self =
        Self { dormant_after: Span::from_h(365 * 24), longest_wait: Span::from_h(12) };

    /// What a message's recipient has shown, to one accepted at a moment.
    pub(crate) fn tier(&self, accepted: Instant, engaged: Option<Instant>) -> Tier {
        let Some(engaged) = engaged else { return UNKNOWN };
        let quiet = accepted.since(engaged);
        if quiet >= self.dormant_after {
            return DORMANT;
        }
        let day = Span::from_h(24);
        Tier(QUIET_DAYS.iter().filter(|days| quiet > day.times(**days)).count() as u8)
    }

    /// By how much later a message stands for each tier.
    pub(crate) fn step(&self) -> Span {
        Span(self.longest_wait.0 / u64::from(DORMANT.0))
    }
}

impl Tier {
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits & DORMANT.0)
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }
}
