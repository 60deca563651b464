//! What is kept of a controller over a restart of the program, and how it takes that up again.

use postlane_mail::{Instant, Rate, Span};

use super::contact::Contact;
use super::doubt::Doubt;
use super::{Controller, State};
use crate::arrivals::{Arrivals, Usual};
use crate::caps::Caps;
use crate::credits::Credits;
use crate::decision::Decision;
use crate::history::Walk;
use crate::memory::{Learned, LearnedQuota, LearnedRest, Past};
use crate::quota::{Question, Quota};
use crate::rest::{Early, Hinted, Rest};

/// The youngest are kept to five seconds, those of the last hour to half a minute, older ones to
/// ten minutes: at most 288 stretches. A stretch counts as if all of it were at its end, so that a
/// quota is never taken for emptier than it is.
const STEPS: [(Span, Span); 3] = [
    (Span::from_min(1), Span::from_s(5)),
    (Span::from_h(1), Span::from_s(30)),
    (LOOKED_BACK, Span::from_min(10)),
];

/// What is older counts for no limit.
const LOOKED_BACK: Span = Span::from_h(27);

/// What was sent after the last writing and before a crash is not known: as much as the lane may
/// have sent in this time is taken for sent.
pub(crate) const UNKNOWN: Span = Span::from_s(10);

impl Controller {
    /// Keeps to a rate of an operator's, or to its own again.
    pub(crate) fn pin(&mut self, rate: Option<Rate>) {
        self.pace.pin(rate.map(|rate| 1e6 / rate.gap().0.max(1) as f64));
    }

    /// Goes back to the rate that held before it was raised last; whether there is one.
    pub(crate) fn roll_back(&mut self, now: Instant) -> bool {
        let Some(held) = self.held.take().filter(|held| *held < self.pace.learned()) else {
            return false;
        };
        self.failed = Some(self.pace.learned());
        self.pace.keep_to(held, now);
        self.forget_question();
        self.decide(now, Decision::RolledBack(held));
        true
    }

    /// How long the provider shuts it out when it goes too far.
    pub(crate) fn shut_out(&self) -> Option<Span> {
        self.shut_out
    }

    /// Whether it has anything that a new one has not.
    pub(crate) fn has_learned(&self) -> bool {
        let has_sent = self.before > 0 || self.counted.all.total() > 0;
        has_sent || !self.quotas.is_empty() || self.failed.is_some()
    }

    /// What is worth keeping.
    pub(crate) fn learned(&self, now: Instant) -> Learned {
        let quotas = |quotas: &[Quota]| quotas.iter().map(kept_quota).collect();
        Learned {
            at: now,
            is_last: false,
            gap: gap_of(self.pace.learned()),
            gap_held: self.held.map(gap_of),
            gap_bad: self.failed.map(gap_of),
            is_probing: self.state == State::Probing,
            quotas: quotas(&self.quotas),
            suspects: quotas(&self.suspects),
            suspected_for: self.suspected_for,
            penalty: self.shut_out,
            opening: self.opening,
            connections: self.caps.connections(),
            session_messages: self.caps.messages(),
            credit: self.credits.thousandths(),
            hints_fail: !self.trusts_hints,
            wordings: self.doubt.limits(),
            rest: self.rest.as_ref().map(|rest| self.kept_rest(now, rest)),
            last_refused: self.last_refused,
            accepted: 0,
            refused: 0,
            usual: self.usual(now).kept(),
            is_shared: self.is_shared,
            counts_refused: self.counts_refused,
            puts_off: self.contact.puts_off(),
            past: self.past(now),
        }
    }

