//! How a lane grows: slow start, small steps, and questions that are paid for.

use postlane_mail::{Instant, Span};

use super::{Asked, Controller, State};
use crate::decision::Decision;
use crate::quota::Quota;
use crate::windows::permille;

/// The rate doubles after so many accepted messages,
const DOUBLE_AFTER: u32 = 8;
/// and this long (LANES §4).
const DOUBLE_HELD: Span = Span::from_s(15);
/// A step of 5 % after so long and
const STEP_HELD: Span = Span::from_s(60);
/// so many accepted messages.
const STEP_AFTER: u32 = 10;
/// No rate grows while more than this share of fresh mail is deferred.
const HEALTHY: f64 = 0.02;
/// Nor where less than this share of it is used: it would say nothing.
const USED: f64 = 0.6;

impl Controller {
    pub(super) fn grow(&mut self, now: Instant) {
        let deferred = self.outcomes.deferred();
        match self.state {
            State::Normal if deferred > HEALTHY => self.state = State::Steady,
            State::Steady if deferred <= HEALTHY => self.state = State::Normal,
            _ => {}
        }
        if self.state == State::Steady || self.latency.is_tarpit() {
            return;
        }
        if self.state == State::Probing {
            let held = self.pace.held(now) >= DOUBLE_HELD && self.pace.accepted >= DOUBLE_AFTER;
            if held && self.pace.used(now) >= USED && deferred <= HEALTHY {
                self.raise(now, 2.0 * self.pace.rate());
            }
            return;
        }
        let held = self.pace.held(now) >= STEP_HELD && self.pace.accepted >= STEP_AFTER;
        if !held || self.pace.used(now) < USED {
            return;
        }
        if let Some(Asked::Pace { .. }) = self.asked {
            // It held: what failed before does not any more.
            self.failed = Some(self.pace.rate() / 0.95);
            self.asked = None;
        }
        let share = if self.shut_out.is_some() { 0.88 } else { 0.95 };
        let most = self.failed.map_or(f64::INFINITY, |failed| share * failed);
        let next = 1.05 * self.pace.rate();
        if next <= most {
            self.raise(now, next);
        } else if self.pace.rate() < 0.99 * most {
            self.raise(now, most);
        } else if self.is_worth_a_faster_pace() {
            let before = self.pace.rate();
            self.raise(now, 1.1 * before);
            self.asked = Some(Asked::Pace { before });
        }
    }

    fn raise(&mut self, now: Instant, rate: f64) {
        self.pace.keep_to(rate, now);
        let rate = self.pace.rate();
        self.decide(now, Decision::Raises(rate));
    }

    /// A tenth more for what is left is worth more than the rest a refusal costs (LANES §7).
    fn is_worth_a_faster_pace(&self) -> bool {
        self.credits.has_one() && 0.1 * self.left() * 0.4 >= 0.6 * self.cost()
    }

    /// How long the backlog takes at today's rate, in seconds.
    fn left(&self) -> f64 {
        let slowest = self.quotas.iter().map(Quota::pace).fold(self.pace.rate(), f64::min);
        self.backlog as f64 / slowest.max(1e-6)
    }

    /// What a refusal costs, in seconds.
    fn cost(&self) -> f64 {
        self.shut_out.map_or(60.0, |span| span.0 as f64 / 1e6)
    }

    /// Whether a quota that is full may be asked for one more: only where it is really full, so
    /// that the answer says something.
    pub(super) fn may_ask(&self, quota: &Quota, now: Instant) -> bool {
        if self.asked.is_some() || now < quota.question.not_before {
            return false;
        }
        let accepted = &self.counted.accepted;
        let nearly = accepted.within(permille(quota.window, 970), now);
        if nearly + 1 < u64::from(quota.messages) {
            return false;
        }
        let within = quota.question.run > 0 || quota.window >= Span::from_h(3);
        let cost = quota.window.0 as f64 / 1e6 * 0.02;
        let worth = 0.25 * self.left() * 0.2 >= 0.8 * cost.max(self.cost());
        worth && (within || self.credits.has_one())
    }

    /// Something goes: it may be the one that asks.
    pub(super) fn note_question(&mut self, now: Instant) {
        if self.asked.is_some() {
            return;
        }
        let full =
            |q: &&Quota| self.counted.all.within(q.with_margin(), now) >= u64::from(q.messages);
        if let Some(quota) = self.quotas.iter().find(full) {
            self.asked = Some(Asked::Quota { window: quota.window, at: now });
        }
    }

    /// The question was answered with yes.
    pub(super) fn answered_yes(&mut self, now: Instant, sent: Instant) {
        let Some(Asked::Quota { window, at }) = self.asked else { return };
        if sent < at {
            return;
        }
        self.asked = None;
        let Some(quota) = self.quotas.iter_mut().find(|q| q.window == window) else { return };
        let step = 0.02 * f64::from(quota.messages) * f64::from(1u32 << quota.question.run.min(5));
        quota.messages = quota.messages.saturating_add((step as u32).max(1));
        quota.question.run += 1;
        quota.question.patience = 0;
        let messages = quota.messages;
        self.decide(now, Decision::TakesMore { window, messages });
    }

    /// It was answered with no: the quota that was asked.
    pub(super) fn answered_no(&mut self, now: Instant, sent: Instant) -> Option<usize> {
        match self.asked.take()? {
            Asked::Quota { window, at } if sent >= at => {
                let place = self.quotas.iter().position(|q| q.window == window)?;
                let quota = &mut self.quotas[place];
                quota.question.run = 0;
                quota.question.patience = (2 * quota.question.patience).max(1);
                let windows = u64::from(quota.question.patience.min(64));
                quota.question.not_before = now + quota.window.times(windows);
                Some(place)
            }
            Asked::Pace { before } => {
                let failed = self.pace.rate();
                self.failed = Some(failed);
                self.pace.keep_to(0.95 * (before * failed).sqrt(), now);
                None
            }
            Asked::Quota { .. } => None,
        }
    }
}
