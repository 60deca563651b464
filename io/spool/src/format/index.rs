//! A segment's index: everything the segment tells but its messages' octets and what was said
//! last, to be read at a start instead of the segment.

use crc32c::crc32c;
use postlane_mail::QueueId;

use super::VERSION;
use super::change::{
    self, ALSO, DONE, ENDED, KEYED, REMOVED, place, push_entry, push_place, push_progress,
    split_entry,
};
use super::message::Head;
use super::octets::{Octets, push_long, push_text};
use super::told::Told;

/// Octets of an index's header.
pub(crate) const INDEX_HEADER_OCTETS: usize = 56;

const MAGIC: [u8; 8] = *b"PLINDEX\n";

/// A message has at least this many octets in a segment: an entry's head and its own.
const MESSAGE_OCTETS_MIN: u64 = 5 + 32;

/// Kinds of entries that only an index has; the others are as in a record of changes.
const HEAD: u8 = 0x41;
const MOVED_HEAD: u8 = 0x42;
const STATE: u8 = 0x43;

/// An index's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexHeader {
    pub(crate) segment: u32,
    /// The segment's.
    pub(crate) epoch: u32,
    /// Octets of the segment: it is only for a segment of this size.
    pub(crate) segment_octets: u64,
    /// Messages in the segment, those that are done included.
    pub(crate) messages: u32,
    /// The sequence number of the segment's last record.
    pub(crate) seq: u64,
    /// The largest queue id in the segment and before.
    pub(crate) last_id: Option<QueueId>,
}

impl IndexHeader {
    /// The header of an index with this told in it.
    pub(crate) fn encode(&self, told: &[u8]) -> [u8; INDEX_HEADER_OCTETS] {
        let mut out = [0; INDEX_HEADER_OCTETS];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[12..16].copy_from_slice(&self.segment.to_le_bytes());
        out[16..20].copy_from_slice(&self.epoch.to_le_bytes());
        out[20..24].copy_from_slice(&self.messages.to_le_bytes());
        out[24..32].copy_from_slice(&self.segment_octets.to_le_bytes());
        out[32..40].copy_from_slice(&self.seq.to_le_bytes());
        out[40..48].copy_from_slice(&self.last_id.map_or(0, QueueId::bits).to_le_bytes());
        out[48..52].copy_from_slice(&crc32c(told).to_le_bytes());
        let crc = crc32c(&out[..52]);
        out[52..56].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads an index: its header, and what it tells. Nothing where a checksum is wrong, or
    /// the version is another one: an index can always be made anew.
    pub(crate) fn decode(octets: &[u8]) -> Option<(Self, &[u8])> {
        let (header, told) = octets.split_at_checked(INDEX_HEADER_OCTETS)?;
        let (said, crc) = header.split_at(52);
        let mut from = Octets(said);
        if from.take(8)? != MAGIC
            || from.u16()? != VERSION
            || Octets(crc).u32()? != crc32c(said)
            || Octets(&said[48..]).u32()? != crc32c(told)
        {
            return None;
        }
        from.u16()?;
        let (segment, epoch, messages) = (from.u32()?, from.u32()?, from.u32()?);
        let (segment_octets, seq, last) = (from.u64()?, from.u64()?, from.u64()?);
        // Room is made for each message: there are not more than their records' headers fit.
        if u64::from(messages) > segment_octets / MESSAGE_OCTETS_MIN {
            return None;
        }
        let last_id = (last != 0).then(|| QueueId::from_bits(last));
        Some((Self { segment, epoch, segment_octets, messages, seq, last_id }, told))
    }
}

/// Adds something told to an index.
pub(crate) fn push_told(told: &Told<'_>, out: &mut Vec<u8>) {
    match told {
        Told::Message { ordinal, offset, octets, head, from } => {
            push_entry(if from.is_some() { MOVED_HEAD } else { HEAD }, out, |out| {
                out.extend_from_slice(&ordinal.to_le_bytes());
                out.extend_from_slice(&offset.to_le_bytes());
                out.extend_from_slice(&octets.to_le_bytes());
                if let Some(from) = from {
                    push_place(*from, out);
                }
                out.extend_from_slice(head.octets);
            });
        }
        Told::Waiting { offset, octets, place, recipient, progress } => {
            push_entry(STATE, out, |out| {
                out.extend_from_slice(&offset.to_le_bytes());
                out.extend_from_slice(&octets.to_le_bytes());
                push_progress(*place, *recipient, progress, 0, out);
            });
        }
        Told::Done { place, recipient } => change::push_done(*place, *recipient, out),
        Told::Keyed { key, value } => {
            push_entry(if value.is_some() { KEYED } else { REMOVED }, out, |out| {
                push_text(out, key);
                if let Some(value) = value {
                    push_long(out, value);
                }
            })
        }
        Told::Also { place, from } => change::push_also(*place, *from, out),
        Told::Ended { segment, bits } => change::push_ended(*segment, bits, out),
    }
}

/// What stands at a position of an index, and the position behind it. Nothing at the end, or
/// where it makes no sense.
pub(crate) fn told_at(told: &[u8], at: usize) -> Option<(Told<'_>, usize)> {
    let mut rest = told.get(at..)?;
    let (kind, body) = split_entry(&mut rest)?;
    let mut from = Octets(body);
    let told_here = match kind {
        HEAD | MOVED_HEAD => {
            let (ordinal, offset, octets) = (from.u32()?, from.u32()?, from.u32()?);
            let moved = if kind == MOVED_HEAD { Some(place(&mut from)?) } else { None };
            let head = Head::read(from.0)?;
            Told::Message { ordinal, offset, octets, head, from: moved }
        }
        STATE => {
            let (offset, octets) = (from.u32()?, from.u32()?);
            let (place, recipient, progress, _) = change::progress(&mut from)?;
            Told::Waiting { offset, octets, place, recipient, progress }
        }
        DONE => Told::Done { place: place(&mut from)?, recipient: from.u16()? },
        KEYED => Told::Keyed { key: from.text()?, value: Some(from.long()?) },
        REMOVED => Told::Keyed { key: from.text()?, value: None },
        ALSO => Told::Also { place: place(&mut from)?, from: place(&mut from)? },
        ENDED => Told::Ended { segment: from.u32()?, bits: from.long()? },
        _ => return None,
    };
    Some((told_here, told.len() - rest.len()))
}

/// An index without the messages whose bit is set: what was done before the segment was closed
/// need not be read at each start.
pub(crate) fn without(told: &[u8], ended: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(told.len());
    let mut rest = told;
    loop {
        let begin = rest;
        let Some((kind, body)) = split_entry(&mut rest) else { return kept };
        let ordinal = Octets(body).u32().unwrap_or(u32::MAX) as usize;
        let is_ended = ended.get(ordinal / 8).is_some_and(|bits| bits & 1 << (ordinal % 8) != 0);
        // What was moved must be told even then: its old place would live again.
        if !(kind == HEAD && is_ended) {
            kept.extend_from_slice(&begin[..begin.len() - rest.len()]);
        }
    }
}
