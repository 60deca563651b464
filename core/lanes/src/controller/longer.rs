//! A shorter window that was believed for one yes, and the longer one that may be right after all.
//!
//! A yes to a message beyond a full quota says that its window is shorter, that it takes a little more, or
//! that something that counted has left it which we do not count: a canary that was refused, say. The next
//! refusals tell these apart, and the longer window is not forgotten until then.

use postlane_mail::{Instant, Span};

use super::Controller;
use crate::history::History;
use crate::quota::{Quota, with_margin};
use crate::rest::Rest;

/// The window that a quota had before it was taken to be shorter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Longer {
    /// Its length.
    window: Span,
    /// How many it took.
    messages: u32,
}

/// A quota that was believed too low by so much at most explains a refusal in the longer window.
const MORE: f64 = 1.2;

/// So much of what a window held has hardly left it.
const STILL: f64 = 0.95;

impl Quota {
    /// Takes the shorter window that was asked about for the right one; where the yes may have had
    /// another reason the longer one is remembered.
    pub(super) fn shorten(&mut self, is_sure: bool) {
        let longer = Longer { window: self.window, messages: self.messages };
        self.longer = (!is_sure).then_some(longer);
        self.window = self.shorter().unwrap_or(self.window);
    }

    /// Takes the longer window for the right one again, with so many.
    fn lengthen(&mut self, longer: Longer, messages: u32) {
        (self.window, self.least, self.longer) = (longer.window, longer.window, None);
        self.messages = messages.max(1);
    }
}

impl Longer {
    fn held(self, accepted: &History, at: Instant) -> u64 {
        accepted.within(with_margin(self.window), at)
    }
}

impl Controller {
    /// Whether a canary's yes can mean nothing but a shorter window: as much as when the quota was refused
    /// still counts in the longer one, what was refused included.
    pub(super) fn is_surely_shorter(&self, place: usize, rest: &Rest, sent: Instant) -> bool {
        let window = with_margin(self.quotas[place].window);
        let all = &self.counted.all;
        self.counts_refused == Some(false)
            || all.within(window, sent) >= all.within(window, rest.refused)
    }

    /// The quota whose longer window was full when a message was refused, while the shorter one had room: it
    /// takes as many as there were. Its window is the longer one from now on.
    pub(super) fn that_is_longer(&mut self, sent: Instant) -> Option<usize> {
        let accepted = &self.counted.accepted;
        let place = self.quotas.iter().position(|quota| {
            let Some(longer) = quota.longer else { return false };
            let (held, messages) = (longer.held(accepted, sent) as f64, f64::from(longer.messages));
            let is_full = (messages..=MORE * messages + 1.0).contains(&held);
            is_full && !quota.is_about(quota.used(accepted, sent))
        })?;
        let longer = self.quotas[place].longer?;
        let held = longer.held(accepted, sent);
        self.quotas[place].lengthen(longer, u32::try_from(held).unwrap_or(u32::MAX));
        Some(place)
    }

    /// Whether a canary was refused for which the shorter window had room, since the longer one is still
    /// full: that says nothing of a limit that fell. Its window is the longer one from now on.
    pub(super) fn is_longer_after_all(&mut self, rest: &Rest, sent: Instant) -> bool {
        let Some(place) = rest.explained.filter(|_| rest.canaries == 0) else { return false };
        let Some(longer) = self.quotas.get(place).and_then(|quota| quota.longer) else {
            return false;
        };
        let held = longer.held(&self.counted.accepted, sent) as f64;
        let is_full = held >= STILL * f64::from(longer.messages) - 1.0;
        if is_full {
            self.quotas[place].lengthen(longer, longer.messages);
        }
        is_full
    }
}

#[cfg(test)]
mod tests {
    use super::super::hearing::tests::rest;
    use super::super::{FIRST_RATE, Question};
    use super::*;

    const HALF: Span = Span::from_min(30);
    const HOUR: Span = Span::from_h(1);

    fn minute(min: u64) -> Instant {
        Instant::from_unix_s(1_000_000) + Span::from_min(min)
    }

    /// A hundred in an hour, sent in the minute from this one on; an hour or half an hour explains it.
    fn asked(began: u64) -> Controller {
        asked_after(Controller::new(FIRST_RATE, 1), began)
    }

