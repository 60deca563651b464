//! Asking the rules what a reply means, and counting what they do not know.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use postlane_engine::Limits;
use postlane_mail::{Instant, Reply, Stage};
use postlane_replies::{Diagnosis, Heard, RuleBook, Scratch, cluster_of};

use crate::outbound::routing::NextHop;

/// How many clusters of unknown replies are kept. Each is a few hundred octets.
/// Chosen, not measured.
const CLUSTERS_MAX: usize = 1000;

/// What the sessions ask the rules by. The book itself is the setup's, which may be read anew.
#[derive(Debug, Default)]
pub(crate) struct Diagnosing {
    scratch: Mutex<Scratch>,
    unclassified: Mutex<Unclassified>,
}

/// Replies that no words of any rule are for.
#[derive(Debug, Default)]
struct Unclassified {
    total: u64,
    clusters: BTreeMap<String, Cluster>,
}

/// Replies that differ in numbers and names alone, and for which there is no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Their code and their common words, `#` for numbers and names.
    pub cluster: String,
    /// How many came.
    pub count: u64,
    /// When the first came.
    pub first: Instant,
    /// When the last came.
    pub last: Instant,
    /// The last one, verbatim.
    pub example: Reply,
    /// Where that was said.
    pub stage: Stage,
    /// The provider whose host said it.
    pub provider: Box<str>,
    /// What it was taken for, by its codes alone.
    pub label: &'static str,
}

impl Diagnosing {
    /// What a host meant.
    pub(crate) fn diagnose(
        &self,
        book: &RuleBook,
        now: Instant,
        hop: &NextHop,
        (stage, reply): (Stage, &Reply),
    ) -> Diagnosis {
        // Nearly all replies say that it was done, and need no words for it.
        if reply.code().is_success() {
            return Diagnosis::accepted(stage, reply);
        }
        let host = hop.name.to_string();
        let is_smart_host = hop.limits == Limits::OfAll;
        let provider = (!is_smart_host).then_some(&*hop.provider);
        let heard = Heard { reply, stage: Some(stage), provider, mx: Some(&host) };
        let mut diagnosis = book.diagnose(&mut self.scratch.lock(), heard);
        if is_smart_host {
            diagnosis = diagnosis.by_smart_host(reply);
        }
        if diagnosis.is_unclassified() {
            self.unclassified.lock().count(now, hop, (stage, reply), &diagnosis);
        }
        diagnosis
    }

    /// How many replies no rule had words for, since the start.
    pub(crate) fn unclassified(&self) -> u64 {
        self.unclassified.lock().total
    }

    /// Their clusters, the most frequent first; a thousand at most.
    pub(crate) fn clusters(&self) -> Vec<Cluster> {
        let mut all: Vec<_> = self.unclassified.lock().clusters.values().cloned().collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.cluster.cmp(&b.cluster)));
        all
    }
}

impl Unclassified {
    fn count(
        &mut self,
        now: Instant,
        hop: &NextHop,
        (stage, reply): (Stage, &Reply),
        diagnosis: &Diagnosis,
    ) {
        self.total += 1;
        let cluster = cluster_of(reply);
        let is_new = !self.clusters.contains_key(&cluster);
        if is_new && self.clusters.len() >= CLUSTERS_MAX {
            self.forget_one();
        }
        let seen = self.clusters.entry(cluster.clone()).or_insert_with(|| Cluster {
            cluster,
            count: 0,
            first: now,
            last: now,
            example: reply.clone(),
            stage,
            provider: hop.provider.clone(),
            label: diagnosis.label.name(),
        });
        seen.count += 1;
        seen.last = now;
        seen.example = reply.clone();
        seen.stage = stage;
    }

    /// Makes room: the rarest goes, and of those the one not seen for longest.
    fn forget_one(&mut self) {
        let rarest = self.clusters.values().min_by_key(|seen| (seen.count, seen.last));
        if let Some(cluster) = rarest.map(|seen| seen.cluster.clone()) {
            self.clusters.remove(&cluster);
        }
    }
}
