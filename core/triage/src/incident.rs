//! Something that is wrong for a while: what, since when, what was done about it.

use std::sync::Arc;

use postlane_mail::{Instant, Label as Name};

use crate::changed::Changed;
use crate::incident_key::IncidentKey;
use crate::sight::Sight;

/// Something that is wrong for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Its number, from 1; never given again.
    pub id: u64,
    /// What it is about.
    pub key: IncidentKey,
    /// Whose mail alone it is about; [`Name::NONE`] where it is about several tenants' or nobody's.
    pub tenant: Name,
    /// When it was seen first.
    pub opened: Instant,
    /// When it was seen last.
    pub seen: Instant,
    /// When it ended; `None` while it is open.
    pub closed: Option<Closed>,
    /// How often it came back within a day and went on as the same.
    pub reopened: u32,
    /// When somebody took it on, and who; `None` while nobody has, and again when it came back.
    pub acknowledged: Option<(Instant, Arc<str>)>,
    /// How sure it was when it was seen last, 0 to 1.
    pub confidence: f64,
    /// The verdict's sentence when it was seen last.
    pub says: String,
    /// What spoke for it when it was seen last.
    pub evidence: Vec<String>,
    /// What spoke against it when it was seen last.
    pub against: Vec<String>,
    /// What had changed just before it was opened, or came back.
    pub changed: Vec<Changed>,
    /// What to do, and what was done.
    pub steps: Vec<CheckedStep>,
    /// What people wrote.
    pub notes: Vec<Note>,
    /// What it did to mail so far.
    pub impact: Impact,
    /// Up to when that was counted.
    pub counted: Instant,
    /// Recipients that it had kept from their mail when it was last told how many.
    pub told: u64,
}

/// How an incident ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// When.
    pub at: Instant,
    /// Who closed it; empty where it ended by itself.
    pub by: Arc<str>,
    /// Why, in words.
    pub why: String,
}

/// A step that can be checked off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedStep {
    /// Its name.
    pub id: Arc<str>,
    /// What to do.
    pub says: String,
    /// When it was done, and by whom.
    pub done: Option<(Instant, Arc<str>)>,
}

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Instant,
    /// Who.
    pub by: Arc<str>,
    /// What.
    pub says: String,
}

/// What an incident did to mail, in recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Impact {
    /// Deferred at their first attempt.
    pub delayed: u64,
    /// Refused for good.
    pub bounced: u64,
    /// Given up because they had waited as long as they may.
    pub expired: u64,
}

impl Impact {
    /// All recipients.
    pub const fn recipients(self) -> u64 {
        self.delayed.saturating_add(self.bounced).saturating_add(self.expired)
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            delayed: self.delayed.saturating_add(other.delayed),
            bounced: self.bounced.saturating_add(other.bounced),
            expired: self.expired.saturating_add(other.expired),
        }
    }
}

/// Why something cannot be done to an incident. Whoever asked is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IncidentError {
    /// There is no such incident, or not any more.
    #[error("there is no incident {0}")]
    Unknown(u64),
    /// It has no such step.
    #[error("incident {0} has no step \"{1}\": its steps are {2}")]
    Step(u64, String, String),
    /// It is closed already.
    #[error("incident {0} is closed already")]
    Closed(u64),
    /// The reason for closing it is empty or too long.
    #[error("say why it is closed, in 1 to {} characters", Incident::NOTE_MAX)]
    Why,
    /// A note is empty or too long.
    #[error("a note has 1 to {} characters", Incident::NOTE_MAX)]
    Note,
    /// It has as many notes as it may have.
    #[error("incident {0} has {max} notes already", max = Incident::NOTES_MAX)]
    Notes(u64),
}

impl Incident {
    /// How long a note may be, in characters.
    pub const NOTE_MAX: usize = 2_000;
    /// How many notes an incident may have.
    pub const NOTES_MAX: usize = 200;

    /// How many recipients more an incident must have kept from their mail, beyond twice as many,
    /// before that is told. Chosen, not measured.
    const TOLD_AGAIN: u64 = 100;

    /// A new one, of which nothing is known yet.
    pub(crate) fn new(id: u64, key: IncidentKey, at: Instant) -> Self {
        Self {
            id,
            key,
            tenant: Name::NONE,
            opened: at,
            seen: at,
            closed: None,
            reopened: 0,
            acknowledged: None,
            confidence: 0.0,
            says: String::new(),
            evidence: Vec::new(),
            against: Vec::new(),
            changed: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            impact: Impact::default(),
            counted: at,
            told: 0,
        }
    }

    /// It is new, or comes back: nobody has taken it on.
    pub(crate) fn begin(&mut self, at: Instant, sight: &Sight) {
        self.closed = None;
        self.acknowledged = None;
        self.tenant.clone_from(&sight.tenant);
        self.changed.clone_from(&sight.changed);
        self.see(at, sight);
    }

    /// It is still there; whether there is more to do than before. Steps that were checked off stay so.
    pub(crate) fn see(&mut self, at: Instant, sight: &Sight) -> bool {
        self.seen = self.seen.max(at);
        if self.tenant != sight.tenant {
            self.tenant = Name::NONE;
        }
        self.confidence = sight.confidence;
        self.says.clone_from(&sight.says);
        self.evidence.clone_from(&sight.evidence);
        self.against.clone_from(&sight.against);
        let known = self.steps.len();
        for (id, says) in &sight.steps {
            match self.steps.iter_mut().find(|known| known.id == *id) {
                Some(known) => known.says.clone_from(says),
                None => {
                    let (id, says) = (id.clone(), says.clone());
                    self.steps.push(CheckedStep { id, says, done: None });
                }
            }
        }
        self.steps.len() > known
    }

    /// More recipients were kept from their mail, counted up to a moment; whether that is to be
    /// told: it is when they are twice as many as were told, and then some.
    pub(crate) fn count(&mut self, more: Impact, upto: Instant) -> bool {
        self.impact = self.impact.and(more);
        self.counted = self.counted.max(upto);
        let all = self.impact.recipients();
        let tells = all >= self.told.saturating_mul(2).saturating_add(Self::TOLD_AGAIN);
        if tells {
            self.told = all;
        }
        tells
    }

    /// Checks a step off, or takes that back where `done` is none.
    pub(crate) fn check(
        &mut self,
        step: &str,
        done: Option<(Instant, &str)>,
    ) -> Result<(), IncidentError> {
        let id = self.id;
        let names: Vec<&str> = self.steps.iter().map(|step| &*step.id).collect();
        let names = names.join(", ");
        let found = self.steps.iter_mut().find(|known| &*known.id == step);
        let found = found.ok_or_else(|| IncidentError::Step(id, step.to_owned(), names))?;
        found.done = done.map(|(at, by)| (at, by.into()));
        Ok(())
    }

    /// Writes something to it.
    pub(crate) fn note(&mut self, says: &str, at: Instant, by: &str) -> Result<(), IncidentError> {
        let says = says.trim();
        if says.is_empty() || says.chars().count() > Self::NOTE_MAX {
            return Err(IncidentError::Note);
        }
        if self.notes.len() >= Self::NOTES_MAX {
            return Err(IncidentError::Notes(self.id));
        }
        self.notes.push(Note { at, by: by.into(), says: says.to_owned() });
        Ok(())
    }
}
