//! Patterns before they are an automaton: each phrase with what it is good for.

use std::collections::BTreeMap;

use super::tree::{Planted, Tree};
use super::uses::{Gathered, Then, Use};
use super::{Automaton, Group, Line, Place, Proviso};
use crate::pattern::{Chain, Gap, Phrases};
use crate::vocabulary::{Lexicon, Symbol};

/// What is collected before an automaton can be built.
#[derive(Debug)]
pub(crate) struct Patterns {
    entries: Vec<Entry>,
    /// The words of all entries.
    symbols: Vec<Symbol>,
    /// Links with what comes before them, by number: chains share them as far as they are alike.
    links: BTreeMap<Link, u32>,
    provisos: BTreeMap<(Line, Vec<Chain>, Vec<Chain>), Proviso>,
    /// The number of the next group.
    groups: u32,
}

/// A phrase and one of its uses.
#[derive(Debug, Clone, Copy)]
struct Entry {
    group: Group,
    first: Symbol,
    begin: u32,
    length: u32,
    of_phrase: Use,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    place: Place,
    behind: Option<(u32, Gap)>,
    phrases: Phrases,
}

impl Entry {
    fn words<'s>(&self, symbols: &'s [Symbol]) -> &'s [Symbol] {
        let begin = self.begin as usize;
        symbols.get(begin..begin + self.length as usize).unwrap_or_default()
    }
}

impl Patterns {
    /// None yet; groups below `groups` are taken.
    pub(crate) fn new(groups: u32) -> Self {
        Self {
            entries: Vec::new(),
            symbols: Vec::new(),
            links: BTreeMap::new(),
            provisos: BTreeMap::new(),
            groups: groups.max(1),
        }
    }

    /// Adds a chain: where a text has it, `told` is told.
    pub(crate) fn add(&mut self, chain: &Chain, place: Place, told: u32) {
        let Some((last, links)) = chain.0.split_last() else { return };
        let mut behind = None;
        for link in links {
            let key = Link {
                place,
                behind: behind.map(|before| (before, link.gap)),
                phrases: link.phrases.clone(),
            };
            let number = match self.links.get(&key) {
                Some(known) => *known,
                None => {
                    let number = self.links.len() as u32;
                    self.take(place, &key.phrases, key.behind, Then::Link(number));
                    self.links.insert(key, number);
                    number
                }
            };
            behind = Some(number);
        }
        let behind = behind.map(|before| (before, last.gap));
        self.take(place, &last.phrases, behind, Then::Met(told));
    }

    /// What a rule asks beside what it says: any of `also`, if there are some, and none of
    /// `unless`. The same for the same.
    pub(crate) fn proviso(
        &mut self,
        line: Line,
        also: Vec<Chain>,
        unless: Vec<Chain>,
    ) -> Option<Proviso> {
        if also.is_empty() && unless.is_empty() {
            return None;
        }
        let proviso = Proviso {
            number: self.provisos.len() as u32,
            group: Group(self.groups),
            wants: if also.is_empty() { 0 } else { Proviso::ALSO },
        };
        let key = (line, also, unless);
        if let Some(known) = self.provisos.get(&key) {
            return Some(*known);
        }
        self.groups += 1;
        let place = Place { group: proviso.group, line };
        key.1.iter().for_each(|chain| self.add(chain, place, Proviso::ALSO));
        key.2.iter().for_each(|chain| self.add(chain, place, Proviso::UNLESS));
        self.provisos.insert(key, proviso);
        Some(proviso)
    }

    fn take(&mut self, place: Place, phrases: &Phrases, behind: Option<(u32, Gap)>, then: Then) {
        let Place { group, line } = place;
        for words in phrases.iter() {
            let (begin, length) = (self.symbols.len() as u32, words.len() as u32);
            self.symbols.extend_from_slice(words);
            let of_phrase = Use { behind, then, line };
            let first = words.first().copied().unwrap_or(Symbol::NONE);
            self.entries.push(Entry { group, first, begin, length, of_phrase });
        }
    }

    /// Builds the automaton; who is told has a number below `told`.
    pub(crate) fn build(self, lexicon: Lexicon, told: u32) -> Automaton {
        let Self { mut entries, symbols, links, provisos, groups } = self;
        let vocabulary = lexicon.finish();
        let key = |entry: &Entry| (entry.group, entry.words(&symbols));
        entries.sort_unstable_by(|a, b| {
            // Most differ in their group or their first word already.
            let begins = (a.group, a.first).cmp(&(b.group, b.first));
            begins.then_with(|| key(a).cmp(&key(b))).then_with(|| a.of_phrase.cmp(&b.of_phrase))
        });
        let mut gathered = Gathered::default();
        let mut uses = Vec::new();
        let phrases: Vec<_> = entries
            .chunk_by(|a, b| key(a) == key(b))
            .filter_map(|alike| {
                uses.clear();
                uses.extend(alike.iter().map(|entry| entry.of_phrase));
                uses.dedup();
                let (group, words) = key(alike.first()?);
                Some(Planted { group, words, good_for: gathered.add(&uses) })
            })
            .collect();
        Automaton {
            phrases: Tree::new(&phrases, groups),
            vocabulary,
            uses: gathered.finish(),
            links: links.len(),
            told: told as usize,
            provisos: provisos.len(),
        }
    }
}
