//! Incidents, as JSON.

use postlane_mail::Instant;
use postlane_registry::IncidentStepRow;
use postlane_server::handle::ToldIncident;
use postlane_triage::{CheckedStep, Incident, IncidentKey, Note};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::diagnosis::ChangedRow;
use super::time::{Timestamp, timestamp};

/// Which incidents are meant: those that agree with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct IncidentQuery {
    /// `open` (if left out), `closed` or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The provider: its id, brand or name, or a domain of its.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// What kind: a class of `/v1/diagnosis`, `webhook_paused`, `listed` or `record_gone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Seen then or later: a moment, or how long ago (`24h`, `30m`, `7d`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Where the listing goes on: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Incidents at most: 1 to 1,000, 100 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Incidents, the youngest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IncidentPage {
    /// The incidents.
    pub incidents: Vec<IncidentRow>,
    /// Give this as `cursor` for what is older; `null` at the end.
    pub next: Option<String>,
}

/// Something that is wrong for a while. A key without a value is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentRow {
    /// Its number.
    pub id: u64,
    /// What kind: a class of `/v1/diagnosis`, `webhook_paused`, `listed` or `record_gone`.
    pub kind: String,
    /// The same in two or three words.
    pub title: String,
    /// `open`, `acknowledged` or `closed`.
    pub state: String,
    /// The provider's id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// The source, where it is about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The webhook, where it is about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub webhook: String,
    /// The address or domain that is listed, or whose record is gone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The block list's id, or the name and type of the record.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
    /// Whose mail alone it is about; left out where it is about several tenants' or nobody's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// What is wrong, in a sentence.
    pub says: String,
    /// How often such a verdict is right, 0 to 1, as it was seen last.
    pub confidence: f64,
    /// When it was seen first.
    pub opened_at: Timestamp,
    /// When it was seen last.
    pub seen_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Who closed it; left out where it ended by itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub closed_by: String,
    /// Why it was closed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub closed_why: String,
    /// Who took it on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub acknowledged_by: String,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// How often it came back within a day.
    pub reopened: u32,
    /// Recipients deferred at their first attempt since an hour or so before it was opened.
    pub delayed: u64,
    /// Recipients refused for good.
    pub bounced: u64,
    /// Recipients given up after their time.
    pub expired: u64,
    /// What to do, in order.
    pub steps: Vec<IncidentStepToDo>,
}

/// Something to do about an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentStepToDo {
    /// Its name.
    pub id: String,
    /// What to do.
    pub says: String,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
    /// By whom.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub done_by: String,
}

/// One incident, with all that is known of it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IncidentStory {
    /// The incident.
    #[serde(flatten)]
    pub incident: IncidentRow,
    /// What spoke for it when it was seen last, the weightiest first.
    pub evidence: Vec<String>,
    /// What spoke against it, or was not seen.
    pub against: Vec<String>,
    /// What had changed just before it was opened.
    pub changed: Vec<ChangedRow>,
    /// What people wrote.
    pub notes: Vec<NoteRow>,
    /// What became of it, the oldest first.
    pub history: Vec<IncidentEventRow>,
}

/// What somebody wrote to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoteRow {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub says: String,
}

/// What became of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentEventRow {
    /// When.
    pub at: Timestamp,
    /// `opened`, `reopened`, `steps`, `grown`, `acknowledged`, `step-done`, `step-undone`, `noted` or
    /// `closed`.
    pub what: String,
    /// Who; empty where it came about by itself.
    pub by: String,
    /// In words.
    pub says: String,
}

/// What is done about an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IncidentOrderRequest {
    /// `close`: why, 1 to 2,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// `note`: what to write, 1 to 2,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// Who does it; the token's name, whatever this says, but for the token file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What can be done with an incident.
pub const INCIDENT_COMMANDS: [&str; 3] = ["acknowledge", "note", "close"];

/// How much of an incident is told: whoever sees one tenant's mail alone is told no figures of others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// All of it.
    Whole,
    /// Not what speaks for it and against it, for that compares with other mail.
    Own,
}

impl IncidentRow {
    /// An incident, as it is told.
    pub fn of(incident: &Incident, told: Told) -> Self {
        let closed = incident.closed.as_ref();
        let acknowledged = incident.acknowledged.as_ref();
        let state = match (closed, acknowledged) {
            (Some(_), _) => "closed",
            (None, Some(_)) => "acknowledged",
            (None, None) => "open",
        };
        let says = match (&incident.key, told) {
            (IncidentKey::Delivery { class, .. }, Told::Own) => format!("{}.", class.says()),
            _ => incident.says.clone(),
        };
        Self {
            id: incident.id,
            kind: incident.key.kind().to_owned(),
            title: incident.key.title().to_owned(),
            state: state.to_owned(),
            provider: incident.key.provider().to_owned(),
            source: incident.key.source().to_owned(),
            webhook: incident.key.webhook().to_owned(),
            subject: incident.key.subject().to_owned(),
            of: incident.key.of().to_owned(),
            tenant: incident.tenant.to_string(),
            says,
            confidence: incident.confidence,
            opened_at: timestamp(incident.opened),
            seen_at: timestamp(incident.seen),
            closed_at: closed.map(|end| timestamp(end.at)),
            closed_by: closed.map(|end| end.by.to_string()).unwrap_or_default(),
            closed_why: closed.map(|end| end.why.clone()).unwrap_or_default(),
            acknowledged_by: acknowledged.map(|(_, by)| by.to_string()).unwrap_or_default(),
            acknowledged_at: acknowledged.map(|(at, _)| timestamp(*at)),
            reopened: incident.reopened,
            delayed: incident.impact.delayed,
            bounced: incident.impact.bounced,
            expired: incident.impact.expired,
            steps: incident.steps.iter().map(IncidentStepToDo::from).collect(),
        }
    }
}

impl IncidentStory {
    /// All that is told of an incident.
    pub fn of(found: &ToldIncident, told: Told) -> Self {
        let incident = &found.incident;
        let mut story = Self {
            incident: IncidentRow::of(incident, told),
            evidence: incident.evidence.clone(),
            against: incident.against.clone(),
            changed: incident.changed.iter().map(ChangedRow::from).collect(),
            notes: incident.notes.iter().map(NoteRow::from).collect(),
            history: found.steps.iter().map(IncidentEventRow::from).collect(),
        };
        if told == Told::Own {
            story.evidence.clear();
            story.against.clear();
            story.changed.clear();
            // What it was seen by is in the words of these.
            for event in story.history.iter_mut().filter(|event| event.is_verdict()) {
                event.says.clone_from(&story.incident.says);
            }
        }
        story
    }
}

impl IncidentEventRow {
    fn is_verdict(&self) -> bool {
        ["opened", "reopened", "steps"].contains(&self.what.as_str())
    }
}

impl From<&CheckedStep> for IncidentStepToDo {
    fn from(step: &CheckedStep) -> Self {
        let done = step.done.as_ref();
        Self {
            id: step.id.to_string(),
            says: step.says.clone(),
            done_at: done.map(|(at, _): &(Instant, _)| timestamp(*at)),
            done_by: done.map(|(_, by)| by.to_string()).unwrap_or_default(),
        }
    }
}

impl From<&Note> for NoteRow {
    fn from(note: &Note) -> Self {
        Self { at: timestamp(note.at), by: note.by.to_string(), says: note.says.clone() }
    }
}

impl From<&IncidentStepRow> for IncidentEventRow {
    fn from(row: &IncidentStepRow) -> Self {
        let step = row.step.clone();
        Self { at: timestamp(step.at), what: step.what, by: step.who, says: step.says }
    }
}
