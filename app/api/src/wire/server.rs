//! The server itself, as JSON.

use postlane_server::config::SettingName;
use postlane_server::handle::ReloadReport;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether it lives, and whether it takes mail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, or why the spool is not sound or no mail is taken.
    pub status: String,
    /// What it does not do now, and why; empty when all is well. With `ok`, what does not stop mail.
    pub problems: Vec<String>,
}

/// What a reload changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Reloaded {
    /// Settings that changed since the last time and hold from now on.
    pub changed: Vec<String>,
    /// Settings that are not what they were at the start, and need a restart.
    pub need_restart: Vec<String>,
    /// What may not be meant, though it can be; a line each.
    pub warnings: Vec<String>,
}

impl Reloaded {
    pub(crate) fn of(report: ReloadReport) -> Self {
        let names = |names: Vec<SettingName>| names.iter().map(ToString::to_string).collect();
        Self {
            changed: names(report.changed),
            need_restart: names(report.need_restart),
            warnings: report.warnings,
        }
    }
}

/// What runs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ServerFacts {
    /// Postlane's version.
    pub version: String,
    /// Where it takes mail.
    pub smtp: Vec<String>,
    /// Messages in the spool.
    pub messages: u64,
    /// Messages to our postmaster and abuse desk that are kept in `DATA/postmaster` for an
    /// operator to read.
    pub postmaster: u64,
}
