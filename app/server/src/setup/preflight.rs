//! What is looked at before mail leaves, and what follows.

use std::collections::BTreeMap;

use postlane_mail::{Span, Stream};

use crate::config::Config;
use crate::config::settings::{LaneName, LaneRules, PreflightPolicy};

/// How messages are looked at before they leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreflightSetup {
    /// What follows where nothing else is said of a provider.
    pub policy: PreflightPolicy,
    /// With some providers, by their ids.
    pub providers: BTreeMap<String, PreflightPolicy>,
    /// Streams that are held.
    pub hold_streams: Vec<Stream>,
    /// How long a good look counts.
    pub every: Span,
    /// How long another one does.
    pub recheck: Span,
    /// One message in so many is looked at beside; 0 for none.
    pub one_in: u32,
    /// Octets of a message that is looked at, at most.
    pub message_octets_max: usize,
    /// Octets that wait to be looked at, at most.
    pub backlog_octets_max: usize,
    /// Domains, by provider, source and stream, at most.
    pub subjects_max: usize,
}

impl PreflightSetup {
    pub(super) fn of(config: &Config) -> Self {
        let settings = &config.preflight;
        let of_provider = |section: &LaneRules| match &section.name {
            LaneName::Provider(id) => Some((id.to_string(), section.preflight?)),
            _ => None,
        };
        Self {
            policy: settings.policy,
            providers: config.lanes.iter().filter_map(of_provider).collect(),
            hold_streams: settings.hold_streams.clone(),
            every: settings.every,
            recheck: settings.recheck,
            one_in: settings.one_in,
            message_octets_max: settings.message_size.in_memory(),
            backlog_octets_max: settings.backlog.in_memory(),
            subjects_max: usize::try_from(settings.domains).unwrap_or(usize::MAX),
        }
    }

    /// What follows for mail of a stream to a provider.
    pub fn policy(&self, provider: &str, stream: Stream) -> PreflightPolicy {
        match self.providers.get(provider).copied().unwrap_or(self.policy) {
            PreflightPolicy::Hold if !self.hold_streams.contains(&stream) => PreflightPolicy::Warn,
            policy => policy,
        }
    }
}
