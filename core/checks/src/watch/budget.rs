//! How many questions lists are asked: so many in a minute, and so many of one list in a day.
//!
//! Lists that are free are so for those who ask little, and say how much that is.

use std::collections::BTreeMap;

use postlane_mail::Instant;

/// Questions, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of all lists in a minute.
    pub minute: u32,
    /// Of one list in a day (UTC).
    pub day: u32,
}

/// What was asked so far.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    minute: (u64, u32),
    days: BTreeMap<Box<str>, (u64, u32)>,
    asked: u64,
    put_off: u64,
}

impl Budget {
    /// Takes so many questions to a list out of what is left, all or none. Where there is not
    /// enough left that is counted, and the questions wait.
    pub fn takes(&mut self, now: Instant, list: &str, questions: u32, limits: Limits) -> bool {
        let of_minute = current(self.minute, now.unix_s() / 60);
        let day = now.unix_s() / 86_400;
        let of_day = current(self.days.get(list).copied().unwrap_or_default(), day);
        let fits = |used: u32, most: u32| used.saturating_add(questions) <= most;
        // What never fits would never be asked: a minute that nothing was asked in will do.
        let in_minute = fits(of_minute.1, limits.minute) || of_minute.1 == 0;
        if !in_minute || !fits(of_day.1, limits.day) {
            self.put_off = self.put_off.saturating_add(1);
            return false;
        }
        self.minute = (of_minute.0, of_minute.1.saturating_add(questions));
        self.days.insert(list.into(), (of_day.0, of_day.1.saturating_add(questions)));
        self.asked = self.asked.saturating_add(questions.into());
        true
    }

    /// Questions asked so far.
    pub const fn asked(&self) -> u64 {
        self.asked
    }

    /// How often questions had to wait because there were too many.
    pub const fn put_off(&self) -> u64 {
        self.put_off
    }

    /// Questions that one list was asked today.
    pub fn today(&self, now: Instant, list: &str) -> u32 {
        current(self.days.get(list).copied().unwrap_or_default(), now.unix_s() / 86_400).1
    }
}

fn current((number, used): (u64, u32), now: u64) -> (u64, u32) {
    if number == now { (number, used) } else { (now, 0) }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;

    use super::*;

    const LIMITS: Limits = Limits { minute: 10, day: 20 };

    #[test]
    fn no_more_is_asked_in_a_minute_or_of_a_list_in_a_day_than_is_allowed() {
        let mut budget = Budget::default();
        let begin = Instant::from_unix_s(86_400 * 100);
        assert!(budget.takes(begin, "zen", 6, LIMITS));
        assert!(!budget.takes(begin, "psbl", 6, LIMITS));
        assert!(budget.takes(begin, "psbl", 4, LIMITS));
        let next = begin + Span::from_min(1);
        assert!(budget.takes(next, "zen", 10, LIMITS));
        let third = begin + Span::from_min(2);
        assert!(!budget.takes(third, "zen", 5, LIMITS), "the list's day is over");
        assert!(budget.takes(third, "zen", 4, LIMITS));
        assert_eq!((budget.asked(), budget.put_off(), budget.today(third, "zen")), (24, 2, 20));
        let tomorrow = begin + Span::from_h(24);
        assert!(budget.takes(tomorrow, "zen", 5, LIMITS));
        assert_eq!(budget.today(tomorrow, "zen"), 5);
    }

    #[test]
    fn what_is_more_than_a_minute_holds_is_asked_in_one_of_its_own() {
        let mut budget = Budget::default();
        let now = Instant::from_unix_s(86_400);
        let wide = Limits { minute: 3, day: 100 };
        assert!(budget.takes(now, "zen", 7, wide));
        assert!(!budget.takes(now, "zen", 1, wide));
        assert!(budget.takes(now + Span::from_min(1), "zen", 7, wide));
    }
}
