//! What lives, and where: the spool's memory of its segments.

#[cfg(test)]
mod laws;
mod segment;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Bound;

use bytes::Bytes;
use postlane_mail::Place;

use crate::format::Told;
use crate::store::Key;
use segment::{Meta, NOBODY, NOWHERE, Recipient};

pub(crate) use segment::{At, Segment};

/// What is known of all segments. About 20 octets for each message, and none for its id.
#[derive(Debug, Default)]
pub(crate) struct Table {
    segments: BTreeMap<u32, Segment>,
    keyed: BTreeMap<Key, Keyed>,
    /// Where messages went that were copied forward; old places go on working.
    moved: HashMap<Place, Place>,
    /// The other way: the places of before, by where a message is now.
    formers: HashMap<Place, Vec<Place>>,
    messages: u64,
    /// Segments whose last message has ended since somebody asked.
    emptied: Vec<u32>,
}

#[derive(Debug)]
struct Keyed {
    value: Bytes,
    segment: u32,
}

impl Table {
    /// A segment's room, made when it is first spoken of.
    pub(crate) fn segment(&mut self, number: u32) -> &mut Segment {
        self.segments.entry(number).or_default()
    }

    /// Takes what a record in segment `in_segment` tells. Gives the place of a message.
    ///
    /// The same when it is written and when it is read back, and told twice as told once.
    pub(crate) fn hear(&mut self, in_segment: u32, told: &Told<'_>) -> Option<Place> {
        match *told {
            Told::Message { ordinal, offset, octets, head, from } => {
                let place = Place { segment: in_segment, ordinal };
                let meta = Meta {
                    offset,
                    octets,
                    live: head.recipients,
                    recipients: head.recipients,
                    state: NOWHERE,
                };
                self.insert(place, meta);
                if let Some(from) = from {
                    let done = self.done_of(from);
                    let mut formers = self.formers.remove(&from).unwrap_or_default();
                    self.end_here(in_segment, from);
                    formers.push(from);
                    for former in &formers {
                        self.moved.insert(*former, place);
                    }
                    self.formers.insert(place, formers);
                    let done = done.into_iter();
                    done.for_each(|recipient| self.done_here(in_segment, place, recipient));
                }
                return Some(place);
            }
            Told::Done { place, recipient } => self.done(in_segment, place, recipient),
            Told::Waiting { offset, octets, place, recipient, .. } => {
                self.waiting(At { segment: in_segment, offset }, octets, place, recipient);
            }
            Told::Keyed { key, value } => {
                self.key(in_segment, Key(key.into()), value.map(Bytes::copy_from_slice));
            }
            Told::Also { place, from } => {
                let now = self.resolve(from);
                let formers = self.formers.entry(now).or_default();
                if place != now && !formers.contains(&place) {
                    formers.push(place);
                    self.moved.insert(place, now);
                }
            }
            Told::Ended { segment, bits } => self.ended(in_segment, segment, bits),
        }
        None
    }

    /// Says how many messages a segment has, whether or not they were told.
    pub(crate) fn reach(&mut self, segment: u32, messages: u32) {
        let room = self.segment(segment);
        if (messages as usize) > room.messages.len() {
            room.messages.resize(messages as usize, NOBODY);
        }
    }

    pub(crate) fn forget_segment(&mut self, number: u32) {
        self.segments.remove(&number);
    }

    /// After a log has been read nobody knows the places of before: they are let go.
    pub(crate) fn forget_moves(&mut self) {
        self.moved = HashMap::new();
        self.formers = HashMap::new();
    }

    /// Segments whose last message has ended since this was asked.
    pub(crate) fn take_emptied(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.emptied)
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = (u32, &Segment)> {
        self.segments.iter().map(|(number, segment)| (*number, segment))
    }

    pub(crate) fn of(&self, segment: u32) -> Option<&Segment> {
        self.segments.get(&segment)
    }

    /// Messages that live.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// Where a message is kept now.
    pub(crate) fn resolve(&self, place: Place) -> Place {
        self.moved.get(&place).copied().unwrap_or(place)
    }

    /// The places of before of a message, by which it may still be spoken of.
    pub(crate) fn formers(&self, place: Place) -> Vec<Place> {
        self.formers.get(&place).cloned().unwrap_or_default()
    }

    /// Place, offset and octets of a message that lives.
    pub(crate) fn find(&self, place: Place) -> Option<(Place, u32, u32)> {
        let place = self.resolve(place);
        let meta = self.segments.get(&place.segment)?.messages.get(place.ordinal as usize)?;
        (meta.live > 0).then_some((place, meta.offset, meta.octets))
    }

