//! What happened, for whoever listens: the log, the ledger, figures, streams of events, webhooks.

pub(crate) mod alarm;
pub(crate) mod counters;
pub(crate) mod events;
pub(crate) mod happened;
pub(crate) mod history;
pub(crate) mod journal;
pub(crate) mod metrics;
pub(crate) mod reloading;
pub(crate) mod veil;
pub mod webhooks;
