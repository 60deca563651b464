//! Lanes in figures: all by state, and the busiest one by one.

use std::collections::BTreeMap;

use postlane_mail::Instant;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::ByLabel;
use crate::handle::{Lane, LaneList};

/// Lanes that have figures of their own: those that most mail waits for. Chosen, not measured: a
/// relay that writes to ten thousand domains does not make ten thousand rows of each.
const LANES_MAX: usize = 50;

/// What lanes are counted by.
const STATES: [&str; 5] = ["healthy", "steady", "resting", "held", "restart"];

/// A gauge for each of some lanes.
#[derive(Debug)]
struct ByLane(Vec<([(&'static str, String); 3], f64)>);

/// Lanes in figures.
pub(super) fn measure(registry: &mut Registry, list: &LaneList, now: Instant) {
    let mut by_state: BTreeMap<&str, u64> = STATES.iter().map(|state| (*state, 0)).collect();
    for lane in &list.lanes {
        *by_state.entry(lane.standing.as_str()).or_default() += 1;
    }
    registry.register("lanes", "Lanes, by state", ByLabel::new("state", by_state));
    let mut busiest: Vec<&Lane> = list.lanes.iter().collect();
    busiest.sort_by_key(|lane| std::cmp::Reverse((lane.view.ready, lane.view.accepted)));
    busiest.truncate(LANES_MAX);
    let gauge = |of: &dyn Fn(&Lane) -> Option<f64>| {
        let each = busiest.iter().filter_map(|lane| Some((labels(lane), of(lane)?)));
        ByLane(each.collect())
    };
    let rate = |lane: &Lane| lane.view.learns.then_some(lane.view.rate);
    let help = "Messages a second that the busiest lanes keep to, where they learn it";
    registry.register("lane_rate", help, gauge(&rate));
    let ready = |lane: &Lane| Some(lane.view.ready as f64);
    registry.register("lane_ready", "Messages due that could go by the lane", gauge(&ready));
    let waits = |lane: &Lane| {
        let until = lane.view.waiting?.until()?;
        Some(until.since(now).as_ms() as f64 / 1000.0)
    };
    let help = "Seconds until the next message may go by the lane, where that is known";
    registry.register("lane_waiting_seconds", help, gauge(&waits));
}

/// A lane's state is a label: it says which of its figures to believe.
fn labels(lane: &Lane) -> [(&'static str, String); 3] {
    let source = lane.name.source.as_deref().unwrap_or_default().to_owned();
    let state = lane.standing.as_str().to_owned();
    [("provider", lane.name.provider.to_string()), ("source", source), ("state", state)]
}

impl EncodeMetric for ByLane {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        for (labels, value) in &self.0 {
            encoder.encode_family(labels)?.encode_gauge(value)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}
