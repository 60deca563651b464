//! What happens, as JSON.

use postlane_server::handle::Event;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::queue::LastReplyRow;
use super::reply::DiagnosisRow;
use super::time::{Timestamp, timestamp};

/// Something that happened to a recipient.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EventRow {
    /// When.
    pub at: Timestamp,
    /// `delivered`, `deferred`, `bounced`, `expired`, `bounced-by-operator`, `deleted`, `held`, `released`;
    /// `returned` for what came back to a bounce address of ours.
    pub event: String,
    /// The message's queue id; none if what came back does not tell.
    pub id: Option<String>,
    /// The reverse-path; empty for the null one.
    pub sender: String,
    /// The recipient's address; empty where no attempt was made.
    pub recipient: String,
    /// The provider's id; empty where no attempt was made.
    pub provider: String,
    /// The source's name; empty where no attempt was made.
    pub source: String,
    /// Whose; empty for nobody's.
    pub tenant: String,
    /// Of which mailing; empty for none.
    pub campaign: String,
    /// What was said.
    pub last_reply: Option<LastReplyRow>,
    /// What that means, where a host refused.
    pub diagnosis: Option<DiagnosisRow>,
    /// The dialogue, within bounds, without secrets and bodies.
    pub transcript: String,
    /// The message's header section, 16 KiB at most.
    pub headers: String,
    /// What a report that came back says, on one line; else empty.
    pub detail: String,
}

impl From<&Event> for EventRow {
    fn from(event: &Event) -> Self {
        Self {
            at: timestamp(event.at),
            event: event.kind.to_owned(),
            id: event.id.map(|id| id.to_string()),
            sender: event.sender.clone(),
            recipient: event.recipient.clone(),
            provider: event.provider.clone(),
            source: event.source.clone(),
            tenant: event.tenant.clone(),
            campaign: event.campaign.clone(),
            last_reply: event.last_reply.clone().map(LastReplyRow::from),
            diagnosis: event.diagnosis.as_ref().map(DiagnosisRow::from),
            transcript: event.transcript.clone(),
            headers: String::from_utf8_lossy(&event.headers).into_owned(),
            detail: event.detail.clone(),
        }
    }
}
