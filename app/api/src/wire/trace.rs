//! A message's whole story, as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::log::LogEntry;
use super::queue::QueueRow;

/// How much is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TraceQuery {
    /// Messages, at most: 1 to 100, 5 if left out.
    pub limit: Option<u32>,
}

/// The stories of messages.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Traced {
    /// What was asked for: `id`, `message-id` or `recipient`.
    pub by: String,
    /// The messages, the youngest first.
    pub messages: Vec<TracedMessage>,
    /// There are older ones that are not told.
    pub more: bool,
}

/// One message's story.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TracedMessage {
    /// Its queue id.
    pub id: String,
    /// Its `Message-ID`, angle brackets included; empty where nobody knows it.
    pub message_id: String,
    /// The reverse-path; `<>` for the null one.
    pub sender: String,
    /// Everything that happened to it, and to the lanes and hosts that it went by meanwhile, the
    /// oldest first.
    pub story: Vec<Step>,
    /// More happened than is told here.
    pub more: bool,
    /// Its recipients that still wait, and why; empty where no server was asked.
    #[serde(default)]
    pub waits: Vec<QueueRow>,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// What, when, by whom.
    #[serde(flatten)]
    pub entry: LogEntry,
    /// It happened to the lane or the host, not to the message alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub around: bool,
    /// What the reply means, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub means: String,
    /// The dialogue, of some attempts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transcript: String,
    /// The message's header section, of some attempts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub headers: String,
}
