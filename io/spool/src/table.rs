//! What lives, and where: the spool's memory of its segments.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use postlane_mail::Place;

use crate::store::Key;

/// What is known of all segments. About 20 octets for each message, and none for its id.
#[derive(Debug, Default)]
pub(crate) struct Table {
    segments: BTreeMap<u32, Segment>,
    keyed: BTreeMap<Key, Keyed>,
    /// Where messages went that were copied forward; old places go on working.
    moved: HashMap<Place, Place>,
    messages: u64,
    /// Segments whose last message has ended since somebody asked.
    emptied: Vec<u32>,
}

/// What is known of one segment.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    messages: Vec<Meta>,
    crowds: BTreeMap<u32, Vec<Recipient>>,
    pub(crate) live_messages: u32,
    pub(crate) live_states: u32,
    pub(crate) live_keys: u32,
    /// Segments whose recipients' fates are told in this one.
    pub(crate) tells_of: BTreeSet<u32>,
    pub(crate) octets: u64,
    pub(crate) live_octets: u64,
    pub(crate) sealed: bool,
}

/// One message.
#[derive(Debug, Clone, Copy)]
struct Meta {
    offset: u32,
    octets: u32,
    live: u16,
    recipients: u16,
    /// The only recipient's state; a crowd's are beside.
    state: At,
}

/// An entry in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
}

