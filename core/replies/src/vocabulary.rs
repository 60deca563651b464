//! The words that patterns are made of, and which of them a word of a text is.
//!
//! Every word of every text is looked up here, so this is a table of its own: open addressing,
//! at most half full, on a hash that needs no key, since what is put in is ours and a foreign
//! word costs no more than the longest run of the table. Words are compared eight octets at a
//! time, which is all there is to most. What begins or ends so is found by two letters first.

use std::collections::BTreeMap;

use crate::pattern::Word;

/// A word of a pattern, by number from 1; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Symbol(pub(crate) u32);

/// Words on their way into a vocabulary.
#[derive(Debug, Default)]
pub(crate) struct Words(BTreeMap<Word, Symbol>);

/// The words of all patterns.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    exact: Table,
    starts: Affixes,
    ends: Affixes,
    has: Box<[Entry]>,
    symbols: u32,
}

/// A word and its symbol.
#[derive(Debug, Clone, Default)]
struct Entry {
    /// Its first eight octets, or its last where ends are meant.
    eight: u64,
    /// Which octets of those it has.
    mask: u64,
    whole: Box<[u8]>,
    symbol: Symbol,
}

/// Words by their hash, with a number from 1 for each.
#[derive(Debug)]
pub(crate) struct Table {
    slots: Box<[TableSlot]>,
    /// Words longer than eight octets, by number; the others are whole in their slots.
    long: Box<[Box<[u8]>]>,
}

/// A place of a table: the first eight octets of a word, its length and its number; 0 is nobody's.
#[derive(Debug, Clone, Copy, Default)]
struct TableSlot {
    eight: u64,
    length: u32,
    number: u32,
}

/// Beginnings or ends, by the two letters at the very beginning or end.
#[derive(Debug)]
struct Affixes {
    sorted: Box<[Entry]>,
    /// Where in `sorted` those of a bucket begin; one more than there are buckets.
    buckets: Box<[u16]>,
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
            let (list, word, eight): (_, _, fn(&[u8]) -> u64) = match word {
                Word::Is(word) => (&mut exact, word, first_eight),
                Word::Starts(word) => (&mut starts, word, first_eight),
                Word::Ends(word) => (&mut ends, word, last_eight),
                Word::Has(word) => (&mut has, word, first_eight),
            };
            let whole = word.into_boxed_bytes();
            let mask = eight(&vec![0xff; whole.len()]);
            list.push(Entry { eight: eight(&whole), mask, whole, symbol });
        }
        Vocabulary {
            exact: Table::new(exact.into_iter().map(|e| (e.whole, e.symbol.0)).collect()),
            starts: Affixes::new(starts, bucket_of_beginning),
            ends: Affixes::new(ends, bucket_of_end),
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

    /// Adds what a word of a text can be: exactly a word of a pattern, and what begins, ends or
    /// has so.
    pub(crate) fn look_up(&self, word: &[u8], found: &mut Vec<Symbol>) {
        let eight = first_eight(word);
        let exact = self.exact.find_by(word, eight);
        if exact != 0 {
            found.push(Symbol(exact));
        }
        for affixes in self.starts.of(bucket_of_beginning(word)) {
            for affix in affixes {
                let rest = || affix.whole.len() <= 8 || word.starts_with(&affix.whole);
                if eight & affix.mask == affix.eight && rest() {
                    found.push(affix.symbol);
                }
            }
        }
        for affixes in self.ends.of(bucket_of_end(word)) {
            for affix in affixes {
                let rest = || affix.whole.len() <= 8 || word.ends_with(&affix.whole);
                if last_eight(word) & affix.mask == affix.eight && rest() {
                    found.push(affix.symbol);
                }
            }
        }
        for Entry { whole, symbol, .. } in &self.has {
            if word.len() >= whole.len() && word.windows(whole.len()).any(|w| w == &**whole) {
                found.push(*symbol);
            }
        }
    }
}

impl Table {
    /// Of words and their numbers, each word once.
    pub(crate) fn new(words: Vec<(Box<[u8]>, u32)>) -> Self {
        let empty = TableSlot::default();
        let mut slots = vec![empty; (words.len() * 2).next_power_of_two().max(2)];
        let mask = slots.len() - 1;
        let most = words.iter().map(|(_, number)| *number as usize + 1).max().unwrap_or_default();
        let mut long = vec![Box::default(); most];
        for (word, number) in words {
            let eight = first_eight(&word);
            let mut at = hash(&word, eight) & mask;
            while slots[at].number != 0 {
                at = (at + 1) & mask;
            }
            let length = u32::try_from(word.len()).unwrap_or(u32::MAX);
            slots[at] = TableSlot { eight, length, number };
            if word.len() > 8 {
                long[number as usize] = word;
            }
        }
        Self { slots: slots.into(), long: long.into() }
    }

