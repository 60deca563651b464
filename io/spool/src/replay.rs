//! What a record does to the table: the same when it is written and when it is read back.

use bytes::Bytes;
use postlane_mail::Place;

use crate::format::{Entry, MessageParts, decode_entries, split_message};
use crate::store::Key;
use crate::table::{At, Table};

/// What a record brought in.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    /// Messages, in the order of the record.
    pub(crate) places: Vec<Place>,
}

/// Takes a message record, its body at `offset` of a segment. Nothing where it makes no sense.
pub(crate) fn message(
    table: &mut Table,
    segment: u32,
    offset: u32,
    body: &[u8],
    octets: u32,
) -> Option<Place> {
    let recipients = recipients_of(body)?;
    Some(table.insert(segment, offset, octets, recipients))
}

/// Takes a record of changes, its body at `offset` of a segment.
pub(crate) fn changes(
    table: &mut Table,
    segment: u32,
    offset: u32,
    body: &[u8],
) -> Option<Brought> {
    let entries = decode_entries(body)?;
    let mut brought = Brought::default();
    for (at, entry) in entries {
        // An entry's octets begin behind the one that says its kind.
        let at = At { segment, offset: offset + at };
        match entry {
            Entry::Done { place, recipient } => table.done(segment, place, recipient),
            Entry::Waiting { place, recipient, .. } => table.waiting(at, place, recipient),
            Entry::Keyed { key, value } => {
                table.keyed(segment, Key(key.into()), value.map(Bytes::copy_from_slice));
            }
            Entry::Message { octets } => {
                let many = octets.len() as u32;
                let place = message(table, segment, at.offset + 1, octets, many)?;
                brought.places.push(place);
            }
            Entry::Moved { from, octets } => {
                let many = octets.len() as u32;
                let place = message(table, segment, at.offset + 9, octets, many)?;
                let done = table.done_of(from);
                table.moved(segment, from, place);
                done.into_iter().for_each(|recipient| table.done(segment, place, recipient));
                brought.places.push(place);
            }
            Entry::Ended { segment: of, bits } => table.ended(segment, of, bits),
        }
    }
    Some(brought)
}

/// How many recipients a message has: read without reading them.
fn recipients_of(body: &[u8]) -> Option<u16> {
    let parts: MessageParts<'_> = split_head(body)?;
    crate::format::recipient_count(parts.envelope)
}

/// A message's head, whether or not its octets are there: an index leaves them out.
fn split_head(body: &[u8]) -> Option<MessageParts<'_>> {
    split_message(body).map(|(parts, _)| parts).or_else(|| crate::format::split_head(body))
}
