//! Hours, for a plot: what was taken and what was refused; minutes, where a span has few hours.

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

/// How long a bar is, in microseconds: an hour, more where there would be too many, and less where
/// there would be hardly any and the counts are fine enough.
fn length(slots: &Slots, span: Span) -> u64 {
    let hour = Span::from_h(1).0;
    let wanted = span.0.div_ceil(hour).max(1);
    if wanted <= FEW_HOURS {
        let begins: Vec<u64> = slots.iter().map(|slot| slot.at.0).collect();
        let gaps = begins.iter().zip(begins.iter().skip(1)).map(|(one, next)| next - one);
        let slot = gaps.min().unwrap_or(hour);
        let lengths = [1, 5, 15, 30].into_iter().map(Span::from_min).map(|length| length.0);
        let is_fit =
            |length: &u64| length.is_multiple_of(slot.max(1)) && span.0 / length <= BARS_MAX;
        return lengths.into_iter().find(is_fit).unwrap_or(hour);
    }
    hour * [1, 2, 3, 6, 12, 24, 168].into_iter().find(|n| wanted / n <= BARS_MAX).unwrap_or(720)
}

/// Below so many hours, minutes are shown (chosen).
const FEW_HOURS: u64 = 6;

/// All hours of a span, those in which nothing was tried, too.
pub(super) fn hours(slots: &Slots, from: Instant, to: Instant) -> (Vec<Hour>, Span) {
    let length = length(slots, to.since(from));
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
