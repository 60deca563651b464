//! Octets on the disk. `docs/design/010-spool-format.md` draws them.

mod change;
mod envelope;
mod octets;
mod record;

pub(crate) use change::{
    Entry, decode_entries, encode_changes, first_entry, push_done, push_ended, push_keyed,
    push_moved, push_waiting,
};
pub(crate) use envelope::{decode_envelope, recipient_count};
pub(crate) use record::{
    FILE_HEADER_OCTETS, FileHeader, HEADER_OCTETS, Header, Kind, MessageParts, encode_message,
    split_head, split_message,
};
