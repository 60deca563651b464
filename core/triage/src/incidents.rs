//! All incidents: they open, go on and close by themselves, and do not flap.
//!
//! A verdict is looked at every few minutes and may differ each time; an incident is what a
//! person is woken for. So it opens when a verdict was given twice, closes when mail was taken
//! for an hour, and one that comes back within a day is the same.

use std::collections::BTreeMap;

use postlane_mail::{Instant, Span};

use crate::assessment::Assessment;
use crate::incident::{Closed, Impact, Incident, IncidentError};
use crate::incident_key::IncidentKey;
use crate::sight::{Sight, sights, was_tried};

/// All incidents, open and closed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Incidents {
    all: BTreeMap<u64, Incident>,
    /// Verdicts that are not yet incidents: when each was given first and last.
    suspected: BTreeMap<IncidentKey, (Instant, Instant)>,
    /// Since when an open incident has not been seen while mail was tried.
    absent: BTreeMap<u64, Instant>,
    last: u64,
}

/// What became of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncidentChange {
    /// It is new.
    Opened(u64),
    /// It came back within a day.
    Reopened(u64),
    /// There is more to do than there was.
    Steps(u64),
    /// It keeps twice as many recipients from their mail as was told.
    Grown(u64),
    /// It ended by itself.
    Closed(u64),
}

impl Incidents {
    /// How sure a verdict must be to open an incident. Chosen: 6 in 10 of those are right on
    /// simulated pictures (docs/design/017).
    pub const OPENS_AT: f64 = 0.6;
    /// Below this an incident is not seen any more. Chosen, not measured.
    pub const STAYS_AT: f64 = 0.4;
    /// How long a verdict must have been given before it is an incident. Chosen, not measured.
    pub const OPENS_AFTER: Span = Span::from_min(4);
    /// How long mail must have been taken before it ends. Chosen, not measured: a lane asks again
    /// within the hour.
    pub const CLOSES_AFTER: Span = Span::from_h(1);
    /// How long nothing may have been tried before it ends. Chosen, not measured.
    pub const FORGOTTEN_AFTER: Span = Span::from_h(24);
    /// Within which time one that comes back is the same. Chosen, not measured.
    pub const SAME_WITHIN: Span = Span::from_h(24);
    /// How many are remembered; the oldest closed one goes first.
    pub const MAX: usize = 1_000;

    /// Those that were kept. Numbers up to `last` are given to no other, for there may be some that
    /// could not be read.
    pub fn restored(kept: impl IntoIterator<Item = Incident>, last: u64) -> Self {
        let all: BTreeMap<u64, Incident> =
            kept.into_iter().map(|incident| (incident.id, incident)).collect();
        let last = all.keys().next_back().copied().unwrap_or_default().max(last);
        Self { all, last, ..Self::default() }
    }

    /// Takes in what is said now of each provider there was mail for.
    pub fn look(&mut self, now: Instant, assessments: &[Assessment]) -> Vec<IncidentChange> {
        let sights = sights(assessments);
        let mut changes = Vec::new();
        for (key, sight) in &sights {
            if let Some(incident) = self.open_mut(key) {
                if sight.confidence >= Self::STAYS_AT {
                    let id = incident.id;
                    if incident.see(now, sight) {
                        changes.push(IncidentChange::Steps(id));
                    }
                    self.absent.remove(&id);
                }
            } else if sight.confidence >= Self::OPENS_AT {
                let (first, last) = self.suspected.entry(key.clone()).or_insert((now, now));
                *last = now;
                if now.since(*first) >= Self::OPENS_AFTER {
                    let first = *first;
                    self.suspected.remove(key);
                    changes.push(self.begin(key, first, now, sight));
                }
            }
        }
        // A suspicion that one look did not confirm begins anew.
        self.suspected.retain(|_, (_, last)| *last == now);
        changes.extend(self.end(now, &sights, assessments));
        self.forget();
        changes
    }

    /// An open incident has kept further recipients from their mail, counted up to a moment.
    pub fn count(&mut self, id: u64, more: Impact, upto: Instant) -> Option<IncidentChange> {
        let incident = self.all.get_mut(&id).filter(|of| of.closed.is_none())?;
        incident.count(more, upto).then_some(IncidentChange::Grown(id))
    }

    /// Counts from an earlier moment than the one it was opened at: what made it open was before.
    pub fn count_from(&mut self, id: u64, from: Instant) {
        if let Some(incident) = self.all.get_mut(&id) {
            incident.counted = incident.counted.min(from);
        }
    }

