//! What a reload did.

use crate::config::SettingName;

/// What a reload did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReloadReport {
    /// Settings that changed since the last time and hold from now on.
    pub changed: Vec<SettingName>,
    /// Settings that are not what they were at the start, and need a restart.
    pub need_restart: Vec<SettingName>,
    /// What may not be meant, though it can be; a line each.
    pub warnings: Vec<String>,
}
