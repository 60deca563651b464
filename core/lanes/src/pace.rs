//! How fast: the rate a lane keeps to, and how it grows.

use postlane_mail::{Chance, Instant, Span};

/// A rate that spaces messages evenly and saves nothing up.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Messages a second.
    rate: f64,
    next: Instant,
    /// When the last one was due, if one has gone.
    taken: Option<Instant>,
    /// Since when it keeps to this rate.
    pub(crate) since: Instant,
    /// Accepted at this rate.
    pub(crate) accepted: u32,
    /// An operator has said so: it keeps to this rate, whatever is learned.
    pinned: Option<f64>,
}

/// A lane never goes slower: one message in an hour. Canaries tell more.
const SLOWEST: f64 = 1.0 / 3600.0;

/// Beyond this a lane is as good as free: no provider we know of counts so fast, and its
/// connections are the limit. Chosen, not measured.
pub(crate) const FREE: f64 = 2000.0;

impl Pace {
    pub(crate) fn new(rate: f64) -> Self {
        let at = Instant::default();
        Self {
            rate: rate.max(SLOWEST),
            next: at,
            taken: None,
            since: at,
            accepted: 0,
            pinned: None,
        }
    }

    pub(crate) fn rate(&self) -> f64 {
        self.pinned.unwrap_or(self.rate)
    }

    /// Keeps to a rate that an operator says, until it is told otherwise. What is learned
    /// meanwhile holds again then.
    pub(crate) fn pin(&mut self, rate: Option<f64>) {
        self.pinned = rate.map(|rate| rate.clamp(SLOWEST, FREE));
    }

    pub(crate) fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }

    /// What was learned, pinned or not.
    pub(crate) fn learned(&self) -> f64 {
        self.rate
    }

    /// Nothing goes before then.
    pub(crate) fn wait_until(&mut self, at: Instant) {
        self.next = self.next.max(at);
    }

    /// Keeps to another rate from now on. A slower one counts from the last message, so that behind a canary the
    /// next one is not due after the gap that was refused. What is due does not become due sooner.
    pub(crate) fn keep_to(&mut self, rate: f64, now: Instant) {
        let before = self.rate();
        self.rate = rate.clamp(SLOWEST, FREE);
        if let Some(taken) = self.taken.filter(|_| self.rate() < before) {
            self.next = self.next.max(taken + Span((1e6 / self.rate()) as u64));
        }
        self.since = now;
        self.accepted = 0;
    }

    /// One goes now. Whatever was saved up is gone (LANES I4).
    pub(crate) fn spend(&mut self, now: Instant, chance: &mut Chance) {
        let gap = chance.between(0.95, 1.05) / self.rate();
        // A timer that wakes late by a little does not cost the lane its rate.
        let slack = Span::from_ms(20).min(Span((gap * 1e6 / 4.0) as u64));
        let taken = self.next.max(now - slack);
        self.taken = Some(taken);
        self.next = taken + Span((gap * 1e6) as u64);
    }

    /// Counts anew how much of the rate is used.
    pub(crate) fn measure_anew(&mut self, now: Instant) {
        self.since = now;
        self.accepted = 0;
    }

    /// How long so many take at this rate.
    pub(crate) fn time_for(&self, messages: u32) -> Span {
        Span((f64::from(messages) / self.rate * 1e6) as u64)
    }

    /// When the next may go.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// How long it has kept to this rate.
    pub(crate) fn held(&self, now: Instant) -> Span {
        now.since(self.since)
    }

    /// Of the rate, the share that was used since it holds.
    pub(crate) fn used(&self, now: Instant) -> f64 {
        let held = self.held(now).0 as f64 / 1e6;
        f64::from(self.accepted) / (held * self.rate()).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slower_rate_counts_from_the_last_message() {
        let mut chance = Chance::new(1);
        let now = Instant::from_unix_s(1_000);
        let mut pace = Pace::new(0.1);
        pace.spend(now, &mut chance);
        pace.keep_to(0.01, now + Span::from_s(1));
        assert!(pace.next() >= now + Span::from_s(99), "{:?}", pace.next());
        // What is faster waits for nothing more.
        let next = pace.next();
        pace.keep_to(0.1, now + Span::from_s(2));
        assert_eq!(pace.next(), next);
    }

    #[test]
    fn the_first_message_of_a_slow_lane_waits_for_nothing() {
        let mut pace = Pace::new(0.1);
        pace.keep_to(0.001, Instant::from_unix_s(1_000));
        assert_eq!(pace.next(), Instant::default());
    }
}