    /// The recipients of a living message that are not done, each with where its state is
    /// written, if it is.
    pub(crate) fn living(&self, place: Place) -> Vec<(u16, Option<At>)> {
        self.living_here(self.resolve(place))
    }

    fn living_here(&self, place: Place) -> Vec<(u16, Option<At>)> {
        let Some(room) = self.segments.get(&place.segment) else { return Vec::new() };
        let Some(meta) = room.messages.get(place.ordinal as usize).filter(|m| m.live > 0) else {
            return Vec::new();
        };
        let written = |at: At| (at != NOWHERE).then_some(at);
        let Some(crowd) = room.crowds.get(&place.ordinal) else {
            return vec![(0, written(meta.state))];
        };
        let waiting = crowd.iter().zip(0..).filter_map(|(recipient, index)| match recipient {
            Recipient::Waiting(at) => Some((index, written(*at))),
            Recipient::Done => None,
        });
        waiting.collect()
    }

    /// The recipients of a living message that are done.
    pub(crate) fn done_of(&self, place: Place) -> Vec<u16> {
        let crowd = self.segments.get(&place.segment).and_then(|r| r.crowds.get(&place.ordinal));
        let crowd = crowd.map(Vec::as_slice).unwrap_or_default();
        let done = crowd.iter().zip(0..).filter(|(recipient, _)| **recipient == Recipient::Done);
        done.map(|(_, index)| index).collect()
    }

    pub(crate) fn has_key(&self, key: &Key) -> bool {
        self.keyed.contains_key(key)
    }

    pub(crate) fn value(&self, key: &Key) -> Option<Bytes> {
        self.keyed.get(key).map(|keyed| keyed.value.clone())
    }

