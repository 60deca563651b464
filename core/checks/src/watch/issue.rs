//! What is wrong with a domain, from when to when: a finding that stays until it is seen fixed.

use std::collections::BTreeMap;

use postlane_mail::Instant;

use crate::check::{Finding, Outcome};

/// Something that is wrong with a domain, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// [`Outcome::Warn`] or [`Outcome::Fail`], as it was seen last.
    pub outcome: Outcome,
    /// What was seen last.
    pub evidence: String,
    /// What to do; empty where nobody knows.
    pub remedy: String,
    /// Where that is written.
    pub reference: String,
    /// When it was seen first.
    pub opened: Instant,
    /// When it was seen last.
    pub seen: Instant,
    /// When it was first seen to be right, since it was last seen wrong.
    pub right: Option<Instant>,
    /// When it was seen to be right for the second time in turn; none while it is open.
    pub resolved: Option<Instant>,
}

/// What a look has turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueTurn {
    /// It is new, or back.
    Opened,
    /// It is seen fixed.
    Resolved,
}

/// All that is wrong with a domain or was, by the check's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Issues(BTreeMap<String, Issue>);

impl Issues {
    /// Those that were kept.
    pub fn restored(kept: impl IntoIterator<Item = (String, Issue)>) -> Self {
        Self(kept.into_iter().collect())
    }

    /// Takes in what a look has found; gives what has turned. What could not be found out is
    /// neither wrong nor right.
    pub fn look(&mut self, now: Instant, findings: &[Finding]) -> Vec<(&'static str, IssueTurn)> {
        let mut turns = Vec::new();
        for finding in findings {
            let known = self.0.get_mut(finding.id);
            match finding.outcome {
                Outcome::Error => {}
                Outcome::Warn | Outcome::Fail => match known {
                    Some(issue) if issue.resolved.is_none() => issue.see(now, finding),
                    _ => {
                        self.0.insert(finding.id.to_owned(), Issue::new(now, finding));
                        turns.push((finding.id, IssueTurn::Opened));
                    }
                },
                Outcome::Pass | Outcome::Info | Outcome::Skip => {
                    if known.is_some_and(|issue| issue.is_resolved_by(now)) {
                        turns.push((finding.id, IssueTurn::Resolved));
                    }
                }
            }
        }
        turns
    }

    /// All of them, by the check's name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Issue)> {
        self.0.iter().map(|(check, issue)| (&**check, issue))
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.0.values().filter(|issue| issue.resolved.is_none()).count()
    }
}

impl Issue {
    fn new(now: Instant, finding: &Finding) -> Self {
        Self {
            outcome: finding.outcome,
            evidence: finding.evidence.clone(),
            remedy: finding.remedy.clone().unwrap_or_default(),
            reference: finding.reference.to_owned(),
            opened: now,
            seen: now,
            right: None,
            resolved: None,
        }
    }

    fn see(&mut self, now: Instant, finding: &Finding) {
        let opened = self.opened;
        *self = Self { opened, ..Self::new(now, finding) };
    }

    /// It is seen to be right; whether that resolves it.
    fn is_resolved_by(&mut self, now: Instant) -> bool {
        match (self.resolved, self.right) {
            (Some(_), _) => false,
            (None, None) => {
                self.right = Some(now);
                false
            }
            (None, Some(first)) => {
                let is_later = now > first;
                self.resolved = is_later.then_some(now);
                is_later
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finding(outcome: Outcome) -> Finding {
        let evidence = outcome.as_str().to_owned();
        Finding { id: "SPF-01", outcome, evidence, remedy: None, reference: "RFC 7208" }
    }

    #[test]
    fn what_is_wrong_is_open_until_it_is_seen_right_twice() {
        let mut issues = Issues::default();
        let mut look = |at: u64, outcome| issues.look(Instant(at), &[finding(outcome)]);
        assert_eq!(look(1, Outcome::Fail), [("SPF-01", IssueTurn::Opened)]);
        assert_eq!(look(2, Outcome::Pass), []);
        assert_eq!(look(3, Outcome::Error), []);
        assert_eq!(look(4, Outcome::Pass), [("SPF-01", IssueTurn::Resolved)]);
        assert_eq!(look(5, Outcome::Pass), []);
        assert_eq!(look(6, Outcome::Warn), [("SPF-01", IssueTurn::Opened)]);
        assert_eq!(look(7, Outcome::Pass), []);
        assert_eq!(look(8, Outcome::Fail), []);
        assert_eq!(look(9, Outcome::Pass), []);
        assert_eq!(issues.open(), 1);
        let (_, issue) = issues.iter().next().unwrap();
        assert_eq!(
            (issue.opened, issue.seen, issue.right),
            (Instant(6), Instant(8), Some(Instant(9)))
        );
    }

    proptest! {
        #[test]
        fn opened_and_resolved_take_turns_whatever_is_found(story in proptest::collection::vec(0..6_usize, 1..80)) {
            use Outcome::{Error, Fail, Info, Pass, Skip, Warn};
            let all = [Pass, Info, Warn, Fail, Skip, Error];
            let (mut issues, mut is_open) = (Issues::default(), false);
            for (at, which) in story.into_iter().enumerate() {
                let now = Instant(u64::try_from(at).unwrap() + 1);
                for (_, turn) in issues.look(now, &[finding(all[which])]) {
                    prop_assert_eq!(turn == IssueTurn::Opened, !is_open);
                    is_open = turn == IssueTurn::Opened;
                }
                prop_assert_eq!(issues.open() == 1, is_open);
            }
        }
    }
}
