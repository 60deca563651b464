//! The spans in which providers count.

use postlane_mail::Span;

/// The spans a person would choose when writing a limit down. A provider that counts in another one is
/// taken for the next longer of these. Chosen, not measured: no provider publishes its own; the
/// limits that are published (per minute, per hour, per day) are all among them.
pub(crate) const NATURAL: [Span; 14] = [
    Span::from_min(1),
    Span::from_min(2),
    Span::from_min(5),
    Span::from_min(10),
    Span::from_min(15),
    Span::from_min(20),
    Span::from_min(30),
    Span::from_h(1),
    Span::from_h(2),
    Span::from_h(3),
    Span::from_h(4),
    Span::from_h(6),
    Span::from_h(12),
    Span::from_h(24),
];

/// The middle of the natural spans that are as long as the least, and shorter than the most; of two,
/// the longer.
pub(crate) fn between(least: Span, most: Span) -> Option<Span> {
    let first = NATURAL.partition_point(|w| *w < least);
    let end = NATURAL.partition_point(|w| *w < most);
    NATURAL.get(first..end).and_then(|w| w.get(w.len() / 2)).copied()
}

/// The natural span next above one.
pub(crate) fn above(window: Span) -> Option<Span> {
    NATURAL.iter().copied().find(|w| *w > window)
}

/// The natural span nearest to what a provider said.
pub(crate) fn nearest(said: Span) -> Option<Span> {
    NATURAL.iter().copied().min_by_key(|w| w.0.abs_diff(said.0))
}

/// A span, so many parts in a thousand of it.
pub(crate) fn permille(span: Span, parts: u64) -> Span {
    Span((u128::from(span.0) * u128::from(parts) / 1000).min(u128::from(u64::MAX)) as u64)
}
