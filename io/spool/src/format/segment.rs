//! The header of a segment file.

use crc32c::crc32c;
use postlane_mail::QueueId;

use super::VERSION;
use super::octets::Octets;

/// Octets of a segment's header.
pub(crate) const SEGMENT_HEADER_OCTETS: usize = 32;

const MAGIC: [u8; 8] = *b"PLSPOOL\n";

/// A segment's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) segment: u32,
    /// A number that no older file in these blocks is likely to have had.
    pub(crate) epoch: u32,
    /// The largest queue id that was given before; none in a new spool.
    pub(crate) last_id: Option<QueueId>,
}

/// How a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// As it should.
    Sound(SegmentHeader),
    /// Written by a later version: not to be touched.
    Later(u16),
    /// In no way that can be believed.
    Damaged,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_OCTETS] {
        let mut out = [0; SEGMENT_HEADER_OCTETS];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[12..16].copy_from_slice(&self.segment.to_le_bytes());
        out[16..20].copy_from_slice(&self.epoch.to_le_bytes());
        out[20..28].copy_from_slice(&self.last_id.map_or(0, QueueId::bits).to_le_bytes());
        let crc = crc32c(&out[..28]);
        out[28..32].copy_from_slice(&crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(octets: &[u8]) -> Start {
        Self::read(octets).unwrap_or(Start::Damaged)
    }

    fn read(octets: &[u8]) -> Option<Start> {
        let octets = octets.get(..SEGMENT_HEADER_OCTETS)?;
        let (said, crc) = octets.split_at(28);
        let mut from = Octets(said);
        if from.take(8)? != MAGIC || Octets(crc).u32()? != crc32c(said) {
            return None;
        }
        let version = from.u16()?;
        if version > VERSION {
            return Some(Start::Later(version));
        }
        from.u16()?;
        let (segment, epoch, last) = (from.u32()?, from.u32()?, from.u64()?);
        let last_id = (last != 0).then(|| QueueId::from_bits(last));
        Some(Start::Sound(Self { segment, epoch, last_id }))
    }
}
