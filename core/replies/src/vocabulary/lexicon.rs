//! Words of patterns on their way into a vocabulary: each gets a number when it is met first.

use super::{Affixes, Entry, Flags, Symbol, Table, Vocabulary, beginning, end};
use crate::words::Eights;
use memchr::memmem::Finder;

/// How a word of a pattern is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it stands.
    Is,
    /// A word that begins so.
    Starts,
    /// A word that ends so.
    Ends,
    /// A word that has it somewhere.
    Has,
}

/// The words that patterns are made of, by number.
#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    words: Vec<(Form, Box<str>)>,
    /// Symbols of words by their hash, at most half of the places taken; 0 is nobody's.
    slots: Vec<u32>,
}

impl Lexicon {
    /// The symbol of a word, the same for the same word.
    pub(crate) fn symbol(&mut self, form: Form, word: &str) -> Symbol {
        if self.words.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mut at = self.place(form, word);
        loop {
            match self.word(Symbol(self.slots[at])) {
                None => break,
                Some(known) if known == (form, word) => return Symbol(self.slots[at]),
                Some(_) => at = (at + 1) % self.slots.len(),
            }
        }
        self.words.push((form, word.into()));
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.slots[at] = number;
        Symbol(number)
    }

    /// The word with this symbol.
    pub(crate) fn word(&self, symbol: Symbol) -> Option<(Form, &str)> {
        let place = (symbol.0 as usize).checked_sub(1)?;
        self.words.get(place).map(|(form, word)| (*form, &**word))
    }

    /// Where a word belongs, if nothing is there.
    fn place(&self, form: Form, word: &str) -> usize {
        let hash = Eights::of(word.as_bytes()).hash();
        (hash ^ (form as usize) << 7) % self.slots.len()
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(1024)];
        for (number, (form, word)) in (1_u32..).zip(&self.words) {
            let mut at = self.place(*form, word);
            while self.slots[at] != 0 {
                at = (at + 1) % self.slots.len();
            }
            self.slots[at] = number;
        }
    }

    /// How many words there are, and so the highest of their numbers.
    pub(crate) fn count(&self) -> usize {
        self.words.len()
    }

    pub(crate) fn finish(self) -> Vocabulary {
        let symbols = self.words.len() + 1;
        let (mut exact, mut starts, mut ends, mut has) = (vec![], vec![], vec![], vec![]);
        for (number, (form, word)) in (1_u32..).zip(self.words) {
            let symbol = Symbol(number);
            let whole: Box<[u8]> = word.into();
            let (list, eight): (_, fn(Eights) -> u64) = match form {
                Form::Is => {
                    exact.push((whole, number));
                    continue;
                }
                Form::Has => {
                    has.push((Finder::new(&whole).into_owned(), symbol));
                    continue;
                }
                Form::Starts => (&mut starts, |eights| eights.first),
                Form::Ends => (&mut ends, |eights| eights.last),
            };
            let mask = eight(Eights::of(&vec![0xff; whole.len()]));
            list.push(Entry { eight: eight(Eights::of(&whole)), mask, whole, symbol });
        }
        let has_least = has.iter().map(|(of, _): &(Finder<'_>, _)| of.needle().len()).min();
        let mut vocabulary = Vocabulary {
            exact: Table::new(Vec::new()),
            more: Flags::default(),
            around: [].into(),
            begins: [].into(),
            starts: Affixes::new(starts, beginning),
            ends: Affixes::new(ends, end),
            has: has.into(),
            has_least: has_least.map_or(u32::MAX, |least| least as u32),
        };
        vocabulary.more.clear(symbols);
        let (mut around, mut begins) = (Vec::new(), Vec::new());
        // They are in ascending order of their numbers.
        for (word, number) in &exact {
            let begin = around.len();
            begins.resize(*number as usize + 1, begin as u32);
            vocabulary.look_further(word, Eights::of(word), &mut |symbol| around.push(symbol));
            if around.len() > begin {
                vocabulary.more.set(*number);
            }
        }
        begins.resize(symbols + 1, around.len() as u32);
        (vocabulary.around, vocabulary.begins) = (around.into(), begins.into());
        vocabulary.exact = Table::new(exact);
        vocabulary
    }
}
