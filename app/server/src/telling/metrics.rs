//! Figures as OpenMetrics.

mod lanes;
mod preflight;
mod watch;

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use postlane_engine::Counts;
use postlane_ledger::Figures;
use postlane_spool::{Store as _, Tally};

use crate::handle::{Handle, Inside};

impl Handle {
    /// Figures as OpenMetrics. By state and kind, never by address or domain.
    pub async fn metrics(&self) -> String {
        let (seen, sight) = tokio::sync::oneshot::channel();
        self.0.mailbox.look(move |engine, _| {
            // Who asked may have gone away.
            let _ = seen.send(engine.counts());
        });
        let queue = sight.await.unwrap_or_default();
        let summary = self.summary(crate::handle::Filter::default()).await.unwrap_or_default();
        let mut ages = [0; 10];
        for line in &summary.lines {
            ages.iter_mut().zip(line.by_age).for_each(|(sum, many)| *sum += many);
        }
        let lanes = self.lanes(None, 0).await.unwrap_or_default();
        let mut registry = Registry::with_prefix("postlane");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs", version);
        self.0.count(&mut registry);
        self.0.measure(&mut registry, queue, ages);
        lanes::measure(&mut registry, &lanes, self.now());
        let gates = &self.0.preflight;
        preflight::measure(&mut registry, gates.figures(), &gates.rows());
        watch::measure(&mut registry, &self.0.watch);
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

impl Inside {
    fn count(&self, registry: &mut Registry) {
        let counters = &self.counters;
        let tally: &Tally = self.store.tally();
        let of_spool = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counted: [(&str, &str, u64); 21] = [
            ("messages_accepted", "Messages that became ours", counters.accepted.value()),
            (
                "messages_refused",
                "Messages that were refused after their end",
                counters.refused.value(),
            ),
            ("sessions_accepted", "Sessions with clients", counters.sessions_in.value()),
            (
                "sessions_turned_away",
                "Clients over the limit",
                counters.sessions_turned_away.value(),
            ),
            (
                "logins_turned_away",
                "Logins of clients that had failed too often",
                counters.logins_turned_away.value(),
            ),
            (
                "recipients_delivered",
                "Recipients taken by the next host",
                counters.delivered.value(),
            ),
            ("recipients_deferred", "Deferrals", counters.deferred.value()),
            ("recipients_bounced", "Recipients refused for good", counters.bounced.value()),
            ("recipients_expired", "Recipients given up for age", counters.expired.value()),
            ("recipients_removed", "Recipients given up by an operator", counters.removed.value()),
            (
                "recipients_suppressed",
                "Recipients not written to, for they are on the suppression list",
                counters.suppressed.value(),
            ),
            (
                "suppressions_learned",
                "Entries of the suppression list that refusals have made",
                counters.suppressions_learned.value(),
            ),
            (
                "suppressions_lost",
                "Entries that there was no room for (suppression.entries)",
                counters.suppressions_lost.value(),
            ),
            ("reports_written", "Reports to senders", counters.reports.value()),
            (
                "connects_failed",
                "Sessions with hosts that did not come about",
                counters.connects_failed.value(),
            ),
            (
                "attempts_broken",
                "Attempts that a fault of ours has broken",
                counters.attempts_broken.value(),
            ),
            (
                "replies_unclassified",
                "Refusals that no rule has words for",
                self.diagnosing.unclassified(),
            ),
            ("spool_syncs", "Times that the disk was synced", of_spool(&tally.syncs)),
            ("spool_records", "Records written", of_spool(&tally.records)),
            ("spool_messages_copied", "Messages copied forward", of_spool(&tally.copied)),
            ("spool_segments_removed", "Segments given back", of_spool(&tally.removed)),
        ];
        for (name, help, value) in counted.into_iter().chain(remembered(&self.ledger())) {
            registry.register(name, help, ConstCounter::new(value));
        }
    }

    /// Nothing where there is no history.
    fn ledger(&self) -> Figures {
        self.history.past().map(|past| past.ledger().figures()).unwrap_or_default()
    }

    fn measure(&self, registry: &mut Registry, queue: Counts, ages: [u64; 10]) {
        let usage = self.store.usage();
        let states = [
            ("active", queue.active),
            ("ready", queue.ready + queue.routing),
            ("deferred", queue.deferred),
            ("held", queue.held + queue.verdict),
        ];
        let help = "Recipients that wait, by status";
        registry.register("queue_recipients", help, ByLabel::new("status", states));
        let help = "Recipients that wait, by age in minutes";
        registry.register("queue_age_recipients", help, ByLabel::new("minutes", by_age(ages)));
        let (recipients, domains) = self.suppressions.counts();
        let listed = [("recipient", recipients as u64), ("domain", domains as u64)];
        let help = "Entries of the suppression list, by kind";
        registry.register("suppression_entries", help, ByLabel::new("kind", listed));
        let states = [
            ("sessions_out", "Sessions with hosts", queue.sessions),
            ("spool_messages", "Messages that live", usage.messages),
            ("spool_segments", "Segment files", u64::from(usage.segments)),
            ("spool_full", "1 while new mail is refused for want of room", usage.full.into()),
            (
                "spool_failed",
                "1 when the spool has failed and the server must be restarted",
                self.failed.load(Ordering::Acquire).into(),
            ),
        ];
        for (name, help, value) in states {
            registry.register(name, help, ConstGauge::new(signed(value)));
        }
        let octets = [
            ("spool_used", "Octets of the spool", usage.used),
            ("spool_free", "Octets that the file system has left", usage.free),
            ("spool_headroom", "Octets until new mail is refused", usage.headroom),
            ("ledger", "Octets of the ledger", self.ledger().octets),
            ("cache", "Octets of messages in memory", self.cache.octets() as u64),
        ];
        for (name, help, value) in octets {
            registry.register_with_unit(name, help, Unit::Bytes, ConstGauge::new(signed(value)));
        }
    }
}

/// What the ledger counts of itself.
fn remembered(ledger: &Figures) -> [(&'static str, &'static str, u64); 3] {
    let dropped = "Entries that there was no room for (ledger.backlog)";
    let failures = "Times that the ledger could not be written, sealed or read";
    [
        ("ledger_entries", "Entries that the ledger has taken", ledger.appended),
        ("ledger_entries_dropped", dropped, ledger.dropped),
        ("ledger_failures", failures, ledger.failures),
    ]
}

/// Gauges that are told apart by one label, in the order in which they were given.
#[derive(Debug)]
struct ByLabel {
    label: &'static str,
    values: Vec<(String, u64)>,
}

impl ByLabel {
    fn new<L: Into<String>>(
        label: &'static str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self { label, values }
    }
}

impl EncodeMetric for ByLabel {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        for (name, value) in &self.values {
            let labels = [(self.label, name.as_str())];
            encoder.encode_family(&labels)?.encode_gauge(&signed(*value))?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

/// Ages as `0-5`, `5-10`… and `1280-`: each recipient is counted once.
fn by_age(ages: [u64; 10]) -> impl Iterator<Item = (String, u64)> {
    let bounds = crate::handle::AGE_BUCKETS_MIN.map(|bound| bound.to_string());
    let from = std::iter::once("0".to_owned()).chain(bounds.clone());
    let to = bounds.into_iter().chain([String::new()]);
    from.zip(to).map(|(from, to)| format!("{from}-{to}")).zip(ages)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