    /// Takes up what was kept. Nothing is granted twice: what may have been sent since counts as
    /// sent, and the first message waits for its turn.
    pub(crate) fn recall(&mut self, now: Instant, learned: &Learned) {
        self.pace.keep_to(rate_of(learned.gap), now);
        self.held = learned.gap_held.map(rate_of);
        self.failed = learned.gap_bad.map(rate_of);
        self.quotas =
            learned.quotas.iter().map(|kept| recalled_quota(kept).seen_from(now)).collect();
        self.suspects = learned.suspects.iter().map(recalled_quota).collect();
        self.suspected_for = learned.suspected_for;
        self.shut_out = learned.penalty;
        self.opening = learned.opening.map(|opening| opening.seen_from(now));
        self.caps = Caps::of(learned.connections, learned.session_messages);
        self.credits = Credits::of_thousandths(learned.credit);
        self.trusts_hints = !learned.hints_fail;
        self.doubt = Doubt::of_limits(learned.wordings);
        self.last_refused = learned.last_refused;
        self.is_shared = learned.is_shared;
        self.counts_refused = learned.counts_refused;
        self.contact = Contact::kept(learned.puts_off);
        self.usual = learned.usual.map(|(messages, over)| Usual::of(messages, over, now));
        for past in learned.past.iter().filter(|past| past.at <= now) {
            self.count_past(past);
        }
        self.before = learned.accepted.saturating_sub(self.counted.accepted.total());
        if !learned.is_last {
            self.count_past(&self.unknown(now, learned));
        }
        self.state = match (&learned.rest, learned.is_probing) {
            (Some(rest), _) => {
                self.rest = Some(recalled_rest(rest, self.quotas.len()));
                State::Cooling { until: rest.until }
            }
            (None, true) => State::Probing,
            (None, false) => State::Normal,
        };
        self.pace.wait_until(learned.at.min(now) + learned.gap);
    }

    /// The transactional mail of the hours before the last that came: a night without any says
    /// nothing of the morning.
    fn usual(&self, now: Instant) -> Arrivals {
        let last = self.transactional.last_end(now).unwrap_or(now);
        self.transactional_lately(last)
    }

    fn count_past(&mut self, past: &Past) {
        self.counted.all.restore(past.at, past.all);
        self.counted.accepted.restore(past.at, past.accepted);
        self.transactional.restore(past.at, past.transactional);
    }

    /// What may have been sent between the last writing and a crash.
    fn unknown(&self, now: Instant, learned: &Learned) -> Past {
        let span = now.since(learned.at).min(UNKNOWN);
        let resting = learned.rest.is_some();
        let most = if resting { 1 } else { span.0.div_ceil(learned.gap.0.max(1)) };
        let all = u32::try_from(most).unwrap_or(u32::MAX);
        Past { at: now.min(learned.at + span), all, accepted: 0, transactional: 0 }
    }

    fn kept_rest(&self, now: Instant, rest: &Rest) -> LearnedRest {
        // A canary under way is not known to have been accepted: the next one is due at once.
        let until = if let State::Cooling { until } = self.state { until } else { now };
        LearnedRest {
            refused: rest.refused,
            began: rest.began,
            gap: rest.pace.map(gap_of),
            first: rest.first,
            canaries: rest.canaries,
            tried: rest.tried,
            until,
            explained: rest.explained.and_then(|place| u8::try_from(place).ok()),
        }
    }

    /// What was sent, in stretches: it goes from one to the next, however much was sent in them.
    fn past(&self, now: Instant) -> Vec<Past> {
        let since = now - LOOKED_BACK - Span(1);
        let histories = [&self.counted.all, &self.counted.accepted, &self.transactional];
        let [mut all, mut accepted, mut transactional] = histories.map(|h| h.walk(since));
        let mut past: Vec<Past> = Vec::new();
        while let Some(at) = [&all, &accepted].iter().filter_map(|walk| walk.next_end()).min() {
            let age = now.since(at);
            let step = STEPS.iter().find(|(upto, _)| age <= *upto).map_or(1, |(_, step)| step.0);
            let until = Instant((at.0 / step + 1) * step - 1);
            let ends = [&all, &accepted].map(|walk| walk.last_end(until));
            let end = ends.into_iter().flatten().max().unwrap_or(at);
            let count = |walk: &mut Walk<'_>| u32::try_from(walk.go_to(end)).unwrap_or(u32::MAX);
            past.push(Past {
                at: end,
                all: count(&mut all),
                accepted: count(&mut accepted),
                transactional: count(&mut transactional),
            });
        }
        past
    }
}

