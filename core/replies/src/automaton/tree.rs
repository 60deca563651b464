//! Phrases as a tree of words, which is walked from every word of a text as far as it goes.
//!
//! Most words of a text lead nowhere, so a node says in one number which symbols may lead on;
//! and each node's own small table says where they do, so that to look one up touches little
//! memory. Both matter more than the count of instructions: the tree is larger than a core's
//! cache.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::Group;
use super::uses::GoodFor;
use crate::vocabulary::Symbol;

/// Phrases as a tree of words.
#[derive(Debug)]
pub(super) struct Tree {
    /// Breadth first: the roots of the groups by number, then their children, and so on.
    nodes: Box<[Node]>,
    /// What leads on, node after node.
    edges: Box<[Edge]>,
    /// The children of the root that every text begins at, by symbol; 0 where there is none. It
    /// has so many that a table of its own is smaller than one found by a hash.
    first: Box<[u32]>,
    /// For each group the symbols that lead on from its root, each by its bit.
    begins: Box<[[u64; BEGINS]]>,
    groups: u32,
}

/// A phrase on its way into the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planted<'p> {
    pub(super) group: Group,
    pub(super) words: &'p [Symbol],
    /// What it is good for.
    pub(super) good_for: GoodFor,
}

/// A node of a tree, to be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch<'t> {
    node: &'t Node,
    /// Those of all nodes.
    edges: &'t [Edge],
}

/// A place in the tree.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// The symbols that lead on, each by its bit.
    leads_on: u64,
    /// Where its edges begin, in the higher bits, and by how many bits of a hash they are found,
    /// in the five lowest.
    edges: u32,
    /// What the phrase that ends here is good for.
    ends: GoodFor,
}

/// The node that a symbol leads to; [`Symbol::NONE`] where there is no edge.
#[derive(Debug, Clone, Copy, Default)]
struct Edge {
    symbol: Symbol,
    node: u32,
}

/// From how many edges on a node's one number of those that may lead on says little.
const MANY: usize = 16;
/// How many bits of a node say how many bits of a hash its edges are found by.
const BITS: u32 = 5;

impl Tree {
    /// Of phrases in ascending order by group and words.
    pub(super) fn new(phrases: &[Planted<'_>], groups: u32) -> Self {
        let mut tree = Grown {
            phrases,
            nodes: Vec::new(),
            edges: Vec::new(),
            known: groups,
            waiting: VecDeque::new(),
        };
        let at = |group| phrases.partition_point(|phrase| phrase.group.0 < group);
        tree.waiting.extend((0..groups).map(|group| (at(group)..at(group + 1), 0)));
        while let Some((range, depth)) = tree.waiting.pop_front() {
            tree.grow(range, depth);
        }
        let mut tree = Self {
            nodes: tree.nodes.into(),
            edges: tree.edges.into(),
            first: [].into(),
            begins: vec![[0; BEGINS]; groups as usize].into(),
            groups,
        };
        let mut first = BTreeMap::new();
        for Planted { group, words, .. } in phrases {
            let Some(symbol) = words.first().copied() else { continue };
            if *group == Group::ALL {
                first
                    .extend(tree.root(*group).and_then(|root| Some((symbol, root.child(symbol)?))));
            }
            let (word, bit) = begin(symbol);
            tree.begins[group.0 as usize][word] |= bit;
        }
        let count = first.last_key_value().map_or(0, |(symbol, _)| symbol.0 as usize + 1);
        tree.first = vec![0; count].into();
        first.into_iter().for_each(|(symbol, node)| tree.first[symbol.0 as usize] = node);
        tree
    }

    /// Whether a symbol may lead on from the root of a group: a root has many children, and its
    /// node's one number says little of them.
    #[inline]
    pub(super) fn may_begin(&self, group: Group) -> impl Fn(Symbol) -> bool {
        let begins = self.begins.get(group.0 as usize).copied().unwrap_or([0; BEGINS]);
        move |symbol| {
            let (word, bit) = begin(symbol);
            begins[word] & bit != 0
        }
    }

    /// The number of the node that a symbol leads to from the root of [`Group::ALL`].
    #[inline]
    pub(super) fn first(&self, symbol: Symbol) -> Option<u32> {
        self.first.get(symbol.0 as usize).copied().filter(|node| *node != 0)
    }

    /// The root of a group.
    #[inline]
    pub(super) fn root(&self, group: Group) -> Option<Branch<'_>> {
        if group.0 < self.groups { self.branch(group.0) } else { None }
    }

