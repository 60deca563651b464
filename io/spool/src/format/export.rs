//! The octets of an exported queue: a header, records as in a segment, and a record that says
//! that it was all.

use crc32c::crc32c;
use postlane_mail::Instant;

use super::VERSION;
use super::octets::Octets;

/// Octets of an export's header.
pub(crate) const EXPORT_HEADER_OCTETS: usize = 32;

/// The segment that an exported message is said to have been in: there is none of that number.
/// The ordinal is its number in the export.
pub(crate) const EXPORTED: u32 = 0;

const MAGIC: [u8; 8] = *b"PLEXPRT\n";

/// An export's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExportHeader {
    pub(crate) at: Instant,
    /// The records'.
    pub(crate) epoch: u32,
}

impl ExportHeader {
    pub(crate) fn encode(&self) -> [u8; EXPORT_HEADER_OCTETS] {
        let mut out = [0; EXPORT_HEADER_OCTETS];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[12..20].copy_from_slice(&self.at.0.to_le_bytes());
        out[20..24].copy_from_slice(&self.epoch.to_le_bytes());
        let crc = crc32c(&out[..28]);
        out[28..32].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The header, or else the version that it is of; nothing where it is none.
    pub(crate) fn decode(octets: &[u8; EXPORT_HEADER_OCTETS]) -> Option<Result<Self, u16>> {
        let (said, crc) = octets.split_at(28);
        let mut from = Octets(said);
        if from.take(8)? != MAGIC || Octets(crc).u32()? != crc32c(said) {
            return None;
        }
        let version = from.u16()?;
        if version > VERSION {
            return Some(Err(version));
        }
        from.u16()?;
        Some(Ok(Self { at: Instant(from.u64()?), epoch: from.u32()? }))
    }
}

/// What the last record of an export says: how many records there are before it.
pub(crate) fn encode_end(records: u64) -> Vec<u8> {
    records.to_le_bytes().to_vec()
}

/// Reads it.
pub(crate) fn decode_end(body: &[u8]) -> Option<u64> {
    Octets(body).u64()
}
