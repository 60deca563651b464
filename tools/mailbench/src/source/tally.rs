//! What the sessions of a source count together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use serde_json::Value;

use super::client::Failure;

/// Kinds of failure told apart in the result.
const ERRORS_MAX: usize = 50;

/// The counters of one run.
pub(super) struct Tally {
    /// When the run began: the open loop's clock.
    pub(super) begun_ns: u64,
    taken: AtomicU64,
    failed: AtomicU64,
    reconnects: AtomicU64,
    first_ns: AtomicU64,
    last_ns: AtomicU64,
    errors: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    pub(super) fn new(begun_ns: u64) -> Self {
        Self {
            begun_ns,
            taken: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            first_ns: AtomicU64::new(u64::MAX),
            last_ns: AtomicU64::new(0),
            errors: Mutex::default(),
        }
    }

    /// Takes the next message, counted from 0.
    pub(super) fn take(&self) -> u64 {
        self.taken.fetch_add(1, Relaxed)
    }

    pub(super) fn began(&self, at_ns: u64) {
        self.first_ns.fetch_min(at_ns, Relaxed);
    }

    pub(super) fn accepted(&self, at_ns: u64) {
        self.last_ns.fetch_max(at_ns, Relaxed);
    }

    /// Notes why a try failed.
    pub(super) fn note(&self, failure: &Failure) {
        let said = failure.in_short();
        let mut errors = self.errors.lock();
        if errors.len() < ERRORS_MAX || errors.contains_key(&said) {
            *errors.entry(said).or_default() += 1;
        }
    }

    pub(super) fn retried(&self) {
        self.reconnects.fetch_add(1, Relaxed);
    }

    pub(super) fn gave_up(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    pub(super) fn reconnects(&self) -> u64 {
        self.reconnects.load(Relaxed)
    }

    /// When the first message that was accepted, or any, began; 0 when none was accepted.
    pub(super) fn first_ns(&self) -> u64 {
        if self.last_ns() > 0 { self.first_ns.load(Relaxed) } else { 0 }
    }

    /// When the last message was accepted; 0 when none was.
    pub(super) fn last_ns(&self) -> u64 {
        self.last_ns.load(Relaxed)
    }

    /// From the first transaction to the last acceptance.
    pub(super) fn span_ns(&self) -> u64 {
        self.last_ns() - self.first_ns()
    }

    /// Failures with their counts.
    pub(super) fn errors(&self) -> Value {
        self.errors.lock().iter().map(|(said, n)| (said.clone(), Value::from(*n))).collect()
    }
}
