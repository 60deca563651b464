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

/// What one list was asked in one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListDay {
    /// The list, by its id.
    pub list: Box<str>,
    /// The day, in days since 1970 (UTC).
    pub day: u64,
    /// Questions, so far.
    pub questions: u32,
}

impl Budget {
    /// What was left of the days that are given: a program that begins again is allowed no more
    /// than one that goes on. Of a list's days the latest counts, and of two of one day the fuller.
    pub fn restored(days: impl IntoIterator<Item = ListDay>) -> Self {
        let mut budget = Self::default();
        for ListDay { list, day, questions } in days {
            let known = budget.days.entry(list).or_default();
            *known = (*known).max((day, questions));
        }
        budget
    }

    /// What is to be kept for [`Self::restored`]: of each list its latest day, but for those that
    /// are over.
    pub fn days(&self, now: Instant) -> impl Iterator<Item = ListDay> {
        let today = now.unix_s() / 86_400;
        let days = self.days.iter().filter(move |(_, (day, _))| *day >= today);
        days.map(|(list, (day, questions))| ListDay {
            list: list.clone(),
            day: *day,
            questions: *questions,
        })
    }

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
    use proptest::prelude::*;

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
    fn of_what_was_kept_of_a_list_the_most_counts_and_days_that_are_over_are_not_kept() {
        let day = |day, questions| ListDay { list: "zen".into(), day, questions };
        let budget = Budget::restored([day(7, 5), day(8, 3), day(8, 2), day(6, 9)]);
        let at = |day: u64| Instant::from_unix_s(day * 86_400 + 1);
        assert_eq!((budget.today(at(8), "zen"), budget.today(at(7), "zen")), (3, 0));
        assert_eq!(budget.days(at(8)).collect::<Vec<_>>(), [day(8, 3)]);
        assert_eq!(budget.days(at(9)).count(), 0);
    }

    proptest! {
        /// However often a relay is started again, and whatever it asks in between.
        #[test]
        fn a_restart_grants_no_question_more_in_a_day(
            steps in proptest::collection::vec(
                (0_u64..40_000, 0_usize..3, 1_u32..9, proptest::bool::ANY), 1..80),
        ) {
            let (mut now, mut budget) = (Instant::from_unix_s(86_400 * 100), Budget::default());
            let mut granted: BTreeMap<(u64, &str), u32> = BTreeMap::new();
            for (wait_s, list, questions, is_restart) in steps {
                now = now + Span::from_s(wait_s);
                let list = ["psbl", "surbl", "zen"][list];
                if is_restart {
                    let before = budget.today(now, list);
                    budget = Budget::restored(budget.days(now));
                    prop_assert_eq!(budget.today(now, list), before);
                }
                let of_day = granted.entry((now.unix_s() / 86_400, list)).or_default();
                let is_granted = budget.takes(now, list, questions, LIMITS);
                *of_day += if is_granted { questions } else { 0 };
                prop_assert!(*of_day <= LIMITS.day, "{} of {list}", of_day);
                prop_assert_eq!(budget.today(now, list), *of_day);
            }
        }
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
