//! What has happened, counted, for the metrics page.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn inc(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, many: u64) {
        self.0.fetch_add(many, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What has happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) accepted: Count,
    pub(crate) refused: Count,
    pub(crate) sessions_in: Count,
    pub(crate) sessions_turned_away: Count,
    pub(crate) logins_turned_away: Count,
    pub(crate) delivered: Count,
    pub(crate) deferred: Count,
    pub(crate) bounced: Count,
    pub(crate) expired: Count,
    pub(crate) removed: Count,
    pub(crate) reports: Count,
    pub(crate) connects_failed: Count,
    /// Attempts that a fault of ours has broken.
    pub(crate) attempts_broken: Count,
    /// Recipients that were not written to, for they are on the suppression list.
    pub(crate) suppressed: Count,
    /// Entries that refusals have made.
    pub(crate) suppressions_learned: Count,
    /// Entries that there was no room for.
    pub(crate) suppressions_lost: Count,
}
