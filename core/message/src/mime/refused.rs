//! Why a message cannot be put together from its parts.

use postlane_mail::MailboxError;

/// Why a message cannot be put together. The caller is to blame; every text names the field,
/// the cause and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DraftRefused {
    /// There is no author.
    #[error("from is empty; write the author as local@domain or Name <local@domain>")]
    NoAuthor,
    /// Something is no address.
    #[error(
        "{field}: {text:?} cannot be used: {cause}; write local@domain or Name <local@domain>, one address each"
    )]
    Address {
        /// Where it stands.
        field: &'static str,
        /// Its beginning.
        text: String,
        /// What is wrong with it.
        cause: MailboxError,
    },
    /// A line break or another control character, by which a field could become two.
    #[error("{field} has a line break or another control character; take it out")]
    Control {
        /// Where it stands.
        field: String,
    },
    /// A word too long for any line (RFC 5322 §2.1.1).
    #[error("{field} has a word of over {WORD_OCTETS_MAX} octets; put blanks into it")]
    LongWord {
        /// Where it stands.
        field: String,
    },
    /// A field has a name that no field can have (RFC 5322 §3.6.8).
    #[error("headers: {name:?} is no field name; use 1 to 76 letters, digits and hyphens")]
    Name {
        /// Its beginning.
        name: String,
    },
    /// A field that is written from elsewhere.
    #[error("headers: {name} cannot be set here; {cure}")]
    Reserved {
        /// The field.
        name: String,
        /// Where it belongs.
        cure: &'static str,
    },
    /// A field that may be there once only (RFC 5322 §3.6).
    #[error("headers: {name} is there twice; leave one")]
    Twice {
        /// The field.
        name: String,
    },
    /// A field of ids, dates or lists that cannot hold other scripts.
    #[error("headers: {name} can only have ASCII; write it so")]
    Ascii {
        /// The field.
        name: String,
    },
    /// There is nothing to read.
    #[error("the message has neither text nor html; give one or both")]
    NoBody,
    /// A NUL, which no text has (RFC 5322 §2.2).
    #[error("{field} has a NUL character; take it out")]
    Nul {
        /// Where it stands.
        field: &'static str,
    },
}

impl DraftRefused {
    /// The part of the draft that is to blame, by its name in [`Draft`](crate::Draft); none where a part is
    /// missing that could be one of several.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::NoAuthor => Some("from"),
            Self::Address { field, .. } | Self::Nul { field } => Some(field),
            // A further field is named by its own name.
            Self::Control { field } | Self::LongWord { field } => {
                let parts = ["from", "to", "cc", "reply_to", "subject"];
                Some(parts.into_iter().find(|part| part == field).unwrap_or("headers"))
            }
            Self::Name { .. } | Self::Reserved { .. } | Self::Twice { .. } | Self::Ascii { .. } => {
                Some("headers")
            }
            Self::NoBody => None,
        }
    }
}

/// Octets of a word in a header field, at most: with the field's name it stays within the 998
/// of a line (RFC 5322 §2.1.1).
pub(super) const WORD_OCTETS_MAX: usize = 900;

/// The beginning of a foreign text, for an error.
pub(super) fn beginning(text: &str) -> String {
    text.chars().take(80).collect()
}
