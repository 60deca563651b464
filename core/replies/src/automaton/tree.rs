//! Phrases as a tree of words, which is walked from every word of a text as far as it goes.
//!
//! Most words of a text lead nowhere, so a node says in one number which symbols may lead on;
//! and the children of a node stand side by side, so that to look one up touches little memory.
//! Both matter more than the count of instructions: the tree is larger than a core's cache.

use std::collections::VecDeque;
use std::ops::Range;

use super::Group;
use crate::vocabulary::Symbol;

/// Phrases as a tree of words.
#[derive(Debug)]
pub(super) struct Tree {
    /// Breadth first: the roots of the groups by number, then their children, and so on. One
    /// more at the end says where the children of the last one end.
    nodes: Box<[Node]>,
    /// The symbol that leads to a node from its parent, by node; ascending among siblings.
    symbols: Box<[Symbol]>,
    /// The node that a symbol leads to from the root of [`Group::ALL`], by symbol; 0 is none.
    first: Box<[u32]>,
    /// For each symbol the groups, by number modulo 64, in which phrases begin with it.
    groups: Box<[u64]>,
}

/// A place in the tree.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// The symbols that lead on, each by its bit (its number modulo 64).
    leads_on: u64,
    /// Its first child; those of the next node begin where its own end.
    children: u32,
    /// What the phrase that ends here is good for, from 1; 0: none ends here.
    ends: u32,
}

impl Tree {
    /// Of phrases in ascending order, each with what it is good for, from 1; symbols are below
    /// `symbols`.
    pub(super) fn new(phrases: &[(Group, Vec<Symbol>, u32)], symbols: u32) -> Self {
        let groups = phrases.last().map_or(1, |(last, ..)| usize::from(last.0) + 1);
        let mut tree = Grown {
            phrases,
            nodes: Vec::new(),
            symbols: vec![Symbol::default(); groups],
            waiting: VecDeque::new(),
        };
        let begin = |group| phrases.partition_point(|(of, ..)| usize::from(of.0) < group);
        tree.waiting.extend((0..groups).map(|group| (begin(group)..begin(group + 1), 0)));
        while let Some((range, depth)) = tree.waiting.pop_front() {
            tree.grow(range, depth);
        }
        let children = number(tree.nodes.len());
        tree.nodes.push(Node { children, ..Node::default() });
        let mut this = Self {
            nodes: tree.nodes.into(),
            symbols: tree.symbols.into(),
            first: vec![0; symbols as usize].into(),
            groups: vec![0; symbols as usize].into(),
        };
        for group in 0..groups {
            for child in this.children(number(group)) {
                let symbol = this.symbols[child].0 as usize;
                this.groups[symbol] |= 1 << (group % 64);
                if group == 0 {
                    this.first[symbol] = number(child);
                }
            }
        }
        this
    }

    /// The node a symbol leads to from the root of a group; 0 is none.
    pub(super) fn begin(&self, group: Group, symbol: Symbol) -> u32 {
        if group == Group::ALL {
            return self.first[symbol.0 as usize];
        }
        let is_known = self.groups[symbol.0 as usize] & (1 << (group.0 % 64)) != 0;
        let has_root = is_known && usize::from(group.0) + 1 < self.nodes.len();
        if has_root { self.child(u32::from(group.0), symbol) } else { 0 }
    }

    /// What the phrase that ends at this node is good for, from 1; 0: none ends here.
    pub(super) fn ends(&self, node: u32) -> u32 {
        self.nodes[node as usize].ends
    }

    /// Whether any symbol leads on from this node.
    pub(super) fn has_children(&self, node: u32) -> bool {
        self.nodes[node as usize].leads_on != 0
    }

    /// The node a symbol leads to; 0 is none.
    pub(super) fn child(&self, node: u32, symbol: Symbol) -> u32 {
        if self.nodes[node as usize].leads_on & bit(symbol) == 0 {
            return 0;
        }
        let children = self.children(node);
        let begin = children.start;
        let siblings = &self.symbols[children];
        // The few children of most nodes are in one line of memory: to look at each costs less
        // than to guess in halves.
        let place = match siblings.len() {
            0..=8 => siblings.iter().position(|of| *of == symbol),
            _ => siblings.binary_search(&symbol).ok(),
        };
        place.map_or(0, |at| number(begin + at))
    }

    fn children(&self, node: u32) -> Range<usize> {
        let node = node as usize;
        self.nodes[node].children as usize..self.nodes[node + 1].children as usize
    }
}

/// A tree while it grows.
struct Grown<'p> {
    phrases: &'p [(Group, Vec<Symbol>, u32)],
    nodes: Vec<Node>,
    /// By node: as many as there are nodes and as wait to be some.
    symbols: Vec<Symbol>,
    /// The phrases that go through a node, and how deep it is, node after node.
    waiting: VecDeque<(Range<usize>, usize)>,
}

impl Grown<'_> {
    /// Adds the next node, through which these phrases go, and lets its children wait.
    fn grow(&mut self, mut range: Range<usize>, depth: usize) {
        let mut node = Node { children: number(self.symbols.len()), ..Node::default() };
        let at = |place: usize| self.phrases[place].1.get(depth).copied();
        if !range.is_empty() && at(range.start).is_none() {
            node.ends = self.phrases[range.start].2;
            range.start += 1;
        }
        while !range.is_empty() {
            let symbol = at(range.start).unwrap_or_default();
            let alike = range.clone().take_while(|place| at(*place) == Some(symbol)).count();
            let end = range.start + alike.max(1);
            node.leads_on |= bit(symbol);
            self.symbols.push(symbol);
            self.waiting.push_back((range.start..end, depth + 1));
            range.start = end;
        }
        self.nodes.push(node);
    }
}

fn bit(symbol: Symbol) -> u64 {
    1 << (symbol.0 % 64)
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
