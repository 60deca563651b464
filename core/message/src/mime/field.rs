//! Further fields that a caller writes, and which of them may be there.

use super::address::write_addresses;
use super::refused::{DraftRefused, beginning};
use super::text::{check_text, write_text};

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
