//! What a lane believed and did over time, as JSON.

use postlane_mail::{Instant, Span};
use postlane_registry::{KeptBelief, KeptLimit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::diagnosis::moment_or_ago;
use super::time::{Timestamp, timestamp};

/// Which time is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct BeliefQuery {
    /// Not before: a moment, or how long ago (`24h`, `7d`); a day ago if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Before: a moment, or how long ago; now if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What a lane believed and did, the oldest first. What lies between two rows nobody has seen: the relay was not
/// running, or the lane was not there.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BeliefPage {
    /// A row for as long as nothing of it changed, by the minute.
    pub beliefs: Vec<BeliefRow>,
}

/// What a lane believed and did for a while. A key without a value is `null` or empty, never missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BeliefRow {
    /// Since when.
    pub from: Timestamp,
    /// Until when: the end of the last minute in which it was seen to be so.
    pub until: Timestamp,
    /// `healthy`, `steady`, `resting`, `quarantined`, `held` or `restart`.
    pub state: String,
    /// The step of a restart plan's ladder, from 1.
    pub restart_day: Option<u16>,
    /// Messages a second that it kept to, in two figures; `null` where only its ceilings bound it.
    pub rate_per_s: Option<f64>,
    /// Limits that it relied on, then those that it suspected.
    pub limits: Vec<BeliefLimit>,
    /// How long it expected to be shut out when it goes too far, in seconds.
    pub box_s: Option<u64>,
}

/// A limit as a lane believed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BeliefLimit {
    /// Messages in the window.
    pub messages: u32,
    /// The window, in seconds.
    pub window_s: u64,
    /// `confirmed` where it was relied on, else `suspected`.
    pub confidence: String,
    /// How often it was seen to hold.
    pub support: u32,
}

impl BeliefQuery {
    /// From when to when, or what is wrong with it.
    pub(crate) fn times(&self, now: Instant) -> Result<(Instant, Instant), String> {
        let read = |name: &str, text: &Option<String>, usual: Instant| match text {
            Some(text) => moment_or_ago(text, now).map_err(|e| format!("{name} {text:?}: {e}")),
            None => Ok(usual),
        };
        Ok((read("since", &self.since, now - Span::from_h(24))?, read("until", &self.until, now)?))
    }
}

impl From<KeptBelief> for BeliefRow {
    fn from(kept: KeptBelief) -> Self {
        Self {
            from: timestamp(kept.since),
            until: timestamp(kept.seen + Span::from_min(1)),
            state: kept.state,
            restart_day: kept.restart_day,
            rate_per_s: kept.rate_per_s,
            limits: kept.limits.into_iter().map(BeliefLimit::from).collect(),
            box_s: kept.shut_out.map(Span::as_s),
        }
    }
}

impl From<KeptLimit> for BeliefLimit {
    fn from(kept: KeptLimit) -> Self {
        Self {
            messages: kept.messages,
            window_s: kept.window.as_s(),
            confidence: if kept.is_confirmed { "confirmed" } else { "suspected" }.to_owned(),
            support: kept.support,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_cannot_be_read_is_named_with_its_cure() {
        let now = Instant::from_unix_s(1_795_239_545);
        let of = |since: &str| {
            let since = Some(since.to_owned());
            BeliefQuery { since, ..BeliefQuery::default() }.times(now)
        };
        assert_eq!(of("2h"), Ok((now - Span::from_h(2), now)));
        assert_eq!(of("2026-11-21T05:39:05Z"), Ok((now, now)));
        let says = of("soon").unwrap_err();
        assert!(says.starts_with("since \"soon\": write it as 24h"), "{says}");
    }
}
