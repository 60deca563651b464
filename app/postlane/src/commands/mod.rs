//! One file for each command.

pub(crate) mod analyze;
pub(crate) mod audit;
pub(crate) mod blocklists;
pub(crate) mod bounce;
pub(crate) mod check;
pub(crate) mod classify;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod diagnose;
pub(crate) mod dkim;
pub(crate) mod domains;
pub(crate) mod evidence;
pub(crate) mod explain;
pub(crate) mod incidents;
mod lane_checks;
pub(crate) mod lanes;
pub(crate) mod log;
mod on_file;
pub(crate) mod preflight;
pub(crate) mod queue;
pub(crate) mod receiver;
pub(crate) mod rehearse;
pub(crate) mod reload;
pub(crate) mod rules;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod spf;
pub(crate) mod spool;
pub(crate) mod suppression;
pub(crate) mod tester;
pub(crate) mod tls_report;
pub(crate) mod token;
pub(crate) mod trace;
pub(crate) mod user;
pub(crate) mod view;
pub(crate) mod webhook;

use postlane_api::wire::Timestamp;

/// A moment in a table: to the second, as a person reads it.
fn moment(at: &Timestamp) -> String {
    let text = at.0.split('.').next().unwrap_or_default();
    format!("{}Z", text.trim_end_matches('Z').replace('T', " "))
}

/// What a table has where there is nothing.
fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { crate::print::printable(text) }
}
