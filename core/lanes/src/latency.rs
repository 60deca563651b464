//! How long a provider takes for a message.

use postlane_mail::Span;

/// The mean of the last transactions, and the least.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Latency {
    mean: f64,
    least: f64,
}

/// What is assumed before the first answer, in seconds.
const UNKNOWN: f64 = 0.5;

impl Latency {
    pub(crate) fn observe(&mut self, took: Span) {
        let seconds = (took.0 as f64 / 1e6).clamp(0.001, 600.0);
        if self.mean == 0.0 {
            (self.mean, self.least) = (seconds, seconds);
            return;
        }
        self.mean += 0.1 * (seconds - self.mean);
        self.least = self.least.min(seconds);
    }

    /// In seconds.
    pub(crate) fn mean(self) -> f64 {
        if self.mean == 0.0 { UNKNOWN } else { self.mean }
    }

    /// Whether the provider answers much more slowly than it can: it does so before it refuses.
    pub(crate) fn is_tarpit(self) -> bool {
        self.mean > 3.0 * self.least + 1.0
    }
}
