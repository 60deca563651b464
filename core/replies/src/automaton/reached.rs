//! What a text has, and the memory of the way there.

use super::Line;
use super::uses::{Behind, Then};
use crate::flags::Flags;
use crate::pattern::{Gap, NEAR};
use crate::vocabulary::{Symbol, Vocabulary};
use crate::words::{Eights, TakeWord, WordReader};

/// Who is told of a text, and the memory of the way there. Kept from text to text so that
/// nothing is allocated.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    pub(super) read: Read,
    pub(super) links: Links,
    /// Who was told.
    pub(super) told: Told,
    /// The words that were set aside, from the first to the last of each phrase.
    pub(super) aside: Vec<(u32, u32)>,
    /// The provisos that were asked of this text, and those of them that hold.
    pub(super) asked: Flags,
    pub(super) holds: Flags,
}

/// Whose chains a text has, by number.
#[derive(Debug, Default)]
pub(super) struct Told {
    has: Flags,
    list: Vec<u32>,
}

/// The words of a text.
#[derive(Debug, Default)]
pub(super) struct Read {
    reader: WordReader,
    /// The words, behind one that stands for the beginning.
    pub(super) words: Vec<Seen>,
    /// What the words can be, word after word, each with the number of its word.
    pub(super) symbols: Vec<(Symbol, u32)>,
    pub(super) lines: Lines,
}

/// Takes the words of a text.
struct Taker<'r> {
    vocabulary: &'r Vocabulary,
    words: &'r mut Vec<Seen>,
    symbols: &'r mut Vec<(Symbol, u32)>,
    /// The number of the next word, and where the one before it ends.
    number: u32,
    end: u32,
}

/// Where the first line ends and the last begins, in octets of the words with one blank between
/// two.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lines {
    first_ends: u32,
    last_begins: u32,
}

/// Where a phrase stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) lines: Lines,
}

/// A word of the text: where it ends, and where in the list of symbols those end that it can be.
/// It starts one octet behind the word before, and its symbols begin where those of that one end.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) end: u32,
    symbols_end: u32,
}

/// The links that a text has.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Most that are asked for were not seen, so what is known of them is looked at only where
    /// this says so.
    has: Flags,
    /// Where a link was seen, by link; of a text before where this one has it not.
    seen: Vec<LinkSeen>,
}

/// Where a link was seen: what may be far away is best seen early, what must be near late.
#[derive(Debug, Clone, Copy, Default)]
struct LinkSeen {
    first_end: u32,
    last_end: u32,
}

impl Reached {
    /// Who was told, each once, in the order in which they were.
    pub(crate) fn told(&self) -> &[u32] {
        &self.told.list
    }

    /// A number that tells this text from others by its words as far as they are in the vocabulary, where each stands,
    /// and how many there are.
    pub(crate) fn print(&self) -> u64 {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let symbols = self.read.symbols.iter();
        symbols.fold(self.read.words.len() as u64, |print, (symbol, word)| {
            (print.rotate_left(5) ^ (u64::from(symbol.0) << 32 | u64::from(*word)))
                .wrapping_mul(FACTOR)
        })
    }

    /// What the words of the text can be with which it was begun.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = Symbol> {
        self.read.symbols.iter().map(|(symbol, _)| *symbol)
    }
}

impl Read {
    /// Reads a text, whose words are looked up in a vocabulary, and forgets the one before.
    pub(super) fn begin(&mut self, text: &str, vocabulary: &Vocabulary) {
        self.words.clear();
        self.words.push(Seen::default());
        self.symbols.clear();
        self.lines = Lines { first_ends: u32::MAX, last_begins: 0 };
        let mut rest = text;
        // Most replies are one line without an address.
        if memchr::memchr2(b'\n', b'@', text.as_bytes()).is_none() {
            let Self { reader, words, symbols, .. } = self;
            let mut taker = Taker { vocabulary, words, symbols, number: 0, end: 0 };
            return reader.read_plain(text, &mut taker);
        }
        while let Some(end) = memchr::memchr(b'\n', rest.as_bytes()) {
            self.add(&rest[..end], vocabulary);
            let ended = self.words.last().map_or(0, |word| word.end);
            self.lines.first_ends = self.lines.first_ends.min(ended);
            self.lines.last_begins = ended + 1;
            rest = &rest[end + 1..];
        }
        self.add(rest, vocabulary);
    }

