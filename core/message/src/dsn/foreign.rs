//! Foreign text in a report: made harmless, kept readable.
//!
//! A reply is whatever a host far away chose to say. Here it loses what could end a line or a
//! field; its words stay.

use std::fmt::Write as _;

use crate::header::Folding;

/// Octets of a word, at most, before it is broken: a line has 998 (RFC 5322 §2.1.1).
const WORD_OCTETS_MAX: usize = 900;

/// Octets of a foreign text in a report, at most; the rest is cut off. A reply line has 512
/// (RFC 5321 §4.5.3.1.5), real ones have up to a dozen lines. Chosen, not measured.
pub(super) const TEXT_OCTETS_MAX: usize = 4_096;

/// Whether characters beyond ASCII may stand as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// They become `\x{…}`, as RFC 6533 §3 writes them in addresses.
    Ascii,
    /// They may.
    Utf8,
}

/// One line of foreign text: control characters become `?`, blanks at the ends go, and what is
/// over the limit is cut off.
pub(super) fn line(text: &str, script: Script) -> String {
    let mut out = String::with_capacity(text.len().min(TEXT_OCTETS_MAX) + 8);
    for c in text.trim().chars() {
        if out.len() >= TEXT_OCTETS_MAX {
            out.push_str(" [...]");
            break;
        }
        match c {
            '\t' => out.push(' '),
            c if c.is_control() => out.push('?'),
            c if c.is_ascii() || script == Script::Utf8 => out.push(c),
            c => {
                let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
            }
        }
    }
    out
}

/// Writes a field of a report: the words of lines that [`line`] has made, each line on a line
/// of its own.
pub(super) fn write_field(out: &mut Vec<u8>, name: &str, lines: &[&str]) {
    let mut field = Folding::field(out, name);
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            field.line();
        }
        for word in line.split(' ').filter(|word| !word.is_empty()) {
            for piece in broken(word) {
                field.word(piece.as_bytes());
            }
        }
    }
    field.end();
}

/// The pieces of a word that fit on a line; nearly always itself.
pub(super) fn broken(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(WORD_OCTETS_MAX));
        rest = behind;
        Some(piece)
    })
}

/// What xtext stands for (RFC 3461 §4): `+2B` is `+`. Text that is none stands for itself.
pub(crate) fn decoded_xtext(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        if b != b'+' {
            octets.push(b);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => octets.push((high * 16 + low) as u8),
            _ => return text.to_owned(),
        }
    }
    String::from_utf8(octets).unwrap_or_else(|_| text.to_owned())
}

/// What the `\x{…}` of an address stand for (RFC 6533 §3); what is none stands for itself.
pub(crate) fn decoded_unicode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\\x{") {
        out.push_str(before);
        let code = behind.split_once('}').filter(|(digits, _)| digits.len() <= 6);
        let c = code.and_then(|(digits, _)| u32::from_str_radix(digits, 16).ok());
        match (c.and_then(char::from_u32), code) {
            (Some(c), Some((_, after))) => {
                out.push(c);
                rest = after;
            }
            _ => {
                out.push_str("\\x{");
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_line_cannot_end_a_line() {
        assert_eq!(line(" a\r\nBcc: x\0\u{85}b\tc ", Script::Utf8), "a??Bcc: x??b c");
        assert_eq!(line("n\u{f6} \u{1f642}", Script::Ascii), "n\\x{F6} \\x{1F642}");
        assert!(line(&"x".repeat(10_000), Script::Ascii).len() < TEXT_OCTETS_MAX + 10);
    }

    #[test]
    fn no_line_of_a_field_is_over_998_octets() {
        let mut out = Vec::new();
        write_field(&mut out, "Diagnostic-Code", &[&"\u{e4}".repeat(2_000), "b c"]);
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.len() <= 998) && text.ends_with("\r\n b c\r\n"));
    }

    #[test]
    fn unicode_numbers_are_decoded_or_left() {
        assert_eq!(decoded_unicode("\\x{FC}\\x{1F642}a"), "\u{fc}\u{1f642}a");
        for text in ["\\x{", "\\x{}", "\\x{D800}", "\\x{zz}", "\\x{1234567}", "x{41}"] {
            assert_eq!(decoded_unicode(text), text);
        }
    }

    #[test]
    fn xtext_is_decoded_or_left() {
        assert_eq!(decoded_xtext("a+2Bb+40c"), "a+b@c");
        for text in ["a+2", "a+zz", "+FF", "plain"] {
            assert_eq!(decoded_xtext(text), text);
        }
    }
}
