//! Transactional mail to be expected: how much may come while a provider takes nothing.

use postlane_mail::{Instant, Span};

use crate::history::History;

/// How often transactional mail has come to a lane, and for how long that was looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrivals {
    seen: f64,
    /// Seconds.
    over: f64,
}

/// More than this arrives so seldom: once in a hundred spans. Chosen, not measured.
const SELDOM: f64 = 0.01;

/// What is older does not count.
const LOOKED_BACK: Span = Span::from_h(6);

/// A lane that has just begun is taken to have looked at this much.
const SHORTEST: Span = Span::from_h(1);

/// Beyond this the terms of the exact sum are too small for a number; a bell is as good.
const EXACT_MAX: f64 = 200.0;

impl Arrivals {
    /// Those of the last hours.
    pub(crate) fn lately(transactional: &History, now: Instant) -> Self {
        let many = transactional.within(LOOKED_BACK, now);
        let first = transactional.nth_before(now, many.saturating_sub(1));
        let over = first.map_or(SHORTEST, |first| now.since(first)).clamp(SHORTEST, LOOKED_BACK);
        Self { seen: many as f64, over: over.0 as f64 / 1e6 }
    }

    /// These and those of another lane.
    pub fn and(self, other: Self) -> Self {
        Self { seen: self.seen + other.seen, over: self.over.max(other.over) }
    }

    /// The part of them that a lane is to carry.
    pub fn part(self, share: f64) -> Self {
        Self { seen: self.seen * share.clamp(0.0, 1.0), ..self }
    }

    /// Whether there were less than half as many of these.
    pub fn is_less_than_half(self, of: Self) -> bool {
        2.0 * self.seen < of.seen
    }

    /// As it is kept: messages, and in how long they came.
    pub(crate) fn kept(self) -> Option<(u32, Span)> {
        let messages = self.seen.round() as u32;
        (messages > 0).then_some((messages, Span((self.over * 1e6) as u64)))
    }

    /// The number that is exceeded seldom in a span of that length: of the negative binomial, which
    /// is what a rate foretells that is known from so few arrivals; `most` at most.
    pub(crate) fn at_most(self, span: Span, most: u64) -> u64 {
        if self.seen == 0.0 || span == Span::ZERO {
            return 0;
        }
        let more = span.0 as f64 / 1e6 / self.over;
        let mean = self.seen * more;
        if mean > EXACT_MAX {
            let spread = (mean * (1.0 + more)).sqrt();
            return ((mean + 2.33 * spread).ceil() as u64).min(most);
        }
        let share = more / (1.0 + more);
        let mut term = (1.0 + more).powf(-self.seen);
        let (mut number, mut sum) = (0, term);
        while sum < 1.0 - SELDOM && number < most {
            term *= share * (self.seen + number as f64) / (number + 1) as f64;
            number += 1;
            sum += term;
        }
        number
    }
}

/// What came before a restart of the program is to be expected after it, too, until the lane has
/// looked for as long anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usual {
    before: Arrivals,
    restarted: Instant,
}

impl Usual {
    /// As it was kept.
    pub(crate) fn of(messages: u32, over: Span, now: Instant) -> Self {
        let over = over.max(SHORTEST).0 as f64 / 1e6;
        Self { before: Arrivals { seen: f64::from(messages), over }, restarted: now }
    }

    /// What came since the restart, and of what came before as much as completes the hours that are
    /// looked at.
    pub(crate) fn and_since(self, transactional: &History, now: Instant) -> Arrivals {
        let seconds = |span: Span| span.0 as f64 / 1e6;
        let looked = now.since(self.restarted);
        if looked >= LOOKED_BACK {
            return Arrivals::lately(transactional, now);
        }
        let since = transactional.between(self.restarted, now) as f64;
        let missing = seconds(Span(LOOKED_BACK.0 - looked.0)).min(self.before.over);
        let before = self.before.seen * missing / self.before.over;
        let over = (seconds(looked) + missing).max(seconds(SHORTEST));
        Arrivals { seen: since + before, over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_usual_is_expected_after_a_restart_and_fades_as_the_hours_pass() {
        let begin = Instant::from_unix_s(1_000_000);
        let (messages, over) = hourly(10).kept().unwrap();
        let usual = Usual::of(messages, over, begin);
        let expected = |hours| {
            let now = begin + Span::from_h(hours);
            usual.and_since(&History::default(), now).at_most(Span::from_h(1), 100)
        };
        assert_eq!(expected(0), hourly(10).at_most(Span::from_h(1), 100));
        assert!(expected(0) > expected(3) && expected(3) > expected(5));
        assert_eq!(expected(6), 0);
    }

    /// So many an hour, evenly, over six hours that end now.
    fn hourly(many: u64) -> Arrivals {
        let (mut history, begin) = (History::default(), Instant::from_unix_s(1_000_000));
        for n in 0..6 * many {
            history.record(begin + Span(Span::from_h(1).0 / many * n));
        }
        Arrivals::lately(&history, begin + LOOKED_BACK)
    }

    #[test]
    fn nothing_is_expected_where_nothing_has_come() {
        let none = Arrivals::lately(&History::default(), Instant::from_unix_s(1_000_000));
        assert_eq!(none.at_most(Span::from_h(1), 100), 0);
    }

    #[test]
    fn more_than_the_mean_is_expected_and_less_than_twice_and_a_half_of_it() {
        for many in [4, 10, 60, 1000] {
            let most = hourly(many).at_most(Span::from_h(1), u64::MAX);
            let (low, high) = (many + many.isqrt(), many + 4 * many.isqrt());
            assert!((low..=high).contains(&most), "{most} of {many}");
        }
    }

    #[test]
    fn in_a_moment_nothing_is_expected_and_the_longer_the_more() {
        let mail = hourly(10);
        assert_eq!(mail.at_most(Span::from_s(2), 100), 0);
        let most = |min| mail.at_most(Span::from_min(min), 100);
        assert!([1, 5, 20, 60].windows(2).all(|pair| most(pair[0]) < most(pair[1])));
    }

    #[test]
    fn a_rate_that_is_known_from_little_is_doubted() {
        let mut history = History::default();
        let begin = Instant::from_unix_s(1_000_000);
        history.record(begin);
        let known = hourly(1).at_most(Span::from_h(6), 100);
        let doubted = Arrivals::lately(&history, begin + Span::from_min(1));
        assert!(doubted.at_most(Span::from_h(6), 100) > known);
    }
}
