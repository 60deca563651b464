//! A message handed in by a program rather than over SMTP.

use bytes::Bytes;
use postlane_mail::{Envelope, QueueId};

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Who it is from and for; its stream, tenant and campaign.
    pub envelope: Envelope,
    /// What is inside.
    pub content: Content,
    /// The same key within a day gives the same answer, and no second message.
    pub idempotency_key: Option<String>,
}

/// What is inside a message.
#[derive(Debug, Clone)]
pub enum Content {
    /// A whole message, header and body, lines ended by CRLF.
    Raw(Bytes),
    /// To be put together.
    Composed(Composed),
}

/// A message in its parts. Addresses are as in a header field: `Name <local@domain>`.
#[derive(Debug, Clone, Default)]
pub struct Composed {
    /// The author.
    pub from: String,
    /// Shown recipients.
    pub to: Vec<String>,
    /// Shown further recipients.
    pub cc: Vec<String>,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// The subject.
    pub subject: String,
    /// Plain text.
    pub text: Option<String>,
    /// HTML.
    pub html: Option<String>,
    /// Further header fields, in order.
    pub headers: Vec<(String, String)>,
}

/// A message that is ours now.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its name.
    pub id: QueueId,
    /// Whether it had been handed in before with the same idempotency key.
    pub repeated: bool,
    /// Recipients that it does not go to, for they are on the suppression list; each with why,
    /// as a client hears it at RCPT.
    pub suppressed: Vec<(Box<str>, String)>,
}

/// Why a message was not taken.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum NotAccepted {
    /// What was handed in cannot be sent.
    #[error("{says}")]
    Invalid {
        /// The part that is to blame, by its name in [`Composed`]; none for the message as a
        /// whole, or for its recipients where `says` tells of them.
        field: Option<String>,
        /// What is wrong, and how to cure it.
        says: String,
    },
    /// It is larger than `limits.message_size`.
    #[error(
        "the message is too large: {octets} octets, {octets_max} at most (setting limits.message_size)"
    )]
    TooLarge {
        /// Its octets.
        octets: usize,
        /// As many as are allowed.
        octets_max: usize,
    },
    /// All its recipients are on the suppression list; each with why.
    #[error("all recipients are on the suppression list; `postlane suppression show` tells why")]
    Suppressed(Vec<(Box<str>, String)>),
    /// The same idempotency key was used for another message.
    #[error("this idempotency key was used for a different message; use a new key")]
    KeyReused,
    /// No room on disk or in memory, or shutting down: try again.
    #[error("{0}")]
    NotNow(String),
    /// It may or may not have been kept.
    #[error("{0}")]
    Unknown(String),
}
