//! Messages that have been deferred and are not gone: which of their recipients were tried, and
//! how often.
//!
//! Most mail goes at once and is never in here. A limit holds the number of recipients; the
//! message that was heard of least lately goes first, and is counted.

use std::collections::VecDeque;

/// Recipients of messages that wait, by queue id.
#[derive(Debug)]
pub(crate) struct Open {
    messages: Table,
    /// Messages in the order of what was heard of them, each with the number of that hearing.
    order: VecDeque<(u64, u64)>,
    heard: u64,
    waiting: usize,
    waiting_max: usize,
    evicted: u64,
}

/// A recipient that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// The fingerprint of the address.
    pub(crate) recipient: u64,
    /// The number of its lane.
    pub(crate) lane: u32,
    /// Tries so far.
    pub(crate) tries: u32,
}

#[derive(Debug, Default)]
struct Message {
    heard: u64,
    waiting: Vec<Waiting>,
}

impl Open {
    /// At most so many recipients.
    pub(crate) fn new(waiting_max: usize) -> Self {
        Self {
            messages: Table::default(),
            order: VecDeque::new(),
            heard: 0,
            waiting: 0,
            waiting_max,
            evicted: 0,
        }
    }

    /// Whether nobody waits: then nothing need be looked up.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Recipients that were forgotten because there were too many.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// A recipient was deferred; gives how often it was tried before.
    pub(crate) fn deferred(&mut self, message: u64, recipient: u64, lane: u32) -> u32 {
        self.heard += 1;
        let heard = self.heard;
        let of = self.messages.entry(message);
        of.heard = heard;
        let tries = match of.waiting.iter_mut().find(|one| one.recipient == recipient) {
            Some(known) => {
                known.tries += 1;
                known.lane = lane;
                known.tries - 1
            }
            None => {
                of.waiting.push(Waiting { recipient, lane, tries: 1 });
                self.waiting += 1;
                0
            }
        };
        self.order.push_back((message, heard));
        self.limit();
        tries
    }

    /// A recipient is done with; gives how often it was tried before.
    pub(crate) fn done(&mut self, message: u64, recipient: u64) -> u32 {
        let Some(of) = self.messages.find(message) else { return 0 };
        let Some(at) = of.waiting.iter().position(|one| one.recipient == recipient) else {
            return 0;
        };
        let tries = of.waiting.swap_remove(at).tries;
        self.waiting -= 1;
        if of.waiting.is_empty() {
            self.messages.remove(message);
        }
        tries
    }

    /// A message is gone; gives those of its recipients that waited.
    pub(crate) fn gone(&mut self, message: u64) -> Vec<Waiting> {
        let waiting = self.messages.remove(message).map(|gone| gone.waiting).unwrap_or_default();
        self.waiting -= waiting.len();
        waiting
    }

    /// All that wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.messages.messages().flat_map(|message| &message.waiting)
    }

    fn limit(&mut self) {
        while self.waiting > self.waiting_max
            && let Some((message, heard)) = self.order.pop_front()
        {
            if self.messages.find(message).is_some_and(|of| of.heard == heard) {
                self.evicted += self.gone(message).len() as u64;
            }
        }
        // What was heard of again since stands further behind.
        if self.order.len() > 4 * self.waiting_max.max(1024) {
            let messages = &mut self.messages;
            let is_last = |(message, heard): &(u64, u64)| {
                messages.find(*message).is_some_and(|of| of.heard == *heard)
            };
            self.order.retain(is_last);
        }
    }
}

/// Messages by their fingerprint: a table of places with linear probing, never more than three
/// quarters full.
#[derive(Debug, Default)]
struct Table {
    places: Vec<Option<(u64, Message)>>,
    used: usize,
}

impl Table {
    fn home(&self, key: u64) -> usize {
        // The fingerprint's high bits are as good as its low ones.
        (key as usize) & (self.places.len() - 1)
    }

    /// Where a key is, or the free place where it would be.
    fn place(&self, key: u64) -> usize {
        let mask = self.places.len() - 1;
        let mut at = self.home(key);
        while self.places[at].as_ref().is_some_and(|(other, _)| *other != key) {
            at = (at + 1) & mask;
        }
        at
    }

    fn find(&mut self, key: u64) -> Option<&mut Message> {
        if self.used == 0 {
            return None;
        }
        let at = self.place(key);
        self.places[at].as_mut().map(|(_, message)| message)
    }

    fn entry(&mut self, key: u64) -> &mut Message {
        if (self.used + 1) * 4 > self.places.len() * 3 {
            self.grow();
        }
        let at = self.place(key);
        if self.places[at].is_none() {
            self.used += 1;
        }
        &mut self.places[at].get_or_insert_with(|| (key, Message::default())).1
    }

    fn remove(&mut self, key: u64) -> Option<Message> {
        if self.used == 0 {
            return None;
        }
        let mask = self.places.len() - 1;
        let mut hole = self.place(key);
        let (_, message) = self.places[hole].take()?;
        self.used -= 1;
        // Those behind that could not sit at home move up.
        let mut at = (hole + 1) & mask;
        while let Some((other, _)) = &self.places[at] {
            let home = self.home(*other);
            let is_reached_through_hole =
                (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask);
            if is_reached_through_hole {
                self.places.swap(hole, at);
                hole = at;
            }
            at = (at + 1) & mask;
        }
        Some(message)
    }

    fn grow(&mut self) {
        let size = (self.places.len() * 2).max(64);
        let mut larger = Vec::new();
        larger.resize_with(size, || None);
        let old = std::mem::replace(&mut self.places, larger);
        for (key, message) in old.into_iter().flatten() {
            let at = self.place(key);
            self.places[at] = Some((key, message));
        }
    }

    fn messages(&self) -> impl Iterator<Item = &Message> {
        self.places.iter().flatten().map(|(_, message)| message)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tries_are_counted_until_a_recipient_is_done_with() {
        let mut open = Open::new(10);
        assert_eq!(open.deferred(1, 7, 0), 0);
        assert_eq!(open.deferred(1, 7, 0), 1);
        assert_eq!(open.deferred(1, 8, 0), 0);
        assert_eq!(open.done(1, 7), 2);
        assert_eq!(open.done(1, 7), 0);
        assert_eq!(open.gone(1), [Waiting { recipient: 8, lane: 0, tries: 1 }]);
        assert!(open.is_empty());
    }

    #[test]
    fn of_too_many_the_one_heard_of_least_lately_is_forgotten_and_counted() {
        let mut open = Open::new(2);
        open.deferred(1, 1, 0);
        open.deferred(2, 1, 0);
        open.deferred(1, 1, 0);
        open.deferred(3, 1, 0);
        assert_eq!(open.evicted(), 1);
        assert_eq!((open.done(2, 1), open.done(1, 1), open.done(3, 1)), (0, 2, 1));
    }

    proptest! {
        #[test]
        fn the_table_agrees_with_an_ordered_map(steps in prop::collection::vec((0u8..3, 0u64..40), 0..400)) {
            let (mut table, mut map) = (Table::default(), BTreeMap::<u64, u64>::new());
            for (step, key) in steps {
                // Keys that share their homes.
                let key = key << 3;
                match step {
                    0 => {
                        table.entry(key).heard += 1;
                        *map.entry(key).or_default() += 1;
                    }
                    1 => prop_assert_eq!(table.remove(key).map(|m| m.heard), map.remove(&key)),
                    _ => prop_assert_eq!(table.find(key).map(|m| m.heard), map.get(&key).copied()),
                }
                prop_assert_eq!(table.used, map.len());
            }
        }
    }
}
