//! So many in each window of a clock: `n[⌊(t−phase)/W⌋] + 1 ≤ Q(t)`.

use super::asked::Asked;
use super::window::{begin_of, window_of};
use crate::ms::Ms;
use crate::scenario::Limit;

/// What was counted in the youngest window.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fixed {
    window: i64,
    count: u64,
}

impl Fixed {
    pub(super) fn count(&self, limit: &Limit, at: Ms) -> u64 {
        if window_of(limit, at) == self.window { self.count } else { 0 }
    }

    pub(super) fn charge(&mut self, limit: &Limit, at: Ms) {
        self.count = self.count(limit, at) + 1;
        self.window = window_of(limit, at);
    }

    pub(super) fn admits_from(&self, asked: &Asked<'_>) -> Option<Ms> {
        let mut from = asked.at;
        for _ in 0..3_000 {
            if self.count(asked.limit, from) as f64 <= asked.room(from) {
                return Some(from);
            }
            let next = begin_of(asked.limit, window_of(asked.limit, from) + 1);
            let turn = asked.quota.next_turn(from);
            // In an empty window only the quota's turn can help.
            from = if self.count(asked.limit, from) == 0 {
                turn?
            } else {
                turn.map_or(next, |turn| turn.min(next))
            };
        }
        None
    }
}
