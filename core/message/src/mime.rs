//! Messages put together from their parts, as the HTTP interface takes them.
//!
//! The encoding of words and texts is mail-builder's; what may be in a field, and that nothing
//! depends on a clock or on chance, is looked after here. `Date` and `Message-ID` are not
//! written: intake adds them to every message that lacks them.

mod address;
mod field;
mod refused;
mod text;

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};
use postlane_mail::QueueId;

use self::address::{write_addresses, write_author};
use self::field::write_further;
use self::text::{check_text, write_text};
use crate::boundary::boundary;

pub use self::refused::DraftRefused;

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

#[cfg(test)]
mod tests;
