//! A smoothed rate, as of Exim's `ratelimit`: `r' = (1−e^{−i/W})·W/i + e^{−i/W}·r`, where i is
//! the time since the last that was counted.

use super::asked::Asked;
use crate::ms::Ms;
use crate::quota::EPSILON;

/// The rate there was, and when; none before the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ewma {
    last: Option<(f64, Ms)>,
}

impl Ewma {
    /// The rate with one more, per window.
    pub(super) fn with_one_more(&self, window: Ms, at: Ms) -> f64 {
        let Some((rate, last)) = self.last else { return 1.0 };
        let since = at.since(last).0.max(1) as f64 / window.0 as f64;
        let kept = (-since).exp();
        // The same as 1 − e^{−i/W}, and exact where that is small.
        -(-since).exp_m1() / since + kept * rate
    }

    /// The rate without one more.
    pub(super) fn now(&self, window: Ms, at: Ms) -> f64 {
        self.last
            .map_or(0.0, |(rate, last)| rate * (-(at.since(last).0 as f64) / window.0 as f64).exp())
    }

    pub(super) fn charge(&mut self, window: Ms, at: Ms) {
        self.last = Some((self.with_one_more(window, at), at));
    }

    pub(super) fn admits_from(&self, asked: &Asked<'_>) -> Option<Ms> {
        let window = asked.limit.window;
        let mut from = asked.at;
        for _ in 0..3_000 {
            let quota = asked.quota_at(from) + EPSILON;
            let turn = asked.quota.next_turn(from);
            let fits = |at: Ms| self.with_one_more(window, at) <= quota;
            if let Some(at) = first_from(from, turn.unwrap_or(from + Ms::MAX), fits) {
                return Some(at);
            }
            from = turn?;
        }
        None
    }
}

/// The first moment in `[from, end)` when it fits, of a rate that only falls.
fn first_from(from: Ms, end: Ms, fits: impl Fn(Ms) -> bool) -> Option<Ms> {
    if from >= end || !fits(Ms(end.0 - 1)) {
        return None;
    }
    let (mut low, mut high) = (from.0, end.0 - 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if fits(Ms(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(Ms(low))
}
