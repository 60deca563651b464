//! A limit that a provider keeps: so many in so long.

use postlane_mail::{Instant, Span};

use crate::history::History;
use crate::windows::permille;

/// A window and how many the provider takes in it, found out from its refusals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// The span it counts in.
    pub window: Span,
    /// How many it takes in any such span; at least 1.
    pub messages: u32,
    /// How often it has been seen to hold: 2 or more are relied on.
    pub support: u32,
    /// The next shorter window that it might be, as far as the refusals say.
    pub shorter: Option<Span>,
    /// Paid questions whether it takes one more.
    pub(crate) question: Question,
}

/// Whether a quota takes one more: asked seldom, since a wrong answer is a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Question {
    /// Questions in a row that were answered with yes.
    pub(crate) run: u32,
    /// Windows to wait after the next no.
    pub(crate) patience: u32,
    /// Not asked before.
    pub(crate) not_before: Instant,
}

/// What a quota leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Left,
    /// None, until then.
    After(Instant),
    /// None, until one that is under way is over.
    UnderWay,
}

/// What a lane has done, as far as quotas count it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counted {
    /// Everything but what was greylisted.
    pub(crate) all: History,
    /// Of that, what was not transactional.
    pub(crate) bulk: History,
    pub(crate) accepted: History,
}

impl Quota {
    pub(crate) fn new(window: Span, messages: u64, support: u32) -> Self {
        let messages = u32::try_from(messages).unwrap_or(u32::MAX).max(1);
        Self { window, messages, support, shorter: None, question: Question::default() }
    }

    /// Whether it is relied on.
    pub fn is_confirmed(&self) -> bool {
        self.support >= 2
    }

    /// The window, and a little more: the provider's clock starts when it hears us, not when we
    /// speak. Half a percent and half a second, chosen, not measured.
    pub(crate) fn with_margin(&self) -> Span {
        self.window + permille(self.window, 5) + Span::from_ms(500)
    }

    /// Whether one more fits, besides those under way.
    pub(crate) fn room(&self, history: &History, limit: u64, under_way: u64, now: Instant) -> Room {
        let window = self.with_margin();
        let used = history.within(window, now) + under_way;
        if used < limit {
            return Room::Left;
        }
        match limit.checked_sub(1 + under_way) {
            Some(left) => Room::After(history.falls_to(window, left)),
            None if under_way > 0 => Room::UnderWay,
            None => Room::After(now + permille(self.window, 100)),
        }
    }

    /// Whether a count is this quota's, give or take (LANES §5).
    pub(crate) fn is_about(&self, count: u64) -> bool {
        let quota = f64::from(self.messages);
        (count as f64 - quota).abs() <= (0.15 * quota).max(1.0)
    }

    /// Messages a second, over the whole window.
    pub fn pace(&self) -> f64 {
        f64::from(self.messages) / (self.window.0 as f64 / 1e6)
    }
}
