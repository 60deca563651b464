//! How a lane grows: slow start, small steps, and questions that are paid for.

use postlane_mail::{Instant, Span};

use super::first::Start;
use super::{Controller, State};
use crate::decision::Decision;
use crate::quota::Quota;

/// A step of 5 % after so long and
const STEP_HELD: Span = Span::from_s(60);
/// so many accepted messages.
const STEP_AFTER: u32 = 10;
/// Each step is so much faster,
const STEP: f64 = 1.05;
/// but for lanes slower than this: ten messages are a minute of theirs, or more.
const SLOW: f64 = 1.0 / 6.0;
/// A rate that was not used for so long is measured anew.
const LEVEL_MEASURED: Span = Span::from_s(60);
/// No rate grows where less than this share of it is used: it would say nothing.
const USED: f64 = 0.6;

impl Controller {
    pub(super) fn grow(&mut self, now: Instant) {
        let deferred = self.outcomes.deferred();
        match self.state {
            State::Normal if deferred > self.healthy => self.state = State::Steady,
            State::Steady if deferred <= self.healthy => self.state = State::Normal,
            _ => {}
        }
        if self.state == State::Steady || self.latency.is_tarpit() || self.pace.is_pinned() {
            return;
        }
        if self.state == State::Probing {
            let Start { doubles_after, held, .. } = self.first.start();
            let held = self.pace.held(now) >= held && self.pace.accepted >= doubles_after;
            if held && self.pace.used(now) >= USED && deferred <= self.healthy {
                self.raise(now, 2.0 * self.pace.rate());
            } else if self.pace.held(now) >= LEVEL_MEASURED.max(self.pace.time_for(12)) {
                self.pace.measure_anew(now);
            }
            return;
        }
        let held = self.pace.held(now) >= STEP_HELD && self.pace.accepted >= STEP_AFTER;
        if !held {
            return;
        }
        if self.pace.used(now) < USED {
            if self.pace.held(now) >= STEP_HELD.times(2) {
                self.pace.measure_anew(now);
            }
            return;
        }
        self.faster_held(now);
        let share = if self.shut_out.is_some() { 0.88 } else { 0.95 };
        let most = self.failed.map_or(f64::INFINITY, |failed| share * failed);
        let next = self.next_step(most);
        if next <= most {
            self.raise(now, next);
        } else if self.pace.rate() < 0.99 * most {
            self.raise(now, most);
        } else {
            self.try_faster(now);
        }
    }

    /// A twentieth more; where few go the next is learned late, and half of the way to what failed is
    /// tried, twice as fast at most.
    fn next_step(&self, most: f64) -> f64 {
        let rate = self.pace.rate();
        let step = if most.is_finite() && rate < SLOW { (most / rate).sqrt() } else { STEP };
        step.clamp(STEP, 2.0) * rate
    }

    pub(super) fn raise(&mut self, now: Instant, rate: f64) {
        self.held = Some(self.pace.rate());
        self.words.grows();
        self.pace.keep_to(rate, now);
        let rate = self.pace.rate();
        self.decide(now, Decision::Raises(rate));
    }

    /// How long the backlog takes at today's rate, in seconds.
    pub(super) fn left(&self) -> f64 {
        let slowest = self.quotas.iter().map(Quota::pace).fold(self.pace.rate(), f64::min);
        self.backlog as f64 / slowest.max(1e-6)
    }

    /// What a refusal costs, in seconds.
    pub(super) fn cost(&self) -> f64 {
        self.shut_out.unwrap_or(self.rested).max(Span::from_s(60)).0 as f64 / 1e6
    }
}
