//! Domains over time, as JSON.

use std::collections::BTreeSet;

use postlane_checks::blocklist::Subject;
use postlane_checks::watch::{Board, Issue, Values};
use postlane_checks::{Kind, Name};
use postlane_server::handle::{DomainsSeen, KnownDomain, PublishedThen};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::time::{Timestamp, timestamp};

/// The domains that are watched.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DomainPage {
    /// Whether records are looked at (`watch.records`).
    pub on: bool,
    /// The domains, by name.
    pub domains: Vec<DomainRow>,
}

/// A domain that is watched, in a row. A key without a value is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DomainRow {
    /// Its name.
    pub domain: String,
    /// Why it is watched: `dkim`, `ehlo of a`, `bounces of acme`, `watch`.
    pub because: Vec<String>,
    /// Whose it is; none for the operator's.
    pub tenants: Vec<String>,
    /// Lookups that its SPF record takes at worst, of 10; left out where it publishes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf_lookups: Option<u32>,
    /// Names in it that are not there.
    pub spf_voids: usize,
    /// Selectors whose keys are published.
    pub dkim_keys: Vec<String>,
    /// What it asks for by DMARC: `none`, `quarantine` or `reject`; left out where nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<String>,
    /// The id of its MTA-STS policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mta_sts: Option<String>,
    /// Whether it wants reports about TLS.
    pub tls_rpt: bool,
    /// Whether its mail exchangers have TLSA records.
    pub dane: bool,
    /// Whether it has a logo (BIMI).
    pub bimi: bool,
    /// Block lists that it is on, or the addresses that say its name.
    pub listings: usize,
    /// What is wrong with it now.
    pub open_issues: usize,
    /// When it was looked at last, to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// When a record changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// When it is looked at next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Why the last look did not come to its end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub failed: String,
}

/// Which moment is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DomainQuery {
    /// What was published then: a moment, or how long ago (`24h`, `30m`, `7d`). Now, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Changes at most: 1 to 1,000, 100 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A domain, with what it publishes, what has changed, and what is wrong.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DomainStory {
    /// The domain in a row, as of now.
    #[serde(flatten)]
    pub domain: DomainRow,
    /// What it publishes, or published at the moment that was asked for.
    pub records: Vec<RecordRow>,
    /// What has changed, the youngest first.
    pub changes: Vec<RecordChangeRow>,
    /// What is wrong, and what was, those that are open first.
    pub issues: Vec<IssueRow>,
}

/// What is published at one name, of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordRow {
    /// At which name.
    pub name: String,
    /// Which type: `TXT`, `MX` …
    #[serde(rename = "type")]
    pub kind: String,
    /// What, in order; none: nothing is there any more.
    pub values: Vec<String>,
    /// When that was seen first.
    pub since: Timestamp,
    /// When it was seen last.
    pub seen_at: Timestamp,
}

/// A change of what is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordChangeRow {
    /// At which name.
    pub name: String,
    /// Which type: `TXT`, `MX` …
    #[serde(rename = "type")]
    pub kind: String,
    /// `added`, `removed` or `changed`.
    pub what: String,
    /// When it was seen to be so first.
    pub at: Timestamp,
    /// When it was last seen as it was before.
    pub before: Timestamp,
    /// What is there now and was not.
    pub added: Vec<String>,
    /// What was there and is not.
    pub removed: Vec<String>,
}

/// Something that is wrong with a domain, or was. A key without a value is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssueRow {
    /// The check, as `SPF-05`.
    pub check: String,
    /// `open` or `resolved`.
    pub state: String,
    /// How bad: `warn` or `fail`.
    pub outcome: String,
    /// What was seen.
    pub evidence: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// Where that is written.
    pub reference: String,
    /// When it was seen first.
    pub opened_at: Timestamp,
    /// When it was seen last.
    pub seen_at: Timestamp,
    /// When it was seen fixed, twice in turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
}

impl DomainPage {
    pub(crate) fn of(seen: &DomainsSeen, tenant: &postlane_mail::Label) -> Self {
        let row = |(name, known)| DomainRow::of(seen, name, known);
        Self { on: seen.setup.records, domains: seen.iter(tenant).map(row).collect() }
    }
}

