//! All patterns of all rules, met by a text in one pass.
//!
//! The words of a text are looked up one by one; phrases are a tree of words, walked from every
//! word as far as it goes. A phrase that is a link of a chain moves that chain on when the link
//! before it was seen near enough. Patterns that several rules share are met once. The work is
//! linear in the text: from each word the walk is bounded by the longest phrase.
//!
//! Patterns are in groups: those that concern everybody, and those of one file that concern some
//! providers only. A text is met by the groups that may have something to say of it.

mod flags;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use crate::pattern::{Chain, Gap, NEAR, Phrase};
use crate::vocabulary::{Symbol, Vocabulary, Words};
use crate::words::blanks;
use flags::Flags;
use tree::Tree;

/// Patterns ready to be met.
#[derive(Debug)]
pub(crate) struct Automaton {
    vocabulary: Vocabulary,
    phrases: Tree,
    uses: Uses,
    /// How many links but the last ones chains have.
    links: usize,
    patterns: usize,
    listed: u32,
}

/// What is collected before an automaton can be built.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    words: Words,
    phrases: BTreeMap<(Group, Vec<Symbol>), Vec<Use>>,
    patterns: BTreeMap<(Place, Chain), Pattern>,
    /// First links that chains share, by number.
    firsts: BTreeMap<(Place, BTreeSet<Phrase>), u32>,
    links: u32,
    listed: u32,
}

/// A pattern, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pattern(pub(crate) u32);

/// Patterns that are met together, by number. [`Group::ALL`] concerns every text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group(pub(crate) u16);

/// Where a pattern belongs, and where in a reply it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) group: Group,
    pub(crate) line: Line,
}

/// Which line of a reply decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    Joined,
    First,
    Last,
}

/// What a phrase is good for: one link of one chain, or the first link of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    /// The link before it, and how far behind that it may begin; `None` for a first link.
    behind: Option<(u32, Gap)>,
    then: Then,
    line: Line,
}

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Then {
    /// Another link: it is remembered that this one was seen.
    Link(u32),
    /// The pattern is met.
    Met(Pattern),
}

/// What the phrases are good for. Phrases that are good for the same, as the alternatives of a
/// pattern are, share it.
#[derive(Debug)]
struct Uses {
    /// Patterns that a phrase meets by itself.
    alone: Box<[Pattern]>,
    /// Links that a phrase is and no other comes before, with their lines.
    first: Box<[(Line, u32)]>,
    /// What else.
    other: Box<[Use]>,
    /// Where in each of the three those of a phrase begin; one more at the end.
    begins: Box<[[u32; 3]]>,
}

/// A text to be met: its words, and where its first line ends and its last begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) words: &'t [u8],
    pub(crate) first_ends: usize,
    pub(crate) last_begins: usize,
}

/// Which patterns a text met, and the memory of the way there. Kept from text to text so that
/// nothing is allocated.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    read: Read,
    /// The links that this text has. Most that are asked for were not seen, so what is known of
    /// them is looked at only where this says so.
    has_links: Flags,
    /// Where a link was seen, by link; of the text before where this one has it not.
    links: Vec<LinkSeen>,
    /// The patterns that this text has.
    has_patterns: Flags,
    /// Patterns below this are listed when they are met; others are only asked for.
    listed: u32,
    met: Vec<Pattern>,
}

/// The words of a text.
#[derive(Debug, Default)]
struct Read {
    words: Vec<Seen>,
    /// What the words can be, word after word, each with the number of its word.
    symbols: Vec<(Symbol, u32)>,
}

/// A word of the text: where it is, and what it can be.
#[derive(Debug, Clone, Copy)]
struct Seen {
    start: u32,
    end: u32,
    /// Where in the list of symbols those end that it can be; they begin where those of the word
    /// before end.
    symbols_end: u32,
}

/// The way through a text to a node of the tree.
#[derive(Debug, Clone, Copy)]
struct Way<'r> {
    /// Where its first word starts.
    start: u32,
    /// Its last word, and those behind it.
    rest: &'r [Seen],
    /// Those of all words.
    symbols: &'r [(Symbol, u32)],
}

/// Where a link was seen: what may be far away is best seen early, what must be near late.
#[derive(Debug, Clone, Copy, Default)]
struct LinkSeen {
    first_end: u32,
    last_end: u32,
}

impl Patterns {
    /// The number of a chain, the same for the same chain.
    pub(crate) fn add(&mut self, chain: Chain, place: Place) -> Pattern {
        let next = Pattern(u32::try_from(self.patterns.len()).unwrap_or(u32::MAX));
        let key = (place, chain);
        if let Some(known) = self.patterns.get(&key) {
            return *known;
        }
        let mut behind = None;
        for (i, link) in key.1.0.iter().enumerate() {
            let goes_on = i + 1 < key.1.0.len();
            let then = match behind {
                _ if !goes_on => Then::Met(next),
                None => Then::Link(self.first_link(place, &link.phrases)),
                Some(_) => Then::Link(self.new_link()),
            };
            // What a first link of several chains leads to was written down with it.
            if behind.is_some() || !goes_on {
                let behind = behind.map(|of| (of, link.gap));
                let of_link = Use { behind, then, line: place.line };
                link.phrases.iter().for_each(|phrase| self.use_phrase(place, phrase, of_link));
            }
            behind = match then {
                Then::Link(number) => Some(number),
                Then::Met(_) => None,
            };
        }
        self.patterns.insert(key, next);
        next
    }

