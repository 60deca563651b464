//! One file for each command.

pub(crate) mod config;
pub(crate) mod queue;
pub(crate) mod reload;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod spool;
