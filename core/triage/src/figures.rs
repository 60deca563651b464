//! Sums of tallies: what a provider did with the mail of a source, or of all.

use std::collections::BTreeMap;

use postlane_replies::Label;

use crate::group::Group;
use crate::picture::{Kind, Tally, Turn};
use crate::share::Share;

/// Sums of tallies. Counts stop at the largest number instead of wrapping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// First attempts.
    pub fresh: Turned,
    /// Later attempts.
    pub retried: Turned,
    /// Recipients that had waited as long as they may.
    pub expired: u64,
    /// Refusals by what was said: deferred, bounced and unreached together.
    pub labels: BTreeMap<Label, u64>,
}

/// Attempts of one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turned {
    /// Recipients that were taken over.
    pub accepted: u64,
    /// Recipients deferred.
    pub deferred: u64,
    /// Recipients refused for good.
    pub bounced: u64,
    /// Sessions that did not come about.
    pub unreached: u64,
    /// Of deferred, bounced and unreached: those that are held against us.
    pub trouble: u64,
}

impl Turned {
    /// All attempts.
    pub fn attempts(self) -> u64 {
        self.accepted
            .saturating_add(self.deferred)
            .saturating_add(self.bounced)
            .saturating_add(self.unreached)
    }

    /// How many attempts were refused by something that is held against us.
    pub fn trouble_share(self) -> Share {
        Share::new(self.trouble, self.attempts())
    }

    fn join(&mut self, others: Self) {
        self.accepted = self.accepted.saturating_add(others.accepted);
        self.deferred = self.deferred.saturating_add(others.deferred);
        self.bounced = self.bounced.saturating_add(others.bounced);
        self.unreached = self.unreached.saturating_add(others.unreached);
        self.trouble = self.trouble.saturating_add(others.trouble);
    }

    fn leave_out(&mut self, others: Self) {
        self.accepted = self.accepted.saturating_sub(others.accepted);
        self.deferred = self.deferred.saturating_sub(others.deferred);
        self.bounced = self.bounced.saturating_sub(others.bounced);
        self.unreached = self.unreached.saturating_sub(others.unreached);
        self.trouble = self.trouble.saturating_sub(others.trouble);
    }

    fn add(&mut self, tally: &Tally, group: Option<Group>) {
        let place = match tally.kind {
            Kind::Accepted => &mut self.accepted,
            Kind::Deferred => &mut self.deferred,
            Kind::Bounced => &mut self.bounced,
            Kind::Unreached => &mut self.unreached,
            Kind::Expired => return,
        };
        *place = place.saturating_add(tally.count);
        if group.is_some_and(Group::is_trouble) {
            self.trouble = self.trouble.saturating_add(tally.count);
        }
    }
}

impl Figures {
    /// The sum of these tallies.
    pub fn of<'t>(tallies: impl IntoIterator<Item = &'t Tally>) -> Self {
        let mut figures = Self::default();
        for tally in tallies {
            figures.add(tally);
        }
        figures
    }

    /// Counts one more tally.
    pub fn add(&mut self, tally: &Tally) {
        if tally.kind == Kind::Expired {
            self.expired = self.expired.saturating_add(tally.count);
            return;
        }
        let group = (tally.kind != Kind::Accepted).then(|| group_of(tally));
        let turned = match tally.turn {
            Turn::Fresh => &mut self.fresh,
            Turn::Retry => &mut self.retried,
        };
        turned.add(tally, group);
        if group.is_some() {
            let label = label_of(tally);
            let count = self.labels.entry(label).or_default();
            *count = count.saturating_add(tally.count);
        }
    }

    /// Counts all that stands in others.
    pub fn join(&mut self, others: &Self) {
        self.fresh.join(others.fresh);
        self.retried.join(others.retried);
        self.expired = self.expired.saturating_add(others.expired);
        for (label, count) in &others.labels {
            let sum = self.labels.entry(*label).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// What is left without others, which are among these.
    pub(crate) fn without(mut self, others: &Self) -> Self {
        self.fresh.leave_out(others.fresh);
        self.retried.leave_out(others.retried);
        self.expired = self.expired.saturating_sub(others.expired);
        for (label, count) in &others.labels {
            let left = self.labels.get(label).copied().unwrap_or_default().saturating_sub(*count);
            match left {
                0 => self.labels.remove(label),
                left => self.labels.insert(*label, left),
            };
        }
        self
    }

    /// Recipients that were taken over.
    pub fn accepted(&self) -> u64 {
        self.fresh.accepted.saturating_add(self.retried.accepted)
    }

    /// Recipients deferred, each as often as it was.
    pub fn deferred(&self) -> u64 {
        self.fresh.deferred.saturating_add(self.retried.deferred)
    }

    /// Recipients refused for good.
    pub fn bounced(&self) -> u64 {
        self.fresh.bounced.saturating_add(self.retried.bounced)
    }

    /// Sessions that did not come about.
    pub fn unreached(&self) -> u64 {
        self.fresh.unreached.saturating_add(self.retried.unreached)
    }

    /// All attempts.
    pub fn attempts(&self) -> u64 {
        self.fresh.attempts().saturating_add(self.retried.attempts())
    }

    /// Refusals that are held against us.
    pub fn trouble(&self) -> u64 {
        self.fresh.trouble.saturating_add(self.retried.trouble)
    }

    /// Of all attempts, those refused by something that is held against us.
    pub fn trouble_share(&self) -> Share {
        Share::new(self.trouble(), self.attempts())
    }

    /// How many first attempts were accepted.
    pub fn first_attempt_share(&self) -> Share {
        Share::new(self.fresh.accepted, self.fresh.attempts())
    }

    /// How many attempts were later ones.
    pub fn retry_share(&self) -> Share {
        Share::new(self.retried.attempts(), self.attempts())
    }

    /// Retry pressure: attempts for each recipient accepted; `None` where none was.
    pub fn attempts_per_accepted(&self) -> Option<f64> {
        let accepted = self.accepted();
        (accepted > 0).then(|| self.attempts() as f64 / accepted as f64)
    }

    /// Refusals that speak for this.
    pub fn of_group(&self, group: Group) -> u64 {
        let of = |(label, count): (&Label, &u64)| (Group::of(*label) == group).then_some(*count);
        self.labels.iter().filter_map(of).fold(0, u64::saturating_add)
    }

    /// Of the refusals held against us, those that speak for this.
    pub fn share_of(&self, group: Group) -> Share {
        Share::new(self.of_group(group), self.trouble())
    }

    /// The label that came most among those that speak for this.
    pub fn foremost(&self, group: Group) -> Option<Label> {
        let of_group = self.labels.iter().filter(|(label, _)| Group::of(**label) == group);
        of_group.max_by_key(|(_, count)| **count).map(|(label, _)| *label)
    }
}

/// What a tally's refusal is counted as: who says no session came about, and nothing else, says
/// that the network failed.
fn label_of(tally: &Tally) -> Label {
    match (tally.kind, tally.label) {
        (Kind::Unreached, Label::Unknown | Label::Accepted) => Label::NetworkError,
        (_, Label::Accepted) => Label::Unknown,
        (_, label) => label,
    }
}

fn group_of(tally: &Tally) -> Group {
    Group::of(label_of(tally))
}

/// Whether a tally counts refusals that are held against us.
pub(crate) fn is_trouble(tally: &Tally) -> bool {
    !matches!(tally.kind, Kind::Accepted | Kind::Expired) && group_of(tally).is_trouble()
}
