//! Too many unknown recipients: nothing is taken for a time.

use std::collections::VecDeque;

use crate::ms::Ms;

/// Who was written to within the window, and until when nothing is taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// When, and whether the recipient was unknown.
    written: VecDeque<(Ms, bool)>,
    unknown: u32,
    until: Ms,
}

/// What is too much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooMuch {
    pub(crate) window: Ms,
    pub(crate) ratio: f64,
    pub(crate) min_n: u32,
    pub(crate) min_delay: Ms,
}

impl Record {
    pub(crate) fn blocked_until(&self, at: Ms) -> Option<Ms> {
        (at < self.until).then_some(self.until)
    }

    /// Someone was written to, whatever was answered.
    pub(crate) fn write(&mut self, too_much: TooMuch, at: Ms, unknown: bool) {
        self.written.push_back((at, unknown));
        self.unknown += u32::from(unknown);
        while let Some((first, was_unknown)) = self.written.front().copied()
            && first + too_much.window <= at
        {
            self.written.pop_front();
            self.unknown -= u32::from(was_unknown);
        }
        let all = self.written.len();
        let is_too_much =
            all >= too_much.min_n as usize && f64::from(self.unknown) / all as f64 > too_much.ratio;
        if self.blocked_until(at).is_none() && is_too_much {
            self.until = at + too_much.min_delay;
            self.written.clear();
            self.unknown = 0;
        }
    }
}
