//! The box: where those go who do not listen.

use std::collections::VecDeque;

use crate::ms::Ms;
use crate::scenario::{Extend, Penalty};

/// One key's way into the box and out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Boxed {
    /// When this limit refused: the youngest, as many as it takes.
    refusals: VecDeque<Ms>,
    until: Ms,
    hold: Ms,
}

impl Boxed {
    /// Until when everything is refused, if it is.
    pub(crate) fn until(&self, at: Ms) -> Option<Ms> {
        (at < self.until).then_some(self.until)
    }

    /// The limit has refused, in the box or not.
    pub(crate) fn refused(&mut self, penalty: &Penalty, at: Ms) {
        self.refusals.push_back(at);
        while self.refusals.front().is_some_and(|first| *first + penalty.within < at)
            || self.refusals.len() > penalty.after as usize
        {
            self.refusals.pop_front();
        }
        if at < self.until {
            self.extend(penalty, at);
        } else if self.refusals.len() >= penalty.after as usize {
            self.refusals.clear();
            self.hold = penalty.hold;
            self.until = at + penalty.hold;
        }
    }

    fn extend(&mut self, penalty: &Penalty, at: Ms) {
        match penalty.extend {
            Extend::None => return,
            Extend::Reset => {}
            Extend::Double => self.hold = Ms(self.hold.0.saturating_mul(2)).min(penalty.max),
        }
        self.until = self.until.max(at + self.hold);
    }
}
