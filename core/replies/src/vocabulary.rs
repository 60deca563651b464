//! The words that patterns are made of, and which of them a word of a text is.
//!
//! Every word of every text is looked up here, so this is a table of its own: open addressing,
//! at most half full, on a hash that needs no key, since what is put in is ours and a foreign
//! word costs no more than the longest run of the table. What begins or ends so is found by two
//! letters first.

use std::collections::BTreeMap;

use crate::pattern::Word;

/// A word of a pattern, by number; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Symbol(pub(crate) u32);

/// How many patterns' words one word of a text can be at once; more are not looked for.
const MEANINGS_MAX: usize = 8;

/// What a word of a text can be: exactly a word of a pattern, and what begins, ends or has so.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Meanings {
    symbols: [Symbol; MEANINGS_MAX],
    count: u8,
}

/// Words on their way into a vocabulary.
#[derive(Debug, Default)]
pub(crate) struct Words(BTreeMap<Word, Symbol>);

/// The words of all patterns.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    exact: Table,
    starts: Affixes,
    ends: Affixes,
    has: Box<[(Box<[u8]>, Symbol)]>,
    symbols: u32,
}

/// Words by their hash.
#[derive(Debug)]
struct Table {
    /// The upper half of the hash, and the word's place in `words` from 1; 0 is nobody's.
    slots: Box<[(u32, u32)]>,
    words: Box<[(Box<[u8]>, Symbol)]>,
}

/// Beginnings or ends, by the two letters at the very beginning or end.
#[derive(Debug)]
struct Affixes {
    sorted: Box<[Affix]>,
    /// Where in `sorted` those of a bucket begin; one more than there are buckets.
    buckets: Box<[u16]>,
}

/// A beginning or end. Its first or last eight octets are compared as one number, which is all
/// there is to most.
#[derive(Debug)]
struct Affix {
    eight: u64,
    mask: u64,
    whole: Box<[u8]>,
    symbol: Symbol,
}

const BUCKETS: usize = 1024;

impl Words {
    /// The symbol of a word.
    pub(crate) fn number(&mut self, word: &Word) -> Symbol {
        let next = Symbol(u32::try_from(self.0.len()).unwrap_or(u32::MAX - 1) + 1);
        *self.0.entry(word.clone()).or_insert(next)
    }

    pub(crate) fn finish(self) -> Vocabulary {
        let symbols = u32::try_from(self.0.len()).unwrap_or(u32::MAX - 1) + 1;
        let (mut exact, mut starts, mut ends, mut has) = (vec![], vec![], vec![], vec![]);
        for (word, symbol) in self.0 {
            let (list, word) = match word {
                Word::Is(word) => (&mut exact, word),
                Word::Starts(word) => (&mut starts, word),
                Word::Ends(word) => (&mut ends, word),
                Word::Has(word) => (&mut has, word),
            };
            list.push((word.into_boxed_bytes(), symbol));
        }
        Vocabulary {
            exact: Table::new(exact),
            starts: Affixes::new(starts, bucket_of_beginning, first_eight),
            ends: Affixes::new(ends, bucket_of_end, last_eight),
            has: has.into(),
            symbols,
        }
    }
}

impl Vocabulary {
    /// One more than the greatest symbol.
    pub(crate) fn symbols(&self) -> u32 {
        self.symbols
    }

    /// What a word of a text can be.
    pub(crate) fn meanings(&self, word: &[u8]) -> Meanings {
        let mut meanings = Meanings::default();
        if let Some(symbol) = self.exact.find(word) {
            meanings.add(symbol);
        }
        let eight = first_eight(word);
        for affix in self.starts.bucket(bucket_of_beginning(word)) {
            let rest = || affix.whole.len() <= 8 || word.starts_with(&affix.whole);
            if eight & affix.mask == affix.eight && rest() {
                meanings.add(affix.symbol);
            }
        }
        let eight = last_eight(word);
        for affix in self.ends.bucket(bucket_of_end(word)) {
            let rest = || affix.whole.len() <= 8 || word.ends_with(&affix.whole);
            if eight & affix.mask == affix.eight && rest() {
                meanings.add(affix.symbol);
            }
        }
        for (part, symbol) in &self.has {
            if word.len() >= part.len() && word.windows(part.len()).any(|w| w == &**part) {
                meanings.add(*symbol);
            }
        }
        meanings
    }
}

impl Meanings {
    fn add(&mut self, symbol: Symbol) {
        if let Some(place) = self.symbols.get_mut(usize::from(self.count)) {
            *place = symbol;
            self.count += 1;
        }
    }

    pub(crate) fn symbols(&self) -> &[Symbol] {
        self.symbols.get(..usize::from(self.count)).unwrap_or_default()
    }
}

