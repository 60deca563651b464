//! Phrases as a tree of words, which is walked from every word of a text as far as it goes.

use std::collections::BTreeMap;

use super::Group;
use crate::vocabulary::Symbol;

/// Phrases as a tree of words.
#[derive(Debug)]
pub(super) struct Tree {
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

impl Tree {
    pub(super) fn new<'p>(
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
    pub(super) fn begin(&self, group: Group, symbol: Symbol) -> u32 {
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
    pub(super) fn has_children(&self, node: u32) -> bool {
        self.ends[node as usize] & GOES_ON != 0
    }

    /// The phrase that ends at this node, from 1; 0 is none.
    pub(super) fn phrase(&self, node: u32) -> u32 {
        self.ends[node as usize] & !GOES_ON
    }

    /// The node a symbol leads to; 0 is none.
    pub(super) fn child(&self, node: u32, symbol: Symbol) -> u32 {
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
