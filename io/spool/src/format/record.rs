//! Records: what stands between two headers in a segment.

use bytes::Bytes;
use crc32c::{crc32c, crc32c_append};
use postlane_mail::QueueId;

use super::envelope::encode_envelope;
use super::octets::{Octets, push_long};
use crate::store::Insertion;

/// Octets of a record's header.
pub(crate) const HEADER_OCTETS: usize = 32;
/// Octets of a segment's header.
pub(crate) const FILE_HEADER_OCTETS: usize = 32;

const RECORD_MAGIC: u32 = 0x52_4c_50_b7;
const FILE_MAGIC: [u8; 8] = *b"PLSPOOL\n";
/// The version of everything on the disk. A change that an older program cannot read safely
/// makes it larger.
const VERSION: u16 = 1;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One message.
    Message,
    /// Changes that belong together.
    Changes,
}

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) octets: u32,
    pub(crate) body_crc: u32,
    /// The segment's, so that what an older file left in the same blocks is not taken for ours.
    pub(crate) epoch: u32,
    pub(crate) seq: u64,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_OCTETS] {
        let mut out = [0; HEADER_OCTETS];
        out[0..4].copy_from_slice(&RECORD_MAGIC.to_le_bytes());
        out[4] = match self.kind {
            Kind::Message => 1,
            Kind::Changes => 2,
        };
        out[8..12].copy_from_slice(&self.octets.to_le_bytes());
        out[12..16].copy_from_slice(&self.body_crc.to_le_bytes());
        out[16..20].copy_from_slice(&self.epoch.to_le_bytes());
        out[20..28].copy_from_slice(&self.seq.to_le_bytes());
        let crc = crc32c(&out[..28]);
        out[28..32].copy_from_slice(&crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(octets: &[u8]) -> Option<Self> {
        let octets = octets.get(..HEADER_OCTETS)?;
        let mut from = Octets(octets);
        if from.u32()? != RECORD_MAGIC {
            return None;
        }
        let kind = match from.u32()? {
            1 => Kind::Message,
            2 => Kind::Changes,
            _ => return None,
        };
        let header = Self {
            kind,
            octets: from.u32()?,
            body_crc: from.u32()?,
            epoch: from.u32()?,
            seq: from.u64()?,
        };
        (from.u32()? == crc32c(&octets[..28])).then_some(header)
    }
}

/// A segment's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) segment: u32,
    pub(crate) epoch: u32,
}

impl FileHeader {
    pub(crate) fn encode(&self) -> [u8; FILE_HEADER_OCTETS] {
        let mut out = [0; FILE_HEADER_OCTETS];
        out[0..8].copy_from_slice(&FILE_MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[12..16].copy_from_slice(&self.segment.to_le_bytes());
        out[16..20].copy_from_slice(&self.epoch.to_le_bytes());
        let crc = crc32c(&out[..28]);
        out[28..32].copy_from_slice(&crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(octets: &[u8]) -> Option<Self> {
        let octets = octets.get(..FILE_HEADER_OCTETS)?;
        let mut from = Octets(octets);
        if from.take(8)? != FILE_MAGIC || from.u16()? != VERSION {
            return None;
        }
        from.u16()?;
        let header = Self { segment: from.u32()?, epoch: from.u32()? };
        let crc = u32::from_le_bytes(*octets[28..].first_chunk()?);
        (crc == crc32c(&octets[..28])).then_some(header)
    }
}

/// A message's parts within its record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageParts<'a> {
    pub(crate) id: QueueId,
    pub(crate) facts: &'a [u8],
    pub(crate) envelope: &'a [u8],
    pub(crate) message: &'a [u8],
}

/// Writes a message: its id, what intake knows of it, its envelope, and the octets. Gives the
/// checksum of it all.
pub(crate) fn encode_message(insertion: &Insertion, out: &mut Vec<u8>) -> u32 {
    let begin = out.len();
    let octets: usize = insertion.message.iter().map(Bytes::len).sum();
    out.reserve(octets + 512);
    out.extend_from_slice(&insertion.id.bits().to_le_bytes());
    push_long(out, &insertion.facts);
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    encode_envelope(&insertion.envelope, out);
    let envelope = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&envelope.to_le_bytes());
    let many = u32::try_from(octets).expect("a message is smaller than 4 GiB");
    out.extend_from_slice(&many.to_le_bytes());
    let mut crc = crc32c(&out[begin..]);
    for piece in &insertion.message {
        out.extend_from_slice(piece);
        crc = crc32c_append(crc, piece);
    }
    crc
}

/// Finds a message's parts in its octets, and how many octets they are.
pub(crate) fn split_message(octets: &[u8]) -> Option<(MessageParts<'_>, usize)> {
    let mut from = Octets(octets);
    let id = QueueId::from_bits(from.u64()?);
    let facts = from.long()?;
    let envelope = from.long()?;
    let message = from.long()?;
    let used = octets.len() - from.0.len();
    Some((MessageParts { id, facts, envelope, message }, used))
}

/// Finds the parts in front of a message's octets, which an index leaves out.
pub(crate) fn split_head(octets: &[u8]) -> Option<MessageParts<'_>> {
    let mut from = Octets(octets);
    let id = QueueId::from_bits(from.u64()?);
    let facts = from.long()?;
    let envelope = from.long()?;
    Some(MessageParts { id, facts, envelope, message: &[] })
}
