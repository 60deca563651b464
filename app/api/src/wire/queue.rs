//! What waits, as JSON.

use postlane_mail::LastReply;
use postlane_server::handle::{self, AGE_BUCKETS_MIN};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::{Timestamp, timestamp};

/// One recipient that still waits. A key without a value is `null`, never missing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QueueRow {
    /// The message's queue id.
    pub id: String,
    /// The recipient's address.
    pub recipient: String,
    /// The reverse-path; empty for the null one.
    pub sender: String,
    /// The provider's id, once the route is known.
    pub provider: Option<String>,
    /// The source it is going by, while it is active.
    pub source: Option<String>,
    /// `transactional`, `engaged` or `cold`.
    pub stream: String,
    /// Whose it is; empty for nobody's.
    pub tenant: String,
    /// Of which mailing; empty for none.
    pub campaign: String,
    /// `active`, `ready`, `deferred` or `held`.
    pub status: String,
    /// Attempts that ended in a deferral.
    pub attempts: u16,
    /// When it was accepted.
    pub arrived_at: Timestamp,
    /// When it is tried next; `null` while it is held.
    pub next_attempt_at: Option<Timestamp>,
    /// When it is given up.
    pub expires_at: Option<Timestamp>,
    /// Why it is not moving.
    pub waiting: Option<WaitingRow>,
    /// What was last said about it.
    pub last_reply: Option<LastReplyRow>,
}

/// Why something is not moving.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WaitingRow {
    /// One sentence.
    pub reason: String,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
}

/// What was last said about a recipient.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LastReplyRow {
    /// The reply code, 200 to 599.
    pub code: u16,
    /// The enhanced status code, where there was one.
    pub enhanced: Option<String>,
    /// All lines, joined by a line feed.
    pub text: String,
    /// What it answered: `connect`, `ehlo`, `mail`, `rcpt`, `data`, `dot`…
    pub stage: String,
    /// Who said it; empty when it was Postlane itself.
    pub host: String,
    /// When.
    pub at: Timestamp,
}

/// Part of a listing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QueuePage {
    /// The recipients.
    pub recipients: Vec<QueueRow>,
    /// Give this as `cursor` for what comes next; `null` at the end.
    pub next: Option<String>,
}

/// One message that still waits.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QueueMessage {
    /// Its queue id.
    pub id: String,
    /// The reverse-path; empty for the null one.
    pub sender: String,
    /// The message's octets.
    pub octets: u64,
    /// The header section, 16 KiB at most.
    pub headers: String,
    /// The recipients that still wait.
    pub recipients: Vec<QueueRow>,
}

/// How much waits, by provider and age.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SummaryPage {
    /// Upper bounds of the ages, in minutes; the last bucket has none.
    pub ages_min: Vec<u32>,
    /// One for each provider, most mail first.
    pub providers: Vec<SummaryRow>,
}

/// How much waits for one provider.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SummaryRow {
    /// The provider's id, or the domain while its route is not known.
    pub provider: String,
    /// Recipients in all.
    pub recipients: u64,
    /// In a transaction right now.
    pub active: u64,
    /// Due, and waiting for the lane.
    pub ready: u64,
    /// Waiting for the next attempt.
    pub deferred: u64,
    /// Held by an operator.
    pub held: u64,
    /// By age.
    pub by_age: Vec<u64>,
}

impl From<handle::Row> for QueueRow {
    fn from(row: handle::Row) -> Self {
        Self {
            id: row.id.to_string(),
            recipient: row.recipient,
            sender: row.sender,
            provider: row.provider,
            source: row.source,
            stream: row.stream.to_string(),
            tenant: row.tenant,
            campaign: row.campaign,
            status: row.status.as_str().to_owned(),
            attempts: row.attempts,
            arrived_at: timestamp(row.arrived_at),
            next_attempt_at: row.next_attempt_at.map(timestamp),
            expires_at: row.expires_at.map(timestamp),
            waiting: row.waiting.map(WaitingRow::from),
            last_reply: row.last_reply.map(LastReplyRow::from),
        }
    }
}

impl From<handle::Waiting> for WaitingRow {
    fn from(waiting: handle::Waiting) -> Self {
        Self { reason: waiting.reason, until: waiting.until.map(timestamp) }
    }
}

impl From<LastReply> for LastReplyRow {
    fn from(last: LastReply) -> Self {
        Self {
            code: last.reply.code().number(),
            enhanced: last.reply.status().map(|status| status.to_string()),
            text: last.reply.text().to_owned(),
            stage: last.stage.to_string(),
            host: last.host.into(),
            at: timestamp(last.at),
        }
    }
}

impl From<handle::Summary> for SummaryPage {
    fn from(summary: handle::Summary) -> Self {
        let providers = summary.lines.into_iter().map(SummaryRow::from).collect();
        Self { ages_min: AGE_BUCKETS_MIN.to_vec(), providers }
    }
}

impl From<handle::SummaryLine> for SummaryRow {
    fn from(line: handle::SummaryLine) -> Self {
        Self {
            provider: line.name,
            recipients: line.by_age.iter().sum(),
            active: line.active,
            ready: line.ready,
            deferred: line.deferred,
            held: line.held,
            by_age: line.by_age.to_vec(),
        }
    }
}

impl From<handle::MessageView> for QueueMessage {
    fn from(message: handle::MessageView) -> Self {
        Self {
            id: message.id.to_string(),
            sender: message.sender,
            octets: message.octets,
            headers: message.headers,
            recipients: message.rows.into_iter().map(QueueRow::from).collect(),
        }
    }
}
