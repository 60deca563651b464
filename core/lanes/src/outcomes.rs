//! How the last first attempts went.

use std::collections::VecDeque;

/// The share of fresh deferrals: of the last first attempts, those that the provider put off for
/// reasons of the lane's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcomes {
    last: VecDeque<bool>,
    deferred: usize,
}

/// So many are looked at (LANES, State).
const LOOKED_AT: usize = 150;

impl Outcomes {
    pub(crate) fn record(&mut self, deferred: bool) {
        self.last.push_back(deferred);
        self.deferred += usize::from(deferred);
        if self.last.len() > LOOKED_AT {
            self.deferred -= usize::from(self.last.pop_front().unwrap_or_default());
        }
    }

    /// From 0 to 1; 0 while there were none.
    pub(crate) fn deferred(&self) -> f64 {
        self.deferred as f64 / self.last.len().max(1) as f64
    }
}
