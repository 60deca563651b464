//! The time of day at which a provider lets a lane in again.
//!
//! A cap that grows from day to day is another one after each rest, so that no count explains it;
//! but its day turns at the same time. What is known of each rest is that the last canary that was
//! refused came before that time, and the one that was accepted after it.

use postlane_mail::{Instant, Span};

/// Between these two moments, and as long after midnight on other days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// It took nothing then.
    pub from: Instant,
    /// It did then.
    pub to: Instant,
    /// Rests that agree with it; 2 or more are relied on.
    pub seen: u32,
}

const DAY: Span = Span::from_h(24);

impl Opening {
    /// What a rest says that ended between these moments.
    pub(crate) fn new(from: Instant, to: Instant) -> Self {
        Self { from, to, seen: 1 }
    }

    /// What this and another rest say together; the other one alone, where they contradict each
    /// other.
    pub(crate) fn with(self, other: Self) -> Self {
        let days = Span(other.to.since(self.to).0 / DAY.0 * DAY.0);
        let near = [days, days + DAY].map(|days| {
            let (from, to) = ((self.from + days).max(other.from), (self.to + days).min(other.to));
            Self { from, to, seen: self.seen.saturating_add(1) }
        });
        near.into_iter().find(|both| both.from < both.to).unwrap_or(other)
    }

    /// The next time it is over for sure, after a moment; none where only one rest says so.
    pub(crate) fn next(self, after: Instant) -> Option<Instant> {
        let days = if after < self.to { 0 } else { after.since(self.to).0 / DAY.0 + 1 };
        (self.seen >= 2).then(|| self.to + DAY.times(days))
    }

    /// The same time of day, seen from `now`: what was kept may speak of a later time than this
    /// machine's.
    pub(crate) fn seen_from(self, now: Instant) -> Self {
        let ahead = DAY.times(self.to.since(now).0.div_ceil(DAY.0));
        Self { from: self.from - ahead, to: self.to - ahead, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64, minutes: u64) -> Instant {
        Instant::from_unix_s(1_000 * 86_400) + Span::from_h(hours) + Span::from_min(minutes)
    }

    #[test]
    fn rests_of_several_days_narrow_the_time_at_which_it_opens() {
        let first = Opening::new(at(1, 5), at(3, 5));
        assert_eq!(first.next(at(5, 0)), None);
        let both = first.with(Opening::new(at(24 + 2, 30), at(24 + 14, 0)));
        assert_eq!(both, Opening { from: at(24 + 2, 30), to: at(24 + 3, 5), seen: 2 });
        assert_eq!(both.next(at(24 + 3, 4)), Some(at(24 + 3, 5)));
        assert_eq!(both.next(at(24 + 3, 5)), Some(at(48 + 3, 5)));
        assert_eq!(both.next(at(96 + 9, 0)), Some(at(120 + 3, 5)));
        let late = both.with(Opening::new(at(48 + 2, 0), at(48 + 3, 1)));
        assert_eq!((late.from, late.to, late.seen), (at(48 + 2, 30), at(48 + 3, 1), 3));
    }

    #[test]
    fn a_rest_that_contradicts_the_others_begins_anew() {
        let both = Opening::new(at(1, 0), at(2, 0)).with(Opening::new(at(25, 0), at(26, 0)));
        assert_eq!(both.seen, 2);
        let other = Opening::new(at(27, 0), at(29, 0));
        assert_eq!(both.with(other), other);
    }

    #[test]
    fn a_time_that_was_kept_by_a_later_clock_is_the_same_time_of_day() {
        let both = Opening { seen: 2, ..Opening::new(at(96 + 1, 0), at(96 + 2, 0)) };
        assert_eq!(both.seen_from(at(0, 30)).next(at(0, 30)), Some(at(2, 0)));
        assert_eq!(both.seen_from(at(99, 0)), both);
    }
}
