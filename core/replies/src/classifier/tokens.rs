//! The words of a reply as the classifier has them: what names somebody or counts something is one word,
//! whoever it names and whatever it counts.

use std::net::IpAddr;

use postlane_mail::Status;

use crate::words::{Eights, TakeWord, WordReader};

/// How many tokens of a text are looked at: replies have some twenty, and the decisive ones come first.
const TOKENS_MAX: usize = 200;

/// Words that stand for others. None can come out of a text, for they have capitals.
const ADDRESS: &[u8] = b"ADDRESS";
const LINK: &[u8] = b"LINK";
const IP: &[u8] = b"IP";
const HOST: &[u8] = b"HOST";
const ID: &[u8] = b"ID";
const NUMBER: &[u8] = b"0";

/// Reads a text, word after word.
pub(super) fn read(text: &str, reader: &mut WordReader, take: &mut impl FnMut(&[u8], Eights)) {
    // Tokens that stand for themselves, with one blank between two, are read together.
    let mut run = 0..0;
    let mut at = 0;
    for _ in 0..TOKENS_MAX {
        let rest = text.get(at..).unwrap_or_default();
        let Some(start) = rest.find(|c: char| !c.is_ascii_whitespace()) else { break };
        let token = rest.get(start..).unwrap_or_default();
        let end = token.find(|c: char| c.is_ascii_whitespace()).unwrap_or(token.len());
        let place = at + start..at + start + end;
        at = place.end;
        let stands = stands_for(token.get(..end).unwrap_or_default());
        let goes_on = matches!(stands, Stands::ForItself)
            && text.get(run.end..place.start) == Some(" ")
            && !run.is_empty();
        if goes_on {
            run.end = place.end;
            continue;
        }
        reader.read_plain(text.get(run).unwrap_or_default(), &mut Plain(&mut *take));
        run = at..at;
        match stands {
            Stands::ForItself => run = place,
            Stands::For(word) => take(word, Eights::of(word)),
            Stands::ForNothing => {}
        }
    }
    reader.read_plain(text.get(run).unwrap_or_default(), &mut Plain(take));
}

/// Whether a word is the text's own, and no name of somebody or something nor a number.
pub(super) fn stands_for_itself(word: &[u8]) -> bool {
    word.first().is_some_and(|first| !first.is_ascii_uppercase() && !first.is_ascii_digit())
}

enum Stands {
    ForItself,
    For(&'static [u8]),
    ForNothing,
}

fn stands_for(token: &str) -> Stands {
    let is_marked = |of: u8| (of == b'@') | (of == b'.') | (of == b':');
    if !token.bytes().fold(false, |any, octet| any | is_marked(octet)) {
        return Stands::ForItself;
    }
    let is_mark = |c: char| c.is_ascii_punctuation() && !matches!(c, '/' | '_' | '%');
    let core = token.trim_matches(is_mark);
    if token.contains('@') {
        return Stands::For(ADDRESS);
    }
    if token.contains("://")
        || core.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("www."))
    {
        return Stands::For(LINK);
    }
    if !core.contains(['.', ':']) {
        return Stands::ForItself;
    }
    if core.parse::<IpAddr>().is_ok() {
        return Stands::For(IP);
    }
    if Status::parse(core).is_some() {
        return Stands::ForNothing;
    }
    if is_host(core) { Stands::For(HOST) } else { Stands::ForItself }
}

/// Whether it is a name with dots whose last part is two letters or more: `exist.Please` is none.
fn is_host(token: &str) -> bool {
    let Some((name, top)) = token.rsplit_once('.') else { return false };
    let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    let is_lower = top.bytes().all(|c| c.is_ascii_lowercase());
    top.len() >= 2 && is_lower && !name.is_empty() && name.bytes().all(is_name)
}

/// Takes words of text as they are, but for figures.
struct Plain<'t, T>(&'t mut T);

impl<T: FnMut(&[u8], Eights)> TakeWord for Plain<'_, T> {
    fn take(&mut self, word: &[u8], eights: Eights) {
        /// What has a figure and so many octets is somebody's number, and no `5xx`, `ipv6` or `gb18`.
        const ID_MIN: usize = 6;
        let has_figure = word.iter().any(u8::is_ascii_digit);
        let word = match has_figure {
            true if word.iter().all(u8::is_ascii_digit) => NUMBER,
            true if word.len() >= ID_MIN => ID,
            _ => return (self.0)(word, eights),
        };
        (self.0)(word, Eights::of(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let mut all = String::new();
        read(text, &mut WordReader::default(), &mut |word, _| {
            all.push_str(std::str::from_utf8(word).unwrap());
            all.push(' ');
        });
        all
    }

    #[test]
    fn who_is_named_and_how_many_are_counted_does_not_matter() {
        assert_eq!(
            words(
                "5.7.1 <ann@example.com>: Client host [192.0.2.1] (mx.example.com) sent 500 msgs, id 4Xy7z9Q, see https://example.com/x"
            ),
            "ADDRESS client host IP HOST sent 0 msgs id ID see LINK "
        );
        assert_eq!(words("does not exist.Please 2001:db8::1 try"), "does not exist please IP try ");
    }

    #[test]
    fn a_text_without_end_is_read_up_to_a_bound() {
        assert_eq!(words(&"a ".repeat(100_000)).len(), 2 * TOKENS_MAX);
    }
}
