//! Whose limit a refusal was, told from what was accepted before and since.
//!
//! A limit that stays as it is takes again what it took once. So a source that sent no more in any span
//! than it had sent where it was let in was not refused by a limit of its own. If all sources together
//! had sent more than ever was taken from them, it was a limit that counts them all.

use postlane_mail::{Instant, Span};

use crate::history::History;
use crate::windows::NATURAL;

/// What refills a bucket is a matter of seconds: counts are compared in these, and in the natural windows.
const SECONDS: [Span; 6] = [
    Span::from_s(1),
    Span::from_s(2),
    Span::from_s(5),
    Span::from_s(10),
    Span::from_s(20),
    Span::from_s(30),
];

/// The spans that counts are compared in, and the most that was taken in any of each length.
#[derive(Debug, Clone)]
pub(crate) struct Curve(Vec<(Span, u64)>);

impl Curve {
    pub(crate) fn of(accepted: &History) -> Self {
        let spans = SECONDS.into_iter().chain(NATURAL);
        Self(spans.map(|span| (span, accepted.most_within(span))).collect())
    }

    /// Whether one more, at that moment, would have been more in some span than was ever taken.
    pub(crate) fn explains(&self, accepted: &History, refused: Instant) -> bool {
        self.0.iter().any(|(span, most)| accepted.within(*span, refused) + 1 > *most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_unix_s(1_000_000);

    fn at(seconds: &[u64]) -> History {
        let mut history = History::default();
        seconds.iter().for_each(|s| history.record(START + Span::from_s(*s)));
        history
    }

    #[test]
    fn what_was_taken_once_explains_no_refusal() {
        // Two in a minute were taken, three in two hours.
        let accepted = at(&[0, 30, 4_000]);
        let curve = Curve::of(&accepted);
        assert!(curve.explains(&accepted, START + Span::from_s(45)));
        assert!(curve.explains(&accepted, START + Span::from_s(4_010)));
        assert!(!curve.explains(&accepted, START + Span::from_s(3_620)));
        // More were taken later: it was not that.
        let accepted = at(&[0, 30, 4_000, 90_000, 90_005, 90_009, 90_010, 90_011]);
        let curve = Curve::of(&accepted);
        assert!(!curve.explains(&accepted, START + Span::from_s(4_010)));
    }
}