    fn asked_after(mut controller: Controller, began: u64) -> Controller {
        send(&mut controller, began, 100);
        let least = Span::from_min(20);
        controller.quotas.push(Quota { least, ..Quota::new(HOUR, 100, 2) });
        controller
    }

    fn send(controller: &mut Controller, began: u64, many: u64) {
        for n in 0..many {
            controller.counted.accepted.record(minute(began) + Span(n * 60_000_000 / many));
            controller.counted.all.record(minute(began) + Span(n * 60_000_000 / many));
        }
    }

    fn window(controller: &Controller) -> (Span, u32) {
        (controller.quotas[0].window, controller.quotas[0].messages)
    }

    #[test]
    fn a_yes_is_sure_where_as_much_counts_as_when_the_quota_was_refused() {
        for (canaries_left, sure) in [(0, true), (1, true), (2, false)] {
            let mut controller = Controller::new(FIRST_RATE, 1);
            for n in 0..canaries_left {
                // Refused before the wave: they may have counted, and have left the hour. What was refused
                // when the quota was full has come for one of them.
                controller.counted.all.record(minute(11 + n));
            }
            let mut controller = asked_after(controller, 60);
            controller.counted.all.record(minute(61));
            controller.counted.all.record(minute(90));
            let rest = Rest { explained: Some(0), ..rest(minute(61)) };
            assert_eq!(controller.is_surely_shorter(0, &rest, minute(90)), sure, "{canaries_left}");
            // Who is known not to count what it refuses does not mind.
            controller.counts_refused = Some(false);
            assert!(controller.is_surely_shorter(0, &rest, minute(90)));
        }
    }

    #[test]
    fn a_yes_that_is_sure_forgets_the_longer_window() {
        let mut quota = Quota { least: HALF, ..Quota::new(HOUR, 100, 2) };
        quota.shorten(true);
        assert_eq!((quota.window, quota.longer), (HALF, None));
    }

    #[test]
    fn a_refusal_with_room_in_the_shorter_window_and_the_longer_one_full_is_the_longer_ones() {
        for (more, found) in [(0, Some((HOUR, 100))), (15, Some((HOUR, 115))), (40, None)] {
            let mut controller = asked(0);
            controller.quotas[0].shorten(false);
            assert_eq!(window(&controller).0, HALF);
            send(&mut controller, 45, more);
            let place = controller.that_is_longer(minute(50));
            assert_eq!(place.map(|_| window(&controller)), found, "{more} more");
        }
    }

    #[test]
    fn a_refusal_where_the_shorter_window_is_full_is_its_own() {
        let mut controller = asked(20);
        controller.quotas[0].shorten(false);
        assert_eq!(controller.that_is_longer(minute(45)), None);
    }

    #[test]
    fn a_canary_refused_with_room_in_the_shorter_window_brings_the_longer_one_back() {
        for (at, is_longer) in [(45, true), (75, false)] {
            let mut controller = asked(0);
            controller.quotas[0].shorten(false);
            let mut rest = Rest { explained: Some(0), ..rest(minute(31)) };
            controller.learn_from_canary(minute(at), &mut rest, minute(at));
            let found = controller.quotas[0].window == HOUR;
            assert_eq!((found, rest.canaries == 0), (is_longer, is_longer), "after {at} minutes");
        }
    }

    #[test]
    fn once_a_canary_said_that_the_limit_fell_no_longer_window_is_thought_of() {
        let mut controller = asked(0);
        controller.quotas[0].shorten(false);
        let rest = Rest { explained: Some(0), canaries: 1, ..rest(minute(31)) };
        assert!(!controller.is_longer_after_all(&rest, minute(45)));
        assert_eq!(controller.quotas[0].window, HALF);
    }

    #[test]
    fn a_yes_outside_a_rest_may_have_been_for_a_quota_that_is_too_low() {
        let mut controller = asked(0);
        let at = minute(40);
        controller.asked =
            Some(super::super::Asked::Quota { window: HOUR, at, question: Question::Shorter });
        controller.counted.accepted.record(at);
        controller.answered_yes(at, at);
        assert_eq!(window(&controller), (HALF, 100));
        assert!(controller.quotas[0].longer.is_some());
    }
}