impl DomainRow {
    /// A domain in a row.
    pub(crate) fn of(seen: &DomainsSeen, name: &Name, known: &KnownDomain) -> Self {
        let subject = seen.setup.subjects.get(&Subject::Domain(name.clone()));
        let texts = |at: &str| -> Vec<&str> {
            let at = format!("{at}.{name}");
            let values = known.published(&at, Kind::Txt);
            values.map(|values| values.iter().collect()).unwrap_or_default()
        };
        let has = |at: &str, mark: &str| texts(at).iter().any(|text| text.starts_with(mark));
        let sets = || known.records.iter().filter(|(_, version)| !version.values.is_empty());
        let keys = sets().filter_map(|(set, _)| {
            let selector = set.name.as_str().strip_suffix(&format!("._domainkey.{name}"))?;
            Some(selector.to_owned())
        });
        let policy = |text: &&str| {
            let id = text.split(';').find_map(|part| part.trim().strip_prefix("id="))?;
            text.starts_with("v=STSv1").then(|| id.trim().to_owned())
        };
        let mut watched = BTreeSet::from([Subject::Domain(name.clone())]);
        watched.extend(
            subject.into_iter().flat_map(|of| of.addresses.iter().copied().map(Subject::Address)),
        );
        Self {
            domain: name.to_string(),
            because: subject.map(|of| of.because.iter().cloned().collect()).unwrap_or_default(),
            tenants: subject
                .map(|of| of.owners.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            spf_lookups: known.figures.spf_lookups,
            spf_voids: known.figures.spf_voids,
            dkim_keys: keys.collect(),
            dmarc: known.figures.dmarc.clone(),
            mta_sts: texts("_mta-sts").iter().find_map(policy),
            tls_rpt: has("_smtp._tls", "v=TLSRPTv1"),
            dane: sets().any(|(set, _)| set.kind == Kind::Tlsa),
            bimi: has("default._bimi", "v=BIMI1"),
            listings: listings(&seen.board, &watched),
            open_issues: known.issues.open(),
            looked_at: known.looked.map(timestamp),
            changed_at: known.changed.map(timestamp),
            next_at: known.looked.map(|_| timestamp(known.next)),
            failed: known.failed.clone(),
        }
    }
}

fn listings(board: &Board, watched: &BTreeSet<Subject>) -> usize {
    let own = board.cells().filter(|(_, subject, _)| watched.contains(*subject));
    own.filter(|(_, _, cell)| cell.listed().is_some()).count()
}

impl DomainStory {
    /// A domain with all that is told of it: what was published at a moment, and every version
    /// there was, the youngest first.
    pub(crate) fn of(
        domain: DomainRow,
        known: &KnownDomain,
        records: &[PublishedThen],
        versions: &[PublishedThen],
        limit: usize,
    ) -> Self {
        let mut records: Vec<RecordRow> = records.iter().map(RecordRow::from).collect();
        records.sort_by(|a, b| (&a.name, &a.kind).cmp(&(&b.name, &b.kind)));
        let mut changes = Vec::new();
        for (at, now) in versions.iter().enumerate() {
            let older = versions.get(at + 1..).unwrap_or_default();
            let was = older.iter().find(|was| was.name == now.name && was.kind == now.kind);
            changes.extend(was.map(|was| RecordChangeRow::between(was, now)));
        }
        changes.truncate(limit);
        let mut issues: Vec<IssueRow> =
            known.issues.iter().map(|(check, issue)| IssueRow::of(check, issue)).collect();
        issues.sort_by(|a, b| {
            (&a.state, &a.outcome, &a.check).cmp(&(&b.state, &b.outcome, &b.check))
        });
        Self { domain, records, changes, issues }
    }
}

fn owned(values: &Values) -> Vec<String> {
    values.iter().map(str::to_owned).collect()
}

impl From<&PublishedThen> for RecordRow {
    fn from(of: &PublishedThen) -> Self {
        Self {
            name: of.name.clone(),
            kind: of.kind.clone(),
            values: owned(&of.values),
            since: timestamp(of.since),
            seen_at: timestamp(of.seen),
        }
    }
}

impl RecordChangeRow {
    fn between(was: &PublishedThen, now: &PublishedThen) -> Self {
        let what = match (was.values.is_empty(), now.values.is_empty()) {
            (_, true) => "removed",
            (true, false) => "added",
            _ => "changed",
        };
        Self {
            name: now.name.clone(),
            kind: now.kind.clone(),
            what: what.to_owned(),
            at: timestamp(now.since),
            before: timestamp(was.seen),
            added: now.values.without(&was.values).map(str::to_owned).collect(),
            removed: was.values.without(&now.values).map(str::to_owned).collect(),
        }
    }
}

impl IssueRow {
    fn of(check: &str, issue: &Issue) -> Self {
        let state = if issue.resolved.is_some() { "resolved" } else { "open" };
        Self {
            check: check.to_owned(),
            state: state.to_owned(),
            outcome: issue.outcome.as_str().to_owned(),
            evidence: issue.evidence.clone(),
            remedy: issue.remedy.clone(),
            reference: issue.reference.clone(),
            opened_at: timestamp(issue.opened),
            seen_at: timestamp(issue.seen),
            resolved_at: issue.resolved.map(timestamp),
        }
    }
}
