//! The one place that reads the time.

use std::time::{Duration, Instant as Monotonic, SystemTime};

use postlane_mail::{Instant, Span};

/// The wall clock, or one that was told another time to start from (`--now`).
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    set: Option<(Instant, Monotonic)>,
}

impl Clock {
    /// The machine's wall clock.
    pub fn wall() -> Self {
        Self { set: None }
    }

    /// A clock that shows `start` now and runs on from there.
    pub fn starting_at(start: Instant) -> Self {
        Self { set: Some((start, Monotonic::now())) }
    }

    /// The time. May stand still or go back when the machine's clock is set.
    pub fn now(&self) -> Instant {
        match self.set {
            Some((start, at)) => start + span(at.elapsed()),
            None => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                Instant(span(since.unwrap_or_default()).0)
            }
        }
    }

    /// The moment on the monotonic clock at which this one will show `at`.
    pub fn monotonic(&self, at: Instant) -> Monotonic {
        Monotonic::now() + at.since(self.now()).to_std()
    }
}

fn span(duration: Duration) -> Span {
    Span(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
