//! What lanes believed and did, minute by minute, for a day: what the ledger's counts are drawn
//! against. It is kept in memory; what was before a start is a gap, and drawn as one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use postlane_api::wire::{LanePage, LaneRow};
use postlane_mail::{Instant, Span};
use postlane_server::handle::Handle;

use super::chip::Chip;
use crate::moments;

/// One minute of a lane's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: Instant,
    pub(crate) chip: Chip,
    /// Messages a second that it kept to; none where nothing bound it.
    pub(crate) rate: Option<f64>,
    /// The limit it relied on that lets the least through: messages, in so long.
    pub(crate) quota: Option<(u32, Span)>,
}

/// Samples of all lanes. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Kept>>);

/// By provider and source, the oldest first.
#[derive(Default)]
struct Kept(BTreeMap<(String, String), VecDeque<Sample>>);

/// Minutes that are kept of a lane, and lanes. Chosen, not measured: some 50 MB where all is used.
const MINUTES_MAX: usize = 1_440;
const LANES_MAX: usize = 500;

/// How often is looked whether a minute has begun: the server's time may run faster than ours.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const MINUTE: Span = Span::from_min(1);

impl Recorder {
    /// Begins to look at a server's lanes.
    pub(crate) fn begin(&self, handle: Handle) {
        let recorder = self.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LOOK_EVERY);
            let mut last = None;
            loop {
                ticks.tick().await;
                let minute = moments::floored(handle.now(), MINUTE);
                if last == Some(minute) {
                    continue;
                }
                let Ok(list) = handle.lanes(None, 0).await else { return };
                last = Some(minute);
                recorder.record(&LanePage::from(list).lanes, minute);
            }
        });
    }

    fn record(&self, lanes: &[LaneRow], at: Instant) {
        let kept = &mut self.0.lock().0;
        for lane in lanes {
            let key = (lane.provider.clone(), lane.source.clone());
            if kept.len() >= LANES_MAX && !kept.contains_key(&key) {
                continue;
            }
            let samples = kept.entry(key).or_default();
            samples.push_back(Sample::of(lane, at));
            if samples.len() > MINUTES_MAX {
                samples.pop_front();
            }
        }
        // Lanes that were forgotten are forgotten here a day later.
        let day_ago = Instant(at.0.saturating_sub(Span::from_h(24).0));
        kept.retain(|_, samples| samples.back().is_some_and(|last| last.at > day_ago));
    }

    /// What is kept of a lane since then, the oldest first.
    pub(crate) fn of(&self, provider: &str, source: &str, since: Instant) -> Vec<Sample> {
        let kept = self.0.lock();
        let samples = kept.0.get(&(provider.to_owned(), source.to_owned()));
        samples.map_or_else(Vec::new, |all| {
            all.iter().filter(|sample| sample.at >= since).copied().collect()
        })
    }
}

impl Sample {
    pub(crate) fn of(lane: &LaneRow, at: Instant) -> Self {
        let confirmed = lane.beliefs.quotas.iter().filter(|quota| quota.confidence == "confirmed");
        let slowest = confirmed.min_by(|a, b| {
            let pace =
                |q: &postlane_api::wire::QuotaRow| f64::from(q.messages) / q.window_s.max(1) as f64;
            pace(a).total_cmp(&pace(b))
        });
        Self {
            at,
            chip: Chip::of(&lane.state, lane.restart_day, lane.quarantined_since.is_some()),
            rate: lane.rate_per_s,
            quota: slowest.map(|quota| (quota.messages, Span::from_s(quota.window_s))),
        }
    }
}
