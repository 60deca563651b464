//! What an analysis says, as JSON has it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postlane_mail::Instant;
use postlane_maillog::{ProviderFigures, Report, SuspectedLimit, suspected_limit};
use serde::Serialize;

use super::verdict::{self, Verdict};
use super::{lane, postfix};

/// All that is told. The names are those of the JSON.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Told {
    pub(super) files: u64,
    pub(super) lines: u64,
    pub(super) bad_lines: u64,
    bad_examples: Vec<Box<str>>,
    octets: u64,
    formats: Vec<&'static str>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    evicted: u64,
    waiting: u64,
    pub(super) providers: Vec<Provider>,
}

/// What is told of a provider.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Provider {
    pub(super) id: Box<str>,
    pub(super) name: Box<str>,
    pub(super) accepted: u64,
    pub(super) deferred: u64,
    pub(super) bounced: u64,
    pub(super) expired: u64,
    pub(super) suspended: u64,
    hosts_refused: u64,
    waiting: u64,
    pub(super) attempts: u64,
    first_attempts: u64,
    pub(super) first_attempt_share: Option<f64>,
    pub(super) attempts_per_accepted: Option<f64>,
    oldest_s: u64,
    pub(super) labels: BTreeMap<&'static str, u64>,
    pub(super) top_replies: Vec<TopReply>,
    pub(super) storms: Vec<Storm>,
    pub(super) suspected_limit: Option<Limit>,
    pub(super) verdict: Verdict,
    pub(super) recommended: Recommended,
    sources: Vec<Source>,
    hosts: Vec<Host>,
    domains: BTreeMap<Box<str>, u64>,
}

/// A reply that was said often.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TopReply {
    pub(super) text: Box<str>,
    code: Option<u16>,
    pub(super) label: &'static str,
    rule: Option<Box<str>>,
    pub(super) count: u64,
    first: String,
    last: String,
}

/// A retry storm.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Storm {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) attempts: u64,
    retries: u64,
    pub(super) accepted: u64,
    peak_per_minute: u64,
    oldest_s: u64,
}

/// The limit behind the refusals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Limit {
    pub(super) window_s: u32,
    pub(super) quota: u64,
    pub(super) confidence: f64,
    pub(super) turns: &'static str,
    pub(super) counts: &'static str,
    /// The source it was found with, where there are several.
    pub(super) source: Option<Box<str>>,
    pub(super) hit: u64,
    hits: Vec<String>,
    /// The same in seconds since 1970.
    #[serde(skip)]
    pub(super) hits_s: Vec<u32>,
}

/// What to write into a configuration.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Recommended {
    pub(super) toml: String,
    pub(super) postfix: String,
}

/// Who sent.
#[derive(Debug, Clone, Serialize)]
struct Source {
    name: Box<str>,
    attempts: u64,
    accepted: u64,
    rate_refused: u64,
    first_attempt_share: Option<f64>,
}

/// An MX host.
#[derive(Debug, Clone, Serialize)]
struct Host {
    name: Box<str>,
    accepted: u64,
    refused: u64,
}

impl Told {
    /// What a report says.
    pub(super) fn of(report: &Report) -> Self {
        let verdicts = verdict::of(report);
        let providers = report.providers.iter().zip(verdicts);
        Self {
            files: report.files,
            lines: report.lines,
            bad_lines: report.bad_lines,
            bad_examples: report.bad_examples.clone(),
            octets: report.octets,
            formats: report.formats.iter().map(|format| format.name()).collect(),
            from: report.from.map(time),
            to: report.to.map(time),
            evicted: report.evicted,
            waiting: report.waiting,
            providers: providers.map(|(one, verdict)| Provider::of(one, verdict)).collect(),
        }
    }
}

