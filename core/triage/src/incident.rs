//! Something that is wrong for a while: what, since when, what was done about it.

use std::sync::Arc;

use postlane_mail::Instant;

use crate::class::Class;
use crate::verdict::Verdict;

/// Which incident: those of one provider, class and source are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentKey {
    /// The provider's id.
    pub provider: Arc<str>,
    /// What is wrong.
    pub class: Class,
    /// With which source; empty where all are concerned.
    pub source: Arc<str>,
}

/// Something that is wrong for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Its number, from 1; never given again.
    pub id: u64,
    /// What it is about.
    pub key: IncidentKey,
    /// When it was seen first.
    pub opened: Instant,
    /// When it was seen last.
    pub seen: Instant,
    /// When it ended; `None` while it is open.
    pub closed: Option<Closed>,
    /// How often it came back within a day and went on as the same.
    pub reopened: u32,
    /// How sure it was when it was seen last, 0 to 1.
    pub confidence: f64,
    /// The verdict's sentence when it was seen last.
    pub says: String,
    /// What spoke for it when it was seen last.
    pub evidence: Vec<String>,
    /// What spoke against it when it was seen last.
    pub against: Vec<String>,
    /// What to do, and what was done.
    pub steps: Vec<CheckedStep>,
    /// What people wrote.
    pub notes: Vec<Note>,
    /// What it did to mail so far.
    pub impact: Impact,
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

    pub(crate) fn open(id: u64, key: IncidentKey, at: Instant, verdict: &Verdict) -> Self {
        let mut incident = Self {
            id,
            key,
            opened: at,
            seen: at,
            closed: None,
            reopened: 0,
            confidence: verdict.confidence,
            says: String::new(),
            evidence: Vec::new(),
            against: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            impact: Impact::default(),
        };
        incident.see(at, verdict);
        incident
    }

    /// It is still there. Steps that were checked off stay so.
    pub(crate) fn see(&mut self, at: Instant, verdict: &Verdict) {
        self.seen = self.seen.max(at);
        self.confidence = verdict.confidence;
        self.says.clone_from(&verdict.says);
        self.evidence = verdict.evidence.iter().map(|of| of.says.clone()).collect();
        self.against = verdict.against.iter().map(|of| of.says.clone()).collect();
        for step in &verdict.steps {
            match self.steps.iter_mut().find(|known| &*known.id == step.id) {
                Some(known) => known.says.clone_from(&step.says),
                None => self.steps.push(CheckedStep {
                    id: step.id.into(),
                    says: step.says.clone(),
                    done: None,
                }),
            }
        }
    }

    /// Checks a step off.
    pub(crate) fn check(&mut self, step: &str, at: Instant, by: &str) -> Result<(), IncidentError> {
        let id = self.id;
        let names: Vec<&str> = self.steps.iter().map(|step| &*step.id).collect();
        let names = names.join(", ");
        let found = self.steps.iter_mut().find(|known| &*known.id == step);
        let found = found.ok_or_else(|| IncidentError::Step(id, step.to_owned(), names))?;
        found.done = Some((at, by.into()));
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
