//! The budget: when the next message may go.

use postlane_mail::{Instant, Rate, Span};

/// One budget for first attempts, retries and connections. Its unit is one MAIL transaction;
/// a connection that carries none has cost one, too.
///
/// What was not used is gone: messages are spaced evenly, a lane that was idle for an hour
/// sends no burst, and no span as long as the rate's, wherever it begins, ever carries more
/// than the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pace: Option<Pace>,
    /// When the last unit was due, if one was taken.
    taken: Option<Instant>,
    not_before: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    /// From one unit to the next.
    gap: Span,
    /// How far behind its time a unit may be taken without moving the next one.
    slack: Span,
}

/// The slack's share of the rate's span. Timers wake late by a millisecond or two, and
/// without slack a lane of a thousand messages a second would lose a third of them. The gap
/// is longer by as much, so that what is caught up never exceeds the rate: 1 % is the
/// price. Chosen, not measured.
const SLACK_SHARE: u64 = 100;

/// The slack is no longer than this, so that slow rates pay nearly nothing.
const SLACK_MAX: Span = Span::from_ms(20);

impl Budget {
    /// A budget that allows a message at once, and then keeps to `rate`; without one it
    /// allows everything.
    pub fn new(rate: Option<Rate>) -> Self {
        Self { pace: rate.map(Pace::new), taken: None, not_before: Instant::default() }
    }

    /// Keeps to another rate, from the last message on.
    pub fn keep_to(&mut self, rate: Option<Rate>) {
        self.pace = rate.map(Pace::new);
    }

    /// Takes one unit.
    pub fn spend(&mut self, now: Instant) {
        let slack = self.pace.map_or(Span::ZERO, |pace| pace.slack);
        self.taken = Some(self.next().max(now - slack));
    }

    /// Allows nothing before then.
    pub fn wait_until(&mut self, until: Instant) {
        self.not_before = self.not_before.max(until);
    }

    /// When the next unit may be taken: now or before, if it may be taken at once.
    pub fn next(&self) -> Instant {
        let (Some(pace), Some(taken)) = (self.pace, self.taken) else { return self.not_before };
        self.not_before.max(taken + pace.gap)
    }
}

impl Pace {
    /// With N messages in a span P, units are due (P + slack) / N apart and taken at most a
    /// slack late: from any one to the Nth after it is P at least.
    fn new(rate: Rate) -> Self {
        let slack = SLACK_MAX.min(Span(rate.per().0 / SLACK_SHARE));
        let gap = (rate.per() + slack).0.div_ceil(u64::from(rate.messages()));
        Self { gap: Span(gap), slack }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_idle_hour_saves_nothing_up() {
        let mut budget = Budget::new(Rate::new(60, Span::from_min(1)));
        budget.spend(Instant::from_unix_s(10));
        let now = Instant::from_unix_s(3600);
        budget.spend(now);
        assert!(budget.next() > now + Span::from_ms(970));
        budget.spend(now + Span::from_s(1));
        assert!(budget.next() > now + Span::from_ms(1970));
    }

    #[test]
    fn a_new_rate_counts_from_the_last_message() {
        let mut budget = Budget::new(Rate::new(1, Span::from_h(24)));
        let now = Instant::from_unix_s(1_000);
        budget.spend(now);
        budget.keep_to(Rate::new(60, Span::from_min(1)));
        assert!(budget.next() < now + Span::from_ms(1_001));
        budget.keep_to(None);
        assert!(budget.next() <= now);
    }

    #[test]
    fn a_wait_outlasts_a_new_rate() {
        let mut budget = Budget::new(None);
        budget.wait_until(Instant::from_unix_s(500));
        budget.keep_to(Rate::new(60, Span::from_min(1)));
        assert_eq!(budget.next(), Instant::from_unix_s(500));
    }

    /// Spends as greedily as can be, looking at the clock after each wait.
    fn greedy(rate: Rate, waits_us: &[u64]) -> Vec<Instant> {
        let mut budget = Budget::new(Some(rate));
        let mut now = Instant::from_unix_s(1_000);
        let mut sent = Vec::new();
        for wait in waits_us {
            now = now + Span(*wait);
            while budget.next() <= now && sent.len() < 20_000 {
                budget.spend(now);
                sent.push(now);
            }
        }
        sent
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_span_ever_carries_more_than_the_rate(
            messages in 1u32..5000,
            per_s in 1u64..100,
            waits_us in proptest::collection::vec(0u64..2_000_000, 1..300),
        ) {
            let rate = Rate::new(messages, Span::from_s(per_s)).unwrap();
            let sent = greedy(rate, &waits_us);
            for (first, next) in sent.iter().zip(sent.iter().skip(messages as usize)) {
                prop_assert!(next.since(*first) >= rate.per());
            }
        }

        #[test]
        fn timers_that_are_a_little_late_cost_no_more_than_the_slack(late_us in 0u64..2_000) {
            let rate = Rate::new(1000, Span::from_s(1)).unwrap();
            let mut budget = Budget::new(Some(rate));
            let start = Instant::from_unix_s(1_000);
            let (mut now, mut sent) = (start, 0);
            while now < start + Span::from_s(10) {
                while budget.next() <= now {
                    budget.spend(now);
                    sent += 1;
                }
                now = budget.next() + Span(late_us);
            }
            prop_assert!((9_880..=10_000).contains(&sent), "{sent}");
        }
    }
}
