//! The words that patterns are made of, and which of them a word of a text is.
//!
//! Every word of every text is looked up here, so this is a table of its own: open addressing,
//! at most half full, on a hash that needs no key, since what is put in is ours and a foreign
//! word costs no more than the longest run of the table. Words are compared by their first and
//! their last eight octets and their length, which is all there is to most. What begins or ends
//! so is found by two letters first; what has so somewhere, in the whole text first.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memmem::Finder;

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
    has: Box<[(Finder<'static>, Symbol)]>,
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
    long: Box<[Long]>,
}

/// A place of a table: the first eight octets of a word, its length and its number; 0 is nobody's.
#[derive(Debug, Clone, Copy, Default)]
struct TableSlot {
    eight: u64,
    length: u32,
    number: u32,
}

/// A word longer than eight octets.
#[derive(Debug, Clone, Default)]
struct Long {
    last_eight: u64,
    whole: Box<[u8]>,
}

/// Beginnings or ends, by the two letters at the very beginning or end.
#[derive(Debug)]
struct Affixes {
    sorted: Box<[Entry]>,
    /// Where in `sorted` those of a bucket begin and end; single letters are in all of them.
    buckets: Box<[(u16, u16); BUCKETS]>,
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
                Word::Is(word) => {
                    exact.push((word.into_boxed_bytes(), symbol.0));
                    continue;
                }
                Word::Has(word) => {
                    has.push((Finder::new(word.as_bytes()).into_owned(), symbol));
                    continue;
                }
                Word::Starts(word) => (&mut starts, word, first_eight),
                Word::Ends(word) => (&mut ends, word, last_eight),
            };
            let whole = word.into_boxed_bytes();
            let mask = eight(&vec![0xff; whole.len()]);
            list.push(Entry { eight: eight(&whole), mask, whole, symbol });
        }
        Vocabulary {
            exact: Table::new(exact),
            starts: Affixes::new(starts, Eights::beginning),
            ends: Affixes::new(ends, Eights::end),
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

    /// Finds what the word at `place` of a text can be: exactly a word of a pattern, and what
    /// begins or ends so.
    #[inline]
    pub(crate) fn look_up(&self, text: &[u8], place: Range<usize>, found: &mut impl FnMut(Symbol)) {
        let Some(word) = text.get(place.clone()) else { return };
        let eights = Eights::at(text, place);
        let exact = self.exact.find_by(word, eights);
        if exact != 0 {
            found(Symbol(exact));
        }
        for affix in self.starts.of(eights.beginning()) {
            let rest = || affix.whole.len() <= 8 || word.starts_with(&affix.whole);
            if eights.first & affix.mask == affix.eight && rest() {
                found(affix.symbol);
            }
        }
        for affix in self.ends.of(eights.end()) {
            let rest = || affix.whole.len() <= 8 || word.ends_with(&affix.whole);
            if eights.last & affix.mask == affix.eight && rest() {
                found(affix.symbol);
            }
        }
    }

    /// Whether a word of the text may have a word of a pattern somewhere inside.
    pub(crate) fn has_inside(&self, text: &[u8]) -> bool {
        self.has.iter().any(|(inside, _)| inside.find(text).is_some())
    }

    /// Finds what a word has somewhere inside.
    pub(crate) fn look_inside(&self, word: &[u8], found: &mut impl FnMut(Symbol)) {
        let met = self.has.iter().filter(|(inside, _)| inside.find(word).is_some());
        met.for_each(|(_, symbol)| found(*symbol));
    }
}

impl Table {
    /// Of words and their numbers, each word once.
    pub(crate) fn new(words: Vec<(Box<[u8]>, u32)>) -> Self {
        let empty = TableSlot::default();
        let mut slots = vec![empty; (words.len() * 2).next_power_of_two().max(2)];
        let mask = slots.len() - 1;
        let most = words.iter().map(|(_, number)| *number as usize + 1).max().unwrap_or_default();
        let mut long = vec![Long::default(); most];
        for (word, number) in words {
            let eights = Eights::of(&word);
            let mut at = eights.hash(word.len()) & mask;
            while slots[at].number != 0 {
                at = (at + 1) & mask;
            }
            let length = u32::try_from(word.len()).unwrap_or(u32::MAX);
            slots[at] = TableSlot { eight: eights.first, length, number };
            if word.len() > 8 {
                long[number as usize] = Long { last_eight: eights.last, whole: word };
            }
        }
        Self { slots: slots.into(), long: long.into() }
    }

