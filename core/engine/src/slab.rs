//! Where entries live: in chunks, so that a million of them are never moved.

use crate::entry::{Entry, NONE, State};

/// Entries by number. A number is used again after its entry is removed; nobody keeps the
/// number of an entry that is in no list and no transaction.
#[derive(Debug, Default)]
pub(crate) struct Slab {
    chunks: Vec<Box<[Entry]>>,
    free: Option<u32>,
    live: usize,
}

const CHUNK: usize = 1024;

impl Slab {
    pub(crate) fn insert(&mut self, entry: Entry) -> u32 {
        let number = match self.free {
            Some(number) => number,
            None => self.grow(&entry),
        };
        let slot = self.slot(number);
        self.free = Some(slot.next).filter(|next| *next != NONE);
        *self.slot(number) = entry;
        self.live += 1;
        number
    }

    pub(crate) fn remove(&mut self, number: u32) {
        let next = self.free.unwrap_or(NONE);
        let slot = self.slot(number);
        slot.state = State::Free;
        slot.next = next;
        self.free = Some(number);
        self.live -= 1;
    }

    /// Entries and places that entries have left.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// One past the largest number in use.
    pub(crate) fn end(&self) -> u32 {
        (self.chunks.len() * CHUNK) as u32
    }

    fn slot(&mut self, number: u32) -> &mut Entry {
        &mut self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }

    /// A new chunk of free entries; the first one's number.
    fn grow(&mut self, like: &Entry) -> u32 {
        let first = self.end();
        assert!(first < 1 << 30, "a billion entries are beyond what the queue is made for");
        let chunk = (0..CHUNK as u32).map(|i| {
            let next = if i as usize + 1 == CHUNK { NONE } else { first + i + 1 };
            Entry { state: State::Free, next, ..like.clone() }
        });
        self.chunks.push(chunk.collect());
        first
    }
}

impl std::ops::Index<u32> for Slab {
    type Output = Entry;

    fn index(&self, number: u32) -> &Entry {
        &self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }
}

impl std::ops::IndexMut<u32> for Slab {
    fn index_mut(&mut self, number: u32) -> &mut Entry {
        self.slot(number)
    }
}

/// A first-in-first-out list of entries, linked through them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    head: u32,
    tail: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { head: NONE, tail: NONE }
    }
}

impl List {
    pub(crate) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    pub(crate) fn last(&self) -> Option<u32> {
        (self.tail != NONE).then_some(self.tail)
    }

    pub(crate) fn push(&mut self, slab: &mut Slab, number: u32) {
        slab[number].next = NONE;
        match self.last() {
            Some(last) => slab[last].next = number,
            None => self.head = number,
        }
        self.tail = number;
    }

    pub(crate) fn push_front(&mut self, slab: &mut Slab, number: u32) {
        slab[number].next = self.head;
        self.head = number;
        if self.tail == NONE {
            self.tail = number;
        }
    }

    /// The first entry that has not left; places that were left are freed on the way.
    pub(crate) fn pop(&mut self, slab: &mut Slab) -> Option<u32> {
        while self.head != NONE {
            let number = self.head;
            self.head = slab[number].next;
            if self.head == NONE {
                self.tail = NONE;
            }
            if slab[number].state != State::Left {
                return Some(number);
            }
            slab.remove(number);
        }
        None
    }
}
