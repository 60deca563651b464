//! How far back plots look.

use postlane_mail::Span;

/// How far back plots look, and how much one bar of them covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    /// As addresses have it.
    pub(crate) name: &'static str,
    /// As people say it.
    pub(crate) says: &'static str,
    /// What a small plot's bar covers.
    pub(crate) coarse: Span,
    /// What a large plot's bar covers.
    pub(crate) fine: Span,
    pub(crate) span: Span,
}

const fn range(
    (name, says): (&'static str, &'static str),
    span_min: u64,
    coarse_min: u64,
    fine_min: u64,
) -> Range {
    Range {
        name,
        says,
        span: Span::from_min(span_min),
        coarse: Span::from_min(coarse_min),
        fine: Span::from_min(fine_min),
    }
}

impl Range {
    pub(crate) const ALL: [Self; 5] = [
        range(("1h", "1 hour"), 60, 2, 1),
        range(("3h", "3 hours"), 180, 5, 2),
        range(("12h", "12 hours"), 720, 20, 5),
        range(("24h", "24 hours"), 1_440, 40, 10),
        range(("7d", "7 days"), 10_080, 240, 60),
    ];

    /// The range of that name; three hours for any other.
    pub(crate) fn named(name: &str) -> Self {
        let [_, usual, ..] = Self::ALL;
        Self::ALL.into_iter().find(|range| range.name == name).unwrap_or(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_is_whole_bars_of_which_there_are_a_few_dozen() {
        for range in Range::ALL {
            assert_eq!(Range::named(range.name), range);
            assert_eq!(range.span.0 % range.coarse.0, 0);
            assert_eq!(range.span.0 % range.fine.0, 0);
            assert!((30..=42).contains(&(range.span.0 / range.coarse.0)), "{range:?}");
            assert!((60..=168).contains(&(range.span.0 / range.fine.0)), "{range:?}");
        }
        assert_eq!(Range::named("soon").name, "3h");
    }
}
