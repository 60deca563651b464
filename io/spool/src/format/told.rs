//! What a record tells, wherever it was read: in its segment, or in the segment's index.

use postlane_mail::{Place, Progress};

use super::change::{Entry, entries};
use super::message::Head;
use super::record::Kind;

/// One thing that a record tells.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told<'a> {
    /// A message is here; it was elsewhere before, if `from` says so.
    Message { ordinal: u32, offset: u32, octets: u32, head: Head<'a>, from: Option<Place> },
    /// A recipient is done.
    Done { place: Place, recipient: u16 },
    /// A recipient waits on; who wants to know more reads the entry at the offset.
    Waiting { offset: u32, octets: u32, place: Place, recipient: u16, progress: Progress },
    /// Keyed state is written, or removed.
    Keyed { key: &'a str, value: Option<&'a [u8]> },
    /// What is said of a place holds for what was copied from another.
    Also { place: Place, from: Place },
    /// All recipients of these messages of a segment are done: a bit for each.
    Ended { segment: u32, bits: &'a [u8] },
}

/// Why a record tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Untold {
    /// It makes no sense.
    Nonsense,
    /// It is of a later version, and of a kind that must not be passed over.
    Later(u8),
}

/// Hands over what a record tells, in its order, and gives how many messages it brought. The
/// record's body is at `offset` of its segment, where `ordinal` messages are before it.
pub(crate) fn tell<'a>(
    kind: Kind,
    ordinal: u32,
    offset: u32,
    body: &'a [u8],
    mut hear: impl FnMut(Told<'a>),
) -> Result<u32, Untold> {
    match kind {
        Kind::Message => {
            let head = Head::read(body).ok_or(Untold::Nonsense)?;
            let octets = head.octets_in_all().ok_or(Untold::Nonsense)?;
            hear(Told::Message { ordinal, offset, octets, head, from: None });
            Ok(1)
        }
        Kind::Changes => {
            let mut messages = 0;
            for entry in entries(body) {
                let (at, octets, entry) = entry.ok_or(Untold::Nonsense)?;
                let offset = offset + at;
                match entry {
                    Entry::Message { from, head, at } => {
                        let (ordinal, offset) = (ordinal.saturating_add(messages), offset + at);
                        let octets = head.octets_in_all().ok_or(Untold::Nonsense)?;
                        hear(Told::Message { ordinal, offset, octets, head, from });
                        messages += 1;
                    }
                    Entry::Done { place, recipient } => hear(Told::Done { place, recipient }),
                    Entry::Waiting(waiting) => {
                        let (place, recipient) = (waiting.place, waiting.recipient);
                        let progress = waiting.progress;
                        hear(Told::Waiting { offset, octets, place, recipient, progress });
                    }
                    Entry::Keyed { key, value } => hear(Told::Keyed { key, value }),
                    Entry::Also { place, from } => hear(Told::Also { place, from }),
                    Entry::Ended { segment, bits } => hear(Told::Ended { segment, bits }),
                    Entry::Passed => {}
                    Entry::Later(kind) => return Err(Untold::Later(kind)),
                }
            }
            Ok(messages)
        }
        Kind::End => Err(Untold::Nonsense),
        Kind::Passed => Ok(0),
        Kind::Later(kind) => Err(Untold::Later(kind)),
    }
}