    /// The word's number, 0 if it is none of these.
    pub(crate) fn find(&self, word: &[u8]) -> u32 {
        self.find_by(word, Eights::of(word))
    }

    #[inline]
    fn find_by(&self, word: &[u8], eights: Eights) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = eights.hash(word.len()) & mask;
        loop {
            let known = self.slots[at];
            if known.number == 0 {
                return 0;
            }
            let is_alike = known.eight == eights.first && known.length as usize == word.len();
            if is_alike && (word.len() <= 8 || self.long[known.number as usize].is(word, eights)) {
                return known.number;
            }
            at = (at + 1) & mask;
        }
    }
}

impl Long {
    /// Whether it is this word, which has its first eight octets and its length.
    fn is(&self, word: &[u8], eights: Eights) -> bool {
        self.last_eight == eights.last && (word.len() <= 16 || *self.whole == *word)
    }
}

impl Affixes {
    fn new(all: Vec<Entry>, of_word: fn(Eights) -> usize) -> Self {
        let mut buckets = vec![Vec::new(); BUCKETS];
        for affix in all {
            match affix.whole.len() {
                // A single letter begins or ends words of any bucket.
                0 | 1 => buckets.iter_mut().for_each(|bucket| bucket.push(affix.clone())),
                _ => buckets[of_word(Eights::of(&affix.whole))].push(affix),
            }
        }
        let mut places = Box::new([(0, 0); BUCKETS]);
        let mut sorted = Vec::new();
        let length = |sorted: &Vec<Entry>| u16::try_from(sorted.len()).unwrap_or(u16::MAX);
        for (place, mut bucket) in places.iter_mut().zip(buckets) {
            let begin = length(&sorted);
            sorted.append(&mut bucket);
            *place = (begin, length(&sorted));
        }
        Self { sorted: sorted.into(), buckets: places }
    }

    fn of(&self, bucket: usize) -> &[Entry] {
        let (begin, end) = self.buckets[bucket % BUCKETS];
        self.sorted.get(usize::from(begin)..usize::from(end)).unwrap_or_default()
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

/// The first and the last eight octets of a word, zeros behind or before them.
#[derive(Debug, Clone, Copy)]
struct Eights {
    first: u64,
    last: u64,
}

impl Eights {
    fn of(word: &[u8]) -> Self {
        Self { first: first_eight(word), last: last_eight(word) }
    }

    /// Of the word at a place of a text: eight octets are read at once, and what is behind the
    /// word is taken away.
    fn at(text: &[u8], place: Range<usize>) -> Self {
        let word = text.get(place.clone()).unwrap_or_default();
        let long = word.first_chunk().zip(word.last_chunk());
        if let Some((first, last)) = long {
            return Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last) };
        }
        let foreign = 64 - 8 * word.len().clamp(1, 8);
        let read = text.get(place.start..).and_then(<[u8]>::first_chunk);
        let first = match read {
            Some(eight) => u64::from_le_bytes(*eight) << foreign >> foreign,
            None => first_eight(word),
        };
        Self { first, last: first << foreign }
    }

    /// The bucket of the first two letters.
    fn beginning(self) -> usize {
        bucket(self.first as u16)
    }

    /// The bucket of the last two letters.
    fn end(self) -> usize {
        bucket((self.last >> 48) as u16)
    }

    /// A hash that is good enough for words of this length.
    fn hash(self, length: usize) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let hash = (self.first ^ length as u64).wrapping_mul(FACTOR);
        ((hash.rotate_left(23) ^ self.last).wrapping_mul(FACTOR) >> 32) as usize
    }
}

/// The bucket of two letters.
fn bucket(letters: u16) -> usize {
    (u32::from(letters).wrapping_mul(0x9e37_79b9) >> (32 - BUCKETS.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meant(words: &[Word], word: &str) -> Vec<Word> {
        let mut all = Words::default();
        let numbers: Vec<_> = words.iter().map(|word| all.number(word)).collect();
        let mut found = Vec::new();
        let text = format!(" {word} ");
        let vocabulary = all.finish();
        let mut push = |symbol| found.push(symbol);
        vocabulary.look_up(text.as_bytes(), 1..1 + word.len(), &mut push);
        if vocabulary.has_inside(text.as_bytes()) {
            vocabulary.look_inside(word.as_bytes(), &mut push);
        }
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
