//! Who is named where a model receiver refused.

use postlane_receivers::{Cause, Scenario};

/// The ids of a scenario's limits, by their numbers.
pub(super) struct Limits(Vec<String>);

impl Limits {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self(scenario.receiver.limits.iter().map(|limit| limit.id.clone()).collect())
    }

    /// Who refused: a limit's id, `temp`, `outage` or `unknown`; nobody where it was taken.
    pub(super) fn blamed(&self, cause: Cause) -> Option<String> {
        Some(match cause {
            Cause::Accepted => return None,
            Cause::Limit { index, .. } => self.0.get(index).cloned().unwrap_or_default(),
            Cause::Temp(_) => "temp".to_owned(),
            Cause::Outage(_) => "outage".to_owned(),
            Cause::UnknownRecipient => "unknown".to_owned(),
        })
    }
}
