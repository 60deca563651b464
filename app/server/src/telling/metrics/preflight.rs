//! Preflight in figures: how many domains stand how before which gate.

use std::collections::BTreeMap;

use postlane_checks::Standing;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::signed;
use crate::identity::preflight::{Figures, PreflightRow};

/// Domains by the provider, the source, the stream and the verdict.
#[derive(Debug)]
struct ByGate(BTreeMap<[String; 4], u64>);

const LABELS: [&str; 4] = ["provider", "source", "stream", "verdict"];

/// How mail stands before gates. Domains are counted, never named.
pub(super) fn measure(registry: &mut Registry, figures: &Figures, rows: &[PreflightRow]) {
    let counted = [
        ("preflight_looks", "Messages looked at before they left", figures.looks.value()),
        (
            "preflight_dropped",
            "Messages that there was no room to look at (preflight.backlog)",
            figures.dropped.value(),
        ),
        (
            "preflight_refrained",
            "Attempts that were not made because something was missing",
            figures.held.value(),
        ),
    ];
    for (name, help, value) in counted {
        registry.register(name, help, ConstCounter::new(value));
    }
    let held: usize = rows.iter().map(|row| row.held).sum();
    let help = "Messages that wait until what is missing is there";
    registry.register("preflight_held", help, ConstGauge::new(signed(held as u64)));
    let mut by_gate: BTreeMap<[String; 4], u64> = BTreeMap::new();
    for row in rows {
        let verdict = row.sight.as_ref().map_or(Standing::Undetermined, |sight| sight.standing);
        let subject = &row.subject;
        let stream = subject.stream.to_string();
        let verdict = verdict.as_str().replace(' ', "-");
        let labels = [subject.provider.to_string(), subject.source.to_string(), stream, verdict];
        *by_gate.entry(labels).or_default() += 1;
    }
    let help = "Authors' domains, by how their mail stands before a provider's gate";
    registry.register("preflight_domains", help, ByGate(by_gate));
}

impl EncodeMetric for ByGate {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        for (values, many) in &self.0 {
            let mut labels = LABELS.map(|name| (name, ""));
            for (label, value) in labels.iter_mut().zip(values) {
                label.1 = value;
            }
            encoder.encode_family(&labels)?.encode_gauge(&signed(*many))?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}
