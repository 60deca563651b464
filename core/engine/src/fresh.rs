//! What of a flow waits for its first attempt, in the order of who opened or clicked last.

use postlane_mail::{Instant, Span};
use smallvec::SmallVec;

use crate::engagement::Tier;
use crate::slab::{List, Slab};

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
            goes.then_some((accepted + step.times(u64::from(tier.bits())), at))
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
