//! Which writing a letter is of, as far as letters are mistaken for each other.

/// A writing whose letters look like those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Latin.
    Latin,
    /// Greek and Coptic.
    Greek,
    /// Cyrillic.
    Cyrillic,
    /// Armenian.
    Armenian,
    /// Cherokee.
    Cherokee,
}

impl Script {
    /// A letter's writing; none for digits, signs, and writings that nobody mixes up with Latin.
    /// Ranges are the Unicode blocks.
    pub(crate) fn of(c: char) -> Option<Self> {
        match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => {
                Some(Self::Latin)
            }
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Self::Greek),
            '\u{400}'..='\u{52f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}' => {
                Some(Self::Cyrillic)
            }
            '\u{530}'..='\u{58f}' => Some(Self::Armenian),
            '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Some(Self::Cherokee),
            _ => None,
        }
    }

    /// Whether one word has letters of two such writings (UTS #39 §5.1 forbids that in a label).
    pub(crate) fn is_mixed(word: &str) -> bool {
        let mut scripts = word.chars().filter_map(Self::of);
        scripts.next().is_some_and(|first| scripts.any(|other| other != first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_two_writings_is_mixed() {
        assert!(Script::is_mixed("p\u{430}ypal"));
        assert!(Script::is_mixed("g\u{3bf}ogle"));
        for one in ["paypal", "müller", "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}", "日本2go", ""]
        {
            assert!(!Script::is_mixed(one), "{one}");
        }
    }
}
