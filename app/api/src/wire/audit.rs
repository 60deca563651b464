//! The audit, as JSON.

use postlane_registry::AuditRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::time::{Timestamp, timestamp};

/// Which changes are meant: those that agree with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct AuditQuery {
    /// By this token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// With these words in what was done or was sent with it, in any case of letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// From this address, `control.sock` or `this machine`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// `done`, or `refused` for what was not allowed or failed; both when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Less long ago than so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub younger_than_s: Option<u64>,
    /// Where the listing goes on: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<i64>,
    /// Changes on a page, 1 to 1000; 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A change that somebody made, or was kept from making.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangeRow {
    /// When.
    pub at: Timestamp,
    /// The token's name.
    pub who: String,
    /// From where: an address, `control.sock`, or `this machine` for a command on the file itself.
    pub from: String,
    /// The tenant that the token is bound to; empty for none.
    pub tenant: String,
    /// What: `POST /v1/lanes/gmx/pause`.
    pub what: String,
    /// What was sent with it, shortened.
    pub detail: String,
    /// What was answered: 200 was done, 403 was not.
    pub status: u16,
}

/// Part of the audit.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// The latest first.
    pub changes: Vec<ChangeRow>,
    /// Give this as `cursor` for what comes next; `null` at the end.
    pub next: Option<i64>,
}

impl From<AuditRow> for ChangeRow {
    fn from(row: AuditRow) -> Self {
        let audit = row.audit;
        Self {
            at: timestamp(audit.at),
            who: audit.who,
            from: audit.origin,
            tenant: audit.tenant.to_string(),
            what: audit.what,
            detail: audit.detail,
            status: audit.status,
        }
    }
}
