//! So many in any window: `#{charged in (t−W, t]} + 1 ≤ Q(t)`.

use std::collections::VecDeque;

use super::asked::Asked;
use crate::ms::Ms;

/// When something was counted, as far back as the window reaches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sliding {
    charged: VecDeque<Ms>,
}

impl Sliding {
    pub(super) fn count(&mut self, window: Ms, at: Ms) -> usize {
        while self.charged.front().is_some_and(|first| *first + window <= at) {
            self.charged.pop_front();
        }
        self.charged.len()
    }

    pub(super) fn charge(&mut self, at: Ms) {
        self.charged.push_back(at);
    }

    /// Goes from one moment to the next when an old one leaves or the quota turns.
    pub(super) fn admits_from(&mut self, asked: &Asked<'_>) -> Option<Ms> {
        let count = self.count(asked.limit.window, asked.at);
        let mut from = asked.at;
        // Two years of turns at four a day are looked through; nothing is ever that far off.
        for _ in 0..3_000 {
            let turn = asked.quota.next_turn(from);
            let room = asked.room(from);
            if room >= 0.0 {
                let leaving = count.saturating_sub(room.floor() as usize);
                let fits = match leaving.checked_sub(1).and_then(|last| self.charged.get(last)) {
                    Some(last) => (*last + asked.limit.window).max(from),
                    None => from,
                };
                if turn.is_none_or(|turn| fits < turn) {
                    return Some(fits);
                }
            }
            from = turn?;
        }
        None
    }
}