/// No entry: the recipient is fresh.
const NOWHERE: At = At { segment: 0, offset: 0 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recipient {
    Waiting(At),
    Done,
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

    pub(crate) fn segments(&self) -> impl Iterator<Item = (u32, &Segment)> {
        self.segments.iter().map(|(number, segment)| (*number, segment))
    }

    pub(crate) fn forget_segment(&mut self, number: u32) {
        self.segments.remove(&number);
    }

    /// Segments whose last message has ended since this was asked.
    pub(crate) fn take_emptied(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.emptied)
    }

    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// A message has been written; its place.
    pub(crate) fn insert(
        &mut self,
        segment: u32,
        offset: u32,
        octets: u32,
        recipients: u16,
    ) -> Place {
        let room = self.segment(segment);
        let ordinal = room.messages.len() as u32;
        room.messages.push(Meta { offset, octets, live: recipients, recipients, state: NOWHERE });
        if recipients > 1 {
            let fresh = vec![Recipient::Waiting(NOWHERE); usize::from(recipients)];
            room.crowds.insert(ordinal, fresh);
        }
        room.live_messages += 1;
        room.live_octets += u64::from(octets);
        self.messages += 1;
        Place { segment, ordinal }
    }

    /// A recipient is done, said in segment `told`. Said twice it is said once.
    pub(crate) fn done(&mut self, told: u32, place: Place, recipient: u16) {
        let place = self.resolve(place);
        self.tell(told, place);
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
            room.live_octets -= u64::from(meta.octets);
            room.crowds.remove(&place.ordinal);
            self.messages -= 1;
            if room.live_messages == 0 {
                self.emptied.push(place.segment);
            }
        }
    }

    /// A recipient waits on, as an entry says.
    pub(crate) fn waiting(&mut self, at: At, place: Place, recipient: u16) {
        let place = self.resolve(place);
        self.tell(at.segment, place);
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
    pub(crate) fn keyed(&mut self, segment: u32, key: Key, value: Option<Bytes>) {
        let was = match value {
            Some(value) => {
                self.segment(segment).live_keys += 1;
                self.keyed.insert(key, Keyed { value, segment })
            }
            None => self.keyed.remove(&key),
        };
        if let Some(was) = was {
            self.segment(was.segment).live_keys -= 1;
        }
    }

    /// All of these messages are done: a bit for each of the segment's.
    pub(crate) fn ended(&mut self, told: u32, segment: u32, bits: &[u8]) {
        let many = self.segments.get(&segment).map_or(0, |room| room.messages.len());
        for ordinal in 0..many.min(bits.len() * 8) {
            if bits[ordinal / 8] & 1 << (ordinal % 8) != 0 {
                self.end_message(told, Place { segment, ordinal: ordinal as u32 });
            }
        }
        if many > 0 && told != segment {
            self.segment(told).tells_of.insert(segment);
        }
    }

    /// A message has been copied to another place; what is said of the old one holds there.
    pub(crate) fn moved(&mut self, told: u32, from: Place, to: Place) {
        self.end_message(told, from);
        self.moved.insert(from, to);
    }

    /// After a log has been read nobody knows the old places any more: they are let go.
    pub(crate) fn forget_moves(&mut self) -> HashMap<Place, Place> {
        std::mem::take(&mut self.moved)
    }

    /// Where a message is kept now.
    pub(crate) fn resolve(&self, mut place: Place) -> Place {
        while let Some(next) = self.moved.get(&place) {
            place = *next;
        }
        place
    }

    /// Offset and octets of a message that lives.
    pub(crate) fn find(&self, place: Place) -> Option<(Place, u32, u32)> {
        let place = self.resolve(place);
        let meta = self.segments.get(&place.segment)?.messages.get(place.ordinal as usize)?;
        (meta.live > 0).then_some((place, meta.offset, meta.octets))
    }

    /// The recipients of a living message that are not done, each with where its state is
    /// written, if it is.
    pub(crate) fn living(&self, place: Place) -> Vec<(u16, Option<At>)> {
        let place = self.resolve(place);
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

    /// All messages of a segment that live.
    pub(crate) fn live_places(&self, segment: u32) -> Vec<Place> {
        let messages = self.segments.get(&segment).map(|room| room.messages.as_slice());
        let numbered = messages.unwrap_or_default().iter().zip(0..);
        let live = numbered.filter(|(meta, _)| meta.live > 0);
        live.map(|(_, ordinal)| Place { segment, ordinal }).collect()
    }

    /// A bit for each message of a segment that is done.
    pub(crate) fn ended_bits(&self, segment: u32) -> Vec<u8> {
        let messages = self.segments.get(&segment).map(|room| room.messages.as_slice());
        let messages = messages.unwrap_or_default();
        let mut bits = vec![0; messages.len().div_ceil(8)];
        for (ordinal, meta) in messages.iter().enumerate() {
            if meta.live == 0 {
                bits[ordinal / 8] |= 1 << (ordinal % 8);
            }
        }
        bits
    }

    /// Messages of a segment with some recipients done and some not.
    pub(crate) fn half_done(&self, segment: u32) -> Vec<(Place, Vec<u16>)> {
        let crowds = self.segments.get(&segment).map(|room| room.crowds.keys().copied());
        let places = crowds.into_iter().flatten().map(|ordinal| Place { segment, ordinal });
        places
            .map(|place| (place, self.done_of(place)))
            .filter(|(_, done)| !done.is_empty())
            .collect()
    }

    /// Keyed state whose name begins like this.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<(Key, Bytes)> {
        let from = Key(prefix.into());
        let found = self.keyed.range(from..).take_while(|(key, _)| key.0.starts_with(prefix));
        found.map(|(key, keyed)| (key.clone(), keyed.value.clone())).collect()
    }

    /// Keyed state that is written in a segment.
    pub(crate) fn keys_in(&self, segment: u32) -> Vec<(Key, Bytes)> {
        let found = self.keyed.iter().filter(|(_, keyed)| keyed.segment == segment);
        found.map(|(key, keyed)| (key.clone(), keyed.value.clone())).collect()
    }

    pub(crate) fn exists(&self, segment: u32) -> bool {
        self.segments.contains_key(&segment)
    }

    fn end_message(&mut self, told: u32, place: Place) {
        for (recipient, _) in self.living(place) {
            self.done(told, place, recipient);
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

    fn tell(&mut self, told: u32, of: Place) {
        if told != of.segment && self.exists(of.segment) {
            self.segment(told).tells_of.insert(of.segment);
        }
    }
}
