//! The octets of changes that belong together.

use bytes::Bytes;
use postlane_mail::{Code, Instant, LastReply, Place, Progress, Reply, Stage};

use super::octets::{Octets, push_long, push_text};
use super::record::encode_message;
use crate::store::{Changes, Fate};

/// One entry of a record of changes.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    /// A recipient is done.
    Done { place: Place, recipient: u16 },
    /// A recipient waits on.
    Waiting { place: Place, recipient: u16, progress: Progress, last: Option<LastReply> },
    /// Keyed state is written, or removed.
    Keyed { key: &'a str, value: Option<&'a [u8]> },
    /// A message of our own; its octets are as in a record of its own.
    Message { octets: &'a [u8] },
    /// A message that was copied from an older segment, and the place it had there.
    Moved { from: Place, octets: &'a [u8] },
    /// All recipients of these messages of an older segment are done: a bit for each.
    Ended { segment: u32, bits: &'a [u8] },
}

const DONE: u8 = 1;
const WAITING: u8 = 2;
const KEYED: u8 = 3;
const REMOVED: u8 = 4;
const MESSAGE: u8 = 5;
const MOVED: u8 = 6;
const ENDED: u8 = 7;

/// Writes changes, in the order: messages, recipients, keyed state.
pub(crate) fn encode_changes(changes: &Changes, out: &mut Vec<u8>) {
    for insertion in &changes.insertions {
        out.push(MESSAGE);
        encode_message(insertion, out);
    }
    for change in &changes.recipients {
        match &change.fate {
            Fate::Done => push_done(change.place, change.recipient, out),
            Fate::Waiting(progress, last) => {
                push_waiting(change.place, change.recipient, progress, last.as_ref(), out);
            }
        }
    }
    for (key, value) in &changes.keyed {
        push_keyed(&key.0, value.as_ref().map(Bytes::as_ref), out);
    }
}

pub(crate) fn push_done(place: Place, recipient: u16, out: &mut Vec<u8>) {
    out.push(DONE);
    push_place(place, out);
    out.extend_from_slice(&recipient.to_le_bytes());
}

pub(crate) fn push_waiting(
    place: Place,
    recipient: u16,
    progress: &Progress,
    last: Option<&LastReply>,
    out: &mut Vec<u8>,
) {
    out.push(WAITING);
    push_place(place, out);
    out.extend_from_slice(&recipient.to_le_bytes());
    out.extend_from_slice(&progress.attempts.to_le_bytes());
    out.push(u8::from(progress.notified) | u8::from(progress.held.is_some()) << 1);
    out.extend_from_slice(&progress.due.0.to_le_bytes());
    out.extend_from_slice(&progress.expires.0.to_le_bytes());
    out.extend_from_slice(&progress.held.unwrap_or_default().0.to_le_bytes());
    let Some(last) = last else { return out.push(0) };
    out.push(1 + last.stage as u8);
    out.extend_from_slice(&last.reply.code().number().to_le_bytes());
    out.extend_from_slice(&last.at.0.to_le_bytes());
    push_text(out, &last.host);
    push_text(out, last.reply.text());
}

pub(crate) fn push_keyed(key: &str, value: Option<&[u8]>, out: &mut Vec<u8>) {
    out.push(if value.is_some() { KEYED } else { REMOVED });
    push_text(out, key);
    if let Some(value) = value {
        push_long(out, value);
    }
}

pub(crate) fn push_moved(from: Place, octets: &[u8], out: &mut Vec<u8>) {
    out.push(MOVED);
    push_place(from, out);
    out.extend_from_slice(octets);
}

pub(crate) fn push_ended(segment: u32, bits: &[u8], out: &mut Vec<u8>) {
    out.push(ENDED);
    out.extend_from_slice(&segment.to_le_bytes());
    push_long(out, bits);
}

/// Reads the entries of a record, with the offset of each. Nothing where one of them makes no
/// sense.
pub(crate) fn decode_entries(octets: &[u8]) -> Option<Vec<(u32, Entry<'_>)>> {
    let mut from = Octets(octets);
    let mut entries = Vec::new();
    while !from.0.is_empty() {
        let at = octets.len() - from.0.len();
        entries.push((u32::try_from(at).ok()?, entry(&mut from)?));
    }
    Some(entries)
}

/// Reads the entry at the front, and how many octets it has.
pub(crate) fn first_entry(octets: &[u8]) -> Option<(Entry<'_>, usize)> {
    let mut from = Octets(octets);
    let entry = entry(&mut from)?;
    Some((entry, octets.len() - from.0.len()))
}

fn entry<'a>(from: &mut Octets<'a>) -> Option<Entry<'a>> {
    Some(match from.u8()? {
        DONE => Entry::Done { place: place(from)?, recipient: from.u16()? },
        WAITING => waiting(from)?,
        KEYED => Entry::Keyed { key: from.text()?, value: Some(from.long()?) },
        REMOVED => Entry::Keyed { key: from.text()?, value: None },
        MESSAGE => Entry::Message { octets: message(from)? },
        MOVED => Entry::Moved { from: place(from)?, octets: message(from)? },
        ENDED => Entry::Ended { segment: from.u32()?, bits: from.long()? },
        _ => return None,
    })
}

fn message<'a>(from: &mut Octets<'a>) -> Option<&'a [u8]> {
    let (_, used) = super::record::split_message(from.0)?;
    from.take(used)
}

fn waiting<'a>(from: &mut Octets<'a>) -> Option<Entry<'a>> {
    let place = place(from)?;
    let recipient = from.u16()?;
    let attempts = from.u16()?;
    let flags = from.u8()?;
    let (due, expires, held) = (Instant(from.u64()?), Instant(from.u64()?), Instant(from.u64()?));
    let held = (flags & 2 != 0).then_some(held);
    let progress = Progress { attempts, due, expires, held, notified: flags & 1 != 0 };
    let last = match from.u8()? {
        0 => None,
        stage => {
            let stage = *Stage::ALL.get(usize::from(stage) - 1)?;
            let code = Code::new(from.u16()?)?;
            let at = Instant(from.u64()?);
            let host = from.text()?.into();
            Some(LastReply { stage, reply: Reply::new(code, from.text()?), host, at })
        }
    };
    Some(Entry::Waiting { place, recipient, progress, last })
}

fn push_place(place: Place, out: &mut Vec<u8>) {
    out.extend_from_slice(&place.segment.to_le_bytes());
    out.extend_from_slice(&place.ordinal.to_le_bytes());
}

fn place(from: &mut Octets<'_>) -> Option<Place> {
    Some(Place { segment: from.u32()?, ordinal: from.u32()? })
}
