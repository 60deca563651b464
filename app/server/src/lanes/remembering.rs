//! What lanes believed and did over time, written down by the minute for people who look back.
//!
//! What a lane goes by is in the spool; this is the picture of it, in the registry, and nothing reads it
//! to decide. A lane that is as it was a minute ago makes its row longer; a minute that nobody recorded is a
//! gap, and stays one.

use std::collections::BTreeMap;
use std::time::Duration;

use postlane_lanes::Quota;
use postlane_mail::{Instant, Span};
use postlane_registry::{KeptBelief, KeptLimit, RegistryError};

use crate::handle::{Handle, Lane, LaneStanding};

/// How long what was believed is remembered: as far back as the dashboard's plots look, and a day.
const REMEMBERED: Span = Span::from_h(24 * 8);

/// Lanes that are written down, by provider and source. Chosen, not measured: more are not drawn.
const LANES_MAX: usize = 1_000;

/// How often is looked whether a minute has begun: the server's time may run faster than ours.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const MINUTE: Span = Span::from_min(1);

/// What is being believed, by provider and source.
#[derive(Default)]
struct Rows(BTreeMap<(String, String), KeptBelief>);

/// Writes down what lanes believe until the server ends.
pub(crate) async fn remember(handle: Handle) {
    let mut rows = Rows::default();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    let mut last = None;
    loop {
        ticks.tick().await;
        let now = handle.now();
        let minute = Instant(now.0 - now.0 % MINUTE.0);
        if last == Some(minute) {
            continue;
        }
        let Ok(list) = handle.lanes(None, 0).await else { return };
        last = Some(minute);
        rows.look(&list.lanes, minute);
        let changed: Vec<KeptBelief> = rows.0.values().cloned().collect();
        let oldest = minute - REMEMBERED;
        // What cannot be written now is written with the next minute: each row is whole.
        let _ = handle.registry(move |db| db.keep_beliefs(&changed, oldest)).await;
    }
}

impl Rows {
    fn look(&mut self, lanes: &[Lane], minute: Instant) {
        let mut rows = BTreeMap::new();
        for lane in lanes.iter().take(LANES_MAX) {
            let belief = belief(lane, minute);
            let key = (belief.provider.clone(), belief.source.clone());
            let before = self.0.remove(&key);
            let goes_on = before.filter(|before| {
                before.is_same_as(&belief) && minute.since(before.seen).0 <= MINUTE.0
            });
            let row = goes_on
                .map_or_else(|| belief.clone(), |before| KeptBelief { seen: minute, ..before });
            rows.insert(key, row);
        }
        self.0 = rows;
    }
}

fn belief(lane: &Lane, minute: Instant) -> KeptBelief {
    let view = &lane.view;
    let pinned = view.pinned.map(|rate| 1e6 / rate.gap().0.max(1) as f64);
    let state = match lane.standing {
        LaneStanding::Held => LaneStanding::Held.as_str(),
        _ if view.quarantined.is_some() && view.learns => "quarantined",
        standing => standing.as_str(),
    };
    KeptBelief {
        provider: lane.name.provider.to_string(),
        source: lane.name.source.as_deref().unwrap_or_default().to_owned(),
        since: minute,
        seen: minute,
        state: state.to_owned(),
        restart_day: lane
            .restart
            .as_ref()
            .filter(|plan| !plan.is_finished())
            .map(|plan| plan.step()),
        rate_per_s: pinned.or_else(|| view.learns.then_some(view.rate)).map(rounded),
        limits: view.quotas.iter().chain(&view.suspects).map(limit).collect(),
        shut_out: view.shut_out,
    }
}

fn limit(quota: &Quota) -> KeptLimit {
    KeptLimit {
        messages: quota.messages,
        window: quota.window,
        support: quota.support,
        is_confirmed: quota.is_confirmed(),
    }
}

/// Two figures: a plot shows no more, and a lane that grows by a thousandth makes no row of its own.
fn rounded(rate: f64) -> f64 {
    if !(rate.is_finite() && rate > 0.0) {
        return 0.0;
    }
    let tens = 10_f64.powf(rate.log10().floor() - 1.0);
    (rate / tens).round() * tens
}

impl Handle {
    /// Begins to write down what lanes believe over time. It must be called where tasks run.
    pub fn remember_lanes(&self) {
        tokio::spawn(remember(self.clone()));
    }

    /// What a lane believed between two moments, the oldest first, each row with the minute after it was last
    /// seen to be so.
    ///
    /// # Errors
    /// The registry cannot be read.
    pub async fn beliefs(
        &self,
        provider: &str,
        source: &str,
        (from, to): (Instant, Instant),
    ) -> Result<Vec<KeptBelief>, RegistryError> {
        let (provider, source) = (provider.to_owned(), source.to_owned());
        self.registry(move |db| db.beliefs((&provider, &source), (from, to))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_with_two_figures() {
        let all = [0.0, 0.012_345, 1.0, 97.4, 1_234.0, f64::INFINITY, f64::NAN].map(rounded);
        let wanted = [0.0, 0.012, 1.0, 97.0, 1_200.0, 0.0, 0.0];
        assert!(all.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{all:?}");
    }
}
