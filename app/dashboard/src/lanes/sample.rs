//! What a lane believed and did in one stretch of time, as the API remembers it: what counts are drawn
//! against.

use postlane_api::wire::{BeliefLimit, BeliefRow, LaneRow};
use postlane_mail::{Instant, Span};

use super::chip::Chip;
use crate::moments;
use crate::numbers::{count, span};

/// What a lane believed and did for a while.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) from: Instant,
    pub(crate) until: Instant,
    pub(crate) chip: Chip,
    /// Messages a second that it kept to; none where nothing bound it.
    pub(crate) rate: Option<f64>,
    /// Messages a second over the whole window of the slowest limit that it relied on.
    pub(crate) relied_on: Option<f64>,
    /// The same of the slowest that it suspected alone.
    pub(crate) suspected: Option<f64>,
    /// The limits in words, and how long it expected to be shut out.
    pub(crate) says: String,
}

impl Sample {
    /// As it was remembered; none where a moment of it cannot be read.
    pub(crate) fn of(row: &BeliefRow) -> Option<Self> {
        let is_quarantined = row.state == "quarantined";
        Some(Self {
            from: moments::read(&row.from)?,
            until: moments::read(&row.until)?,
            chip: Chip::of(&row.state, row.restart_day, is_quarantined),
            rate: row.rate_per_s,
            relied_on: slowest(&row.limits, "confirmed"),
            suspected: slowest(&row.limits, "suspected"),
            says: said(&row.limits, row.box_s),
        })
    }

    /// As it is now: the minute that is not written down yet.
    pub(crate) fn now(lane: &LaneRow, now: Instant) -> Self {
        let limit = |quota: &postlane_api::wire::QuotaRow| BeliefLimit {
            messages: quota.messages,
            window_s: quota.window_s,
            confidence: quota.confidence.clone(),
            support: quota.support,
        };
        let limits: Vec<BeliefLimit> = lane.beliefs.quotas.iter().map(limit).collect();
        let minute = moments::floored(now, Span::from_min(1));
        Self {
            from: minute,
            until: minute + Span::from_min(1),
            chip: Chip::of(&lane.state, lane.restart_day, lane.quarantined_since.is_some()),
            rate: lane.rate_per_s,
            relied_on: slowest(&limits, "confirmed"),
            suspected: slowest(&limits, "suspected"),
            says: said(&limits, lane.beliefs.box_s),
        }
    }

    /// Messages a second at which it would go: its pace, or its limit where that is less.
    pub(crate) fn pace(&self) -> Option<f64> {
        match (self.rate, self.relied_on) {
            (Some(rate), Some(limit)) => Some(rate.min(limit)),
            (rate, limit) => rate.or(limit),
        }
    }
}

fn slowest(limits: &[BeliefLimit], confidence: &str) -> Option<f64> {
    let of = limits.iter().filter(|limit| limit.confidence == confidence);
    let pace = |limit: &BeliefLimit| f64::from(limit.messages) / limit.window_s.max(1) as f64;
    of.map(pace).min_by(f64::total_cmp)
}

fn said(limits: &[BeliefLimit], box_s: Option<u64>) -> String {
    let limit = |limit: &BeliefLimit| {
        let how = if limit.confidence == "confirmed" { "relied on" } else { "suspected" };
        format!("{} in {}, {how}", count(limit.messages.into()), span(limit.window_s))
    };
    let mut parts: Vec<String> = limits.iter().take(3).map(limit).collect();
    if limits.len() > 3 {
        parts.push(format!("{} more", limits.len() - 3));
    }
    parts.extend(box_s.map(|s| format!("shut out for {}", span(s))));
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(messages: u32, window_s: u64, confidence: &str) -> BeliefLimit {
        BeliefLimit { messages, window_s, confidence: confidence.to_owned(), support: 1 }
    }

    #[test]
    fn the_slowest_limit_that_is_relied_on_is_the_one_that_binds() {
        let row = BeliefRow {
            from: postlane_api::wire::timestamp(Instant::from_unix_s(1_795_239_540)),
            until: postlane_api::wire::timestamp(Instant::from_unix_s(1_795_239_600)),
            state: "quarantined".to_owned(),
            restart_day: None,
            rate_per_s: Some(0.5),
            limits: vec![
                limit(3_600, 3_600, "confirmed"),
                limit(360, 3_600, "confirmed"),
                limit(1, 3_600, "suspected"),
            ],
            box_s: Some(1_800),
        };
        let sample = Sample::of(&row).unwrap();
        assert_eq!((sample.pace(), sample.suspected), (Some(0.1), Some(1.0 / 3_600.0)));
        assert_eq!(sample.chip, Chip::Quarantined);
        assert_eq!(
            sample.says,
            "3,600 in 1 h, relied on; 360 in 1 h, relied on; 1 in 1 h, suspected; \
             shut out for 30 min"
        );
    }
}
