//! A token bucket: how often something may be done.

use std::time::{Duration, Instant};

use postlane_mail::Rate;

/// How much may be done now: it fills at a rate, up to a burst.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    /// When it will be full, if nothing more is taken.
    full_at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one; how long to wait where there is none.
    pub(super) fn take(&mut self, now: Instant, rate: Rate, burst: u32) -> Result<(), Duration> {
        // Not `gap`, which is whole microseconds: what is lost by rounding is not noticed here.
        let gap = rate.gap().to_std();
        let room = gap.saturating_mul(burst.max(1));
        let next = self.full_at.max(now) + gap;
        match next.saturating_duration_since(now).checked_sub(room) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                self.full_at = next;
                Ok(())
            }
        }
    }

    /// Whether it is full, so that nothing needs to be remembered of it.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

/// A wait as `Retry-After` has it (RFC 9110 §10.2.3): whole seconds, never too few.
pub(super) fn retry_after_s(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let rate = Rate::parse("10/s").unwrap();
        let start = Instant::now();
        let mut bucket = Bucket::full(start);
        assert!((0..5).all(|_| bucket.take(start, rate, 5).is_ok()));
        let wait = bucket.take(start, rate, 5).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert_eq!(retry_after_s(wait), 1);
        let later = start + wait;
        assert!(bucket.take(later, rate, 5).is_ok() && bucket.take(later, rate, 5).is_err());
        let rested = later + Duration::from_secs(60);
        assert!(bucket.is_full(rested));
        assert!((0..5).all(|_| bucket.take(rested, rate, 5).is_ok()));
        assert!(bucket.take(rested, rate, 5).is_err(), "a long rest is no larger burst");
    }
}
