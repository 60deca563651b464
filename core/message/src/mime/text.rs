//! Text in a header field: what may be in it, and how it is folded and encoded.

use mail_builder::headers::Header as _;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;

use super::refused::{DraftRefused, WORD_OCTETS_MAX};

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
