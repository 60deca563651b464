//! The ladder of a restart plan: how many messages on which day.

use postlane_mail::{Instant, Span};

/// Day caps, lowest first, and what must be so before the next one holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    days: Box<[u32]>,
    /// Sends in a row that must have been stable before the cap is raised; 1 or more.
    pub stable_sends: u8,
    /// A day with a larger share of fresh deferrals, in parts of 10,000, raises nothing.
    pub healthy: u16,
    /// A wave: from this share of fresh deferrals on, in parts of 10,000, the plan rolls back.
    pub stop: u16,
    /// How long after midnight UTC a day begins; less than 24 h.
    pub day_begins: Span,
    /// What a sign that nobody can see does to the raise.
    pub unseen: Unseen,
}

/// What is done about a sign that is not known. It is never taken for a clean one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unseen {
    /// The cap is raised without it, and the judgement says so.
    #[default]
    Raise,
    /// The cap stays until somebody says that it is clean.
    Stay,
}

/// A day of a plan, counted from 1970 on by the plan's own turn of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub u32);

/// Why these are no days of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LadderError {
    /// None, or more than [`Ladder::DAYS_MAX`].
    #[error("a restart plan has 1 to 64 days, each with its cap: 50,100,200,400")]
    Days,
    /// A cap of zero would never move.
    #[error("a day's cap is 1 message at least; to send nothing, pause the lane")]
    Zero,
    /// A later day allows less.
    #[error("a day's cap is no smaller than the day's before: write them in rising order")]
    Falling,
}

const DAY: Span = Span::from_h(24);

impl Ladder {
    /// Days of a ladder, at most. Chosen, not measured.
    pub const DAYS_MAX: usize = 64;

    /// A ladder with the built-in rule: two stable sends, 2 % and 10 %, days from midnight UTC.
    pub fn new(days: impl Into<Box<[u32]>>) -> Result<Self, LadderError> {
        let days = days.into();
        if days.is_empty() || days.len() > Self::DAYS_MAX {
            return Err(LadderError::Days);
        }
        if days.contains(&0) {
            return Err(LadderError::Zero);
        }
        if !days.is_sorted() {
            return Err(LadderError::Falling);
        }
        let (stable_sends, healthy, stop) = (2, 200, 1000);
        let unseen = Unseen::Raise;
        Ok(Self { days, stable_sends, healthy, stop, day_begins: Span::ZERO, unseen })
    }

    /// The caps, lowest first.
    pub fn days(&self) -> &[u32] {
        &self.days
    }

    /// The cap of a level, from 0; the last one's above it.
    pub fn cap(&self, level: u16) -> u32 {
        let level = usize::from(level).min(self.days.len().saturating_sub(1));
        self.days.get(level).copied().unwrap_or(1)
    }

    /// The highest level.
    pub fn top(&self) -> u16 {
        u16::try_from(self.days.len().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    /// The day at a moment.
    pub fn day_at(&self, now: Instant) -> Day {
        let shifted = (now - self.day_begins).0 / DAY.0;
        Day(u32::try_from(shifted).unwrap_or(u32::MAX))
    }

    /// When a day is over.
    pub fn end_of(&self, day: Day) -> Instant {
        Instant(0) + self.day_begins + DAY.times(u64::from(day.0) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_rises_and_is_never_empty() {
        assert_eq!(Ladder::new([]), Err(LadderError::Days));
        assert_eq!(Ladder::new([50, 0]), Err(LadderError::Zero));
        assert_eq!(Ladder::new([50, 40]), Err(LadderError::Falling));
        assert_eq!(Ladder::new(vec![1; 65]), Err(LadderError::Days));
        let ladder = Ladder::new([50, 100, 100]).unwrap();
        assert_eq!((ladder.cap(0), ladder.cap(9), ladder.top()), (50, 100, 2));
    }

    #[test]
    fn a_day_turns_where_the_plan_says() {
        let mut ladder = Ladder::new([50]).unwrap();
        ladder.day_begins = Span::from_h(5);
        let at = |h: u64| Instant(0) + Span::from_h(h);
        assert_eq!(ladder.day_at(at(24 + 4)), Day(0));
        assert_eq!(ladder.day_at(at(24 + 5)), Day(1));
        assert_eq!(ladder.end_of(Day(0)), at(24 + 5));
    }
}
