//! The delivery log in numbers, as JSON.

use postlane_ledger::{Counts, Figures, Tally};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::log::LogQuery;
use super::time::{Timestamp, timestamp};

/// How often each value of some fields occurs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogFacets {
    /// One for each field that was asked for.
    pub facets: Vec<LogFacet>,
}

/// How often each value of a field occurs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogFacet {
    /// The field.
    pub field: String,
    /// Its values, the most frequent first; an empty one is "not known".
    pub values: Vec<LogCount>,
    /// Entries with values that are not listed.
    pub others: u64,
    /// All entries that were counted.
    pub total: u64,
}

/// How often a value occurs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogCount {
    /// The value.
    pub value: String,
    /// How many entries have it.
    pub count: u64,
}

/// What became of mail, by provider and recipient domain.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogStats {
    /// All of it together, `provider` and `domain` empty.
    pub total: LogStatsRow,
    /// The rows, those with the most attempts first.
    pub rows: Vec<LogStatsRow>,
}

/// What became of mail to a provider's domain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogStatsRow {
    /// The provider's id.
    pub provider: String,
    /// The recipient domain.
    pub domain: String,
    /// Recipients that a host took.
    pub accepted: u64,
    /// First attempts that were deferred.
    pub deferred_fresh: u64,
    /// Later attempts that were deferred.
    pub deferred_retry: u64,
    /// Deferrals without an attempt: no route, or a domain on hold.
    pub waited: u64,
    /// Recipients given up for age.
    pub expired: u64,
    /// Recipients refused for good.
    pub failed: u64,
    /// Of all first attempts, how many were accepted, 0 to 1; `null` without one.
    pub first_attempt_share: Option<f64>,
    /// Retry pressure: attempts for each recipient that was accepted; `null` without one.
    pub attempts_per_accepted: Option<f64>,
    /// How long accepted mail had waited, in seconds on average; `null` without any.
    pub accepted_after_s: Option<f64>,
    /// How old mail was when it was deferred, in seconds on average; `null` without any.
    pub deferred_age_s: Option<f64>,
}

/// Counts over time, for plots.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TallyPage {
    /// How many seconds one count covers.
    pub every_s: u64,
    /// The counts, the oldest first.
    pub tallies: Vec<TallyRow>,
}

/// Which counts are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TallyQuery {
    /// Not before: a moment, or how long ago; a day ago if left out.
    pub since: Option<String>,
    /// Before: a moment, or how long ago; now if left out.
    pub until: Option<String>,
    /// Providers: an id, a brand, or a domain of theirs.
    pub provider: Option<String>,
    /// Whose.
    pub tenant: Option<String>,
    /// How many seconds one count covers, rounded up to minutes; as many as make a few hundred
    /// counts if left out.
    pub every_s: Option<u64>,
    /// By what counts are kept apart beside time and kind, separated by commas: `provider`,
    /// `source`, `stream`, `tenant`, `try`, `label`; by all of them if left out. What is not named
    /// is counted together.
    pub by: Option<String>,
}

impl TallyQuery {
    /// As a query of the log.
    pub(crate) fn log(&self) -> LogQuery {
        LogQuery {
            since: self.since.clone(),
            until: self.until.clone(),
            provider: self.provider.clone(),
            tenant: self.tenant.clone(),
            ..LogQuery::default()
        }
    }
}

/// How often one kind of thing happened in one stretch of time.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TallyRow {
    /// When the stretch begins.
    pub from: Timestamp,
    /// The provider's id.
    pub provider: String,
    /// The source's name.
    pub source: String,
    /// The stream.
    pub stream: Option<String>,
    /// Whose.
    pub tenant: String,
    /// What happened.
    pub kind: String,
    /// `fresh` or `retry`, of attempts.
    #[serde(rename = "try")]
    pub tried: Option<String>,
    /// What the reply meant.
    pub label: String,
    /// How often.
    pub count: u64,
    /// How long after acceptance, all of them together, in milliseconds.
    pub delay_ms: u64,
    /// How long the transactions took, all of them together, in milliseconds.
    pub took_ms: u64,
}

/// What the ledger holds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LedgerFacts {
    /// Entries since the server began.
    pub entries: u64,
    /// Entries that found no room since then, and are lost.
    pub dropped: u64,
    /// Octets on the disk.
    pub octets: u64,
    /// The folder.
    pub dir: String,
}

impl From<Counts> for LogFacet {
    fn from(Counts { field, values, others, total }: Counts) -> Self {
        let values = values.into_iter();
        let values = values.map(|(value, count)| LogCount { value: value.into(), count });
        Self { field: field.as_str().to_owned(), values: values.collect(), others, total }
    }
}

impl From<Tally> for TallyRow {
    fn from(tally: Tally) -> Self {
        Self {
            from: timestamp(tally.from),
            provider: tally.provider.into(),
            source: tally.source.into(),
            stream: tally.stream.map(|stream| stream.as_str().to_owned()),
            tenant: tally.tenant.into(),
            kind: tally.kind.as_str().to_owned(),
            tried: tally.tried.map(|tried| tried.as_str().to_owned()),
            label: tally.label.into(),
            count: tally.count,
            delay_ms: tally.delay_ms,
            took_ms: tally.took_ms,
        }
    }
}

impl LedgerFacts {
    /// What a ledger in that folder holds.
    pub fn of(figures: &Figures, dir: &std::path::Path) -> Self {
        let Figures { appended, dropped, octets, .. } = *figures;
        Self { entries: appended, dropped, octets, dir: dir.display().to_string() }
    }
}
