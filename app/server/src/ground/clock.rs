//! The one place that reads the time.

use std::time::{Duration, Instant as Monotonic, SystemTime};

use postlane_mail::{Instant, Span};

/// The wall clock, or one that was told another time to start from (`--now`) or to run faster
/// (`--clock-speed`).
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    set: Option<(Instant, Monotonic)>,
    /// How many times as fast as the machine's; 1 unless it is set.
    speed: u32,
}

impl Clock {
    /// The machine's wall clock.
    pub fn wall() -> Self {
        Self { set: None, speed: 1 }
    }

    /// A clock that shows `start` now and runs on from there.
    pub fn starting_at(start: Instant) -> Self {
        Self { set: Some((start, Monotonic::now())), speed: 1 }
    }

    /// A clock that shows the same now and runs on so many times as fast, 1 at least.
    pub fn faster(self, speed: u32) -> Self {
        Self { speed: speed.max(1), ..Self::starting_at(self.now()) }
    }

    /// Whether it runs faster than the world's.
    pub(crate) fn is_faster(&self) -> bool {
        self.speed > 1
    }

    /// Whether it shows the machine's time.
    pub(crate) fn is_wall(&self) -> bool {
        self.set.is_none()
    }

    /// The time. May stand still or go back when the machine's clock is set.
    pub fn now(&self) -> Instant {
        match self.set {
            Some((start, at)) => start + span(at.elapsed()).times(self.speed.into()),
            None => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                Instant(span(since.unwrap_or_default()).0)
            }
        }
    }

    /// The moment on the monotonic clock at which this one will show `at`.
    pub fn monotonic(&self, at: Instant) -> Monotonic {
        Monotonic::now() + at.since(self.now()).to_std() / self.speed
    }
}

fn span(duration: Duration) -> Span {
    Span(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faster_clock_shows_later_times_and_waits_less() {
        let start = Instant::from_unix_s(1_000);
        let clock = Clock::starting_at(start).faster(3_600);
        let began = Monotonic::now();
        while began.elapsed() < Duration::from_millis(5) {
            std::thread::yield_now();
        }
        assert!(clock.now() >= start + Span::from_s(18));
        let hour = clock.monotonic(clock.now() + Span::from_h(1));
        assert!(hour.saturating_duration_since(Monotonic::now()) <= Duration::from_secs(1));
    }
}
