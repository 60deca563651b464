//! Words that are looked for in texts: ASCII letters in any case, at any place.

use memchr::{memchr, memchr2};

/// Octets that texts of mail are full of, the most frequent first; what is not among them is rare.
/// Chosen, not measured: digits and `a` to `f` are what ids are made of.
const FREQUENT: &[u8] = b"0123456789 eaotinsrdcflumhpgbwyvkxjqz.-@<>=_/:";

/// Words that are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    octets: &'a [u8],
    /// Which of the octets is the rarest: it is what is looked for first.
    rarest: usize,
}

impl<'a> Words<'a> {
    /// Makes words ready for being looked for.
    pub(crate) fn new(words: &'a str) -> Self {
        let octets = words.as_bytes();
        let rank = |b: &u8| {
            let b = b.to_ascii_lowercase();
            FREQUENT.iter().position(|frequent| *frequent == b).unwrap_or(FREQUENT.len())
        };
        let rarest = octets.iter().enumerate().max_by_key(|(_, b)| rank(b));
        Self { octets, rarest: rarest.map_or(0, |(at, _)| at) }
    }

    /// Whether nothing is looked for, which stands everywhere.
    pub(crate) const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Whether the words stand in `text`.
    pub(crate) fn stand_in(&self, text: &[u8]) -> bool {
        let Some(rarest) = self.octets.get(self.rarest) else { return true };
        let (low, high) = (rarest.to_ascii_lowercase(), rarest.to_ascii_uppercase());
        // No words begin before the text does.
        let mut from = self.rarest;
        while let Some(left) = text.get(from..) {
            let next = if low == high { memchr(low, left) } else { memchr2(low, high, left) };
            let Some(at) = next.map(|at| from + at) else { return false };
            let start = at - self.rarest;
            match text.get(start..start + self.octets.len()) {
                Some(there) if there.eq_ignore_ascii_case(self.octets) => return true,
                Some(_) => from = at + 1,
                None => return false,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_found_in_any_case_and_at_any_place() {
        for (text, words, is) in [
            ("too many messages", "MANY", true),
            ("aab", "ab", true),
            ("aab", "abc", false),
            ("", "a", false),
            ("x", "", true),
            ("", "", true),
            ("ÄÖ", "ÄÖ", true),
            ("ÄÖ", "äö", false),
            ("zebra", "a zebra", false),
            ("4.7.0 [RATE]", "[rate]", true),
        ] {
            assert_eq!(Words::new(words).stand_in(text.as_bytes()), is, "{words} in {text}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_search_of_lower_case_finds_the_same(
            text in "[abABz .é]{0,40}", words in "[abABz .é]{0,4}",
        ) {
            let plain = text.to_ascii_lowercase().contains(&words.to_ascii_lowercase());
            prop_assert_eq!(Words::new(&words).stand_in(text.as_bytes()), plain);
        }
    }
}
