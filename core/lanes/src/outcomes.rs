//! How the last first attempts went.

use std::collections::VecDeque;

use postlane_mail::{Instant, Span};

/// The share of fresh deferrals: of the last first attempts, those that the provider put off for
/// reasons of the lane's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcomes {
    last: VecDeque<(Instant, bool)>,
    deferred: usize,
}

/// So many are looked at (LANES, State),
const LOOKED_AT: usize = 150;
/// and none that is older: who sends little would see its first contact for half a day. Chosen by
/// rehearsals.
const LOOKED_BACK: Span = Span::from_h(1);

impl Outcomes {
    pub(crate) fn record(&mut self, now: Instant, deferred: bool) {
        self.last.push_back((now, deferred));
        self.deferred += usize::from(deferred);
        while self.last.len() > LOOKED_AT || self.is_old(now) {
            let first = self.last.pop_front();
            self.deferred -= usize::from(first.is_some_and(|(_, deferred)| deferred));
        }
    }

    fn is_old(&self, now: Instant) -> bool {
        self.last.front().is_some_and(|(at, _)| *at + LOOKED_BACK < now)
    }

    /// From 0 to 1; 0 while there were none.
    pub(crate) fn deferred(&self) -> f64 {
        self.deferred as f64 / self.last.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deferred_more_than_an_hour_ago_says_nothing_of_now() {
        let mut outcomes = Outcomes::default();
        let began = Instant::from_unix_s(1_000_000);
        (0..5).for_each(|_| outcomes.record(began, true));
        (0..5).for_each(|_| outcomes.record(began + Span::from_h(1), false));
        assert!((outcomes.deferred() - 0.5).abs() < 1e-9);
        outcomes.record(began + Span::from_h(1) + Span(1), false);
        assert!(outcomes.deferred() < 1e-9);
    }

    #[test]
    fn no_more_than_the_last_hundred_and_fifty_are_looked_at() {
        let mut outcomes = Outcomes::default();
        let now = Instant::from_unix_s(1_000_000);
        (0..10).for_each(|_| outcomes.record(now, true));
        (0..LOOKED_AT).for_each(|_| outcomes.record(now, false));
        assert!(outcomes.deferred() < 1e-9);
    }
}