    fn add(&mut self, line: &str, vocabulary: &Vocabulary) {
        let Self { reader, words, symbols, .. } = self;
        let (number, end) = (words.len() as u32 - 1, words.last().map_or(0, |word| word.end));
        reader.read(line, &mut Taker { vocabulary, words, symbols, number, end });
    }

    /// Forgets what these words can be, from the first to the last of each: they stay where they
    /// are, and what stands before is no nearer to what stands behind.
    pub(super) fn set_aside(&mut self, aside: &[(u32, u32)]) {
        // Both are in the order of the words.
        let mut aside = aside.iter().peekable();
        let mut behind = 0;
        self.symbols.retain(|(_, word)| {
            while let Some((_, last)) = aside.next_if(|(first, _)| first <= word) {
                behind = behind.max(last + 1);
            }
            *word >= behind
        });
        let mut ends = 0;
        let mut symbols = self.symbols.iter().peekable();
        for (number, word) in (0..).zip(self.words.iter_mut().skip(1)) {
            while symbols.next_if(|(_, of)| *of == number).is_some() {
                ends += 1;
            }
            word.symbols_end = ends;
        }
    }

    /// What the word with this number can be.
    #[inline]
    pub(super) fn symbols_of(&self, word: u32) -> &[(Symbol, u32)] {
        let place = word as usize;
        let Some([before, word]) = self.words.get(place..place + 2) else { return &[] };
        let place = before.symbols_end as usize..word.symbols_end as usize;
        self.symbols.get(place).unwrap_or_default()
    }
}

impl TakeWord for Taker<'_> {
    // It is what is done for every word of every text.
    #[inline(always)]
    fn take(&mut self, word: &[u8], eights: Eights) {
        let number = self.number;
        self.vocabulary.look_up(word, eights, &mut |symbol| self.symbols.push((symbol, number)));
        self.number += 1;
        self.end += eights.length + 1;
        self.words.push(Seen { end: self.end, symbols_end: self.symbols.len() as u32 });
    }
}

impl Line {
    /// Whether what was found is in this line.
    #[inline]
    pub(super) fn has(self, found: Found) -> bool {
        match self {
            Self::Joined => true,
            Self::First => found.end <= found.lines.first_ends,
            Self::Last => found.start >= found.lines.last_begins,
        }
    }
}

impl Told {
    pub(super) fn clear(&mut self, count: usize) {
        self.has.clear(count);
        self.list.clear();
        self.list.reserve(count);
    }

    pub(super) fn tell(&mut self, number: u32) {
        if self.has.set(number) {
            self.list.push(number);
        }
    }
}

impl Links {
    pub(super) fn clear(&mut self, count: usize) {
        self.has.clear(count);
        if self.seen.len() != count {
            self.seen.clear();
            self.seen.resize(count, LinkSeen::default());
        }
    }

    /// Whether a link was seen.
    #[inline]
    pub(super) fn have(&self, link: u32) -> bool {
        self.has.has(link)
    }

    /// Takes a phrase that was found as a link behind another, which was seen; gives who is told
    /// of it.
    pub(super) fn take(&mut self, of_phrase: &Behind, found: Found) -> Option<u32> {
        let Behind { link, gap, line, then } = *of_phrase;
        let follows = self.follows(link, gap, found.start) && line.has(found);
        if follows { self.go_on(then, found.end) } else { None }
    }

    /// Takes a link that was found where it had to be, ending there.
    #[inline]
    pub(super) fn go_on(&mut self, then: Then, end: u32) -> Option<u32> {
        match then {
            Then::Met(told) => Some(told),
            Then::Link(link) => {
                self.see(link, end);
                None
            }
        }
    }

    #[inline]
    pub(super) fn see(&mut self, link: u32, end: u32) {
        let is_new = self.has.set(link);
        let seen = &mut self.seen[link as usize];
        seen.last_end = end;
        seen.first_end = if is_new { end } else { seen.first_end.min(end) };
    }

    /// Whether what starts there follows this link, which was seen.
    fn follows(&self, link: u32, gap: Gap, start: u32) -> bool {
        let seen = self.seen[link as usize];
        match gap {
            _ if start <= seen.first_end => false,
            Gap::Any => true,
            // The last one may overlap with what begins here; then the first has to do.
            Gap::Near if start > seen.last_end => start - seen.last_end <= NEAR,
            Gap::Near => start - seen.first_end <= NEAR,
        }
    }
}