    /// Keyed state whose name begins like this, where it lies.
    pub(crate) fn keys_with<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let found = self.keyed.range(Key(prefix.into())..);
        let found = found.take_while(move |(key, _)| key.0.starts_with(prefix));
        found.map(|(key, keyed)| (&*key.0, &*keyed.value))
    }

    /// Keyed state whose name begins like this.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<(Key, Bytes)> {
        let from = Key(prefix.into());
        let found = self.keyed.range(from..).take_while(|(key, _)| key.0.starts_with(prefix));
        found.map(|(key, keyed)| (key.clone(), keyed.value.clone())).collect()
    }

    /// Keyed state behind a key, or all: name, value, and the segment that it is written in.
    pub(crate) fn keys_behind(
        &self,
        behind: Option<&Key>,
    ) -> impl Iterator<Item = (&Key, &Bytes, u32)> {
        let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self.keyed.range((from, Bound::Unbounded));
        found.map(|(key, keyed)| (key, &keyed.value, keyed.segment))
    }

    /// Keys behind a key, or all, whose removal is told in a segment.
    pub(crate) fn removed_behind(
        &self,
        segment: u32,
        behind: Option<&Key>,
    ) -> impl Iterator<Item = &Key> {
        let from = behind.cloned().map_or(Bound::Unbounded, Bound::Excluded);
        let removed = self.segments.get(&segment).map(|room| &room.removed);
        removed.into_iter().flat_map(move |keys| keys.range((from.clone(), Bound::Unbounded)))
    }

    /// Whether a key would be there again without its removal in a segment.
    pub(crate) fn would_come_back(&self, segment: u32, key: &Key) -> bool {
        let hash = hash(key);
        let is_there = |room: &Segment| room.keys.contains(&hash);
        !self.keyed.contains_key(key)
            && self.segments.range(..segment).any(|(_, older)| is_there(older))
    }

    fn insert(&mut self, place: Place, meta: Meta) {
        self.reach(place.segment, place.ordinal.saturating_add(1));
        let room = self.segment(place.segment);
        let Some(slot) = room.messages.get_mut(place.ordinal as usize) else { return };
        if slot.recipients > 0 {
            return;
        }
        *slot = meta;
        if meta.recipients > 1 {
            let fresh = vec![Recipient::Waiting(NOWHERE); usize::from(meta.recipients)];
            room.crowds.insert(place.ordinal, fresh);
        }
        room.live_messages += 1;
        room.live_message_octets += u64::from(meta.octets);
        self.messages += 1;
    }

    /// A recipient is done, told in segment `told_in`.
    fn done(&mut self, told_in: u32, said: Place, recipient: u16) {
        let place = self.resolve(said);
        self.done_here(told_in, place, recipient);
    }

    fn done_here(&mut self, told_in: u32, place: Place, recipient: u16) {
        self.note_tells_of(told_in, place);
        let Some(state) = self.state(place, recipient) else { return };
        self.drop_state(state);
        let Some(room) = self.segments.get_mut(&place.segment) else { return };
        if let Some(crowd) = room.crowds.get_mut(&place.ordinal) {
            crowd[usize::from(recipient)] = Recipient::Done;
        }
        let meta = &mut room.messages[place.ordinal as usize];
        meta.live -= 1;
        meta.state = NOWHERE;
        if meta.live == 0 {
            room.live_messages -= 1;
            room.live_message_octets -= u64::from(meta.octets);
            room.crowds.remove(&place.ordinal);
            self.messages -= 1;
            if room.live_messages == 0 {
                self.emptied.push(place.segment);
            }
            // Nobody asks for what has ended by any of its names.
            for former in self.formers.remove(&place).unwrap_or_default() {
                self.moved.remove(&former);
            }
        }
    }

    /// A recipient waits on, as an entry says.
    fn waiting(&mut self, at: At, octets: u32, said: Place, recipient: u16) {
        let room = self.segment(at.segment);
        room.states += 1;
        room.state_octets += u64::from(octets);
        let place = self.resolve(said);
        self.note_tells_of(at.segment, place);
        let Some(state) = self.state(place, recipient) else { return };
        self.drop_state(state);
        self.segment(at.segment).live_states += 1;
        let Some(room) = self.segments.get_mut(&place.segment) else { return };
        match room.crowds.get_mut(&place.ordinal) {
            Some(crowd) => crowd[usize::from(recipient)] = Recipient::Waiting(at),
            None => room.messages[place.ordinal as usize].state = at,
        }
    }

    /// Keyed state is written or removed in a segment.
    fn key(&mut self, segment: u32, key: Key, value: Option<Bytes>) {
        let octets = |key: &Key, value: &Bytes| (key.0.len() + value.len()) as u64;
        self.segment(segment).keys.insert(hash(&key));
        if let Some(was) = self.keyed.remove(&key) {
            let room = self.segment(was.segment);
            room.live_keys -= 1;
            room.live_key_octets -= octets(&key, &was.value);
        }
        if let Some(value) = value {
            let room = self.segment(segment);
            room.live_keys += 1;
            room.live_key_octets += octets(&key, &value);
            self.keyed.insert(key, Keyed { value, segment });
        } else {
            self.segment(segment).removed.insert(key);
        }
    }

    /// All of these messages are done: a bit for each of the segment's.
    fn ended(&mut self, told_in: u32, segment: u32, bits: &[u8]) {
        let many = self.segments.get(&segment).map_or(0, |room| room.messages.len());
        for ordinal in 0..many.min(bits.len() * 8) {
            if bits[ordinal / 8] & 1 << (ordinal % 8) != 0 {
                self.end_here(told_in, Place { segment, ordinal: ordinal as u32 });
            }
        }
        self.note_tells_of(told_in, Place { segment, ordinal: 0 });
    }

    /// A message is done at this very place: one that was moved from here lives on there.
    fn end_here(&mut self, told_in: u32, place: Place) {
        self.note_tells_of(told_in, place);
        for (recipient, _) in self.living_here(place) {
            self.done_here(told_in, place, recipient);
        }
    }

    /// A recipient's state; nothing where there is no such recipient or it is done.
    fn state(&self, place: Place, recipient: u16) -> Option<At> {
        let room = self.segments.get(&place.segment)?;
        let meta = room.messages.get(place.ordinal as usize)?;
        if meta.live == 0 || recipient >= meta.recipients {
            return None;
        }
        match room.crowds.get(&place.ordinal) {
            None => Some(meta.state),
            Some(crowd) => match crowd[usize::from(recipient)] {
                Recipient::Waiting(at) => Some(at),
                Recipient::Done => None,
            },
        }
    }

    fn drop_state(&mut self, at: At) {
        if at != NOWHERE {
            self.segment(at.segment).live_states -= 1;
        }
    }

    fn note_tells_of(&mut self, told_in: u32, of: Place) {
        if told_in != of.segment && self.segments.contains_key(&of.segment) {
            self.segment(told_in).tells_of.insert(of.segment);
        }
    }
}

fn hash(key: &Key) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
