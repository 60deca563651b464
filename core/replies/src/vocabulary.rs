//! The words that patterns are made of, and which of them a word of a text is.
//!
//! Every word of every text is looked up here, so this is a table of its own: open addressing,
//! at most half full, on a hash that needs no key, since what is put in is ours and a foreign
//! word costs no more than the longest run of the table. Words are compared by their first and
//! their last eight octets and their length, which is all there is to most. What begins or ends
//! so is found by two letters first; what has so somewhere, in the whole text first.

mod lexicon;

use memchr::memmem::Finder;

use crate::flags::Flags;
use crate::words::Eights;

pub(crate) use lexicon::{Form, Lexicon};

/// A word of a pattern, by number from 1; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Symbol(pub(crate) u32);

impl Symbol {
    /// No word.
    pub(crate) const NONE: Self = Self(0);

    /// Its bit where sixty-four of them say what may be there: its number modulo 64.
    #[inline]
    pub(crate) fn bit(self) -> u64 {
        1 << (self.0 % u64::BITS)
    }
}

/// The words of all patterns.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    exact: Table,
    /// Which of those begin, end or have inside what another word of a pattern is open for.
    more: Flags,
    /// What that is, word after word, and where in the list that of a word begins, by number: what
    /// can be known beforehand is not looked for in every text.
    around: Box<[Symbol]>,
    begins: Box<[u32]>,
    starts: Affixes,
    ends: Affixes,
    has: Box<[(Finder<'static>, Symbol)]>,
    /// How long the shortest of those is.
    has_least: u32,
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

/// Beginnings or ends, by the letters at the very beginning or end.
#[derive(Debug)]
struct Affixes {
    /// Those that have no more than two letters, by two.
    twos: Buckets,
    /// Those that have more, by three.
    threes: Buckets,
}

/// Beginnings or ends by a hash of so many letters; single letters are in all buckets.
#[derive(Debug)]
struct Buckets {
    sorted: Box<[Entry]>,
    /// Where in `sorted` those of a bucket begin; one more at the end.
    begins: Box<[u16; BUCKETS + 1]>,
    /// The buckets in which there is one: most words are told from all of them by this alone.
    some: Box<[u64; BUCKETS / 64]>,
}

const BUCKETS: usize = 4096;

impl Vocabulary {
    /// Finds what a word of a text can be: exactly a word of a pattern, and what begins, ends or
    /// is inside so.
    // It is asked for every word of every text.
    #[inline(always)]
    pub(crate) fn look_up(&self, word: &[u8], eights: Eights, found: &mut impl FnMut(Symbol)) {
        let exact = self.exact.find_by(word, eights);
        if exact != 0 {
            found(Symbol(exact));
        }
        if exact == 0 {
            let may_be_more = self.starts.may_have(beginning(eights))
                || self.ends.may_have(end(eights))
                || eights.length >= self.has_least;
            if may_be_more {
                self.look_further(word, eights, found);
            }
        } else if self.more.has(exact) {
            self.around(exact).iter().for_each(|symbol| found(*symbol));
        }
    }

    /// What a word of a pattern with this number begins, ends or has inside.
    fn around(&self, number: u32) -> &[Symbol] {
        let place = number as usize;
        let Some([begin, end]) = self.begins.get(place..place + 2) else { return &[] };
        self.around.get(*begin as usize..*end as usize).unwrap_or_default()
    }

    // Few words come here, and what is done for all of them is better off without it.
    #[inline(never)]
    fn look_further(&self, word: &[u8], eights: Eights, found: &mut impl FnMut(Symbol)) {
        self.look_around(word, eights, found);
        if eights.length >= self.has_least {
            self.look_inside(word, found);
        }
    }

    /// Finds what a word begins or ends with.
    #[inline]
    fn look_around(&self, word: &[u8], eights: Eights, found: &mut impl FnMut(Symbol)) {
        for affix in self.starts.of(beginning(eights)) {
            let rest = || affix.whole.len() <= 8 || word.starts_with(&affix.whole);
            if eights.first & affix.mask == affix.eight && rest() {
                found(affix.symbol);
            }
        }
        for affix in self.ends.of(end(eights)) {
            let rest = || affix.whole.len() <= 8 || word.ends_with(&affix.whole);
            if eights.last & affix.mask == affix.eight && rest() {
                found(affix.symbol);
            }
        }
    }

    /// Finds what a word has somewhere inside.
    fn look_inside(&self, word: &[u8], found: &mut impl FnMut(Symbol)) {
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
            let mut at = eights.hash() & mask;
            while slots[at].number != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = TableSlot { eight: eights.first, length: eights.length, number };
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

    #[inline(always)]
    fn find_by(&self, word: &[u8], eights: Eights) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = eights.hash() & mask;
        loop {
            let known = self.slots[at];
            if known.number == 0 {
                return 0;
            }
            let is_alike = known.eight == eights.first && known.length == eights.length;
            if is_alike && (eights.length <= 8 || self.long[known.number as usize].is(word, eights))
            {
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
    fn new(all: Vec<Entry>, letters: fn(Eights) -> u32) -> Self {
        let (twos, threes): (Vec<_>, Vec<_>) = all.into_iter().partition(|of| of.whole.len() <= 2);
        let bucket = |affix: &Entry, of: u32| bucket(letters(Eights::of(&affix.whole)) & of);
        Self {
            // A single letter begins or ends words of any bucket.
            twos: Buckets::new(twos, |affix| (affix.whole.len() == 2).then(|| bucket(affix, TWO))),
            threes: Buckets::new(threes, |affix| Some(bucket(affix, THREE))),
        }
    }

    /// Whether a word with these letters at its beginning or end may begin or end so.
    #[inline]
    fn may_have(&self, letters: u32) -> bool {
        (self.twos.have(bucket(letters & TWO)) | self.threes.have(bucket(letters & THREE))) != 0
    }

    /// Those a word with these letters at its beginning or end may begin or end with.
    #[inline]
    fn of(&self, letters: u32) -> impl Iterator<Item = &Entry> {
        let (twos, threes) = (bucket(letters & TWO), bucket(letters & THREE));
        self.twos.of(twos).iter().chain(self.threes.of(threes))
    }
}

impl Buckets {
    /// In the bucket that is told of each; where none is told, in all of them.
    fn new(all: Vec<Entry>, bucket: impl Fn(&Entry) -> Option<usize>) -> Self {
        let (mut begins, mut some) = (Box::new([0; BUCKETS + 1]), Box::new([0; BUCKETS / 64]));
        let mut places: Vec<Vec<&Entry>> = vec![Vec::new(); BUCKETS];
        for affix in &all {
            match bucket(affix) {
                Some(bucket) => places[bucket].push(affix),
                None => places.iter_mut().for_each(|place| place.push(affix)),
            }
        }
        let mut sorted = Vec::new();
        for (place, affixes) in places.into_iter().enumerate() {
            some[place / 64] |= u64::from(!affixes.is_empty()) << (place % 64);
            sorted.extend(affixes.into_iter().cloned());
            begins[place + 1] = u16::try_from(sorted.len()).unwrap_or(u16::MAX);
        }
        Self { sorted: sorted.into(), begins, some }
    }

    /// Whether there are any in a bucket: 1, or 0.
    #[inline]
    fn have(&self, bucket: usize) -> u64 {
        self.some[bucket / 64] >> (bucket % 64) & 1
    }

    #[inline]
    fn of(&self, bucket: usize) -> &[Entry] {
        if self.have(bucket) == 0 {
            return &[];
        }
        let (begin, end) = (self.begins[bucket], self.begins[bucket + 1]);
        self.sorted.get(usize::from(begin)..usize::from(end)).unwrap_or_default()
    }
}

/// Two letters, and three.
const TWO: u32 = 0xffff;
const THREE: u32 = 0xff_ffff;

/// The first letters of a word, the very first in the lowest octet.
#[inline]
fn beginning(word: Eights) -> u32 {
    word.first as u32
}

/// The last letters of a word, the very last in the lowest octet.
#[inline]
fn end(word: Eights) -> u32 {
    word.last.swap_bytes() as u32
}

/// The bucket of some letters.
#[inline]
fn bucket(letters: u32) -> usize {
    (letters.wrapping_mul(0x9e37_79b9) >> (32 - BUCKETS.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meant(words: &[(Form, String)], word: &str) -> Vec<(Form, String)> {
        let mut all = Lexicon::default();
        let numbers: Vec<_> = words.iter().map(|(form, of)| all.symbol(*form, of)).collect();
        let mut found = Vec::new();
        let vocabulary = all.finish();
        let mut push = |symbol| found.push(symbol);
        vocabulary.look_up(word.as_bytes(), Eights::of(word.as_bytes()), &mut push);
        let of = |symbol: &Symbol| words[numbers.iter().position(|n| n == symbol).unwrap()].clone();
        let mut meant: Vec<_> = found.iter().map(of).collect();
        meant.sort_by_key(|(form, word)| (*form as u8, word.clone()));
        meant
    }

    const FORMS: [Form; 4] = [Form::Is, Form::Starts, Form::Ends, Form::Has];

    proptest! {
        #[test]
        fn a_word_is_what_it_equals_and_what_it_begins_ends_or_has(
            words in prop::collection::btree_set(("[ab]{1,3}|[ab]{7,10}", 0_usize..4), 0..12),
            repeated in "[ab]{1,4}",
            times in 1_usize..6,
        ) {
            let mut words: Vec<_> =
                words.into_iter().map(|(word, form)| (FORMS[form], word)).collect();
            words.sort_by_key(|(form, word)| (*form as u8, word.clone()));
            let text = repeated.repeat(times);
            let expected: Vec<_> = words.iter().filter(|(form, word)| match form {
                Form::Is => *word == text,
                Form::Starts => text.starts_with(&**word),
                Form::Ends => text.ends_with(&**word),
                Form::Has => text.contains(&**word),
            }).cloned().collect();
            prop_assert_eq!(meant(&words, &text), expected);
        }
    }
}
