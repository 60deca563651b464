//! A set of latencies told in a few numbers.

use serde_json::{Value, json};

/// Percentiles of a set of latencies, in microseconds.
pub(crate) struct Summary {
    sorted_us: Vec<u64>,
}

impl Summary {
    /// The summary of these latencies, in any order.
    pub(crate) fn of(mut us: Vec<u64>) -> Self {
        us.sort_unstable();
        Self { sorted_us: us }
    }

    /// The latency that `share` (0 to 1) of the set stays under; 0 for an empty set.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let at = (self.sorted_us.len() as f64 * share) as usize;
        self.sorted_us.get(at).or_else(|| self.sorted_us.last()).copied().unwrap_or(0)
    }

    fn mean(&self) -> f64 {
        let sum: u128 = self.sorted_us.iter().map(|us| u128::from(*us)).sum();
        if self.sorted_us.is_empty() { 0.0 } else { sum as f64 / self.sorted_us.len() as f64 }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "n": self.sorted_us.len(),
            "mean": (self.mean() * 10.0).round() / 10.0,
            "p50": self.quantile(0.50),
            "p90": self.quantile(0.90),
            "p99": self.quantile(0.99),
            "p999": self.quantile(0.999),
            "max": self.sorted_us.last().copied().unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_read_from_the_sorted_set() {
        let summary = Summary::of((1..=100).rev().collect());
        assert_eq!(summary.quantile(0.50), 51);
        assert_eq!(summary.quantile(0.99), 100);
        assert_eq!(summary.quantile(1.0), 100);
    }

    #[test]
    fn an_empty_set_is_all_zero() {
        assert_eq!(Summary::of(Vec::new()).json()["p99"], 0);
    }
}
