//! What a lane's figures come to, as JSON.

use postlane_checks::Finding;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one check of a lane has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LaneCheckRow {
    /// The check, as `INF-01`.
    pub id: String,
    /// `pass`, `info`, `warn`, `fail`, `skip` or `error`.
    pub result: String,
    /// What was counted, or why nothing was.
    pub evidence: String,
    /// What to do; `null` where nothing is to be done.
    pub remedy: Option<String>,
    /// Where that is written.
    pub reference: String,
}

impl From<Finding> for LaneCheckRow {
    fn from(finding: Finding) -> Self {
        Self {
            id: finding.id.to_owned(),
            result: finding.outcome.as_str().to_owned(),
            evidence: finding.evidence,
            remedy: finding.remedy,
            reference: finding.reference.to_owned(),
        }
    }
}
