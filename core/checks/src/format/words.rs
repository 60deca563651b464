//! Encoded words: text beyond ASCII in a field (RFC 2047).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding;

/// One encoded word, as it stands in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it is written, with its delimiters.
    pub written: &'a str,
    /// What it says; none if it cannot be decoded.
    pub text: Option<String>,
    /// It ends or begins in the middle of a character, which some decoders let pass.
    pub is_split: bool,
    /// Everything in it is ASCII, so that it need not be encoded.
    pub is_needless: bool,
}

/// Encoded words of one text that are looked at, and octets of one that are. RFC 2047 §2 has 75
/// characters for a word; real ones that are too long have some hundred. Chosen, not measured.
const WORDS_MAX: usize = 1_000;
const WORD_MAX: usize = 1_000;
/// Places in one text where a word may begin that are looked at. Chosen, not measured.
const PLACES_MAX: usize = 5_000;
/// Octets of a name of a character set; the longest that is registered has 45 (IANA, Character Sets).
const CHARSET_MAX: usize = 64;

/// The encoded words of a text, in order.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut places) = (text, 0);
    while let Some(start) = rest.find("=?") {
        places += 1;
        if found.len() >= WORDS_MAX || places > PLACES_MAX {
            break;
        }
        let from = &rest[start..];
        let Some(word) = whole(from) else {
            rest = &from[2..];
            continue;
        };
        found.push(Word::read(word));
        rest = &from[word.len()..];
    }
    found
}

/// A text with its encoded words decoded; the blanks between two of them go (§6.2). What cannot
/// be decoded stays.
pub fn decoded(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    let (mut behind_word, mut places) = (false, 0);
    while let Some(start) = rest.find("=?").filter(|_| places < PLACES_MAX) {
        places += 1;
        let (before, from) = rest.split_at(start);
        let Some(written) = whole(from) else {
            plain.push_str(before);
            plain.push_str("=?");
            (rest, behind_word) = (&from[2..], false);
            continue;
        };
        let word = Word::read(written);
        if !(behind_word && before.trim().is_empty() && word.text.is_some()) {
            plain.push_str(before);
        }
        behind_word = word.text.is_some();
        plain.push_str(word.text.as_deref().unwrap_or(written));
        rest = &from[written.len()..];
    }
    plain.push_str(rest);
    plain
}

/// The encoded word that a text begins with: `=?charset?encoding?text?=`, without blanks.
fn whole(from: &str) -> Option<&str> {
    let from = &from[..from.floor_char_boundary(WORD_MAX)];
    let charset = from.bytes().skip(2).take(CHARSET_MAX).position(|octet| octet == b'?')?;
    // One character says which encoding it is.
    let encoding_end = 2 + charset + 2;
    if from.as_bytes().get(encoding_end) != Some(&b'?') {
        return None;
    }
    let end = encoding_end + 1 + from.get(encoding_end + 1..)?.find("?=")? + 2;
    from.get(..end).filter(|word| !word.contains(char::is_whitespace))
}

impl<'a> Word<'a> {
    fn read(written: &'a str) -> Self {
        let octets = octets_of(written);
        let (text, is_split) = match &octets {
            Some((charset, octets)) => text_of(charset, octets),
            None => (None, false),
        };
        let is_needless = text.as_deref().is_some_and(|text| {
            text.bytes().all(|b| matches!(b, b' '..=b'~')) && !text.contains("=?")
        });
        Self { written, text, is_split, is_needless }
    }
}

/// The character set and the octets of a word.
fn octets_of(word: &str) -> Option<(String, Vec<u8>)> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let mut pieces = inner.splitn(3, '?');
    let (charset, encoding, text) = (pieces.next()?, pieces.next()?, pieces.next()?);
    // A language may follow the character set (RFC 2231 §5).
    let charset = charset.split('*').next()?.to_ascii_lowercase();
    let octets = match encoding {
        "B" | "b" => STANDARD.decode(text).ok()?,
        "Q" | "q" => quoted(text)?,
        _ => return None,
    };
    Some((charset, octets))
}

/// The `Q` encoding (§4.2).
fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        octets.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digit = |b: Option<u8>| char::from(b?).to_digit(16);
                u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?
            }
            other => other,
        });
    }
    Some(octets)
}

fn text_of(charset: &str, octets: &[u8]) -> (Option<String>, bool) {
    let Some(encoding) = Encoding::for_label(charset.as_bytes()) else { return (None, false) };
    let (text, broken) = encoding.decode_without_bom_handling(octets);
    if !broken {
        return (Some(text.into_owned()), false);
    }
    let is_utf8 = encoding == encoding_rs::UTF_8;
    let is_cut = is_utf8 && is_cut_at_an_end(octets);
    (is_cut.then(|| text.into_owned()), is_cut)
}

/// Whether UTF-8 is only broken at an end: a character that was cut in two.
fn is_cut_at_an_end(octets: &[u8]) -> bool {
    let start = octets.iter().take_while(|b| (**b & 0xc0) == 0x80).count();
    match std::str::from_utf8(&octets[start.min(3)..]) {
        Ok(_) => start > 0 && start < 4,
        Err(error) => error.error_len().is_none() && start < 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_say_what_they_say() {
        for (written, text) in [
            ("=?utf-8?q?J=C3=B6rg?= <a@b.c>", "Jörg <a@b.c>"),
            ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?a_b?= c", "a b c"),
            ("=?utf-8?B?w7w=?=", "ü"),
            ("=?utf-8*de?B?w7w=?=", "ü"),
            ("=?x-none?q?a?=", "=?x-none?q?a?="),
            ("2=?3 and =? more", "2=?3 and =? more"),
        ] {
            assert_eq!(decoded(written), text, "{written}");
        }
    }

    #[test]
    fn what_is_odd_about_a_word_is_told() {
        let word = |text| words(text).remove(0);
        assert!(word("=?utf-8?q?plain?=").is_needless);
        assert!(word("=?utf-8?B?w7xh?=").text.is_some());
        assert!(word("=?utf-8?Q?a=C3?=").is_split);
        assert_eq!(word("=?utf-8?Q?a=ZZ?=").text, None);
        assert_eq!(word("=?utf-8?Q?=FF=FE=FF?=").text, None);
        assert!(words("=?utf-8?q?with blank?=").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_or_stays(text in "[ -~é]{0,80}|(=\\?[a-z0-9-]{0,8}\\?[bqBQx]\\?[ -~]{0,20}\\?=){1,3}") {
            let _ = decoded(&text);
            words(&text);
        }
    }
}
