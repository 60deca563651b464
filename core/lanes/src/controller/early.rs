//! An early canary, where the last step alone may have been refused.
//!
//! Who asked whether a tenth more is taken, or climbed to a limit in small steps, knows what held before. What
//! it sent beyond that are a few messages: a bucket has them back in seconds, and a window that they
//! filled is nearly over. The minute that a first refusal rests would cost a minute's mail each time.

use postlane_mail::Span;

use super::Controller;
use crate::rest::{Early, FAST, Rest};

/// It goes when so many messages would have had their time at the rate that held,
const BEYOND: f64 = 6.0;
/// and no sooner than this. Both chosen by rehearsals (decision 052).
const EARLIEST: Span = Span::from_s(15);

impl Controller {
    /// When the first canary of a rest goes that no quota explains, if the last step alone may have been
    /// refused. Not where the provider says when, nor where a refusal may shut the door; nor once such a
    /// canary was refused or came too soon: it would be one refusal more at each step.
    pub(super) fn early_canary(&mut self, rest: &Rest) -> Early {
        let soon = rest.refused.since(rest.began) <= FAST;
        self.faster.is_shut_longer |= soon && std::mem::take(&mut self.faster.reopened_early);
        if rest.explained.is_some() || rest.is_outage || self.faster.is_shut_longer {
            return Early::No;
        }
        let is_step = rest.was_asked || self.held_before(rest).is_some();
        if !is_step || rest.hint.is_some() || self.shut_out.is_some() {
            return Early::No;
        }
        let beyond = Span((BEYOND * 1e6 / self.pace.rate().max(1e-6)) as u64);
        let wait = beyond.max(EARLIEST);
        if wait < rest.first { Early::After(wait) } else { Early::No }
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Instant, Stream};

    use super::super::hearing::tests::rest;
    use super::super::{Asked, FIRST_RATE, State};
    use super::*;
    use crate::Heard;
    use crate::signal::{Hint, Hinted, Signal};

    const REFUSED: Instant = Instant::from_unix_s(1_000_000);

    /// A lane that sends at this rate for a minute, and has asked whether it may.
    fn asks(rate: f64) -> Controller {
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.state = State::Normal;
        controller.began = REFUSED - Span::from_min(1);
        for n in 1..=(60.0 * rate) as u64 {
            controller.counted.accepted.record(REFUSED - Span((n as f64 * 1e6 / rate) as u64));
        }
        controller.pace.keep_to(rate, REFUSED);
        controller.asked = Some(Asked::Pace { before: rate / 1.1 });
        controller
    }

    fn hear(controller: &mut Controller, signal: Signal, sent: Instant) -> Span {
        let (stream, attempts, carried, open) = (Stream::Engaged, 0, 0, 1);
        controller.hear(sent, &Heard { signal, sent, stream, attempts, carried, open });
        match controller.state {
            State::Cooling { until } => until.since(REFUSED),
            _ => Span::ZERO,
        }
    }

    fn refused() -> Signal {
        Signal::Rate { hint: Hint::default() }
    }

    #[test]
    fn a_question_that_was_refused_rests_for_seconds_and_the_rate_before_it_goes_on() {
        let mut controller = asks(1.0);
        let rests = hear(&mut controller, refused(), REFUSED);
        assert!((EARLIEST..Span::from_s(17)).contains(&rests), "{rests:?}");
        controller.depart(REFUSED + rests);
        hear(&mut controller, Signal::Accepted, REFUSED + rests);
        assert_eq!(controller.state, State::Normal);
        assert!((0.85..0.95).contains(&controller.rate()), "{}", controller.rate());
    }

    #[test]
    fn an_early_canary_that_is_refused_puts_off_no_other() {
        let mut controller = asks(1.0);
        let rests = hear(&mut controller, refused(), REFUSED);
        controller.depart(REFUSED + rests);
        let rests = hear(&mut controller, refused(), REFUSED + rests);
        assert!((Span::from_s(60)..Span::from_s(65)).contains(&rests), "{rests:?}");
        controller.depart(REFUSED + rests);
        let next = hear(&mut controller, refused(), REFUSED + rests);
        assert!(next >= Span::from_min(9), "{next:?}");
    }

    #[test]
    fn none_goes_at_the_next_question_once_one_was_refused() {
        let mut controller = asks(1.0);
        let rests = hear(&mut controller, refused(), REFUSED);
        controller.depart(REFUSED + rests);
        hear(&mut controller, refused(), REFUSED + rests);
        (controller.state, controller.rest) = (State::Normal, None);
        controller.asked = Some(Asked::Pace { before: 1.0 / 1.1 });
        assert!(hear(&mut controller, refused(), REFUSED) >= Span::from_s(60));
    }

    #[test]
    fn none_goes_at_the_next_question_where_the_wave_after_one_came_soon() {
        for (later, goes) in [(60, false), (300, true)] {
            let mut controller = asks(1.0);
            let rests = hear(&mut controller, refused(), REFUSED);
            controller.depart(REFUSED + rests);
            hear(&mut controller, Signal::Accepted, REFUSED + rests);
            let again = REFUSED + rests + Span::from_s(later);
            controller.asked = Some(Asked::Pace { before: 1.0 / 1.1 });
            let rests = hear(&mut controller, refused(), again) + REFUSED.since(again);
            let rests = Span(rests.0 - again.since(REFUSED).0);
            assert_eq!(rests < Span::from_s(30), goes, "{later}: {rests:?}");
        }
    }

    #[test]
    fn the_rate_before_a_question_holds_though_its_early_canary_was_refused() {
        let mut controller = asks(1.0);
        for signal in [refused(), refused(), Signal::Accepted] {
            let at = match controller.state {
                State::Cooling { until } => until,
                _ => REFUSED,
            };
            if controller.rests() {
                controller.depart(at);
            }
            hear(&mut controller, signal, at);
        }
        assert_eq!(controller.state, State::Normal);
        assert!((0.85..0.95).contains(&controller.rate()), "{}", controller.rate());
    }

    #[test]
    fn one_goes_after_a_question_or_a_climb_where_nothing_else_explains_the_refusal() {
        let mut controller = asks(1.0);
        let base = Rest { was_asked: true, ..rest(REFUSED) };
        assert_eq!(controller.early_canary(&base), Early::After(EARLIEST));
        let words = Some(Hinted { wait: Span::from_h(1), exact: false });
        for other in [
            Rest { was_asked: false, ..base },
            Rest { explained: Some(0), ..base },
            Rest { is_outage: true, ..base },
            Rest { hint: words, ..base },
        ] {
            assert_eq!(controller.early_canary(&other), Early::No, "{other:?}");
        }
        // The last step of a climb.
        controller.began = REFUSED - Span::from_min(9);
        controller.held = Some(0.96);
        let climbed = Rest { began: controller.began, was_asked: false, ..base };
        assert_eq!(controller.early_canary(&climbed), Early::After(EARLIEST));
        controller.shut_out = Some(Span::from_min(30));
        assert_eq!(controller.early_canary(&base), Early::No);
    }

    #[test]
    fn a_slow_lane_rests_for_six_messages_and_never_longer_than_at_a_first_refusal() {
        let rests = hear(&mut asks(0.25), refused(), REFUSED);
        assert!((Span::from_s(24)..Span::from_s(28)).contains(&rests), "{rests:?}");
        assert!(hear(&mut asks(0.1), refused(), REFUSED) >= Span::from_s(60));
    }
}
