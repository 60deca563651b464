//! Where entries live: in chunks, so that a million of them are never moved.

use crate::entry::{Entry, NONE, State};

/// Entries by number. A number is used again after its entry is removed; whoever keeps one
/// forgets it then.
#[derive(Debug, Default)]
pub(crate) struct Slab {
    chunks: Vec<Box<[Entry]>>,
    free: Option<u32>,
    live: u32,
}

const CHUNK: usize = 1024;

impl Slab {
    pub(crate) fn insert(&mut self, entry: Entry) -> u32 {
        let number = match self.free {
            Some(number) => number,
            None => self.grow(&entry),
        };
        let slot = &mut self[number];
        let next = std::mem::replace(slot, entry).next;
        self.free = (next != NONE).then_some(next);
        self.live += 1;
        number
    }

    pub(crate) fn remove(&mut self, number: u32) {
        let next = self.free.unwrap_or(NONE);
        let slot = &mut self[number];
        slot.state = State::Free;
        slot.next = next;
        self.free = Some(number);
        self.live -= 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// One past the largest number there is.
    pub(crate) fn end(&self) -> u32 {
        (self.chunks.len() * CHUNK) as u32
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
        &mut self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }
}

/// A first-in-first-out list of entries, linked through them. An entry stands in one list at
/// most.
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
    pub(crate) fn push(&mut self, slab: &mut Slab, number: u32) {
        let last = self.tail;
        let entry = &mut slab[number];
        entry.next = NONE;
        entry.previous = last;
        if last == NONE {
            self.head = number;
        } else {
            slab[last].next = number;
        }
        self.tail = number;
    }

    pub(crate) fn push_front(&mut self, slab: &mut Slab, number: u32) {
        let first = self.head;
        let entry = &mut slab[number];
        entry.next = first;
        entry.previous = NONE;
        if first == NONE {
            self.tail = number;
        } else {
            slab[first].previous = number;
        }
        self.head = number;
    }

    pub(crate) fn pop(&mut self, slab: &mut Slab) -> Option<u32> {
        let first = self.first()?;
        self.remove(slab, first);
        Some(first)
    }

    /// Takes an entry out that stands in this list.
    pub(crate) fn remove(&mut self, slab: &mut Slab, number: u32) {
        let Entry { next, previous, .. } = slab[number];
        if previous == NONE {
            debug_assert_eq!(self.head, number, "an entry is taken out of the list it stands in");
            self.head = next;
        } else {
            slab[previous].next = next;
        }
        if next == NONE {
            self.tail = previous;
        } else {
            slab[next].previous = previous;
        }
    }

    /// How many; goes through all of them.
    pub(crate) fn len(&self, slab: &Slab) -> u64 {
        let next = |number: &u32| Some(slab[*number].next).filter(|next| *next != NONE);
        std::iter::successors(self.first(), next).count() as u64
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    pub(crate) fn first(&self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }

    pub(crate) fn last(&self) -> Option<u32> {
        (self.tail != NONE).then_some(self.tail)
    }
}