    fn use_phrase(&mut self, place: Place, phrase: &Phrase, of_link: Use) {
        let symbols = phrase.0.iter().map(|word| self.words.number(word)).collect();
        self.phrases.entry((place.group, symbols)).or_default().push(of_link);
    }

    fn new_link(&mut self) -> u32 {
        self.links += 1;
        self.links - 1
    }

    /// The first link that is any of these phrases, the same for the same phrases.
    fn first_link(&mut self, place: Place, phrases: &BTreeSet<Phrase>) -> u32 {
        let key = (place, phrases.clone());
        if let Some(known) = self.firsts.get(&key) {
            return *known;
        }
        let number = self.new_link();
        let of_link = Use { behind: None, then: Then::Link(number), line: place.line };
        phrases.iter().for_each(|phrase| self.use_phrase(place, phrase, of_link));
        self.firsts.insert(key, number);
        number
    }

    /// The numbers of chains, which are taken.
    pub(crate) fn add_all(&mut self, chains: &mut Vec<Chain>, place: Place) -> Box<[Pattern]> {
        chains.drain(..).map(|chain| self.add(chain, place)).collect()
    }

    /// All patterns so far are listed when they are met; those that come after are not.
    pub(crate) fn end_of_list(&mut self) {
        self.listed = u32::try_from(self.patterns.len()).unwrap_or(u32::MAX);
    }

    /// How many patterns there are.
    pub(crate) fn count(&self) -> usize {
        self.patterns.len()
    }

    /// Builds the automaton.
    pub(crate) fn build(self) -> Automaton {
        let vocabulary = self.words.finish();
        let mut numbers: BTreeMap<Vec<Use>, u32> = BTreeMap::new();
        let mut distinct = Vec::new();
        let mut phrases = Vec::new();
        for ((group, phrase), uses) in self.phrases {
            let number = *numbers.entry(uses).or_insert_with_key(|uses| {
                distinct.push(uses.clone());
                u32::try_from(distinct.len()).unwrap_or(u32::MAX)
            });
            phrases.push((group, phrase, number));
        }
        Automaton {
            phrases: Tree::new(&phrases, vocabulary.symbols()),
            vocabulary,
            uses: Uses::of(&distinct),
            links: usize::try_from(self.links).unwrap_or(usize::MAX),
            patterns: self.patterns.len(),
            listed: self.listed,
        }
    }
}

impl Uses {
    fn of(phrases: &[Vec<Use>]) -> Self {
        let (mut alone, mut first, mut other) = (Vec::new(), Vec::new(), Vec::new());
        let mut begins = vec![[0; 3]];
        for of_phrase in phrases.iter().flat_map(|uses| uses.iter().map(Some).chain([None])) {
            match of_phrase.map(|of| (of.alone(), of.first(), of)) {
                Some((Some(pattern), ..)) => alone.push(pattern),
                Some((_, Some(link), _)) => first.push(link),
                Some((.., of)) => other.push(*of),
                None => {
                    let ends = [alone.len(), first.len(), other.len()];
                    begins.push(ends.map(|end| u32::try_from(end).unwrap_or(u32::MAX)));
                }
            }
        }
        Self {
            alone: alone.into(),
            first: first.into(),
            other: other.into(),
            begins: begins.into(),
        }
    }

    /// Those of a phrase, by their number from 1.
    fn of_phrase(&self, number: u32) -> (&[Pattern], &[(Line, u32)], &[Use]) {
        let [from, to] = [self.begins[number as usize - 1], self.begins[number as usize]];
        let range = |list: usize| from[list] as usize..to[list] as usize;
        (&self.alone[range(0)], &self.first[range(1)], &self.other[range(2)])
    }
}

impl Use {
    /// The pattern it meets without regard to anything else.
    fn alone(&self) -> Option<Pattern> {
        match self {
            Self { behind: None, then: Then::Met(pattern), line: Line::Joined } => Some(*pattern),
            _ => None,
        }
    }

    /// The link it is that comes first, and the line it must stand in.
    fn first(&self) -> Option<(Line, u32)> {
        match self {
            Self { behind: None, then: Then::Link(link), line } => Some((*line, *link)),
            _ => None,
        }
    }
}

impl Automaton {
    /// Looks the words of a text up and forgets the text before.
    pub(crate) fn begin(&self, text: Text<'_>, reached: &mut Reached) {
        reached.begin(self.links, self.patterns);
        reached.listed = self.listed;
        self.look_up(text.words, &mut reached.read);
    }

