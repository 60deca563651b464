//! Whether a higher rate holds than one that failed before: tried seldom, and believed when it has
//! lasted.
//!
//! A bucket takes more than it fills by for as long as something is left in it: a rate that held for a
//! minute may be refused some minutes later, and would be tried again at once.

use postlane_mail::{Instant, Span};

use super::{Asked, Controller};

/// After a higher rate that failed none is tried for twice this long, and twice as long each time.
/// Chosen, not measured.
const PATIENCE: Span = Span::from_min(5);

/// A rate that was refused sooner than this after it was tried had not held. Chosen by rehearsals.
const LASTS: Span = Span::from_min(30);

/// Who was not refused for so long,
const QUIET: Span = Span::from_h(1);
/// nor for so many messages, may ask on credit: who sends little would earn a question in days.
/// Chosen by rehearsals.
const QUIET_MESSAGES: u32 = 50;

/// How long no higher rate is tried: twice as long after each that failed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Faster {
    failures: u32,
    until: Instant,
    /// The first that was tried since the last rest: when, and the rate before.
    first: Option<(Instant, f64)>,
    /// The last wave put it in doubt: the rate before it.
    pub(super) doubted: Option<f64>,
    /// The last rest was over with an early canary.
    pub(super) reopened_early: bool,
    /// An early canary was refused, or the next wave came soon after it: what was sent beyond the rate that
    /// held is not all that has to be waited for.
    pub(super) is_shut_longer: bool,
}

impl Controller {
    /// Tries a tenth more, where it is time and worth it.
    pub(super) fn try_faster(&mut self, now: Instant) {
        if now < self.faster.until || !self.is_worth_a_faster_pace(now) {
            return;
        }
        let before = self.pace.rate();
        self.raise(now, 1.1 * before);
        self.asked = Some(Asked::Pace { before });
        self.faster.first.get_or_insert((now, before));
    }

    /// A tenth more for what is left is worth more than the rest a refusal costs (LANES §7).
    fn is_worth_a_faster_pace(&self, now: Instant) -> bool {
        let may = self.credits.has_one() || self.is_quiet(now);
        may && 0.1 * self.left() * 0.4 >= 0.6 * self.cost()
    }

    /// Nothing was refused for so long, and for so many messages, that a question may be asked on credit.
    pub(super) fn is_quiet(&self, now: Instant) -> bool {
        now.since(self.began) >= QUIET && self.accepted_since_reopening >= QUIET_MESSAGES
    }

    /// What was tried has held so far: what failed before does not any more.
    pub(super) fn faster_held(&mut self, now: Instant) {
        if let Some(Asked::Pace { .. }) = self.asked {
            self.failed = Some(self.pace.rate() / 0.95);
            self.asked = None;
        } else if self.faster.first.is_some_and(|(at, _)| now >= at + LASTS) {
            self.faster.first = None;
            self.faster.failures = 0;
        }
    }

    /// What was being tried was refused.
    pub(super) fn faster_failed(&mut self, now: Instant, before: f64) {
        let failed = self.pace.rate();
        self.faster.fail(now);
        self.failed = Some(self.failed.map_or(failed, |before| before.min(failed)));
        self.pace.keep_to(0.95 * (before * failed).sqrt(), now);
    }

    /// A wave broke that nothing else explains: what was tried a little before it had not held.
    pub(super) fn doubt_faster(&mut self, now: Instant, sent: Instant) {
        let tried = self.faster.first.filter(|(at, _)| (*at..*at + LASTS).contains(&sent));
        self.faster.doubted = tried.map(|(_, before)| before);
        if let Some((_, before)) = tried {
            self.faster.fail(now);
            let most = before / 0.95;
            self.failed = Some(self.failed.map_or(most, |failed| failed.min(most)));
        }
    }

    /// The lane rests: what is tried after it is tried anew.
    pub(super) fn begin_faster_anew(&mut self) {
        self.faster.first = None;
    }
}

impl Faster {
    fn fail(&mut self, now: Instant) {
        self.failures = (self.failures + 1).min(8);
        self.until = now + PATIENCE.times(1 << self.failures);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::{FIRST_RATE, State};

    const NOW: Instant = Instant::from_unix_s(1_000_000);

    /// A lane whose pace of one in ten seconds is a little below one that has failed.
    fn lane() -> Controller {
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.state = State::Normal;
        controller.pace.keep_to(0.1, NOW);
        controller.failed = Some(0.1 / 0.95);
        controller.expect(100_000);
        controller
    }

    #[test]
    fn a_rate_that_was_refused_within_half_an_hour_had_not_held_and_is_tried_later_each_time() {
        let mut controller = lane();
        let mut waited = Vec::new();
        for _ in 0..3 {
            let asked = controller.faster.until.max(NOW);
            controller.try_faster(asked);
            assert!(matches!(controller.asked, Some(Asked::Pace { .. })));
            controller.faster_held(asked + Span::from_min(1));
            assert_eq!(controller.asked, None);
            let refused = asked + Span::from_min(6);
            controller.doubt_faster(refused, refused);
            controller.begin_faster_anew();
            assert_eq!(controller.faster.doubted, Some(0.1), "the rate before it");
            assert!(controller.failed.unwrap() < 0.11, "{:?}", controller.failed);
            controller.pace.keep_to(0.1, refused);
            waited.push(controller.faster.until.since(refused));
        }
        assert_eq!(waited, [10, 20, 40].map(Span::from_min));
    }

    #[test]
    fn a_rate_that_has_lasted_for_half_an_hour_is_believed() {
        let mut controller = lane();
        controller.try_faster(NOW);
        controller.faster_held(NOW + Span::from_min(1));
        let rate = controller.pace.rate();
        controller.faster_held(NOW + LASTS);
        let refused = NOW + LASTS + Span::from_min(1);
        controller.doubt_faster(refused, refused);
        assert_eq!(controller.faster, Faster::default());
        assert!(controller.failed.unwrap() > rate);
    }

    #[test]
    fn who_has_spent_what_it_had_may_ask_again_after_an_hour_without_a_refusal() {
        let mut controller = lane();
        (0..20).for_each(|_| controller.credits.refused());
        controller.began = NOW;
        controller.accepted_since_reopening = QUIET_MESSAGES;
        controller.try_faster(NOW + Span::from_min(59));
        assert_eq!(controller.asked, None);
        controller.try_faster(NOW + QUIET);
        assert!(matches!(controller.asked, Some(Asked::Pace { .. })));
    }
}
