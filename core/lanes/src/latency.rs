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
        self.mean > self.slow()
    }

    /// The mean, as long as the provider does not slow us down: more messages under way for its sake are more
    /// that are refused at once. In seconds.
    pub(crate) fn unhindered(self) -> f64 {
        if self.mean == 0.0 { UNKNOWN } else { self.mean.min(self.slow()) }
    }

    fn slow(self) -> f64 {
        3.0 * self.least + 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_slows_us_down_gets_no_more_messages_at_once_for_it() {
        let mut latency = Latency::default();
        (0..50).for_each(|_| latency.observe(Span::from_ms(300)));
        assert!(!latency.is_tarpit() && (latency.unhindered() - 0.3).abs() < 1e-9);
        (0..50).for_each(|_| latency.observe(Span::from_s(7)));
        assert!(latency.is_tarpit() && latency.mean() > 6.0);
        assert!((latency.unhindered() - 1.9).abs() < 1e-9, "{latency:?}");
        // One that is slow by nature is not taken to be hindering.
        let mut slow = Latency::default();
        (0..50).for_each(|_| slow.observe(Span::from_s(7)));
        assert!((slow.unhindered() - 7.0).abs() < 1e-9);
    }
}
