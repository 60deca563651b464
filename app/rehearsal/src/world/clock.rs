//! Virtual time: milliseconds of a run, as the engine's microseconds since the epoch.

use postlane_mail::{Instant, Span};
use postlane_receivers::{Ms, Scenario};

/// Midnight of the day on which every run begins, 2027-01-01T00:00:00Z.
const MIDNIGHT: Instant = Instant::from_unix_s(1_798_761_600);

/// From a run's time to the engine's and back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that shows the scenario's time of day at the start.
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self { start: MIDNIGHT + scenario.meta.start_tod.to_span() }
    }

    /// The engine's time at that moment of the run.
    pub(super) fn at(self, ms: Ms) -> Instant {
        self.start + ms.to_span()
    }

    /// The first whole millisecond of the run that is not before the engine's `at`.
    pub(super) fn not_before(self, at: Instant) -> Ms {
        Ms(at.since(self.start).0.div_ceil(Span::from_ms(1).0))
    }
}
