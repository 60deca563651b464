//! What replies mean, as JSON.

use postlane_replies::Diagnosis;
use postlane_server::handle::Cluster;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::{Timestamp, timestamp};

/// What a reply means, for whom, and what is done about it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DiagnosisRow {
    /// What it means: `rate_limited`, `no_such_user`…
    pub label: String,
    /// Labels that are kin: `throttle`, `recipient-invalid`…
    pub family: String,
    /// Whom it concerns: `recipient`, `message`, `session`, `host`, `source`, `sending_domain`,
    /// `route` or `lane`.
    pub scope: String,
    /// `transient`, `until_fixed` or `permanent`.
    pub persistence: String,
    /// What the lane hears of it: `Rate`, `Greylist`, `Perm`…
    pub signal: String,
    /// What is done: `slow_lane`, `suppress_recipient`…
    pub action: String,
    /// How long to wait, in seconds, where the reply or the rule says so.
    pub wait_s: Option<u64>,
    /// The rule that said so; `code-class/5yz` where the class of the code is all that is known.
    pub rule: String,
    /// How sure that is, 0 to 1.
    pub confidence: f32,
}

/// Replies that differ in numbers and names alone, and that no rule has words for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ClusterRow {
    /// Their code and common words, `#` for numbers and names.
    pub cluster: String,
    /// How many came since the start.
    pub count: u64,
    /// When the first came.
    pub first: Timestamp,
    /// When the last came.
    pub last: Timestamp,
    /// The last one: code and lines, joined by ` / `.
    pub example: String,
    /// What that answered.
    pub stage: String,
    /// The provider whose host said it.
    pub provider: String,
    /// What it was taken for, by its codes.
    pub label: String,
}

/// What no rule has words for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UnclassifiedPage {
    /// How many replies since the start.
    pub total: u64,
    /// What they have in common, the most frequent first; a thousand at most.
    pub clusters: Vec<ClusterRow>,
}

impl From<&Diagnosis> for DiagnosisRow {
    fn from(diagnosis: &Diagnosis) -> Self {
        Self {
            label: diagnosis.label.name().to_owned(),
            family: diagnosis.label.family().name().to_owned(),
            scope: diagnosis.scope.name().to_owned(),
            persistence: diagnosis.persistence.name().to_owned(),
            signal: diagnosis.signal.name().to_owned(),
            action: diagnosis.action.name().to_owned(),
            wait_s: diagnosis.advised_wait().map(postlane_mail::Span::as_s),
            rule: diagnosis.rule.as_ref().map(ToString::to_string).unwrap_or_default(),
            confidence: diagnosis.confidence.share(),
        }
    }
}

impl From<Cluster> for ClusterRow {
    fn from(seen: Cluster) -> Self {
        Self {
            count: seen.count,
            first: timestamp(seen.first),
            last: timestamp(seen.last),
            example: seen.example.to_string(),
            stage: seen.stage.to_string(),
            provider: seen.provider.into(),
            label: seen.label.to_owned(),
            cluster: seen.cluster,
        }
    }
}
