//! The server itself, as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether it lives, and whether it takes mail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, or what is wrong.
    pub status: String,
    /// What it does not do now, and why; empty when all is well.
    pub problems: Vec<String>,
}

/// What a reload changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Reloaded {
    /// Settings that changed and hold from now on.
    pub changed: Vec<String>,
    /// Settings that changed and need a restart.
    pub need_restart: Vec<String>,
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
}
