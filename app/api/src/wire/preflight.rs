//! How mail stands before the gates of providers, as JSON.

use postlane_server::handle::{Missing, PreflightFilter, PreflightPolicy, PreflightRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::suppression::{Wrong, tenant};
use super::time::{Timestamp, timestamp};

/// Which of it: all that agrees with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct PreflightQuery {
    /// The provider: its id, brand or name, or a domain of its.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The source's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The domain in From.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Rows, 1 to 10000; 1000 when left out. What is blocked comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How mail stands before gates.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PreflightPage {
    /// What is blocked first, then what is at risk, what could not be found out, and what is ready.
    pub rows: Vec<PreflightEntry>,
    /// How many there are in all.
    pub total: usize,
}

/// One domain's mail of one stream, by one source, before one provider's gate. A key without a
/// value is `null`, never missing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PreflightEntry {
    /// The provider's id.
    pub provider: String,
    /// The source's name.
    pub source: String,
    /// `transactional`, `engaged` or `cold`.
    pub stream: String,
    /// The domain in From; empty where it names nobody that can be read.
    pub domain: String,
    /// Whose; empty for nobody's.
    pub tenant: String,
    /// `ready`, `at risk`, `blocked` or `undetermined`; `null` before the first look has ended.
    pub verdict: Option<String>,
    /// Since when it stands so.
    pub since: Option<Timestamp>,
    /// What makes it so.
    pub missing: Vec<MissingRow>,
    /// What follows where something is missing: `off`, `warn` or `hold`.
    pub policy: String,
    /// Messages that are held, as far as they are known one by one.
    pub held: usize,
    /// Why they are held, as the queue has it; `null` where nothing is.
    pub reason: Option<String>,
    /// When the last look was.
    pub looked_at: Option<Timestamp>,
    /// Whether that was before the relay was started again: seen before the restart, and not since.
    #[serde(default)]
    pub before_restart: bool,
    /// The queue id of the message that was looked at.
    pub id: Option<String>,
    /// Its `Message-ID`.
    pub message_id: Option<String>,
    /// From when on it is looked again: at the next message, or at one that is held.
    pub due: Option<Timestamp>,
    /// Messages that came by since the start.
    pub messages: u64,
    /// How many of them were looked at.
    pub looks: u64,
}

/// One of the things that a provider asks for, and that is not as it should be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MissingRow {
    /// The check, as `IDN-05`.
    pub id: String,
    /// `fail`, `warn` or `error`.
    pub result: String,
    /// What was seen.
    pub evidence: String,
    /// What to do; empty where nobody can do anything.
    pub remedy: String,
    /// Where that is written.
    pub reference: String,
}

/// How all mail of a lane stands before its provider's gate.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct GateRow {
    /// Domains, by stream, of which nothing is missing.
    pub ready: usize,
    /// Of which something is held against them.
    pub at_risk: usize,
    /// Of which something is missing.
    pub blocked: usize,
    /// Of which it could not be found out, or not yet.
    pub undetermined: usize,
    /// Messages that are held.
    pub held: usize,
    /// Those that are not ready, the worst first; 20 at most.
    pub worst: Vec<PreflightEntry>,
}

/// How many will be looked at.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Rechecked {
    /// Domains, by provider, source and stream: the next message of each is looked at, or one that
    /// is held at once.
    pub meant: usize,
}

/// Rows of a lane.
const WORST_MAX: usize = 20;

impl PreflightQuery {
    /// What is meant; the provider by its id.
    pub(crate) fn filter(&self) -> Result<PreflightFilter, Wrong> {
        Ok(PreflightFilter {
            provider: self.provider.clone(),
            source: self.source.clone(),
            domain: self.domain.clone(),
            tenant: tenant(&self.tenant)?,
        })
    }
}

impl PreflightPage {
    pub(crate) fn of(rows: Vec<PreflightRow>, limit: usize) -> Self {
        let total = rows.len();
        let mut rows: Vec<PreflightEntry> = rows.into_iter().map(PreflightEntry::from).collect();
        rows.sort_by_key(PreflightEntry::rank);
        rows.truncate(limit);
        Self { rows, total }
    }
}

impl PreflightEntry {
    fn rank(&self) -> u8 {
        match self.verdict.as_deref() {
            Some("blocked") => 0,
            Some("at risk") => 1,
            Some("ready") => 3,
            _ => 2,
        }
    }
}

impl GateRow {
    pub(crate) fn of(rows: Vec<PreflightRow>) -> Self {
        let PreflightPage { mut rows, .. } = PreflightPage::of(rows, usize::MAX);
        let mut gate = Self::default();
        for row in &rows {
            gate.held += row.held;
            let count = match row.rank() {
                0 => &mut gate.blocked,
                1 => &mut gate.at_risk,
                3 => &mut gate.ready,
                _ => &mut gate.undetermined,
            };
            *count += 1;
        }
        rows.retain(|row| row.rank() < 3);
        rows.truncate(WORST_MAX);
        Self { worst: rows, ..gate }
    }
}

impl From<PreflightRow> for PreflightEntry {
    fn from(row: PreflightRow) -> Self {
        let PreflightRow { subject, policy, sight, since, is_remembered, due, .. } = row;
        let (messages, looks, held) = (row.messages, row.looks, row.held);
        let reason = sight.as_ref().filter(|_| held > 0).map(|sight| sight.says_of_hold(&subject));
        let known = sight.is_some();
        let mut entry = Self {
            provider: subject.provider.to_string(),
            source: subject.source.to_string(),
            stream: subject.stream.to_string(),
            domain: subject.author.map(|author| author.to_string()).unwrap_or_default(),
            tenant: subject.tenant.as_str().to_owned(),
            verdict: None,
            since: known.then(|| timestamp(since)),
            missing: Vec::new(),
            policy: word(policy).to_owned(),
            held,
            reason,
            looked_at: None,
            before_restart: is_remembered,
            id: None,
            message_id: None,
            due: known.then(|| timestamp(due)),
            messages,
            looks,
        };
        if let Some(sight) = sight {
            entry.verdict = Some(sight.standing.as_str().to_owned());
            entry.looked_at = Some(timestamp(sight.at));
            entry.id = Some(sight.id.to_string());
            entry.message_id = Some(sight.message_id).filter(|id| !id.is_empty());
            entry.missing = sight.missing.into_iter().map(MissingRow::from).collect();
        }
        entry
    }
}

impl From<Missing> for MissingRow {
    fn from(missing: Missing) -> Self {
        Self {
            id: missing.check.into_owned(),
            result: missing.outcome.as_str().to_owned(),
            evidence: missing.evidence,
            remedy: missing.remedy,
            reference: missing.reference.into_owned(),
        }
    }
}

fn word(policy: PreflightPolicy) -> &'static str {
    match policy {
        PreflightPolicy::Off => "off",
        PreflightPolicy::Warn => "warn",
        PreflightPolicy::Hold => "hold",
    }
}
