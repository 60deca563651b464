//! Figures as OpenMetrics.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use postlane_engine::Counts;
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
        let mut registry = Registry::with_prefix("postlane");
        self.0.count(&mut registry);
        self.0.measure(&mut registry, queue, ages);
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
        let of_spool =
            |count: &std::sync::atomic::AtomicU64| count.load(std::sync::atomic::Ordering::Relaxed);
        let counted: [(&str, &str, u64); 15] = [
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
                "recipients_delivered",
                "Recipients taken by the next host",
                counters.delivered.value(),
            ),
            ("recipients_deferred", "Deferrals", counters.deferred.value()),
            ("recipients_bounced", "Recipients refused for good", counters.bounced.value()),
            ("recipients_expired", "Recipients given up for age", counters.expired.value()),
            ("recipients_removed", "Recipients given up by an operator", counters.removed.value()),
            ("reports_written", "Reports to senders", counters.reports.value()),
            (
                "connects_failed",
                "Sessions with hosts that did not come about",
                counters.connects_failed.value(),
            ),
            ("spool_syncs", "Times that the disk was synced", of_spool(&tally.syncs)),
            ("spool_records", "Records written", of_spool(&tally.records)),
            ("spool_messages_copied", "Messages copied forward", of_spool(&tally.copied)),
            ("spool_segments_removed", "Segments given back", of_spool(&tally.removed)),
        ];
        for (name, help, value) in counted {
            registry.register(name, help, ConstCounter::new(value));
        }
    }

    fn measure(&self, registry: &mut Registry, queue: Counts, ages: [u64; 10]) {
        let usage = self.store.usage();
        let states = [
            ("queue_active", "Recipients in a transaction", queue.active),
            ("queue_ready", "Recipients that wait for their lane", queue.ready + queue.routing),
            ("queue_deferred", "Recipients that wait for their next attempt", queue.deferred),
            ("queue_held", "Recipients held by an operator", queue.held + queue.verdict),
            ("sessions_out", "Sessions with hosts", queue.sessions),
            ("spool_messages", "Messages that live", usage.messages),
            ("spool_segments", "Segment files", u64::from(usage.segments)),
        ];
        for (name, help, value) in states {
            registry.register(
                name,
                help,
                ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)),
            );
        }
        let octets = [
            ("spool_used", "Octets of the spool", usage.used),
            ("spool_free", "Octets that the file system has left", usage.free),
            ("cache", "Octets of messages in memory", self.cache.octets() as u64),
        ];
        for (name, help, value) in octets {
            let value = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            registry.register_with_unit(name, help, Unit::Bytes, value);
        }
        let bounds = crate::handle::AGE_BUCKETS_MIN.iter().map(ToString::to_string);
        for (bound, many) in bounds.chain(["older".to_owned()]).zip(ages) {
            let name = format!("queue_age_below_{bound}_min");
            let value = ConstGauge::new(i64::try_from(many).unwrap_or(i64::MAX));
            registry.register(name, "Recipients by age, from the bound below on", value);
        }
    }
}
