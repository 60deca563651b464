//! Octets on the disk. `docs/design/006-spool-format.md` draws them.

mod change;
mod envelope;
mod export;
mod index;
mod message;
mod octets;
mod record;
mod segment;
mod told;

pub(crate) use change::{
    encode_changes, push_also, push_done, push_ended, push_keyed, push_moved, push_waiting,
    read_waiting,
};
pub(crate) use envelope::decode_envelope;
pub(crate) use export::{EXPORT_HEADER_OCTETS, EXPORTED, ExportHeader, decode_end, encode_end};
pub(crate) use index::{INDEX_HEADER_OCTETS, IndexHeader, push_told, told_at, without};
pub(crate) use message::{
    HEAD_CLAIM_OCTETS, Head, MESSAGE_OCTETS_MAX, encode_message, measure, read_message,
};
pub(crate) use record::{HEADER_OCTETS, Header, Kind, MAGIC, Record};
pub(crate) use segment::{SEGMENT_HEADER_OCTETS, SegmentHeader, Start};
pub(crate) use told::{Told, Untold, tell};

/// The version of everything on the disk. A change that an older program cannot read safely
/// makes it larger; such a program then refuses to open the spool.
pub(crate) const VERSION: u16 = 1;

/// A kind with this bit may be passed over by a program that does not know it; without it the
/// spool must not be opened.
pub(crate) const MAY_PASS: u8 = 0x80;