impl Provider {
    fn of(figures: &ProviderFigures, verdict: Verdict) -> Self {
        let limit = limit_of(figures);
        let recommended = Recommended {
            toml: lane::toml(figures, limit.as_ref(), &verdict),
            postfix: postfix::settings(figures, limit.as_ref(), &verdict),
        };
        Self {
            id: figures.id.clone(),
            name: figures.name.clone(),
            accepted: figures.accepted,
            deferred: figures.deferred,
            bounced: figures.bounced,
            expired: figures.expired,
            suspended: figures.suspended,
            hosts_refused: figures.hosts_refused,
            waiting: figures.waiting,
            attempts: figures.attempts(),
            first_attempts: figures.first_attempts,
            first_attempt_share: figures.first_attempt_share().map(rounded),
            attempts_per_accepted: figures.attempts_per_accepted().map(rounded),
            oldest_s: figures.oldest.as_s(),
            labels: figures.labels.iter().map(|(label, n)| (label.name(), *n)).collect(),
            top_replies: figures.top_replies.iter().map(TopReply::of).collect(),
            storms: figures.storms.iter().map(Storm::of).collect(),
            suspected_limit: limit,
            verdict,
            recommended,
            sources: figures.sources.iter().take(SOURCES_TOLD).map(Source::of).collect(),
            hosts: figures
                .hosts
                .iter()
                .map(|(name, accepted, refused)| Host {
                    name: name.clone(),
                    accepted: *accepted,
                    refused: *refused,
                })
                .collect(),
            domains: figures.domains.iter().cloned().collect(),
        }
    }
}

/// Sources that are told of a provider.
const SOURCES_TOLD: usize = 50;

/// The limit with the source that shows it best: a provider counts by address, so what one
/// source was refused says more than what all were.
fn limit_of(figures: &ProviderFigures) -> Option<Limit> {
    let sources = figures.sources.iter().filter(|source| source.paced > 0).take(SOURCES_TOLD);
    let found = sources.filter_map(|source| {
        let limit = suspected_limit(&source.moments, source.step_s)?;
        let name = (figures.sources.len() > 1).then(|| source.name.clone());
        Some((limit, name))
    });
    let all = || Some((suspected_limit(&figures.moments, figures.step_s)?, None));
    let best = found.max_by(|(a, _), (b, _)| a.confidence.total_cmp(&b.confidence));
    best.or_else(all).map(|(limit, source)| Limit::of(limit, source))
}

impl Limit {
    fn of(limit: SuspectedLimit, source: Option<Box<str>>) -> Self {
        Self {
            window_s: limit.window_s,
            quota: limit.quota,
            confidence: rounded(limit.confidence),
            turns: limit.turns.name(),
            counts: limit.counts.name(),
            source,
            hit: limit.hit,
            hits: limit.hits_s.iter().map(|at_s| time_s(*at_s)).collect(),
            hits_s: limit.hits_s,
        }
    }
}

impl TopReply {
    fn of(reply: &postlane_maillog::TopReply) -> Self {
        Self {
            text: reply.text.clone(),
            code: reply.code,
            label: reply.label.name(),
            rule: reply.rule.clone(),
            count: reply.count,
            first: time(reply.first),
            last: time(reply.last),
        }
    }
}

impl Storm {
    fn of(storm: &postlane_maillog::Storm) -> Self {
        Self {
            from: time_s(storm.from_s),
            to: time_s(storm.to_s),
            attempts: storm.attempts,
            retries: storm.retries,
            accepted: storm.accepted,
            peak_per_minute: storm.peak_per_minute,
            oldest_s: storm.oldest_s,
        }
    }
}

impl Source {
    fn of(source: &postlane_maillog::SourceFigures) -> Self {
        let first = (source.first_attempts > 0)
            .then(|| rounded(source.first_accepted as f64 / source.first_attempts as f64));
        Self {
            name: source.name.clone(),
            attempts: source.attempts,
            accepted: source.accepted,
            rate_refused: source.paced,
            first_attempt_share: first,
        }
    }
}

/// A time as RFC 3339 has it, in whole seconds.
pub(super) fn time(at: Instant) -> String {
    let seconds = i64::try_from(at.unix_s()).unwrap_or_default();
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |stamp| stamp.to_string())
}

fn time_s(at_s: u32) -> String {
    time(Instant::from_unix_s(u64::from(at_s)))
}

/// Three digits behind the point.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
