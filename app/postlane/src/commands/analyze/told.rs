//! What an analysis says, as JSON has it.

use std::collections::BTreeMap;

use postlane_maillog::{ProviderFigures, Report};
use serde::Serialize;

use super::limit::Limit;
use super::verdict::{self, Verdict};
use super::written::{rounded, time, time_s};
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

/// Sources that are told of a provider.
const SOURCES_TOLD: usize = 50;

impl Provider {
    fn of(figures: &ProviderFigures, verdict: Verdict) -> Self {
        let limit = Limit::behind(figures);
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