impl Table {
    fn new(words: Vec<(Box<[u8]>, Symbol)>) -> Self {
        let mut slots = vec![(0, 0); (words.len() * 2).next_power_of_two().max(2)];
        let mask = slots.len() - 1;
        for (place, (word, _)) in (1..).zip(&words) {
            let hash = hash(word);
            let mut at = hash as usize & mask;
            while slots[at].1 != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = ((hash >> 32) as u32, place);
        }
        Self { slots: slots.into(), words: words.into() }
    }

    fn find(&self, word: &[u8]) -> Option<Symbol> {
        let mask = self.slots.len() - 1;
        let hash = hash(word);
        let mut at = hash as usize & mask;
        loop {
            let (tag, place) = self.slots[at];
            if place == 0 {
                return None;
            }
            let known = &self.words[place as usize - 1];
            if tag == (hash >> 32) as u32 && *known.0 == *word {
                return Some(known.1);
            }
            at = (at + 1) & mask;
        }
    }
}

impl Affixes {
    fn new(
        mut all: Vec<(Box<[u8]>, Symbol)>,
        bucket: fn(&[u8]) -> usize,
        eight: fn(&[u8]) -> u64,
    ) -> Self {
        all.sort_by_key(|(affix, _)| bucket(affix));
        let begin = |number: usize| all.partition_point(|(affix, _)| bucket(affix) < number);
        let begin = |number| u16::try_from(begin(number)).unwrap_or(u16::MAX);
        let buckets = (0..=BUCKETS).map(begin).collect();
        let affix = |(whole, symbol): (Box<[u8]>, Symbol)| {
            let mask = eight(&vec![0xff; whole.len()]);
            Affix { eight: eight(&whole), mask, whole, symbol }
        };
        Self { sorted: all.into_iter().map(affix).collect(), buckets }
    }

    fn bucket(&self, number: usize) -> &[Affix] {
        let (from, to) = (self.buckets[number], self.buckets[number + 1]);
        self.sorted.get(usize::from(from)..usize::from(to)).unwrap_or_default()
    }
}

/// Affixes have two letters at least, so a word of one letter need not be told from others.
fn bucket_of_beginning(word: &[u8]) -> usize {
    match word {
        [a, b, ..] => (usize::from(*a) * 31 + usize::from(*b)) % BUCKETS,
        _ => 0,
    }
}

fn bucket_of_end(word: &[u8]) -> usize {
    match word {
        [.., a, b] => (usize::from(*a) * 31 + usize::from(*b)) % BUCKETS,
        _ => 0,
    }
}

/// The first eight octets, zeros behind them.
fn first_eight(word: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let length = word.len().min(8);
    eight[..length].copy_from_slice(&word[..length]);
    u64::from_le_bytes(eight)
}

/// The last eight octets, zeros before them.
fn last_eight(word: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let length = word.len().min(8);
    eight[8 - length..].copy_from_slice(&word[word.len() - length..]);
    u64::from_le_bytes(eight)
}

/// A hash that is good enough for words: eight octets at a time, multiplied and rotated.
fn hash(word: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = word.len() as u64;
    let mut eights = word.chunks_exact(8);
    for eight in &mut eights {
        let eight = u64::from_le_bytes(eight.try_into().unwrap_or_default());
        hash = (hash.rotate_left(23) ^ eight).wrapping_mul(FACTOR);
    }
    let mut last = [0; 8];
    let rest = eights.remainder();
    last[..rest.len()].copy_from_slice(rest);
    hash = (hash.rotate_left(23) ^ u64::from_le_bytes(last)).wrapping_mul(FACTOR);
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meant(words: &[Word], word: &str) -> Vec<Word> {
        let mut all = Words::default();
        let numbers: Vec<_> = words.iter().map(|word| all.number(word)).collect();
        let vocabulary = all.finish();
        let meanings = vocabulary.meanings(word.as_bytes());
        let of = |symbol: &Symbol| words[numbers.iter().position(|n| n == symbol).unwrap()].clone();
        let mut meant: Vec<_> = meanings.symbols().iter().map(of).collect();
        meant.sort();
        meant.dedup();
        meant
    }

    proptest! {
        #[test]
        fn a_word_is_what_it_equals_and_what_it_begins_ends_or_has(
            words in prop::collection::btree_set(("[ab]{2,3}", 0_u8..4), 0..12),
            word in "[abc]{1,6}",
        ) {
            let words: Vec<_> = words.iter().map(|(word, kind)| {
                let word = Box::from(word.as_str());
                match kind { 0 => Word::Is(word), 1 => Word::Starts(word), 2 => Word::Ends(word), _ => Word::Has(word) }
            }).collect();
            let mut expected: Vec<_> = words.iter().filter(|w| match w {
                Word::Is(w) => **w == *word,
                Word::Starts(w) => word.starts_with(&**w),
                Word::Ends(w) => word.ends_with(&**w),
                Word::Has(w) => word.contains(&**w),
            }).cloned().collect();
            expected.sort();
            prop_assert_eq!(meant(&words, &word), expected);
        }
    }
}
