//! A cap that grows after clean days that used it, and shrinks after dirty ones.

use super::asked::Asked;
use super::window::{begin_of, window_of};
use crate::ms::Ms;
use crate::scenario::{Grow, Kind, Limit};

/// A cap never shrinks below this.
const CAP_MIN: f64 = 10.0;
/// Days with fewer attempts are never dirty: 5 are not enough to judge by.
const ATTEMPTS_MIN: u64 = 5;

/// The cap and what happened in its day; nothing before the first message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grown(Option<Day>);

#[derive(Debug, Clone)]
struct Day {
    window: i64,
    cap: f64,
    used: u64,
    attempts: u64,
    refused: u64,
}

impl Grown {
    /// A message has come as far as this limit.
    pub(crate) fn reached(&mut self, asked: &Asked<'_>) {
        self.day(asked).attempts += 1;
    }

    /// This limit has refused it.
    pub(crate) fn refused(&mut self, asked: &Asked<'_>) {
        self.day(asked).refused += 1;
    }

    pub(super) fn charge(&mut self, asked: &Asked<'_>) {
        self.day(asked).used += 1;
    }

    /// What is used today, and the cap. A look: nothing starts by it.
    pub(super) fn standing(&self, asked: &Asked<'_>) -> (f64, f64) {
        let Some(mut day) = self.0.clone() else { return (0.0, asked.quota_at(asked.at)) };
        day.turn_to(window_of(asked.limit, asked.at), &asked.limit.kind);
        (day.used as f64, day.cap)
    }

    fn day(&mut self, asked: &Asked<'_>) -> &mut Day {
        let window = window_of(asked.limit, asked.at);
        let day = self.0.get_or_insert_with(|| Day::new(window, asked.quota_at(asked.at)));
        day.turn_to(window, &asked.limit.kind);
        day
    }
}

impl Day {
    fn new(window: i64, cap: f64) -> Self {
        Self { window, cap, used: 0, attempts: 0, refused: 0 }
    }

    fn turn_to(&mut self, window: i64, kind: &Kind) {
        let Kind::Grow(grow) = kind else { return };
        while self.window < window {
            let cap = self.next_cap(grow);
            let is_settled = self.attempts == 0 && self.used == 0 && cap == self.cap;
            let next = if is_settled { window } else { self.window + 1 };
            *self = Self::new(next, cap);
        }
    }

    /// The cap of the next day.
    fn next_cap(&self, grow: &Grow) -> f64 {
        let refused = match self.attempts {
            0 => 0.0,
            attempts => self.refused as f64 / attempts as f64,
        };
        if self.used as f64 >= grow.min_use * self.cap && refused <= grow.clean {
            (self.cap * grow.up).min(grow.max)
        } else if self.attempts > ATTEMPTS_MIN && refused > grow.dirty {
            (self.cap * grow.down).max(CAP_MIN)
        } else {
            self.cap
        }
    }
}

/// When the next day begins.
pub(super) fn next_boundary(limit: &Limit, at: Ms) -> Ms {
    begin_of(limit, window_of(limit, at) + 1)
}
