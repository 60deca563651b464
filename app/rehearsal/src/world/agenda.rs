//! What will happen, in the order of time; at one moment in the order in which it was put down.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use postlane_receivers::Ms;

/// A calendar of what will happen.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    entries: BinaryHeap<Reverse<Entry<T>>>,
    serial: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Ms,
    serial: u64,
    what: T,
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Self { entries: BinaryHeap::new(), serial: 0 }
    }

    /// Puts something down.
    pub(super) fn put(&mut self, at: Ms, what: T) {
        self.serial += 1;
        self.entries.push(Reverse(Entry { at, serial: self.serial, what }));
    }

    /// When the next of it happens.
    pub(super) fn next(&self) -> Option<Ms> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    /// The next that has happened by `now`.
    pub(super) fn due(&mut self, now: Ms) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| entry.what)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_at_one_moment_happens_in_the_order_it_was_put_down() {
        let mut agenda = Agenda::new();
        for (at, what) in [(5, 'b'), (3, 'a'), (5, 'c'), (9, 'z'), (5, 'd')] {
            agenda.put(Ms(at), what);
        }
        let mut due = Vec::new();
        while let Some(what) = agenda.due(Ms(5)) {
            due.push(what);
        }
        assert_eq!((due, agenda.next()), (vec!['a', 'b', 'c', 'd'], Some(Ms(9))));
    }
}
