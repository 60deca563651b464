//! Messages put together from their parts, as the HTTP interface takes them.
//!
//! The encoding of words and texts is mail-builder's; what may be in a field, and that nothing
//! depends on a clock or on chance, is looked after here. `Date` and `Message-ID` are not
//! written: intake adds them to every message that lacks them.

mod address;
mod field;
mod text;

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};
use postlane_mail::{MailboxError, QueueId};

use self::address::{write_addresses, write_author};
use self::field::write_further;
use self::text::{check_text, write_text};
use crate::boundary::boundary;

/// A message in its parts. Addresses are `local@domain` or `Name <local@domain>`; the name is
/// plain text in any script, in quotes or without.
#[derive(Debug, Clone, Copy, Default)]
pub struct Draft<'a> {
    /// The author.
    pub from: &'a str,
    /// Shown recipients.
    pub to: &'a [String],
    /// Shown further recipients.
    pub cc: &'a [String],
    /// Where answers go.
    pub reply_to: Option<&'a str>,
    /// The subject; not written if empty.
    pub subject: &'a str,
    /// Plain text.
    pub text: Option<&'a str>,
    /// HTML.
    pub html: Option<&'a str>,
    /// Further header fields, in order.
    pub headers: &'a [(String, String)],
}

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
    /// The part of the draft that is to blame, by its name in [`Draft`]; none where a part is
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
const WORD_OCTETS_MAX: usize = 900;

/// Puts a message together. The same draft and id give the same octets.
pub fn compose(draft: &Draft<'_>, id: QueueId) -> Result<Vec<u8>, DraftRefused> {
    let texts = [draft.text, draft.html].map(Option::unwrap_or_default);
    let mut out = Vec::with_capacity(1024 + texts[0].len() + texts[1].len());
    write_author(&mut out, draft.from)?;
    write_addresses(&mut out, "To", "to", draft.to)?;
    write_addresses(&mut out, "Cc", "cc", draft.cc)?;
    if let Some(reply_to) = draft.reply_to {
        write_addresses(&mut out, "Reply-To", "reply_to", &[reply_to])?;
    }
    check_text("subject", draft.subject)?;
    if !draft.subject.trim().is_empty() {
        write_text(&mut out, "Subject", draft.subject);
    }
    write_further(&mut out, draft.headers)?;
    out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    body(draft, id)?.write_part(&mut out);
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    Ok(out)
}

fn body(draft: &Draft<'_>, id: QueueId) -> Result<MimePart<'static>, DraftRefused> {
    let part = |field, kind: &'static str, text: Option<&str>| match text {
        None => Ok(None),
        Some(text) if text.contains('\0') => Err(DraftRefused::Nul { field }),
        Some(text) => Ok(Some(MimePart::new(kind, BodyPart::Text(lines(text).into())))),
    };
    let text = part("text", "text/plain", draft.text)?;
    let html = part("html", "text/html", draft.html)?;
    match (text, html) {
        (None, None) => Err(DraftRefused::NoBody),
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (Some(text), Some(html)) => {
            let texts = [draft.text, draft.html].map(|text| text.unwrap_or_default().as_bytes());
            let kind = ContentType::new("multipart/alternative")
                .attribute("boundary", boundary(id, &texts));
            // The better form comes last (RFC 2046 §5.1.4).
            Ok(MimePart::new(kind, BodyPart::Multipart(vec![text, html])))
        }
    }
}

/// The text with CRLF at the end of every line, whatever ended it before.
fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push_str("\r\n");
        let ended = if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[at + ended..];
    }
    out.push_str(rest);
    out
}

/// The beginning of a foreign text, for an error.
fn beginning(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests;
