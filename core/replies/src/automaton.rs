//! All patterns of all rules, met by a text in one pass.
//!
//! The words of a text are looked up one by one; phrases are a tree of words, walked from every
//! word as far as it goes. A phrase that is a link of a chain moves that chain on when the link
//! before it was seen near enough. Patterns that several rules share are met once. The work is
//! linear in the text: from each word the walk is bounded by the longest phrase.
//!
//! Patterns are in groups: those that concern everybody, and those of one file that concern some
//! providers only. A text is met by the groups that may have something to say of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::pattern::{Chain, Gap, NEAR, Phrase};
use crate::vocabulary::{Symbol, Vocabulary, Words};

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
#[derive(Debug, Clone, Copy)]
struct Use {
    /// The link before it, and how far behind that it may begin; `None` for a first link.
    behind: Option<(u32, Gap)>,
    then: Then,
    line: Line,
}

/// What a link leads to.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// Another link: it is remembered that this one was seen.
    Link(u32),
    /// The pattern is met.
    Met(Pattern),
}

/// What the phrases are good for, phrase after phrase.
#[derive(Debug)]
struct Uses {
    /// Patterns that a phrase meets by itself.
    alone: Box<[Pattern]>,
    /// Links that a phrase is and no other comes before, with their lines.
    first: Box<[(Line, u32)]>,
    /// What else.
    other: Box<[Use]>,
    /// Where in each of the three those of a phrase begin; one more than there are phrases.
    begins: Box<[[u32; 3]]>,
}

/// Phrases as a tree of words.
#[derive(Debug)]
struct Tree {
    /// The node that a symbol leads to from the root of [`Group::ALL`], by symbol; 0 is none.
    first: Box<[u32]>,
    /// The roots of the groups; 0 is none.
    roots: Box<[u32]>,
    /// For each symbol the groups, by number modulo 64, in which phrases begin with it.
    groups: Box<[u64]>,
    /// Children by node and symbol, as one number: open addressing, at most half full; node 0 is
    /// nobody's child.
    slots: Box<[(u64, u32)]>,
    /// The phrase that ends at a node, by node, from 1; 0 is none. The highest bit is set where
    /// longer phrases go on from it.
    ends: Box<[u32]>,
}

/// A text to be met: its words, and where its first line ends and its last begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) words: &'t [u8],
    pub(crate) first_ends: usize,
    pub(crate) last_begins: usize,
}

/// Which patterns a text met, and the memory of the way there. Kept from text to text so that
/// nothing is allocated; the turn says what is of this text.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    turn: u32,
    words: Vec<Seen>,
    /// What the words can be, word after word.
    symbols: Vec<Symbol>,
    links: Vec<LinkSeen>,
    /// The turn in which each pattern was met last.
    turns: Vec<u32>,
    /// Patterns below this are listed when they are met; others are only asked for.
    listed: u32,
    met: Vec<Pattern>,
}

/// A word of the text: where it is, and what it can be.
#[derive(Debug, Clone, Copy)]
struct Seen {
    start: u32,
    end: u32,
    /// Where in the list of symbols those begin that it can be; they end where the next begin.
    symbols: u32,
}