    /// The node with this number.
    #[inline]
    pub(super) fn branch(&self, node: u32) -> Option<Branch<'_>> {
        let node = self.nodes.get(node as usize)?;
        Some(Branch { node, edges: &self.edges })
    }
}

impl Branch<'_> {
    /// What the phrase that ends here is good for.
    #[inline]
    pub(super) fn ends(self) -> GoodFor {
        self.node.ends
    }

    /// Whether a phrase ends here.
    #[inline]
    pub(super) fn ends_any(self) -> bool {
        self.node.ends != GoodFor::default()
    }

    /// Whether any symbol leads on.
    #[inline]
    pub(super) fn leads_on(self) -> bool {
        self.node.leads_on != 0
    }

    /// The number of the node that a symbol leads to.
    #[inline]
    pub(super) fn child(self, symbol: Symbol) -> Option<u32> {
        if self.node.leads_on & symbol.bit() == 0 {
            return None;
        }
        let (begin, bits) = (self.node.edges >> BITS, self.node.edges & ((1 << BITS) - 1));
        let mut at = place(symbol, bits);
        loop {
            let edge = self.edges.get(begin as usize + at)?;
            if edge.symbol == symbol {
                return Some(edge.node);
            }
            if edge.symbol == Symbol::NONE {
                return None;
            }
            at = (at + 1) & ((1 << bits) - 1);
        }
    }
}

/// A tree while it grows.
struct Grown<'p> {
    phrases: &'p [Planted<'p>],
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// How many nodes there are and wait to be some.
    known: u32,
    /// The phrases that go through a node, and how deep it is, node after node.
    waiting: VecDeque<(Range<usize>, usize)>,
}

impl Grown<'_> {
    /// Adds the next node, through which these phrases go, and lets its children wait.
    fn grow(&mut self, mut range: Range<usize>, depth: usize) {
        let mut node = Node::default();
        let at = |place: usize| self.phrases.get(place).and_then(|of| of.words.get(depth)).copied();
        if !range.is_empty() && at(range.start).is_none() {
            node.ends = self.phrases[range.start].good_for;
            range.start += 1;
        }
        let mut children = Vec::new();
        while !range.is_empty() {
            let symbol = at(range.start).unwrap_or(Symbol::NONE);
            let alike = range.clone().take_while(|place| at(*place) == Some(symbol)).count();
            let end = range.start + alike.max(1);
            node.leads_on |= symbol.bit();
            children.push(Edge { symbol, node: self.known });
            self.known += 1;
            self.waiting.push_back((range.start..end, depth + 1));
            range.start = end;
        }
        if !children.is_empty() {
            node.edges = self.lay_out(&children);
        }
        self.nodes.push(node);
    }

    /// Puts edges where their hashes say, at most half of the places taken; of many edges at most
    /// a quarter, so that what leads nowhere is mostly told by one place.
    fn lay_out(&mut self, children: &[Edge]) -> u32 {
        let spread = if children.len() < MANY { 2 } else { 4 };
        let bits = (children.len() * spread).next_power_of_two().ilog2();
        let begin = self.edges.len();
        self.edges.resize(begin + (1 << bits), Edge::default());
        let edges = &mut self.edges[begin..];
        for child in children {
            let mut at = place(child.symbol, bits);
            while edges[at].symbol != Symbol::NONE {
                at = (at + 1) & ((1 << bits) - 1);
            }
            edges[at] = *child;
        }
        u32::try_from(begin).unwrap_or(u32::MAX) << BITS | bits
    }
}

/// How many numbers say which symbols lead on from a root: as many as a line of the cache has.
const BEGINS: usize = 8;

/// Where a symbol's bit is among those of a root.
#[inline]
fn begin(symbol: Symbol) -> (usize, u64) {
    (symbol.0 as usize / 64 % BEGINS, symbol.bit())
}

/// Where an edge belongs in a table of so many bits, one at least.
#[inline]
fn place(symbol: Symbol, bits: u32) -> usize {
    (symbol.0.wrapping_mul(0x9e37_79b9) >> (32 - bits)) as usize
}
