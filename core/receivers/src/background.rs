//! Other senders on the same counter: a Poisson process that nobody influences.

use postlane_mail::Chance;

use crate::chance::wait;
use crate::ms::Ms;
use crate::quota::{is_within, time_of_day};
use crate::scenario::Background;

/// When other senders' messages come to one key, from the start of the run.
#[derive(Debug, Clone)]
pub(crate) struct Others {
    chance: Chance,
    /// The next arrival, in fractions of milliseconds.
    next: f64,
    rate_per_ms: f64,
    from: Ms,
    to: Ms,
    start_tod: Ms,
}

impl Others {
    pub(crate) fn new(background: &Background, start_tod: Ms, mut chance: Chance) -> Self {
        let rate_per_ms = background.rate.per_ms();
        let next = wait(&mut chance, rate_per_ms);
        let Background { from, to, .. } = *background;
        Self { chance, next, rate_per_ms, from, to, start_tod }
    }

    /// The next arrival up to this moment, the moment included.
    pub(crate) fn arrival(&mut self, at: Ms) -> Option<Ms> {
        // Thinned, not restarted: outside of its hours the process goes on unheard.
        while self.next < at.0 as f64 + 1.0 {
            let arrival = Ms(self.next as u64);
            self.next += wait(&mut self.chance, self.rate_per_ms);
            if is_within(time_of_day(self.start_tod, arrival), self.from, self.to) {
                return Some(arrival);
            }
        }
        None
    }
}
