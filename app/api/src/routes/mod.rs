//! One file for each thing that can be asked.

pub(crate) mod audit;
pub(crate) mod belief;
pub(crate) mod blocklist;
pub(crate) mod check;
pub(crate) mod diagnosis;
pub(crate) mod domain;
pub(crate) mod event;
pub(crate) mod incident;
pub(crate) mod lane;
pub(crate) mod log;
pub(crate) mod log_export;
pub(crate) mod message;
pub(crate) mod preflight;
pub(crate) mod published;
pub(crate) mod queue;
pub(crate) mod rehearsal;
pub(crate) mod reply;
pub(crate) mod server;
pub(crate) mod suppression;
pub(crate) mod test;
pub(crate) mod test_page;
pub(crate) mod tls_report;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod view;
pub(crate) mod webhook;
