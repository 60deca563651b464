//! Whether a text may say anything of time and number, told by the words that were looked up for
//! the rules already: most replies say nothing of either, and are not read a second time.
//!
//! A wait or a window needs a unit of time, `daily`, a clock, or `later` beside a word that speaks of
//! another attempt; a quota needs a window, or a number and a word that speaks of a limit. These words
//! are in the vocabulary of the rules beside their own.
//! What the rules read as other words than [`super::word`] does is not told here, and is read.

use super::vocabulary::{MEANINGS, meaning_of};
use super::word::Word;
use crate::vocabulary::{Form, Lexicon, Symbol};
use crate::words::past_bracket;

/// The words of the rules' vocabulary by which a text is told that says nothing of time and number.
#[derive(Debug)]
pub(crate) struct Telling {
    /// Of which kind a word is, or kinds, a bit for each, by its symbol.
    kinds: Box<[u8]>,
}

/// A unit of time, or `daily`.
const TIME: u8 = 1;
/// `later`, which is a wait only beside another attempt.
const LATER: u8 = 2;
const RETRY: u8 = 4;
/// What speaks of a limit, which is a quota only with a number: in figures or in letters.
const LIMIT: u8 = 8;
const SPELLED: u8 = 16;

/// The kind of a word, 0 for what does not tell.
fn kind(word: Word) -> u8 {
    match word {
        Word::Time(_) | Word::Often(_) => TIME,
        Word::Later => LATER,
        Word::Retry => RETRY,
        Word::Many | Word::Cap | Word::Bound => LIMIT,
        Word::Spelled(_) => SPELLED,
        _ => 0,
    }
}

impl Telling {
    /// Puts the words into the vocabulary that has not got them yet.
    pub(crate) fn of(lexicon: &mut Lexicon) -> Self {
        let mut told = Vec::new();
        for (word, spellings) in MEANINGS {
            let kind = kind(*word);
            let spellings = spellings.split_ascii_whitespace().filter(|_| kind != 0);
            // What is not ASCII rules may read otherwise.
            for spelling in spellings.filter(|spelling| spelling.is_ascii()) {
                told.push((lexicon.symbol(Form::Is, spelling), kind));
            }
        }
        let mut kinds = vec![0; lexicon.count() + 1];
        told.into_iter().for_each(|(symbol, bits)| kinds[symbol.0 as usize] |= bits);
        Self { kinds: kinds.into() }
    }

    /// Whether a text may say something that has words with these symbols.
    pub(crate) fn may_say(&self, text: &str, symbols: impl Iterator<Item = Symbol>) -> bool {
        let kinds = |symbol: Symbol| self.kinds.get(symbol.0 as usize).copied().unwrap_or(0);
        let has = symbols.fold(0, |all, symbol| all | kinds(symbol));
        has & TIME != 0
            || has & (LATER | RETRY) == LATER | RETRY
            || (has & LIMIT != 0 && (has & SPELLED != 0 || has_number(text)))
            || is_read_apart(text)
    }
}