    /// The word's number, 0 if it is none of these.
    pub(crate) fn find(&self, word: &[u8]) -> u32 {
        self.find_by(word, first_eight(word))
    }

    fn find_by(&self, word: &[u8], eight: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = hash(word, eight) & mask;
        loop {
            let known = self.slots[at];
            let is_alike = known.eight == eight && known.length as usize == word.len();
            let is_it = is_alike && (word.len() <= 8 || *self.long[known.number as usize] == *word);
            if is_it || known.number == 0 {
                return known.number;
            }
            at = (at + 1) & mask;
        }
    }
}

impl Affixes {
    fn new(mut all: Vec<Entry>, bucket: fn(&[u8]) -> usize) -> Self {
        all.sort_by_key(|affix| bucket(&affix.whole));
        let begin = |number: usize| all.partition_point(|affix| bucket(&affix.whole) < number);
        let begin = |number| u16::try_from(begin(number)).unwrap_or(u16::MAX);
        let buckets = (0..=BUCKETS).map(begin).collect();
        Self { sorted: all.into(), buckets }
    }

    /// What may be at the end of a word with this bucket: what is in it, and single letters.
    fn of(&self, number: usize) -> [&[Entry]; 2] {
        [self.bucket(number), if number == 0 { &[] } else { self.bucket(0) }]
    }

    fn bucket(&self, number: usize) -> &[Entry] {
        let (from, to) = (self.buckets[number], self.buckets[number + 1]);
        self.sorted.get(usize::from(from)..usize::from(to)).unwrap_or_default()
    }
}

/// The bucket of two letters; words of one letter are in the first, which is always looked at.
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
    match word.first_chunk::<8>() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => word.iter().rev().fold(0, |eight, byte| (eight << 8) | u64::from(*byte)),
    }
}

/// The last eight octets, zeros before them.
fn last_eight(word: &[u8]) -> u64 {
    match word.last_chunk::<8>() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => {
            let eight = word.iter().rev().fold(0, |eight, byte| (eight << 8) | u64::from(*byte));
            eight << (8 * (8 - word.len()) % 64)
        }
    }
}

/// A hash that is good enough for words: eight octets at a time, multiplied and rotated.
fn hash(word: &[u8], first: u64) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = (first ^ word.len() as u64).wrapping_mul(FACTOR);
    let mut rest = word.get(8..).unwrap_or_default();
    while !rest.is_empty() {
        hash = (hash.rotate_left(23) ^ first_eight(rest)).wrapping_mul(FACTOR);
        rest = rest.get(8..).unwrap_or_default();
    }
    (hash >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meant(words: &[Word], word: &str) -> Vec<Word> {
        let mut all = Words::default();
        let numbers: Vec<_> = words.iter().map(|word| all.number(word)).collect();
        let mut found = Vec::new();
        all.finish().look_up(word.as_bytes(), &mut found);
        let of = |symbol: &Symbol| words[numbers.iter().position(|n| n == symbol).unwrap()].clone();
        let mut meant: Vec<_> = found.iter().map(of).collect();
        meant.sort();
        meant
    }

    fn word(word: &str, kind: u8) -> Word {
        let word = Box::from(word);
        match kind {
            0 => Word::Is(word),
            1 => Word::Starts(word),
            2 => Word::Ends(word),
            _ => Word::Has(word),
        }
    }

    proptest! {
        #[test]
        fn a_word_is_what_it_equals_and_what_it_begins_ends_or_has(
            words in prop::collection::btree_set(("[ab]{1,3}|[ab]{7,10}", 0_u8..4), 0..12),
            repeated in "[ab]{1,4}",
            times in 1_usize..6,
        ) {
            let words: Vec<_> = words.iter().map(|(of, kind)| word(of, *kind)).collect();
            let text = repeated.repeat(times);
            let mut expected: Vec<_> = words.iter().filter(|w| match w {
                Word::Is(w) => **w == *text,
                Word::Starts(w) => text.starts_with(&**w),
                Word::Ends(w) => text.ends_with(&**w),
                Word::Has(w) => text.contains(&**w),
            }).cloned().collect();
            expected.sort();
            prop_assert_eq!(meant(&words, &text), expected);
        }
    }
}
