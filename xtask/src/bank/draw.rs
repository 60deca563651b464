//! What is drawn, from a seed.

use postlane_mail::{Chance, mixed};

/// Chance for one scenario.
pub(super) struct Draw(Chance);

impl Draw {
    pub(super) fn new(seed: u64, number: u64) -> Self {
        Self(Chance::new(mixed(seed) ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93)))
    }

    /// Chance for something else, which does not move this one again.
    pub(super) fn split(&mut self) -> Self {
        Self(Chance::new(self.0.draw()))
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.below(end)
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn whole(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// A number in `[low, high)`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0.between(low, high)
    }

    /// A number in `[low, high)`, each power of it as likely.
    pub(super) fn about(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    /// True so often in a hundred.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len() as u64) as usize]
    }

    /// One of these, as likely as its weight.
    pub(super) fn weighed<T: Copy>(&mut self, among: &[(u64, T)]) -> T {
        let mut at = self.below(among.iter().map(|(weight, _)| weight).sum());
        for (weight, one) in among {
            if at < *weight {
                return *one;
            }
            at -= weight;
        }
        among[0].1
    }
}
