//! What is known of one segment: its messages, and how much of it still says something.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use postlane_mail::Place;

use crate::store::Key;

/// What is known of one segment.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    pub(super) messages: Vec<Meta>,
    /// The recipients of messages with several, by ordinal.
    pub(super) crowds: BTreeMap<u32, Vec<Recipient>>,
    pub(crate) live_messages: u32,
    pub(super) live_message_octets: u64,
    /// Recipients whose last state is written here.
    pub(crate) live_states: u32,
    pub(super) states: u64,
    pub(super) state_octets: u64,
    /// Keyed state whose last value is written here.
    pub(crate) live_keys: u32,
    pub(super) live_key_octets: u64,
    /// Keys that are written or removed here, as hashes; and by name those that are removed.
    pub(super) keys: HashSet<u64>,
    pub(super) removed: BTreeSet<Key>,
    /// Segments whose recipients' fates are told in this one.
    pub(crate) tells_of: BTreeSet<u32>,
    pub(crate) octets: u64,
    pub(crate) sealed: bool,
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meta {
    pub(super) offset: u32,
    pub(super) octets: u32,
    /// Recipients that are not done.
    pub(super) live: u16,
    pub(super) recipients: u16,
    /// The only recipient's state; a crowd's are beside.
    pub(super) state: At,
}

/// An entry in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
}

/// No entry: the recipient is fresh.
pub(super) const NOWHERE: At = At { segment: 0, offset: 0 };

/// A message that never was: its number was lost with a damaged record.
pub(super) const NOBODY: Meta =
    Meta { offset: 0, octets: 0, live: 0, recipients: 0, state: NOWHERE };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipient {
    Waiting(At),
    Done,
}

impl Segment {
    /// Octets that still say something. A state's are taken for the mean of all that were
    /// written here: to remember each would cost four octets per queued recipient.
    pub(crate) fn live_octets(&self) -> u64 {
        let state = self.state_octets.checked_div(self.states).unwrap_or(0);
        self.live_message_octets + u64::from(self.live_states) * state + self.live_key_octets
    }

    /// Messages that were written, those that are done included.
    pub(crate) fn messages(&self) -> u32 {
        self.messages.len() as u32
    }

    /// A bit for each message that is done.
    pub(crate) fn ended_bits(&self) -> Vec<u8> {
        let mut bits = vec![0; self.messages.len().div_ceil(8)];
        for (ordinal, meta) in self.messages.iter().enumerate() {
            if meta.live == 0 {
                bits[ordinal / 8] |= 1 << (ordinal % 8);
            }
        }
        bits
    }

    /// Messages from an ordinal on with some recipients done and some not, and those recipients.
    pub(crate) fn half_done(
        &self,
        segment: u32,
        from: u32,
    ) -> impl Iterator<Item = (Place, Vec<u16>)> {
        let done = |crowd: &[Recipient]| -> Vec<u16> {
            let numbered = crowd.iter().zip(0..);
            numbered.filter(|(r, _)| **r == Recipient::Done).map(|(_, index)| index).collect()
        };
        let crowds = self.crowds.range(from..);
        let places = crowds.map(move |(at, crowd)| (Place { segment, ordinal: *at }, done(crowd)));
        places.filter(|(_, done)| !done.is_empty())
    }

    /// The first messages that live from an ordinal on, at most so many, and where to go on;
    /// at most `looked` messages are looked at.
    pub(crate) fn living_from(&self, from: u32, most: usize, looked: usize) -> (Vec<u32>, u32) {
        let mut found = Vec::new();
        let mut at = from;
        for meta in self.messages.iter().skip(from as usize).take(looked) {
            if found.len() == most {
                break;
            }
            if meta.live > 0 {
                found.push(at);
            }
            at += 1;
        }
        (found, at)
    }
}
