//! All patterns of all rules, met by a text in one pass.
//!
//! The words of a text are looked up one by one; phrases are a tree of words, walked from every
//! word as far as it goes. A phrase that is a link of a chain moves that chain on when the link
//! before it was seen near enough. The work is linear in the text: from each word the walk is
//! bounded by the longest phrase.
//!
//! Patterns are in groups: those that concern everybody, those of one file that concern some
//! providers only, and what a rule asks beside what it says. A text is met by the groups that may
//! have something to say of it: what few rules ask is asked when one of them is about to decide.

mod patterns;
mod reached;
mod tree;
mod uses;

use crate::vocabulary::Vocabulary;
pub(crate) use patterns::Patterns;
pub(crate) use reached::Reached;
use reached::{Found, Links, Read};
use tree::{Step, Tree};
use uses::{Good, GoodFor, Uses};

/// Patterns ready to be met.
#[derive(Debug)]
pub(crate) struct Automaton {
    vocabulary: Vocabulary,
    phrases: Tree,
    uses: Uses,
    /// How many links but the last ones chains have.
    links: usize,
    /// How many can be told.
    told: usize,
    provisos: usize,
}

/// Patterns that are met together, by number. [`Group::ALL`] concerns every text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group(pub(crate) u32);

/// What a rule asks beside what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proviso {
    number: u32,
    group: Group,
    /// What must be met of the two below, and nothing else may be.
    wants: u32,
}

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

/// The way through a text to a node of the tree: its first word and its last, by number.
#[derive(Debug, Clone, Copy)]
struct Way<'r> {
    first: u32,
    last: u32,
    text: &'r Read,
}

impl Automaton {
    /// Looks the words of a text up and forgets the text before.
    pub(crate) fn begin(&self, text: &str, reached: &mut Reached) {
        reached.links.clear(self.links);
        reached.told.clear(self.told);
        reached.asked.clear(self.provisos);
        reached.holds.clear(self.provisos);
        reached.read.begin(text, &self.vocabulary);
    }

    /// Finds the patterns of a group that the text meets, with which it was begun.
    pub(crate) fn meet(&self, group: Group, reached: &mut Reached) {
        let Reached { read, links, told, .. } = reached;
        self.visit(group, read, links, &mut |of| told.tell(of));
    }

    /// Sets the words aside that are phrases of a group, as if the text had others there. What
    /// provisos ask is asked anew; who was told stays so.
    pub(crate) fn set_aside(&self, group: Group, reached: &mut Reached) {
        let Some(root) = self.phrases.root(group) else { return };
        let may_begin = self.phrases.may_begin(group);
        let Reached { read, aside, links, asked, holds, .. } = reached;
        aside.clear();
        for (symbol, word) in read.symbols.iter().filter(|(symbol, _)| may_begin(*symbol)) {
            let end = root.child(*symbol).and_then(|step| self.end_of(step, *word, read));
            aside.extend(end.map(|end| (*word, end)));
        }
        if !aside.is_empty() {
            read.set_aside(aside);
            links.clear(self.links);
            asked.clear(self.provisos);
            holds.clear(self.provisos);
        }
    }

    /// The last word of the longest phrase that goes on from a step to which a word led. As deep
    /// as the longest phrase.
    fn end_of(&self, step: Step<'_>, word: u32, text: &Read) -> Option<u32> {
        let here = (step.ends() != GoodFor::default()).then_some(word);
        let Some(branch) = step.branch() else { return here };
        let next = text.symbols_of(word + 1).iter().filter_map(|(symbol, _)| {
            branch.child(*symbol).and_then(|child| self.end_of(child, word + 1, text))
        });
        next.chain(here).max()
    }

    /// Whether the text with which it was begun has what a proviso wants.
    pub(crate) fn holds(&self, proviso: Proviso, reached: &mut Reached) -> bool {
        let Reached { read, links, asked, holds, .. } = reached;
        if asked.set(proviso.number) {
            let mut met = 0;
            self.visit(proviso.group, read, links, &mut |of| met |= of);
            if met == proviso.wants {
                holds.set(proviso.number);
            }
        }
        holds.has(proviso.number)
    }

    /// Walks from every word of a text through the phrases of a group.
    fn visit(&self, group: Group, text: &Read, links: &mut Links, tell: &mut impl FnMut(u32)) {
        if group == Group::ALL {
            for (symbol, word) in &text.symbols {
                if let Some(first) = self.phrases.first(*symbol) {
                    let way = Way { first: *word, last: *word, text };
                    self.walk(Step::Branch(first), way, links, tell);
                }
            }
            return;
        }
        let Some(root) = self.phrases.root(group) else { return };
        let may_begin = self.phrases.may_begin(group);
        for (symbol, word) in text.symbols.iter().filter(|(symbol, _)| may_begin(*symbol)) {
            if let Some(step) = root.child(*symbol) {
                self.walk(step, Way { first: *word, last: *word, text }, links, tell);
            }
        }
    }

    /// Walks on from a step that a way led to. As deep as the longest phrase.
    fn walk(
        &self,
        mut step: Step<'_>,
        mut way: Way<'_>,
        links: &mut Links,
        tell: &mut impl FnMut(u32),
    ) {
        loop {
            match Good::from(step.ends()) {
                Good::Nothing => {}
                Good::Met(told) => tell(told),
                Good::Link(link) => links.see(link, way.end()),
                Good::All(number) => self.take(number, way, links, tell),
            }
            let Some(branch) = step.branch() else { return };
            way.last += 1;
            // Most words can be one thing only: what they can be last is gone on with here.
            let Some((symbol, others)) = way.text.symbols_of(way.last).split_last() else { return };
            for (symbol, _) in others {
                if let Some(child) = branch.child(*symbol) {
                    self.walk(child, way, links, tell);
                }
            }
            let Some(child) = branch.child(symbol.0) else { return };
            step = child;
        }
    }

    /// Takes all that a phrase is good for that ends where a way does.
    // A step of a walk is better off without it: few end what is good for more than one thing.
    #[inline(never)]
    fn take(&self, number: u32, way: Way<'_>, links: &mut Links, tell: &mut impl FnMut(u32)) {
        let all = self.uses.all(number);
        let end = way.end();
        all.links.iter().for_each(|link| links.see(*link, end));
        all.told.iter().for_each(|told| tell(*told));
        let found = || Found { start: way.start(), end, lines: way.text.lines };
        for (_, then) in all.lined.iter().filter(|(line, _)| line.has(found())) {
            links.go_on(*then, end).into_iter().for_each(&mut *tell);
        }
        for of_phrase in all.behind {
            if links.have(of_phrase.link) {
                links.take(of_phrase, found()).into_iter().for_each(&mut *tell);
            }
        }
    }
}

impl Way<'_> {
    /// Where its first word starts.
    fn start(self) -> u32 {
        self.text.words.get(self.first as usize).map_or(0, |word| word.end + 1)
    }

    /// Where its last word ends.
    #[inline]
    fn end(self) -> u32 {
        self.text.words.get(self.last as usize + 1).map_or(0, |word| word.end)
    }
}

impl Group {
    /// What concerns everybody.
    pub(crate) const ALL: Self = Self(0);
}

impl Proviso {
    /// Who is told of what must be there.
    const ALSO: u32 = 1;
    /// Who is told of what must not.
    const UNLESS: u32 = 2;
}

#[cfg(test)]
mod tests;
