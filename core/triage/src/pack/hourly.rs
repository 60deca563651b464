//! Hours, for a plot: what was taken and what was refused.

use std::collections::BTreeMap;

use postlane_mail::{Instant, Span};

use crate::slots::Slots;

/// An hour, or a longer stretch where there are many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hour {
    pub(super) at: Instant,
    pub(super) accepted: u64,
    pub(super) refused: u64,
    /// First attempts, and those of them that were refused by something held against us.
    pub(super) fresh: u64,
    pub(super) fresh_refused: u64,
}

/// As many bars as a plot has room for (chosen, not measured: four pixels each on a telephone).
const BARS_MAX: u64 = 96;

/// All hours of a span, those in which nothing was tried, too.
pub(super) fn hours(slots: &Slots, from: Instant, to: Instant) -> (Vec<Hour>, Span) {
    let hour = Span::from_h(1).0;
    let wanted = to.since(from).0.div_ceil(hour).max(1);
    let length = hour
        * [1, 2, 3, 6, 12, 24, 168].into_iter().find(|n| wanted / n <= BARS_MAX).unwrap_or(720);
    let mut hours: BTreeMap<u64, Hour> = BTreeMap::new();
    let first = from.0 / length;
    let last = (to.0.saturating_sub(1) / length).clamp(first, first + BARS_MAX + 1);
    for n in first..=last {
        hours.insert(n, Hour { at: Instant(n.saturating_mul(length)), ..Hour::default() });
    }
    for slot in slots.iter() {
        let Some(hour) = hours.get_mut(&(slot.at.0 / length)) else { continue };
        let figures = slot.figures;
        let refused = figures.attempts().saturating_sub(figures.accepted());
        hour.accepted = hour.accepted.saturating_add(figures.accepted());
        hour.refused = hour.refused.saturating_add(refused);
        hour.fresh = hour.fresh.saturating_add(figures.fresh.attempts());
        hour.fresh_refused = hour.fresh_refused.saturating_add(figures.fresh.trouble);
    }
    (hours.into_values().collect(), Span(length))
}
