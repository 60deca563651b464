//! The budget: when the next message may go.

use postlane_mail::{Instant, Rate, Span};

/// One budget for first attempts, retries and connections. Its unit is one MAIL transaction;
/// a connection that carries none has cost one, too.
///
/// What was not used is gone: messages are spaced by the rate's gap, and a lane that was
/// idle for an hour sends no burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    gap: Span,
    next: Instant,
}

/// How far a budget may fall behind the clock and catch up.
///
/// Why not nothing? Timers wake late by a millisecond or two, and without it a lane of a
/// thousand messages a second would lose a third of them. Why so little? It is all the burst
/// there will ever be: at 100 messages a minute, none. Chosen, not measured.
const CATCH_UP: Span = Span::from_ms(20);

impl Budget {
    /// A budget that allows a message at once, and then keeps to `rate`; without one it
    /// allows everything.
    pub fn new(rate: Option<Rate>) -> Self {
        Self { gap: rate.map_or(Span::ZERO, Rate::gap), next: Instant::default() }
    }

    /// Keeps to another rate from the next message on.
    pub fn keep_to(&mut self, rate: Option<Rate>) {
        self.gap = rate.map_or(Span::ZERO, Rate::gap);
    }

    /// Takes one unit.
    pub fn spend(&mut self, now: Instant) {
        let behind = Instant(now.0.saturating_sub(CATCH_UP.0));
        self.next = self.next.max(behind) + self.gap;
    }

    /// Allows nothing before then.
    pub fn wait_until(&mut self, until: Instant) {
        self.next = self.next.max(until);
    }

    /// When the next unit may be taken: now or before, if it may be taken at once.
    pub fn next(&self) -> Instant {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Rate;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_idle_hour_saves_nothing_up() {
        let mut budget = Budget::new(Rate::new(60, Span::from_min(1)));
        let now = Instant::from_unix_s(3600);
        budget.spend(now);
        budget.spend(now + Span::from_s(1));
        assert!(budget.next() >= now + Span::from_ms(1980));
    }

    proptest! {
        #[test]
        fn no_minute_carries_more_than_the_rate(
            messages in 1u32..5000,
            waits_us in proptest::collection::vec(0u64..5_000_000, 1..300),
        ) {
            let rate = Rate::new(messages, Span::from_min(1)).unwrap();
            let mut budget = Budget::new(Some(rate));
            let mut now = Instant::from_unix_s(1_000);
            let mut sent = Vec::new();
            for wait in waits_us {
                now = now + Span(wait);
                // As greedy as can be.
                while budget.next() <= now && sent.len() < 20_000 {
                    budget.spend(now);
                    sent.push(now);
                }
            }
            // What may be caught up, and the one that opens the minute.
            let slack = u64::from(messages) * CATCH_UP.0 / Span::from_min(1).0 + 2;
            for (i, first) in sent.iter().enumerate().step_by(7) {
                let end = *first + Span::from_min(1);
                let within = sent[i..].iter().take_while(|at| **at < end).count() as u64;
                prop_assert!(within <= u64::from(messages) + slack, "{within} of {messages}");
            }
        }
    }
}
