//! Where failure reports go.

use std::fmt;

use crate::mailbox::{Mailbox, MailboxError};

/// The reverse-path (RFC 5321 §4.5.5). `Null` is written `<>`, and mail sent with it is
/// never answered with a bounce.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReversePath {
    /// `<>`: a report or other mail that must not be answered.
    Null,
    /// The mailbox that hears of failures.
    Mailbox(Mailbox),
}

impl ReversePath {
    /// Reads a path without angle brackets; nothing at all is the null path.
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        if text.is_empty() { Ok(Self::Null) } else { Mailbox::parse(text).map(Self::Mailbox) }
    }

    /// The path without angle brackets, as it was written; empty for the null path.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Null => "",
            Self::Mailbox(mailbox) => mailbox.as_str(),
        }
    }

    /// Whether mail with this path must not be answered.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The mailbox, unless the path is null.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Null => None,
            Self::Mailbox(mailbox) => Some(mailbox),
        }
    }
}

impl fmt::Display for ReversePath {
    /// With angle brackets, as in `MAIL FROM:` and in log lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.as_str())
    }
}
