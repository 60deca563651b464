//! How long a webhook that does not answer is left alone.

use postlane_mail::Span;

/// The first wait. Chosen, not measured: a restart of the other side takes some seconds.
const FIRST: Span = Span::from_s(5);

/// The longest. Chosen, not measured: a webhook that comes back is told within the hour.
const LONGEST: Span = Span::from_h(1);

/// How long to wait behind so many tries that failed: doubled each time, and by chance a fifth more
/// or less, so that many webhooks of one host do not come back at once.
pub(super) fn wait(tries: u32, chance: u64) -> Span {
    let doubled = FIRST.0.saturating_mul(1_u64.checked_shl(tries.min(40)).unwrap_or(u64::MAX));
    let whole = doubled.min(LONGEST.0);
    // From four fifths to six fifths.
    Span(whole / 5 * 4 + (whole / 5 * 2) / 1000 * (chance % 1001))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_seconds_to_an_hour_and_are_never_the_same_for_all() {
        assert_eq!((wait(0, 0), wait(0, 1000)), (Span::from_s(4), Span::from_s(6)));
        assert_eq!(wait(1, 500), Span::from_s(10));
        for tries in [10, 40, 64, u32::MAX] {
            assert_eq!(wait(tries, 500), LONGEST, "{tries}");
            assert!(wait(tries, u64::MAX) <= Span::from_min(72));
        }
        assert!((0..20).all(|tries| wait(tries, 7) <= wait(tries + 1, 7)));
    }
}
