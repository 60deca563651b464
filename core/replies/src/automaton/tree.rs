//! Phrases as a tree of words, which is walked from every word of a text as far as it goes.
//!
//! Most words of a text lead nowhere, so a node says in one number which symbols may lead on;
//! and each node's own small table says where they do, so that to look one up touches little
//! memory. Both matter more than the count of instructions: the tree is larger than a core's
//! cache.

use std::collections::VecDeque;
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
    /// The children of the root that every text begins at, by symbol, again. It has so many that a
    /// table of its own is smaller than one found by a hash.
    first: Box<[Node]>,
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
    tree: &'t Tree,
}

/// Where a symbol leads to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'t> {
    /// A phrase ends that is good for this, and none goes on.
    Leaf(GoodFor),
    Branch(Branch<'t>),
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

/// What a symbol leads to; [`Symbol::NONE`] where there is no edge.
#[derive(Debug, Clone, Copy, Default)]
struct Edge {
    /// With [`LEAF`] where it leads to no node.
    symbol: Symbol,
    /// The number of a node; of a leaf, which most are, what the phrase is good for that ends there.
    to: u32,
}

/// What is a leaf needs no node: three of four were, and the tree is larger than a cache.
const LEAF: u32 = 1 << 31;

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
        for Planted { group, words, .. } in phrases {
            let Some(symbol) = words.first().copied() else { continue };
            let (word, bit) = begin(symbol);
            tree.begins[group.0 as usize][word] |= bit;
        }
        tree.first = tree.spread_out(Group::ALL);
        tree
    }

    /// The children of a group's root, by symbol.
    fn spread_out(&self, group: Group) -> Box<[Node]> {
        let mut children = Vec::new();
        let Some(root) = self.root(group) else { return children.into() };
        let (begin, bits) = root.place();
        for edge in self.edges.iter().skip(begin).take(1 << bits) {
            let symbol = Symbol(edge.symbol.0 & !LEAF);
            let Some(child) = root.child(symbol) else { continue };
            let node = match child {
                Step::Leaf(ends) => Node { ends, ..Node::default() },
                Step::Branch(branch) => *branch.node,
            };
            let place = symbol.0 as usize;
            children.resize(children.len().max(place + 1), Node::default());
            children[place] = node;
        }
        children.into()
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

    /// The node that a symbol leads to from the root of [`Group::ALL`].
    #[inline]
    pub(super) fn first(&self, symbol: Symbol) -> Option<Branch<'_>> {
        let node = self.first.get(symbol.0 as usize)?;
        let leads_anywhere = node.leads_on != 0 || node.ends != GoodFor::default();
        leads_anywhere.then_some(Branch { node, tree: self })
    }

    /// The root of a group.
    #[inline]
    pub(super) fn root(&self, group: Group) -> Option<Branch<'_>> {
        if group.0 < self.groups { self.branch(group.0) } else { None }
    }

    /// The node with this number.
    #[inline]
    fn branch(&self, node: u32) -> Option<Branch<'_>> {
        let node = self.nodes.get(node as usize)?;
        Some(Branch { node, tree: self })
    }
}

impl<'t> Step<'t> {
    /// What the phrase that ends here is good for.
    #[inline]
    pub(super) fn ends(self) -> GoodFor {
        match self {
            Self::Leaf(good_for) => good_for,
            Self::Branch(branch) => branch.node.ends,
        }
    }

    /// From where it goes on, if it does.
    #[inline]
    pub(super) fn branch(self) -> Option<Branch<'t>> {
        match self {
            Self::Branch(branch) if branch.node.leads_on != 0 => Some(branch),
            _ => None,
        }
    }
}

impl<'t> Branch<'t> {
    /// Where its edges begin, and by how many bits of a hash they are found.
    #[inline]
    fn place(self) -> (usize, u32) {
        ((self.node.edges >> BITS) as usize, self.node.edges & ((1 << BITS) - 1))
    }

    /// Where a symbol leads to.
    #[inline]
    pub(super) fn child(self, symbol: Symbol) -> Option<Step<'t>> {
        if self.node.leads_on & symbol.bit() == 0 {
            return None;
        }
        let (begin, bits) = self.place();
        let mut at = place(symbol, bits);
        loop {
            let edge = self.tree.edges.get(begin + at)?;
            if edge.symbol == symbol {
                return self.tree.branch(edge.to).map(Step::Branch);
            }
            if edge.symbol.0 == symbol.0 | LEAF {
                return Some(Step::Leaf(GoodFor::from_bits(edge.to)));
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
            match self.phrases.get(range.start) {
                Some(leaf) if alike == 1 && leaf.words.len() == depth + 1 => {
                    let symbol = Symbol(symbol.0 | LEAF);
                    children.push(Edge { symbol, to: leaf.good_for.to_bits() });
                }
                _ => {
                    children.push(Edge { symbol, to: self.known });
                    self.known += 1;
                    self.waiting.push_back((range.start..end, depth + 1));
                }
            }
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
            let mut at = place(Symbol(child.symbol.0 & !LEAF), bits);
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
