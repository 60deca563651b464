//! A bucket of tokens that starts full and is filled at a rate, times identity and time of day.

use super::asked::Asked;
use crate::ms::Ms;
use crate::quota::EPSILON;
use crate::scenario::Kind;

/// The tokens there were, and when.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    tokens: f64,
    at: Ms,
}

impl Bucket {
    pub(super) fn full(quota_at_start: f64) -> Self {
        Self { tokens: quota_at_start, at: Ms(0) }
    }

    /// The tokens there are, filled piece by piece between the turns of quota and factor.
    pub(super) fn tokens(&mut self, asked: &Asked<'_>) -> f64 {
        let rate = rate_per_ms(asked);
        while self.at < asked.at {
            let turn = asked.quota.next_turn(self.at).unwrap_or(asked.at);
            self.fill_to(turn.min(asked.at), rate, asked);
        }
        self.tokens = self.tokens.min(asked.quota_at(asked.at));
        self.tokens
    }

    /// Within one piece.
    fn fill_to(&mut self, to: Ms, rate: f64, asked: &Asked<'_>) {
        let added = rate * asked.quota.factor(self.at) * to.since(self.at).0 as f64;
        self.tokens = (self.tokens + added).min(asked.quota_at(self.at));
        self.at = to;
    }

    pub(super) fn charge(&mut self, asked: &Asked<'_>) {
        self.tokens = (self.tokens(asked) - 1.0).max(0.0);
    }

    pub(super) fn admits_from(&mut self, asked: &Asked<'_>) -> Option<Ms> {
        self.tokens(asked);
        let rate = rate_per_ms(asked);
        let mut ahead = self.clone();
        for _ in 0..3_000 {
            let quota = asked.quota_at(ahead.at);
            ahead.tokens = ahead.tokens.min(quota);
            let turn = asked.quota.next_turn(ahead.at);
            let missing = (1.0 - EPSILON - ahead.tokens).max(0.0);
            let speed = rate * asked.quota.factor(ahead.at);
            if quota >= 1.0 - EPSILON && (missing == 0.0 || speed > 0.0) {
                let wait = if missing == 0.0 { 0.0 } else { (missing / speed).ceil() };
                let fits = ahead.at + Ms(wait as u64);
                if turn.is_none_or(|turn| fits < turn) {
                    return Some(fits);
                }
            }
            ahead.fill_to(turn?, rate, asked);
        }
        None
    }
}

fn rate_per_ms(asked: &Asked<'_>) -> f64 {
    match asked.limit.kind {
        Kind::Bucket { rate } => rate.per_ms(),
        _ => 0.0,
    }
}
