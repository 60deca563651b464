//! The one place that reads the time.

use std::time::{Duration, Instant as Monotonic, SystemTime};

use parking_lot::Mutex;
use postlane_mail::{Instant, Span};

/// Where the machine's clock was set back, time goes so much slower until that has caught up. Chosen, not
/// measured: a time-server's own steps are over before anybody sees them, and a clock that was wrong by an
/// hour costs two at half the pace, where each lane would have stood still for one.
const SLOWER: u32 = 2;

/// What the machine's clock has shown here last. One for the whole process, as that clock is.
static SHOWN: Mutex<Option<Shown>> = Mutex::new(None);

/// What a clock shows that never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    time: Instant,
    at: Monotonic,
    /// How much later that is than what the machine's clock says, which was set back.
    ahead: Span,
}

impl Shown {
    /// What it shows at a later moment, when the machine's clock says `machine`: that, unless it has been set
    /// back. Whoever waits for a moment then waits no longer than twice as long, and nothing happens before
    /// something that was earlier.
    fn next(self, machine: Instant, at: Monotonic) -> Self {
        if machine >= self.time {
            return Self { time: machine, at, ahead: Span::ZERO };
        }
        let passed = span(at.saturating_duration_since(self.at) / SLOWER);
        let time = self.time + passed;
        let ahead = time.since(machine);
        // What is too short to count goes on counting.
        let at = if passed == Span::ZERO { self.at } else { at };
        Self { time, at, ahead }
    }
}

/// The machine's clock, which does not go back.
fn shown() -> Shown {
    let mut last = SHOWN.lock();
    let (wall, at) = (SystemTime::now(), Monotonic::now());
    let since = wall.duration_since(SystemTime::UNIX_EPOCH);
    let machine = Instant(span(since.unwrap_or_default()).0);
    let first = Shown { time: machine, at, ahead: Span::ZERO };
    let shown = last.map_or(first, |last| last.next(machine, at));
    *last = Some(shown);
    shown
}

/// The wall clock, or one that was told another time to start from (`--now`) or to run faster
/// (`--clock-speed`).
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    set: Option<(Instant, Monotonic)>,
    /// How many times as fast as the machine's; 1 unless it is set.
    speed: u32,
}

impl Clock {
    /// The machine's wall clock. Where that is set back this one goes on, half as fast, until it has caught up.
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

    /// The time. It never goes back.
    pub fn now(&self) -> Instant {
        match self.set {
            Some((start, at)) => start + span(at.elapsed()).times(self.speed.into()),
            None => shown().time,
        }
    }

    /// How much later it shows than the machine's clock, which has been set back.
    pub(crate) fn ahead(&self) -> Span {
        if self.is_wall() { shown().ahead } else { Span::ZERO }
    }

    /// The moment on the monotonic clock at which this one will show `at`.
    pub fn monotonic(&self, at: Instant) -> Monotonic {
        let slower = if self.ahead() == Span::ZERO { 1 } else { SLOWER };
        Monotonic::now() + at.since(self.now()).to_std() * slower / self.speed
    }
}

fn span(duration: Duration) -> Span {
    Span(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_goes_on_half_as_fast_until_it_has_caught_up() {
        let (noon, began) = (Instant::from_unix_s(43_200), Monotonic::now());
        let after = |s: u64| began + Duration::from_secs(s);
        let mut shown = Shown { time: noon, at: began, ahead: Span::ZERO };
        // An hour back at noon; the machine's clock goes on from there.
        let machine = |s: u64| noon - Span::from_h(1) + Span::from_s(s);
        let mut last = shown.time;
        for s in (10..=7_180).step_by(10) {
            shown = shown.next(machine(s), after(s));
            assert_eq!(shown.time.since(last), Span::from_s(5), "after {s} s");
            assert_eq!(shown.ahead, Span::from_s(3_600 - s / 2), "after {s} s");
            last = shown.time;
        }
        shown = shown.next(machine(7_200), after(7_200));
        assert_eq!((shown.time, shown.ahead), (machine(7_200), Span::ZERO));
        // Forward it goes at once.
        let leaps = shown.next(machine(90_000), after(7_220));
        assert_eq!((leaps.time, leaps.ahead), (machine(90_000), Span::ZERO));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stand_still_for_who_asks_it_all_the_time() {
        let (noon, began) = (Instant::from_unix_s(43_200), Monotonic::now());
        let machine = noon - Span::from_h(1);
        let mut shown = Shown { time: noon, at: began, ahead: Span::ZERO };
        for micros in 1..=9_000 {
            shown = shown.next(machine, began + Duration::from_micros(micros));
        }
        assert!(shown.time >= noon + Span::from_ms(4), "{:?}", shown.time);
    }

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