    /// Finds the patterns of a group that the text meets, with which it was begun.
    pub(crate) fn meet(&self, group: Group, text: Text<'_>, reached: &mut Reached) {
        // Taken out while it is read: what is reached is written meanwhile.
        let read = std::mem::take(&mut reached.read);
        for (symbol, word) in &read.symbols {
            let node = self.phrases.begin(group, *symbol);
            let rest = read.words.get(*word as usize..).unwrap_or_default();
            if let (true, Some(first)) = (node != 0, rest.first()) {
                let way = Way { start: first.start, rest, symbols: &read.symbols };
                self.walk(node, way, text, reached);
            }
        }
        reached.read = read;
    }

    fn look_up(&self, text: &[u8], read: &mut Read) {
        let has_inside = self.vocabulary.has_inside(text);
        let mut start = 0;
        for end in blanks(text) {
            if start < end {
                let word = read.words.len() as u32;
                let mut found = |symbol| read.symbols.push((symbol, word));
                self.vocabulary.look_up(text, start..end, &mut found);
                if has_inside {
                    self.vocabulary.look_inside(&text[start..end], &mut found);
                }
                let symbols_end = read.symbols.len() as u32;
                read.words.push(Seen { start: start as u32, end: end as u32, symbols_end });
            }
            start = end + 1;
        }
    }

    /// Walks on from a node that a way led to. As deep as the longest phrase.
    fn walk(&self, node: u32, way: Way<'_>, text: Text<'_>, reached: &mut Reached) {
        let Some((last, rest)) = way.rest.split_first() else { return };
        let phrase = self.phrases.ends(node);
        if phrase != 0 {
            let span = (way.start, last.end);
            let (alone, first, other) = self.uses.of_phrase(phrase);
            alone.iter().for_each(|pattern| reached.meet(*pattern));
            for (line, link) in first {
                if line.has(text, span) {
                    reached.see(*link, span.1);
                }
            }
            other.iter().for_each(|of_phrase| reached.take(of_phrase, text, span));
        }
        let Some(next) = rest.first().filter(|_| self.phrases.has_children(node)) else { return };
        let next = last.symbols_end as usize..next.symbols_end as usize;
        for (symbol, _) in way.symbols.get(next).unwrap_or_default() {
            let child = self.phrases.child(node, *symbol);
            if child != 0 {
                self.walk(child, Way { rest, ..way }, text, reached);
            }
        }
    }
}

impl Line {
    /// Whether what stands at `start..end` of a text is in this line.
    fn has(self, text: Text<'_>, (start, end): (u32, u32)) -> bool {
        match self {
            Self::Joined => true,
            Self::First => end as usize <= text.first_ends,
            Self::Last => start as usize >= text.last_begins,
        }
    }
}

impl Group {
    /// What concerns everybody.
    pub(crate) const ALL: Self = Self(0);
}

impl Reached {
    /// Forgets the text before.
    fn begin(&mut self, links: usize, patterns: usize) {
        self.read.words.clear();
        self.read.symbols.clear();
        self.met.clear();
        self.has_links.clear(links);
        self.has_patterns.clear(patterns);
        if self.links.len() != links {
            self.links.clear();
            self.links.resize(links, LinkSeen::default());
            self.met.reserve(patterns);
        }
    }

    /// Whether this text met the pattern.
    pub(crate) fn has(&self, pattern: Pattern) -> bool {
        self.has_patterns.has(pattern.0)
    }

    /// The patterns this text met that are listed, each once, in the order in which it did.
    pub(crate) fn met(&self) -> &[Pattern] {
        &self.met
    }

    /// Takes a phrase that stands at `start..end` as a link.
    fn take(&mut self, of_phrase: &Use, text: Text<'_>, (start, end): (u32, u32)) {
        let follows = of_phrase.behind.is_none_or(|(link, gap)| self.follows(link, gap, start));
        if !follows || !of_phrase.line.has(text, (start, end)) {
            return;
        }
        match of_phrase.then {
            Then::Met(pattern) => self.meet(pattern),
            Then::Link(link) => self.see(link, end),
        }
    }

    fn see(&mut self, link: u32, end: u32) {
        let is_new = self.has_links.set(link);
        let seen = &mut self.links[link as usize];
        seen.last_end = end;
        seen.first_end = if is_new { end } else { seen.first_end.min(end) };
    }

    fn follows(&self, link: u32, gap: Gap, start: u32) -> bool {
        if !self.has_links.has(link) {
            return false;
        }
        let seen = self.links[link as usize];
        match gap {
            _ if start <= seen.first_end => false,
            Gap::Any => true,
            // The last one may overlap with what begins here; then the first has to do.
            Gap::Near if start > seen.last_end => start - seen.last_end <= NEAR,
            Gap::Near => start - seen.first_end <= NEAR,
        }
    }

    fn meet(&mut self, pattern: Pattern) {
        if self.has_patterns.set(pattern.0) && pattern.0 < self.listed {
            self.met.push(pattern);
        }
    }
}

#[cfg(test)]
mod tests;
