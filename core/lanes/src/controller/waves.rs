//! What all waves of refusals say together, each time one is over.

use postlane_mail::{Instant, Span};

use super::Controller;
use crate::decision::Decision;
use crate::posterior::{Explanation, WAVES_MAX, Wave, explain, told_by_counts};
use crate::quota::{Quota, Reset};
use crate::rest::{FAST, Rest};

/// The last waves of refusals, the oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Waves {
    /// Such as were over after minutes or hours, as a window's are.
    long: Vec<Wave>,
    /// All of them.
    all: Vec<Wave>,
}

impl Waves {
    /// They had nothing to do with a limit.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The long ones were another limit's.
    fn forget_long(&mut self) {
        self.long.clear();
    }
}

/// Keeps the last ones.
fn keep(waves: &mut Vec<Wave>, wave: Wave) {
    waves.push(wave);
    if waves.len() > WAVES_MAX {
        waves.remove(0);
    }
}

impl Controller {
    /// Weighs all waves anew: what explains them best is relied on.
    pub(super) fn weigh(&mut self, now: Instant, sent: Instant, rest: &Rest) {
        let canaries = std::mem::take(&mut self.canaries);
        let wave = Wave { refused: rest.refused, canaries, accepted: sent };
        let foretold = rest.explained.filter(|_| rest.canaries == 0);
        let foretold = foretold.and_then(|place| self.quotas.get(place)).map(|quota| quota.window);
        keep(&mut self.waves.all, wave.clone());
        self.weigh_counts(now, sent);
        // A limit that fell explains this wave; those before it were another limit's.
        if rest.explained.is_some() && rest.canaries > 0 {
            self.waves.forget_long();
            return;
        }
        if sent.since(rest.refused) <= FAST || rest.was_asked {
            return;
        }
        keep(&mut self.waves.long, wave);
        let found = explain(&self.waves.long, &self.counted.accepted, foretold);
        let Some(found) = found else { return };
        let is_clock = matches!(found.reset, Reset::Clock { .. });
        let known = self.quotas.iter_mut().find(|quota| quota.window == found.window);
        if let Some(quota) = known {
            if matches!(quota.reset, Reset::Clock { .. }) != is_clock || is_clock {
                quota.reset = found.reset;
            }
            return;
        }
        self.quotas.retain(|quota| !is_rival(quota.window, found.window));
        self.rely_on_explanation(now, &found);
        // Those waves were its doing, not a rate's.
        let through = 2.0 * self.quotas.iter().map(Quota::pace).fold(f64::INFINITY, f64::min);
        if self.pace.learned() < through {
            self.pace.keep_to(through, now);
        }
    }

    /// Whether a window is told by its counts, though no rest was long enough to tell it. What is believed of
    /// other windows that these waves would have filled is its doing: a lane that keeps to a limit that is not
    /// there is never refused by it, and would keep to it for ever.
    fn weigh_counts(&mut self, now: Instant, sent: Instant) {
        let Some(found) = told_by_counts(&self.waves.all, &self.counted.accepted) else { return };
        if self.quotas.iter().any(|quota| quota.window == found.window) {
            return;
        }
        let first = self.waves.all.first();
        let lasted = first.map_or(Span::ZERO, |first| sent.since(first.refused));
        self.quotas.retain(|quota| quota.window > lasted && !is_rival(quota.window, found.window));
        self.rely_on_explanation(now, &found);
    }

    fn rely_on_explanation(&mut self, now: Instant, found: &Explanation) {
        let Explanation { window, reset, messages, least } = *found;
        self.suspects.clear();
        let place = self.rely_on(Quota { least, reset, ..Quota::new(window, messages, 2) });
        let Quota { window, messages, .. } = self.quotas[place];
        self.decide(now, Decision::Confirmed { window, messages });
    }
}

/// Two windows that are not far from each other explain the same refusals: one of them is wrong.
fn is_rival(one: Span, other: Span) -> bool {
    one.0.max(other.0) <= one.0.min(other.0).saturating_mul(8)
}

#[cfg(test)]
mod tests {
    use super::super::FIRST_RATE;
    use super::super::hearing::tests::rest;
    use super::*;

    const TEN_MINUTES: Span = Span::from_min(10);

    fn minute(min: f64) -> Instant {
        Instant::from_unix_s(1_000_000) + Span((min * 6e7) as u64)
    }

    /// A lane that believes in a quota has been refused every fifty minutes, each time when it had sent a hundred
    /// within ten, in so many of them; half a minute later a canary was accepted.
    fn refused_every_fifty_minutes(believes: Quota, waves: u32) -> Controller {
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.quotas.push(believes);
        for wave in 0..waves {
            let refused = 50.0 * f64::from(wave + 1);
            let before = 40 + 30 * (wave % 3);
            let took = 2.0 + f64::from(wave * 5 % 7);
            let sent = (0..before).map(|n| refused - 45.0 + 0.3 * f64::from(n));
            let sent = sent.chain((0..100).map(|n| refused - took + took / 101.0 * f64::from(n)));
            sent.for_each(|at| controller.counted.accepted.record(minute(at)));
            let canary = minute(refused + 0.5);
            controller.counted.accepted.record(canary);
            controller.weigh(canary, canary, &rest(minute(refused)));
        }
        controller
    }

    fn windows(controller: &Controller) -> Vec<Span> {
        controller.quotas.iter().map(|quota| quota.window).collect()
    }

    #[test]
    fn a_window_that_counts_tell_takes_the_place_of_what_its_waves_would_have_filled() {
        let two_hours = Quota::new(Span::from_h(2), 300, 2);
        let controller = refused_every_fifty_minutes(two_hours, 6);
        assert_eq!(windows(&controller), [TEN_MINUTES]);
        assert!(controller.quotas[0].messages.abs_diff(100) <= 1, "{:?}", controller.quotas);
        // What takes longer than all of them may be true besides.
        let day = Quota::new(Span::from_h(24), 3_000, 2);
        let controller = refused_every_fifty_minutes(day, 6);
        assert_eq!(windows(&controller), [Span::from_h(24), TEN_MINUTES]);
    }

    #[test]
    fn three_quick_waves_change_nothing() {
        let two_hours = Quota::new(Span::from_h(2), 300, 2);
        assert_eq!(windows(&refused_every_fifty_minutes(two_hours, 3)), [two_hours.window]);
    }
}
