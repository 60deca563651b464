//! What happens, as JSON.

use postlane_mail::Code;
use postlane_server::handle::{CameBack, Event};
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
    /// `returned` for what came back to a bounce address of ours; `suppressed` and `unsuppressed` for
    /// who comes on the suppression list and is taken off it, `detail` telling why and by whom;
    /// `lane-rests`, `lane-recovered`, `lane-rolled-back`, `lane-judged`, `lane-quarantined`,
    /// `lane-included` and `lane-ordered`, `preflight-failed` and `preflight-ready` for what is no
    /// recipient's, `detail` telling it.
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
    /// What came back to a bounce address of ours, if it could be read.
    pub returned: Option<ReturnedRow>,
}

/// What a far host says of mail that it had taken from us.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReturnedRow {
    /// `dsn`, `free-form`, `feedback`, `vacation` or `challenge`.
    pub form: String,
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`; none for complaints and
    /// automatic answers. Only `failed` says that the mail will not arrive.
    pub action: Option<String>,
    /// The recipient's number in the envelope, from 0, where the reverse-path tells it.
    pub number: Option<u16>,
    /// The message's queue id by the trace that it came back with, where the reverse-path does not
    /// tell; whoever wrote the bounce may have made that up.
    pub claimed_id: Option<String>,
    /// The address that was tried last, where it is not the one that was sent to.
    pub final_recipient: Option<String>,
    /// The enhanced status code.
    pub status: Option<String>,
    /// The reply's code.
    pub code: Option<u16>,
    /// What the far host said, verbatim.
    pub reply: Option<String>,
    /// The host that said it.
    pub host: Option<String>,
    /// The host that reports.
    pub reporting_host: Option<String>,
    /// When that host took the message.
    pub arrival: Option<Timestamp>,
    /// The `Message-ID` of the message that it is about.
    pub message_id: Option<String>,
    /// What a complaint is about: `abuse`, `opt-out` …
    pub feedback: Option<String>,
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
            returned: event.came_back.as_deref().map(ReturnedRow::from),
        }
    }
}

impl From<&CameBack> for ReturnedRow {
    fn from(came_back: &CameBack) -> Self {
        let about = &came_back.about;
        let forwarded = about.original_recipient.is_some();
        Self {
            form: about.kind.as_str().to_owned(),
            action: about.action.map(|action| action.as_str().to_owned()),
            number: came_back.recipient,
            claimed_id: came_back.claimed_id.map(|id| id.to_string()),
            final_recipient: about.recipient.clone().filter(|_| forwarded),
            status: about.status.map(|status| status.to_string()),
            code: about.code.map(Code::number),
            reply: about.diagnostic.clone(),
            host: about.remote_mta.clone(),
            reporting_host: about.reporting_mta.clone(),
            arrival: about.arrival.map(timestamp),
            message_id: about.original_message_id.clone(),
            feedback: about.feedback.clone(),
        }
    }
}