fn kept_quota(quota: &Quota) -> LearnedQuota {
    LearnedQuota {
        window: quota.window,
        messages: quota.messages,
        support: quota.support,
        least: quota.least,
        reset: quota.reset,
        asks_at: quota.question.not_before,
        patience: quota.question.patience,
    }
}

fn recalled_quota(kept: &LearnedQuota) -> Quota {
    let mut quota = Quota::new(kept.window, u64::from(kept.messages), kept.support);
    quota.least = kept.least.min(kept.window);
    quota.reset = kept.reset;
    let (patience, not_before) = (kept.patience, kept.asks_at);
    quota.question = Question { patience, not_before, ..Question::default() };
    quota
}

fn recalled_rest(kept: &LearnedRest, quotas: usize) -> Rest {
    Rest {
        refused: kept.refused,
        began: kept.began,
        pace: kept.gap.map(rate_of),
        hint: None::<Hinted>,
        first: kept.first,
        early: Early::No,
        canaries: kept.canaries,
        urgent: 0,
        followed: 0,
        tried: kept.tried,
        window: None,
        asks: None,
        doubt: None,
        was_asked: false,
        explained: kept.explained.map(usize::from).filter(|place| *place < quotas),
        is_full: false,
        is_outage: false,
        says_outage: false,
        unserved: None,
        appeal: None,
        accepted: 0,
    }
}

/// From one message to the next, at so many a second.
fn gap_of(rate: f64) -> Span {
    Span(((1e6 / rate.max(1e-9)) as u64).max(1))
}

fn rate_of(gap: Span) -> f64 {
    1e6 / gap.0.max(1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::controller::FIRST_RATE;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

        /// What was kept is so old that nothing of it counts any more but that it was.
        #[test]
        fn a_lane_that_was_never_refused_goes_on_as_fast_as_it_was(
            rate in 1.0_f64..100.0,
            accepted in 100_u64..100_000,
            among in any::<bool>(),
        ) {
            let now = Instant::from_unix_s(1_000_000);
            let mut before = Controller::new(FIRST_RATE, 1);
            before.pace.keep_to(rate, now);
            let learned = Learned { accepted, is_last: true, ..before.learned(now) };
            let mut controller = Controller::new(FIRST_RATE, 2);
            controller.recall(now + LOOKED_BACK, &learned);
            controller.is_among(among);
            prop_assert!((controller.rate() / rate - 1.0).abs() < 0.01);
            prop_assert_eq!(u64::from(controller.accepted_in_all()), accepted);
            prop_assert!(controller.window() > 1);
            prop_assert!(controller.has_learned());
        }

        #[test]
        fn what_is_kept_with_its_moments_is_not_counted_twice(
            moments in 1_u32..50,
            older in 0_u64..1_000,
        ) {
            let now = Instant::from_unix_s(1_000_000);
            let before = Controller::new(FIRST_RATE, 1);
            let past = vec![Past { at: now, all: moments, accepted: moments, transactional: 0 }];
            let accepted = u64::from(moments) + older;
            let learned = Learned { accepted, past, is_last: true, ..before.learned(now) };
            let mut controller = Controller::new(FIRST_RATE, 2);
            controller.recall(now, &learned);
            prop_assert_eq!(u64::from(controller.accepted_in_all()), accepted);
        }
    }

    /// Else the step that is under way is taken for a rate that held, and its refusal costs a third of it.
    #[test]
    fn the_rate_before_the_last_step_is_known_after_a_restart() {
        let now = Instant::from_unix_s(1_000_000);
        let mut before = Controller::new(FIRST_RATE, 1);
        before.pace.keep_to(0.95, now);
        before.raise(now, 1.04);
        let mut controller = Controller::new(FIRST_RATE, 2);
        controller.recall(now, &before.learned(now));
        let held = controller.held.unwrap();
        assert!((held / 0.95 - 1.0).abs() < 1e-3, "{held}");
    }
}
