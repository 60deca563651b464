//! One file for each command.

pub(crate) mod analyze;
pub(crate) mod bounce;
pub(crate) mod classify;
pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod lanes;
pub(crate) mod queue;
pub(crate) mod receiver;
pub(crate) mod rehearse;
pub(crate) mod reload;
pub(crate) mod rules;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod spool;
pub(crate) mod suppression;