/// Where a link was seen: what may be far away is best seen early, what must be near late.
#[derive(Debug, Clone, Copy, Default)]
struct LinkSeen {
    turn: u32,
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
        let tree = Tree::new(self.phrases.keys(), vocabulary.symbols());
        let of_phrases: Vec<_> = self.phrases.into_values().collect();
        Automaton {
            vocabulary,
            phrases: tree,
            uses: Uses::of(&of_phrases),
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

    /// Those of a phrase, counted from 0.
    fn of_phrase(&self, number: usize) -> (&[Pattern], &[(Line, u32)], &[Use]) {
        let [from, to] = [self.begins[number], self.begins[number + 1]];
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

impl Tree {
    fn new<'p>(
        phrases: impl ExactSizeIterator<Item = &'p (Group, Vec<Symbol>)>,
        symbols: u32,
    ) -> Self {
        let mut children: BTreeMap<(u32, Symbol), u32> = BTreeMap::new();
        let mut ends = vec![0];
        let mut roots: Vec<u32> = Vec::new();
        for (number, (group, phrase)) in (1..).zip(phrases) {
            roots.resize(roots.len().max(usize::from(group.0) + 1), 0);
            let root = &mut roots[usize::from(group.0)];
            if *root == 0 && *group != Group::ALL {
                *root = u32::try_from(ends.len()).unwrap_or(u32::MAX);
                ends.push(0);
            }
            let mut node = *root;
            for symbol in phrase {
                let next = u32::try_from(ends.len()).unwrap_or(u32::MAX);
                ends[node as usize] |= GOES_ON;
                node = *children.entry((node, *symbol)).or_insert_with(|| {
                    ends.push(0);
                    next
                });
            }
            ends[node as usize] |= number;
        }
        let mut first = vec![0; symbols as usize];
        let mut groups = vec![0; symbols as usize];
        let mut slots = vec![(0, 0); (children.len() * 2).next_power_of_two()];
        let mask = slots.len() - 1;
        let of_root: BTreeMap<u32, usize> = roots.iter().copied().zip(0..).collect();
        for ((node, symbol), child) in children {
            if let Some(group) = of_root.get(&node) {
                groups[symbol.0 as usize] |= 1 << (group % 64);
            }
            if node == 0 {
                first[symbol.0 as usize] = child;
                continue;
            }
            let key = key(node, symbol);
            let mut at = mixed(key) & mask;
            while slots[at].1 != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = (key, child);
        }
        Self {
            first: first.into(),
            roots: roots.into(),
            groups: groups.into(),
            slots: slots.into(),
            ends: ends.into(),
        }
    }

    /// The node a symbol leads to from the root of a group; 0 is none.
    fn begin(&self, group: Group, symbol: Symbol) -> u32 {
        if group == Group::ALL {
            return self.first.get(symbol.0 as usize).copied().unwrap_or_default();
        }
        let begin = || self.roots.get(usize::from(group.0)).copied().filter(|root| *root != 0);
        match self.groups.get(symbol.0 as usize) {
            Some(groups) if groups & (1 << (group.0 % 64)) != 0 => {
                begin().map_or(0, |root| self.child(root, symbol))
            }
            _ => 0,
        }
    }

    /// Whether any symbol leads on from this node.
    fn has_children(&self, node: u32) -> bool {
        self.ends[node as usize] & GOES_ON != 0
    }

    /// The phrase that ends at this node, from 1; 0 is none.
    fn phrase(&self, node: u32) -> u32 {
        self.ends[node as usize] & !GOES_ON
    }

    /// The node a symbol leads to; 0 is none.
    fn child(&self, node: u32, symbol: Symbol) -> u32 {
        let mask = self.slots.len() - 1;
        let key = key(node, symbol);
        let mut at = mixed(key) & mask;
        loop {
            let (known, child) = self.slots[at];
            if child == 0 || known == key {
                return child;
            }
            at = (at + 1) & mask;
        }
    }
}

/// Longer phrases go on from a node.
const GOES_ON: u32 = 1 << 31;

fn key(node: u32, symbol: Symbol) -> u64 {
    u64::from(node) << 32 | u64::from(symbol.0)
}

fn mixed(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

impl Automaton {
    /// Looks the words of a text up and forgets the text before.
    pub(crate) fn begin(&self, text: Text<'_>, reached: &mut Reached) {
        reached.begin(self.links, self.patterns);
        reached.listed = self.listed;
        self.look_up(text.words, reached);
    }

    /// Finds the patterns of a group that the text meets, with which it was begun.
    pub(crate) fn meet(&self, group: Group, text: Text<'_>, reached: &mut Reached) {
        for first in 0..reached.words.len() {
            for at in reached.symbols_of(first) {
                let node = self.phrases.begin(group, reached.symbols[at]);
                if node != 0 {
                    self.walk(node, (first, first), text, reached);
                }
            }
        }
    }

    fn look_up(&self, words: &[u8], reached: &mut Reached) {
        let mut start = 0;
        for (at, _) in words.iter().enumerate().filter(|(_, byte)| **byte == b' ') {
            if let Some(word) = words.get(start..at).filter(|word| !word.is_empty()) {
                let symbols = reached.symbols.len() as u32;
                reached.words.push(Seen { start: start as u32, end: at as u32, symbols });
                self.vocabulary.look_up(word, &mut reached.symbols);
            }
            start = at + 1;
        }
    }

    /// Walks on from a node that the words from the first to the last led to. As deep as the
    /// longest phrase.
    fn walk(
        &self,
        node: u32,
        (first, last): (usize, usize),
        text: Text<'_>,
        reached: &mut Reached,
    ) {
        let phrase = self.phrases.phrase(node);
        if phrase != 0 {
            let span = (reached.words[first].start, reached.words[last].end);
            let phrase = phrase as usize - 1;
            let (alone, first, other) = self.uses.of_phrase(phrase);
            alone.iter().for_each(|pattern| reached.meet(*pattern));
            for (line, link) in first {
                if line.has(text, span) {
                    reached.see(*link, span.1);
                }
            }
            other.iter().for_each(|of_phrase| reached.take(of_phrase, text, span));
        }
        if !self.phrases.has_children(node) {
            return;
        }
        for at in reached.symbols_of(last + 1) {
            let child = self.phrases.child(node, reached.symbols[at]);
            if child != 0 {
                self.walk(child, (first, last + 1), text, reached);
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
        self.words.clear();
        self.symbols.clear();
        self.met.clear();
        self.turn = self.turn.wrapping_add(1);
        if self.turn == 0 || self.links.len() != links || self.turns.len() != patterns {
            self.turn = 1;
            self.links.clear();
            self.links.resize(links, LinkSeen::default());
            self.turns.clear();
            self.turns.resize(patterns, 0);
            self.met.reserve(patterns);
        }
    }

    /// The places of the symbols of a word.
    fn symbols_of(&self, word: usize) -> std::ops::Range<usize> {
        let begin =
            |at: usize| self.words.get(at).map_or(self.symbols.len(), |w| w.symbols as usize);
        begin(word)..begin(word + 1)
    }

    /// Whether this text met the pattern.
    pub(crate) fn has(&self, pattern: Pattern) -> bool {
        self.turns.get(pattern.0 as usize) == Some(&self.turn)
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
        let seen = &mut self.links[link as usize];
        let first_end = if seen.turn == self.turn { seen.first_end.min(end) } else { end };
        *seen = LinkSeen { turn: self.turn, first_end, last_end: end };
    }

    fn follows(&self, link: u32, gap: Gap, start: u32) -> bool {
        let seen = self.links[link as usize];
        let is_behind = seen.turn == self.turn && start > seen.first_end;
        match gap {
            _ if !is_behind => false,
            Gap::Any => true,
            // The last one may overlap with what begins here; then the first has to do.
            Gap::Near if start > seen.last_end => start - seen.last_end <= NEAR,
            Gap::Near => start - seen.first_end <= NEAR,
        }
    }

    fn meet(&mut self, pattern: Pattern) {
        let turn = &mut self.turns[pattern.0 as usize];
        if *turn != self.turn {
            *turn = self.turn;
            if pattern.0 < self.listed {
                self.met.push(pattern);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::parse;
    use crate::words::{words, write_words};
    use proptest::prelude::*;

    fn automaton(patterns: &[&str], line: Line) -> Automaton {
        let mut all = Patterns::default();
        for pattern in patterns {
            all.add(parse(pattern).unwrap(), Place { group: Group::ALL, line });
        }
        all.end_of_list();
        all.build()
    }

    fn meet(automaton: &Automaton, text: Text<'_>, reached: &mut Reached) {
        automaton.begin(text, reached);
        automaton.meet(Group::ALL, text, reached);
    }

    fn met(pattern: &str, text: &str) -> bool {
        let mut reached = Reached::default();
        let words = words(text);
        let words = words.as_bytes();
        let text = Text { words, first_ends: words.len(), last_begins: 0 };
        meet(&automaton(&[pattern], Line::Joined), text, &mut reached);
        reached.has(Pattern(0))
    }

    #[test]
    fn whole_words_are_met_and_pieces_of_words_are_not() {
        assert!(met("user unknown", "<a@b.example>: User unknown"));
        assert!(!met("user unknown", "superuser unknown"));
        assert!(!met("user unknown", "unknown user"));
        assert!(met("black*", "blacklisted") && met("*postfach", "Das Kundenpostfach ist voll"));
        assert!(met("reject* by", "was rejected by us") && !met("reject* by", "reject all by us"));
        assert!(met("*denied*", "x SendAsDeniedException y"));
    }

    #[test]
    fn gaps_keep_the_order_and_the_distance() {
        let far = "x".repeat(60);
        assert!(met("a .. b", "a b") && met("a .. b", "a c d b"));
        assert!(!met("a .. b", "b a") && !met("a .. b", &format!("a {far} b")));
        assert!(met("a ... b", &format!("a {far} b")));
        assert!(met("a .. b", &format!("a {far} a b")));
        assert!(met("a ... b .. c", &format!("a {far} b c")));
        assert!(met("(a|b) .. (b|a b)", "a b"));
    }

    #[test]
    fn patterns_that_begin_alike_are_met_each_for_itself() {
        let automaton = automaton(&["a .. b", "a .. c", "a .. b"], Line::Joined);
        let mut reached = Reached::default();
        let words = b" a x c ";
        meet(&automaton, Text { words, first_ends: 7, last_begins: 0 }, &mut reached);
        assert_eq!(reached.met(), [Pattern(1)]);
    }

    #[test]
    fn the_line_that_decides_is_the_only_one_that_counts() {
        let mut words = vec![b' '];
        write_words("one", &mut words);
        let first_ends = words.len();
        let last_begins = words.len() - 1;
        write_words("two", &mut words);
        let text = Text { words: &words, first_ends, last_begins };
        let mut reached = Reached::default();
        for (line, expected) in
            [(Line::Joined, vec![0, 1, 2]), (Line::First, vec![0]), (Line::Last, vec![1])]
        {
            meet(&automaton(&["one", "two", "one two"], line), text, &mut reached);
            let mut met: Vec<_> = reached.met().iter().map(|pattern| pattern.0).collect();
            met.sort_unstable();
            assert_eq!(met, expected, "{line:?}");
        }
    }

    #[test]
    fn a_group_is_met_when_it_is_asked_for() {
        let mut all = Patterns::default();
        for group in [Group(2), Group::ALL, Group(7)] {
            all.add(parse("a b").unwrap(), Place { group, line: Line::Joined });
        }
        all.end_of_list();
        let automaton = all.build();
        let mut reached = Reached::default();
        let text = Text { words: b" a b ", first_ends: 5, last_begins: 0 };
        meet(&automaton, text, &mut reached);
        assert_eq!(reached.met(), [Pattern(1)]);
        automaton.meet(Group(7), text, &mut reached);
        automaton.meet(Group(3), text, &mut reached);
        assert_eq!(reached.met(), [Pattern(1), Pattern(2)]);
    }

    #[test]
    fn nothing_is_left_of_the_text_before() {
        let automaton = automaton(&["a ... b"], Line::Joined);
        let mut reached = Reached::default();
        for (text, expected) in [(" a ", false), (" b ", false), (" a b ", true), (" b ", false)] {
            let words = text.as_bytes();
            meet(&automaton, Text { words, first_ends: 9, last_begins: 0 }, &mut reached);
            assert_eq!(reached.has(Pattern(0)), expected, "{text}");
        }
    }

    proptest! {
        /// The same, said slowly: the words as a list, each gap tried at every place.
        #[test]
        fn chains_are_met_exactly_where_their_words_stand_in_order(
            links in prop::collection::vec("[ab]( [ab])?", 1..4),
            text in "([abc] ){0,12}",
        ) {
            let pattern = links.join(" ... ");
            let have: Vec<_> = text.split_whitespace().collect();
            let mut from = 0;
            let mut all = true;
            for link in &links {
                let want: Vec<_> = link.split(' ').collect();
                let place = (from..have.len()).find(|at| have[*at..].starts_with(&want));
                match place {
                    Some(at) => from = at + want.len(),
                    None => all = false,
                }
            }
            prop_assert_eq!(met(&pattern, &text), all, "{} in {}", pattern, text);
        }
    }
}
