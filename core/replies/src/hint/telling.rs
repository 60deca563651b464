//! Whether a text may say anything of time and number, told by the words that were looked up for
//! the rules already: most replies say nothing of either, and are not read a second time.
//!
//! A wait or a window needs a unit of time, `daily`, `later` or a clock; a quota needs a window, or
//! a word that speaks of a limit. These words are in the vocabulary of the rules beside their own.
//! What the rules read as other words than [`super::word`] does is not told here, and is read.

use super::vocabulary::MEANINGS;
use super::word::Word;

/// The words without one of which a text that is no [`is_read_apart`] says nothing.
pub(crate) fn telling_words() -> impl Iterator<Item = &'static str> {
    let of_meaning = |(word, spellings): &(Word, &'static str)| {
        let is_telling = matches!(
            word,
            Word::Time(_) | Word::Often(_) | Word::Later | Word::Many | Word::Cap | Word::Bound
        );
        is_telling.then_some(*spellings)
    };
    let spellings = MEANINGS.iter().filter_map(of_meaning);
    spellings.flat_map(str::split_ascii_whitespace).filter(|spelling| spelling.is_ascii())
}

/// Whether a text may have other words for a hint than for a rule: parts of it that rules drop
/// (`<…>`, addresses, apostrophes), letters that are not ASCII, a unit written behind its number
/// (`5min`), a clock (`00:05:00`).
pub(crate) fn is_read_apart(text: &str) -> bool {
    let octets = text.as_bytes();
    // Each octet is asked everything, so that several are asked by one instruction.
    let is_mark = |of: u8| (of == b'@') | (of == b'<') | (of == b'\'') | (of >= 0x80);
    let is_marked = octets.iter().fold(false, |all, octet| all | is_mark(*octet));
    let is_digit = |of: u8| of.wrapping_sub(b'0') < 10;
    let joins = |of: u8| ((of | 0x20).wrapping_sub(b'a') < 26) | (of == b':');
    let behind = octets.get(1..).unwrap_or_default();
    let pairs = octets.iter().zip(behind);
    let is_joined = pairs.fold(false, |all, (octet, next)| all | (is_digit(*octet) & joins(*next)));
    is_marked || is_joined
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
                " ", " ", " ", "5", "10", "200", "5.7.1", "10.0.0.1", "00:05:00", "PT5M", ". ", ", ", "/",
                "-", ":", "'s", "<", ">", "@", "_", "(s)", "é", "\n", "e-mail", "RFC ", "user",
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
            let telling: BTreeSet<_> = telling_words().collect();
            let is_told = words(&text).split(' ').any(|word| telling.contains(word));
            prop_assert!(Hint::find(&text).is_empty() || is_told || is_read_apart(&text));
        }
    }

    #[test]
    fn what_rules_read_alike_is_not_read_apart() {
        for text in ["5.7.1 User unknown", "421 Try again, 5-10 times: [10.0.0.1]", ""] {
            assert!(!is_read_apart(text), "{text}");
        }
        for text in ["in 5min", "<5 minutes>", "a@b", "5's", "00:05:00", "5 минут"] {
            assert!(is_read_apart(text), "{text}");
        }
    }
}
