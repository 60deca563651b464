//! The limit behind the refusals of a provider, as it is told.

use postlane_maillog::{ProviderFigures, SuspectedLimit, suspected_limit};
use serde::Serialize;

use super::written::{rounded, time_s};

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

/// Sources whose refusals are looked at.
const SOURCES_MAX: usize = 50;

impl Limit {
    /// The limit with the source that shows it best: a provider counts by address, so what one
    /// source was refused says more than what all were.
    pub(super) fn behind(figures: &ProviderFigures) -> Option<Self> {
        let sources = figures.sources.iter().filter(|source| source.paced > 0).take(SOURCES_MAX);
        let found = sources.filter_map(|source| {
            let limit = suspected_limit(&source.moments, source.step_s)?;
            let name = (figures.sources.len() > 1).then(|| source.name.clone());
            Some((limit, name))
        });
        let all = || Some((suspected_limit(&figures.moments, figures.step_s)?, None));
        let best = found.max_by(|(a, _), (b, _)| a.confidence.total_cmp(&b.confidence));
        best.or_else(all).map(|(limit, source)| Self::of(limit, source))
    }

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