    /// A person has taken it on.
    pub fn acknowledge(
        &mut self,
        id: u64,
        (at, by): (Instant, &str),
    ) -> Result<&Incident, IncidentError> {
        let incident = self.all.get_mut(&id).ok_or(IncidentError::Unknown(id))?;
        if incident.closed.is_some() {
            return Err(IncidentError::Closed(id));
        }
        incident.acknowledged = Some((at, by.into()));
        Ok(incident)
    }

    /// Checks a step off, at a moment and by somebody, or takes that back where `done` is none.
    pub fn check(
        &mut self,
        id: u64,
        step: &str,
        done: Option<(Instant, &str)>,
    ) -> Result<&Incident, IncidentError> {
        let incident = self.all.get_mut(&id).ok_or(IncidentError::Unknown(id))?;
        incident.check(step, done)?;
        Ok(incident)
    }

    /// Writes a note.
    pub fn note(
        &mut self,
        id: u64,
        says: &str,
        (at, by): (Instant, &str),
    ) -> Result<&Incident, IncidentError> {
        let incident = self.all.get_mut(&id).ok_or(IncidentError::Unknown(id))?;
        incident.note(says, at, by)?;
        Ok(incident)
    }

    /// A person says that it is over. If it is not, it comes back.
    pub fn close(
        &mut self,
        id: u64,
        why: &str,
        (at, by): (Instant, &str),
    ) -> Result<&Incident, IncidentError> {
        let incident = self.all.get_mut(&id).ok_or(IncidentError::Unknown(id))?;
        if incident.closed.is_some() {
            return Err(IncidentError::Closed(id));
        }
        let why = why.trim();
        if why.is_empty() || why.chars().count() > Incident::NOTE_MAX {
            return Err(IncidentError::Why);
        }
        incident.closed = Some(Closed { at, by: by.into(), why: why.to_owned() });
        self.absent.remove(&id);
        Ok(incident)
    }

    /// All of them, the youngest first.
    pub fn iter(&self) -> impl Iterator<Item = &Incident> {
        self.all.values().rev()
    }

    /// One of them.
    pub fn find(&self, id: u64) -> Option<&Incident> {
        self.all.get(&id)
    }

    fn open_mut(&mut self, key: &IncidentKey) -> Option<&mut Incident> {
        self.all.values_mut().find(|of| of.closed.is_none() && of.key == *key)
    }

    fn begin(
        &mut self,
        key: &IncidentKey,
        first: Instant,
        now: Instant,
        sight: &Sight,
    ) -> IncidentChange {
        let is_same = |of: &&mut Incident| {
            let closed = of.closed.as_ref();
            of.key == *key && closed.is_some_and(|end| now.since(end.at) <= Self::SAME_WITHIN)
        };
        if let Some(known) = self.all.values_mut().rev().find(is_same) {
            known.reopened = known.reopened.saturating_add(1);
            known.counted = known.counted.max(first);
            known.begin(now, sight);
            return IncidentChange::Reopened(known.id);
        }
        self.last += 1;
        let mut incident = Incident::new(self.last, key.clone(), first);
        incident.begin(now, sight);
        self.all.insert(self.last, incident);
        IncidentChange::Opened(self.last)
    }

    /// Closes those that have not been seen for long enough.
    fn end(
        &mut self,
        now: Instant,
        sights: &BTreeMap<IncidentKey, Sight>,
        assessments: &[Assessment],
    ) -> Vec<IncidentChange> {
        let mut changes = Vec::new();
        for incident in self.all.values_mut().filter(|incident| incident.closed.is_none()) {
            let IncidentKey::Delivery { provider, source, .. } = &incident.key else { continue };
            let seen = sights.get(&incident.key);
            if seen.is_some_and(|sight| sight.confidence >= Self::STAYS_AT) {
                continue;
            }
            let why = if was_tried(assessments, provider, source) {
                let since = *self.absent.entry(incident.id).or_insert(now);
                (now.since(since) >= Self::CLOSES_AFTER)
                    .then_some("not seen for an hour in which mail was tried")
            } else {
                self.absent.remove(&incident.id);
                (now.since(incident.seen) >= Self::FORGOTTEN_AFTER)
                    .then_some("nothing was tried for a day")
            };
            if let Some(why) = why {
                incident.closed = Some(Closed { at: now, by: "".into(), why: why.to_owned() });
                self.absent.remove(&incident.id);
                changes.push(IncidentChange::Closed(incident.id));
            }
        }
        changes
    }

    fn forget(&mut self) {
        while self.all.len() > Self::MAX {
            let oldest = self.all.values().find(|incident| incident.closed.is_some());
            let Some(id) = oldest.or_else(|| self.all.values().next()).map(|of| of.id) else {
                return;
            };
            self.all.remove(&id);
            self.absent.remove(&id);
        }
    }
}

mod standing;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
