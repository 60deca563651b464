//! Webhooks, as JSON.

use postlane_mail::Instant;
use postlane_registry::Webhook;
use postlane_server::webhooks::Tested;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::{Timestamp, timestamp};

/// A webhook to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookRequest {
    /// Where it is told: `https://shop.example/hooks/postlane`.
    pub url: String,
    /// What it is called; the URL's host when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of which events, such as `delivered` and `bounced`; of all when it is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// In this tenant's mail; in everybody's when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// A webhook, without its secret. A key without a value is `null` or empty, never missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookRow {
    /// What it is called.
    pub name: String,
    /// Where it is told.
    pub url: String,
    /// Of which events; empty for all.
    pub events: Vec<String>,
    /// In whose mail; empty for everybody's.
    pub tenant: String,
    /// `told`, `failing` or `paused`.
    pub state: String,
    /// What is wrong, where something is.
    pub error: String,
    /// When it last took something.
    pub told_at: Option<Timestamp>,
    /// Since when it has taken nothing, while there was something.
    pub failing_since: Option<Timestamp>,
    /// Tries since then.
    pub tries: u32,
    /// When it is tried next.
    pub next_try_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// A webhook with its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebhookMade {
    /// What its messages are signed with. It is shown this once.
    pub secret: String,
    /// The webhook.
    #[serde(flatten)]
    pub row: WebhookRow,
}

/// All webhooks.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebhookPage {
    /// By name.
    pub webhooks: Vec<WebhookRow>,
}

/// What a command needs; most need nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookOrder {
    /// `replay`: what has happened since then is told again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// `rotate-secret`: messages are signed with the old one, too, for so many seconds; a day when left
    /// out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_s: Option<u64>,
}

/// What came of a command.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebhookOrdered {
    /// The webhook, as it stands now.
    pub webhook: WebhookRow,
    /// `rotate-secret`: the new secret, shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// `test`: what was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<TestRow>,
}

/// What a webhook answered to a message that was sent to try it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TestRow {
    /// The answer's status; `null` where there was no answer.
    pub status: Option<u16>,
    /// What was wrong; empty where it was taken.
    pub error: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What can be done with a webhook.
pub const WEBHOOK_COMMANDS: [&str; 5] = ["test", "pause", "resume", "replay", "rotate-secret"];

impl From<&Webhook> for WebhookRow {
    fn from(webhook: &Webhook) -> Self {
        let standing = &webhook.standing;
        let at = |at: Option<Instant>| at.map(timestamp);
        let (state, error) = match (&standing.paused, standing.failing_since) {
            (Some((_, why)), _) => ("paused", why.clone()),
            (None, Some(_)) => ("failing", standing.last_error.clone()),
            (None, None) => ("told", String::new()),
        };
        Self {
            name: webhook.name.to_string(),
            url: webhook.url.clone(),
            events: webhook.events.clone(),
            tenant: webhook.tenant.to_string(),
            state: state.to_owned(),
            error,
            told_at: at(standing.told_at),
            failing_since: at(standing.failing_since),
            tries: standing.tries,
            next_try_at: at(standing.next_try),
            created_at: timestamp(webhook.created),
            created_by: webhook.created_by.clone(),
        }
    }
}

impl From<Tested> for TestRow {
    fn from(tested: Tested) -> Self {
        let Tested { status, error, took } = tested;
        Self { status, error, took_ms: took.as_ms() }
    }
}