/// Where the next digit of a text stands, from a place on.
fn next_digit(octets: &[u8], from: usize) -> Option<usize> {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    while let Some(eight) = octets.get(at..).and_then(<[u8]>::first_chunk) {
        // Digits are below ten now, and nothing else is: the highest bit of all others is set.
        let of = u64::from_le_bytes(*eight) ^ 0x3030_3030_3030_3030;
        let others = ((of & !HIGH) + 0x7676_7676_7676_7676) | of;
        let digits = !others & HIGH;
        if digits != 0 {
            return Some(at + digits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let last = octets.get(at..)?;
    last.iter().position(u8::is_ascii_digit).map(|digit| at + digit)
}

/// Whether a number may stand in a text beside codes with dots and what is part of a word.
fn has_number(text: &str) -> bool {
    let octets = text.as_bytes();
    let mut from = 0;
    while let Some(at) = next_digit(octets, from) {
        let before = at.checked_sub(1).and_then(|before| octets.get(before));
        if before.is_some_and(u8::is_ascii_alphanumeric) {
            from = at + 1;
            continue;
        }
        let run = octets.get(at..).unwrap_or_default();
        let is_of_run = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'.';
        let end = run.iter().position(|octet| !is_of_run(octet)).unwrap_or(run.len());
        let groups = run.get(..end).unwrap_or_default().split(|octet| *octet == b'.').skip(1);
        // A new sentence begins with a capital; of a large number all but the first have three.
        let mut groups =
            groups.take_while(|group| !group.first().is_some_and(u8::is_ascii_uppercase));
        if groups.all(|group| matches!(group.len(), 0 | 3)) {
            return true;
        }
        from = at + end;
    }
    false
}

/// Whether a text may have other words for a hint than for a rule: parts of it that rules drop
/// (`<…>` that is no address), a word of ours with an apostrophe, letters that are not ASCII, a unit
/// written behind its number (`5min`), a clock (`00:05:00`). What has an `@` neither of the two reads.
fn is_read_apart(text: &str) -> bool {
    let octets = text.as_bytes();
    let has_mark = || memchr::memchr2(b'\'', b'<', octets).is_some();
    !text.is_ascii()
        || has_measure(octets)
        || (has_mark() && (has_apostrophe(octets) || has_bracket(octets)))
}

/// Whether a unit or a thing is written behind its number, or two numbers around a colon.
fn has_measure(octets: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = next_digit(octets, from) {
        let behind = octets.get(at + 1..).unwrap_or_default();
        let is_measure = match behind {
            [b':', next, ..] => next.is_ascii_digit(),
            [letter, ..] if letter.is_ascii_alphabetic() => {
                let is_end = |octet: &u8| !octet.is_ascii_alphabetic();
                let end = behind.iter().position(is_end).unwrap_or(behind.len());
                meaning_of(behind.get(..end).unwrap_or_default()) != Word::Other
            }
            _ => false,
        };
        if is_measure {
            return true;
        }
        from = at + 1;
    }
    false
}

/// Whether a number or a word of ours stands before an apostrophe: rules read `hour's` as one word, and
/// a hint `hour` and `s`. Behind a word that says nothing, `s` is no unit of anything.
fn has_apostrophe(octets: &[u8]) -> bool {
    memchr::memchr_iter(b'\'', octets).any(|at| {
        let before = octets.get(..at).unwrap_or_default();
        let begin = before.iter().rposition(|octet| !octet.is_ascii_alphanumeric());
        let word = before.get(begin.map_or(0, |at| at + 1)..).unwrap_or_default();
        word.iter().any(u8::is_ascii_digit) || meaning_of(word) != Word::Other
    })
}

/// Whether there is a `<…>` with letters that rules drop and that is no address.
fn has_bracket(octets: &[u8]) -> bool {
    memchr::memchr_iter(b'<', octets).any(|at| {
        let inside = past_bracket(octets, at).and_then(|end| octets.get(at + 1..end));
        inside.is_some_and(|inside| {
            !inside.contains(&b'@') && inside.iter().any(u8::is_ascii_alphabetic)
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hint::Hint;
    use crate::words::words;

    /// Texts of what hints are made of, and of what may hide it.
    fn text() -> impl Strategy<Value = String> {
        let spellings: Vec<_> = MEANINGS.iter().flat_map(|(_, all)| all.split(' ')).collect();
        let piece = prop_oneof![
            4 => prop::sample::select(spellings),
            3 => prop::sample::select(vec![
                " ", " ", " ", "5", "10", "200", "5.7.1", "200.More", "10.0.0.1", "00:05:00", "PT5M", ". ", ", ", "/",
                "-", ":", "'s", "'", "n't", "h", "5min", "<", ">", "@", "_", "(s)", "é", "\n", "e-mail", "RFC ", "user",
            ]),
        ];
        prop::collection::vec((piece, prop::bool::weighted(0.7)), 0..14).prop_map(|pieces| {
            let written = |(piece, is_apart): (&str, bool)| {
                format!("{piece}{}", if is_apart { " " } else { "" })
            };
            pieces.into_iter().map(written).collect()
        })
    }

    /// Texts of the few words that quotas without a window are made of.
    fn quota() -> impl Strategy<Value = String> {
        let words =
            ["max", "more", "many", "of", "than", "message", "recipients", "mb", "200", "5."];
        prop::collection::vec(prop::sample::select(words.to_vec()), 0..6)
            .prop_map(|words| words.join(" "))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn what_says_something_has_a_telling_word_or_is_read_apart(text in prop_oneof![text(), quota()]) {
            let mut lexicon = Lexicon::default();
            let telling = Telling::of(&mut lexicon);
            let words = words(&text);
            let symbols = words.split(' ').map(|word| lexicon.symbol(Form::Is, word));
            prop_assert!(Hint::find(&text).is_empty() || telling.may_say(&text, symbols));
        }
    }

    #[test]
    fn what_rules_read_alike_is_not_read_apart() {
        for text in [
            "5.7.1 User unknown",
            "421 Try again, 5-10 times: [10.0.0.1]",
            "<a@b>: no",
            "<192.0.2.1> is on list AS3140: 4.7.0: IPv6",
            "the company's name doesn't exist",
            "",
        ] {
            assert!(!is_read_apart(text), "{text}");
        }
        for text in ["in 5min", "PT5M", "<daily>", "5's", "an hour's", "00:05:00", "5 минут"] {
            assert!(is_read_apart(text), "{text}");
        }
    }
}
