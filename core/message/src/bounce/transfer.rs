//! What stands in a part, from what travelled: line ends, encodings and charsets undone.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mail_parser::decoders::charsets::map::charset_decoder;
use memchr::{memchr, memchr2};

/// How a part is encoded (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    None,
    QuotedPrintable,
    Base64,
}

/// Some leave the padding out, some a last bit in.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Encoding {
    /// The encoding of that name; what is unknown is none.
    pub(super) fn parse(name: &str) -> Self {
        match name.trim() {
            name if name.eq_ignore_ascii_case("quoted-printable") => Self::QuotedPrintable,
            name if name.eq_ignore_ascii_case("base64") => Self::Base64,
            _ => Self::None,
        }
    }

    /// What the octets stand for.
    pub(super) fn undo(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::None => octets.to_vec(),
            Self::QuotedPrintable => quoted_printable(octets),
            Self::Base64 => base64(octets),
        }
    }
}

/// The message with CRLF at the end of each line, whatever ended it on the disk that it was on.
/// A CR alone ends a line only where there is no LF at all.
pub(super) fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mac = memchr(b'\n', message).is_none();
    let mut out = Vec::with_capacity(message.len() + message.len() / 32);
    let mut rest = message;
    while let Some(at) = memchr2(b'\r', b'\n', rest) {
        let (line, end) = rest.split_at(at);
        out.extend_from_slice(line);
        let returns = end.iter().take_while(|b| **b == b'\r').count();
        let feeds = usize::from(!mac && end.get(returns) == Some(&b'\n'));
        let taken = if mac { 1 } else { returns + feeds };
        match (mac, feeds) {
            (true, _) | (false, 1) => out.extend_from_slice(b"\r\n"),
            // A CR in the middle of a line is a blank to a reader.
            _ => out.push(b' '),
        }
        rest = end.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// The text that octets in a charset stand for; octets that stand for nothing become U+FFFD.
pub(super) fn text_in(charset: Option<&str>, octets: &[u8]) -> String {
    let charset = charset.map(str::trim).filter(|name| !name.is_empty());
    match charset.and_then(|name| charset_decoder(name.as_bytes())) {
        // Many say US-ASCII and write UTF-8.
        Some(decode) => match std::str::from_utf8(octets) {
            Ok(text) if !octets.contains(&0x1b) => text.to_owned(),
            _ => decode(octets),
        },
        None if octets.windows(3).any(|escape| escape == b"\x1b$B") => {
            let decode = charset_decoder(b"iso-2022-jp");
            decode.map_or_else(|| lossy(octets), |decode| decode(octets))
        }
        None => lossy(octets),
    }
}

fn lossy(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// What quoted-printable stands for; what is no such code stands for itself (RFC 2045 §6.7).
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((b, behind)) = rest.split_first() {
        rest = behind;
        let digit = |b: u8| char::from(b).to_digit(16);
        match (b, behind) {
            (b'=', [b'\r', b'\n', after @ ..]) => rest = after,
            (b'=', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = after;
                }
                _ => out.push(b'='),
            },
            _ => out.push(*b),
        }
    }
    out
}

/// What base 64 stands for; the octets themselves if they are none.
fn base64(text: &[u8]) -> Vec<u8> {
    let code: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    BASE64.decode(code).unwrap_or_else(|_| text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_with_crlf_whatever_disk_it_was_on() {
        for text in ["a\r\nb\r\n", "a\nb\n", "a\rb\r", "a\r\r\nb\n"] {
            assert_eq!(with_crlf(text.as_bytes()), b"a\r\nb\r\n", "{text:?}");
        }
        assert_eq!(with_crlf(b"a\rb\nc"), b"a b\r\nc");
    }

    #[test]
    fn encodings_that_are_broken_lose_nothing() {
        assert_eq!(Encoding::parse("Base64 ").undo(b"aGk"), b"hi");
        assert_eq!(Encoding::Base64.undo(b"no base 64!"), b"no base 64!");
        assert_eq!(Encoding::QuotedPrintable.undo(b"a=3D=\r\nb=zz="), b"a=b=zz=");
    }

    #[test]
    fn japanese_is_read_with_and_without_its_charset() {
        let octets = b"\x1b$B%(%i!<\x1b(B";
        assert_eq!(text_in(Some("ISO-2022-JP"), octets), "エラー");
        assert_eq!(text_in(None, octets), "エラー");
        assert_eq!(text_in(Some("us-ascii"), "ü".as_bytes()), "ü");
    }
}
