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
    /// Where the next word starts.
    start: u32,
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

/// A word of the text: where it is, and what it can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Where in the list of symbols those end that it can be; they begin where those of the word
    /// before end.
    pub(super) symbols_end: u32,
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
}

impl Read {
    /// Reads a text, whose words are looked up in a vocabulary, and forgets the one before.
    pub(super) fn begin(&mut self, text: &str, vocabulary: &Vocabulary) {
        self.words.clear();
        self.symbols.clear();
        self.lines = Lines { first_ends: u32::MAX, last_begins: 0 };
        let mut rest = text;
        while let Some(end) = memchr::memchr(b'\n', rest.as_bytes()) {
            self.add(&rest[..end], vocabulary);
            let next = self.words.last().map_or(1, |word| word.end + 1);
            self.lines.first_ends = self.lines.first_ends.min(next);
            self.lines.last_begins = next - 1;
            rest = &rest[end + 1..];
        }
        self.add(rest, vocabulary);
    }

    fn add(&mut self, line: &str, vocabulary: &Vocabulary) {
        let Self { reader, words, symbols, .. } = self;
        let start = words.last().map_or(1, |word| word.end + 1);
        reader.read(line, &mut Taker { vocabulary, words, symbols, start });
    }
}

impl TakeWord for Taker<'_> {
    // It is what is done for every word of every text.
    #[inline(always)]
    fn take(&mut self, word: &[u8], eights: Eights) {
        let number = self.words.len() as u32;
        self.vocabulary.look_up(word, eights, &mut |symbol| self.symbols.push((symbol, number)));
        let end = self.start + eights.length;
        let symbols_end = self.symbols.len() as u32;
        self.words.push(Seen { start: self.start, end, symbols_end });
        self.start = end + 1;
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

    /// Takes a phrase that was found as a link behind another; gives who is told of it.
    // Most links were not seen, so that to ask for one must cost little.
    #[inline(always)]
    pub(super) fn take(&mut self, of_phrase: &Behind, found: Found) -> Option<u32> {
        if self.has.has(of_phrase.link) { self.take_behind(of_phrase, found) } else { None }
    }

    fn take_behind(&mut self, of_phrase: &Behind, found: Found) -> Option<u32> {
        let Behind { link, gap, line, then } = *of_phrase;
        let follows = self.follows(link, gap, found.start) && line.has(found);
        if follows { self.go_on(then, found) } else { None }
    }

    /// Takes a link that was found where it had to be.
    #[inline]
    pub(super) fn go_on(&mut self, then: Then, found: Found) -> Option<u32> {
        match then {
            Then::Met(told) => Some(told),
            Then::Link(link) => {
                self.see(link, found.end);
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
