//! Records: what stands in a segment behind its header, one after the other.

use bytes::Bytes;
use crc32c::crc32c;

use super::MAY_PASS;
use super::octets::Octets;

/// Octets of a record's header.
pub(crate) const HEADER_OCTETS: usize = 40;

/// How a record begins; where a record is damaged, the next one is looked for by it.
pub(crate) const MAGIC: [u8; 4] = [0xb7, b'P', b'L', b'R'];

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One message.
    Message,
    /// Changes that belong together.
    Changes,
    /// The end of an export.
    End,
    /// Something of a later version that may be passed over.
    Passed,
    /// Something of a later version without which the rest is not understood.
    Later(u8),
}

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// Octets of the body.
    pub(crate) octets: u32,
    /// How many octets of the body the check covers, from its begin: a message's own are
    /// summed up in its head.
    pub(crate) checked: u32,
    /// CRC-32C of those.
    pub(crate) check: u32,
    /// The segment's, so that what an older file left in the same blocks is not taken for ours.
    pub(crate) epoch: u32,
    /// Messages of the segment before this record: a damaged one costs nobody their number.
    pub(crate) ordinal: u32,
    /// Counted through all segments.
    pub(crate) seq: u64,
}

/// A record's body, encoded and summed up on the thread that wants it written.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) body: Vec<u8>,
    pub(crate) checked: u32,
    pub(crate) check: u32,
    /// How many messages it brings.
    pub(crate) messages: u32,
}

impl Kind {
    fn octet(self) -> u8 {
        match self {
            Self::Message => 1,
            Self::Changes => 2,
            Self::End => 3,
            Self::Passed => MAY_PASS,
            Self::Later(octet) => octet,
        }
    }

    fn of(octet: u8) -> Self {
        match octet {
            1 => Self::Message,
            2 => Self::Changes,
            3 => Self::End,
            octet if octet & MAY_PASS != 0 => Self::Passed,
            octet => Self::Later(octet),
        }
    }
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_OCTETS] {
        let mut out = [0; HEADER_OCTETS];
        out[0..4].copy_from_slice(&MAGIC);
        out[4] = self.kind.octet();
        out[8..12].copy_from_slice(&self.octets.to_le_bytes());
        out[12..16].copy_from_slice(&self.checked.to_le_bytes());
        out[16..20].copy_from_slice(&self.check.to_le_bytes());
        out[20..24].copy_from_slice(&self.epoch.to_le_bytes());
        out[24..28].copy_from_slice(&self.ordinal.to_le_bytes());
        out[28..36].copy_from_slice(&self.seq.to_le_bytes());
        let crc = crc32c(&out[..36]);
        out[36..40].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads the header at the front, if it is one and agrees with its checksum.
    pub(crate) fn decode(octets: &[u8]) -> Option<Self> {
        let (said, crc) = octets.get(..HEADER_OCTETS)?.split_at(36);
        let mut from = Octets(said);
        if from.take(4)? != MAGIC || Octets(crc).u32()? != crc32c(said) {
            return None;
        }
        let kind = Kind::of(from.u8()?);
        from.take(3)?;
        Some(Self {
            kind,
            octets: from.u32()?,
            checked: from.u32()?,
            check: from.u32()?,
            epoch: from.u32()?,
            ordinal: from.u32()?,
            seq: from.u64()?,
        })
    }
}

impl Record {
    /// A record of changes with this body.
    pub(crate) fn of_changes(body: Vec<u8>, messages: u32) -> Self {
        let (checked, check) = (body.len() as u32, crc32c(&body));
        Self { kind: Kind::Changes, body, checked, check, messages }
    }
}

/// The octets of a message given in pieces.
pub(super) fn octets_of(pieces: &[Bytes]) -> usize {
    pieces.iter().map(Bytes::len).sum()
}
