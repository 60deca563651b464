//! In which order mail of one flow is tried for the first time: by how lately its recipient has
//! opened or clicked anything, where the sender says so.
//!
//! It is no order of classes: nobody's turn is taken but that of the same stream, tenant and
//! campaign. Who has been quiet for longer stands as if the message had come later, by a step for
//! each tier; so nothing waits for more than what was accepted within the longest of these steps.

use postlane_mail::{Instant, Span};
use smallvec::SmallVec;

use crate::slab::{List, Slab};

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

/// What of a flow waits for its first attempt: a list for each tier that has any, in the order of
/// acceptance or nearly so.
#[derive(Debug, Default)]
pub(crate) struct Fresh(SmallVec<[(Tier, List); 1]>);

impl Fresh {
    pub(crate) fn push(&mut self, slab: &mut Slab, number: u32) {
        let tier = slab[number].marks.tier();
        let at = match self.0.binary_search_by_key(&tier, |(tier, _)| *tier) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (tier, List::default()));
                at
            }
        };
        self.0[at].1.push(slab, number);
    }

    /// Takes out the next that was accepted by a moment, if that is given. Lists whose first is
    /// newer wait as they are.
    pub(crate) fn pop(&mut self, slab: &mut Slab, step: Span, old: Option<Instant>) -> Option<u32> {
        let place = |(at, (tier, list)): (usize, &(Tier, List))| {
            let accepted = slab[list.first()?].id.moment();
            let goes = old.is_none_or(|old| accepted <= old);
            goes.then_some((accepted + step.times(u64::from(tier.0)), at))
        };
        let at = match &self.0[..] {
            [] => return None,
            [only] => place((0, only))?.1,
            all => all.iter().enumerate().filter_map(place).min()?.1,
        };
        let number = self.0[at].1.pop(slab);
        self.leave(at);
        number
    }

    /// Takes out an entry that stands here.
    pub(crate) fn remove(&mut self, slab: &mut Slab, number: u32) {
        let tier = slab[number].marks.tier();
        let Ok(at) = self.0.binary_search_by_key(&tier, |(tier, _)| *tier) else {
            debug_assert!(false, "an entry is taken out of the list it stands in");
            return;
        };
        self.0[at].1.remove(slab, number);
        self.leave(at);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, list)| list.is_empty())
    }

    /// The first of each list.
    pub(crate) fn heads(&self) -> impl Iterator<Item = u32> {
        self.0.iter().filter_map(|(_, list)| list.first())
    }

    /// Whether the next of some tier was accepted by a moment.
    pub(crate) fn has_old(&self, slab: &Slab, old: Instant) -> bool {
        self.heads().any(|number| slab[number].id.moment() <= old)
    }

    /// The last that came of a tier.
    pub(crate) fn youngest(&self, tier: Tier) -> Option<u32> {
        self.0.iter().find(|(of, _)| *of == tier)?.1.last()
    }

    /// The last list stays, so that a trickle of mail does not make it anew for each message.
    fn leave(&mut self, at: usize) {
        if self.0.len() > 1 && self.0[at].1.is_empty() {
            self.0.remove(at);
        }
    }
}
