//! Fields that a caller writes: what may be in them, and how they are folded and encoded.

use mail_builder::headers::Header as _;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;

use super::address::write_addresses;
use super::{DraftRefused, WORD_OCTETS_MAX, beginning};

/// Fields that are written from elsewhere, and where they belong. A name that ends with `-`
/// stands for all that begin with it.
const RESERVED: [(&str, &str); 11] = [
    ("From", "use from"),
    ("To", "use to"),
    ("Cc", "use cc"),
    ("Bcc", "use rcpt_to"),
    ("Resent-Bcc", "use rcpt_to"),
    ("Reply-To", "use reply_to"),
    ("Subject", "use subject"),
    ("Received", "the relay writes it"),
    ("Return-Path", "use mail_from"),
    (
        "MIME-Version",
        "it follows from text and html; send raw_base64 for a MIME message of your own",
    ),
    ("Content-", "it follows from text and html; send raw_base64 for a MIME message of your own"),
];

/// Fields that may be there once (RFC 5322 §3.6) and hold no free text.
const STRUCTURED: [&str; 5] = ["Date", "Message-ID", "In-Reply-To", "References", "Sender"];

/// Octets of a field's name, at most: it must leave room for a word on the line. Chosen, not
/// measured.
const NAME_OCTETS_MAX: usize = 76;

/// That a text can stand in a header field: one line of words that fit.
pub(super) fn check_text(field: &str, text: &str) -> Result<(), DraftRefused> {
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(DraftRefused::Control { field: field.to_owned() });
    }
    // Other scripts are encoded, and break anywhere.
    let words = text.split([' ', '\t']);
    if text.is_ascii() && words.map(str::len).any(|octets| octets > WORD_OCTETS_MAX) {
        return Err(DraftRefused::LongWord { field: field.to_owned() });
    }
    Ok(())
}

/// Writes a field of free text: as it is if it is ASCII, else in encoded words (RFC 2047).
pub(super) fn write_text(out: &mut Vec<u8>, name: &str, text: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let text = text.trim();
    if text.is_ascii() {
        Raw::new(text).write_header(out, name.len() + 2);
    } else {
        Text::new(text).write_header(out, name.len() + 2);
    }
}

/// Writes the further fields of a draft, in order.
pub(super) fn write_further(
    out: &mut Vec<u8>,
    headers: &[(String, String)],
) -> Result<(), DraftRefused> {
    for (i, (name, value)) in headers.iter().enumerate() {
        check_name(name)?;
        check_text(name, value)?;
        if STRUCTURED.iter().any(|structured| name.eq_ignore_ascii_case(structured)) {
            let before = headers.get(..i).unwrap_or_default();
            if before.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(DraftRefused::Twice { name: name.clone() });
            }
            if name.eq_ignore_ascii_case("Sender") {
                write_addresses(out, "Sender", "headers: Sender", &[value])?;
                continue;
            }
            if !value.is_ascii() {
                return Err(DraftRefused::Ascii { name: name.clone() });
            }
        }
        write_text(out, name, value);
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), DraftRefused> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > NAME_OCTETS_MAX || !name.bytes().all(plain) {
        return Err(DraftRefused::Name { name: beginning(name) });
    }
    let is = |reserved: &str| match name.get(..reserved.len()) {
        Some(start) if reserved.ends_with('-') => start.eq_ignore_ascii_case(reserved),
        _ => name.eq_ignore_ascii_case(reserved),
    };
    match RESERVED.iter().find(|(reserved, _)| is(reserved)) {
        Some((_, cure)) => Err(DraftRefused::Reserved { name: name.to_owned(), cure }),
        None => Ok(()),
    }
}
