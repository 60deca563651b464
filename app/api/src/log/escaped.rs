//! JSON in which nothing can move a cursor, colour a screen or turn a line around: what hosts and
//! senders wrote may hold anything, and JSON ends up on terminals.
//!
//! The values are the same: JSON may write any character as its number (RFC 8259 §7).

use std::io;

use postlane_mail::is_unruly;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// A value as JSON on one line.
pub fn escaped_json(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, Escaping));
    match written {
        Ok(()) => out,
        Err(_) => b"null".to_vec(),
    }
}

/// A text as it may be shown on a screen: such characters as numbers, `\u{1b}`.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_unruly(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = fragment;
        // Nearly all of it is ASCII, of which JSON itself escapes what has to be but DEL.
        while let Some((at, unruly)) = plain.char_indices().find(|(_, c)| is_unruly(*c)) {
            let (before, behind) = plain.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            for unit in unruly.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = behind.get(unruly.len_utf8()..).unwrap_or_default();
        }
        CompactFormatter.write_string_fragment(writer, plain)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_act_on_a_terminal_comes_out_as_numbers() {
        let hostile = "a\u{1b}[2Jb\0c\r\nd\u{202e}e\u{9b}31mf\u{7f}g\u{e0041}";
        let json = String::from_utf8(escaped_json(&hostile)).unwrap();
        assert!(json.chars().all(|c| matches!(c, ' '..='~')), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_as_it_was(text in "\\PC{0,20}|.{0,20}") {
            let json = String::from_utf8(escaped_json(&text)).unwrap();
            prop_assert!(!json.chars().any(is_unruly));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
