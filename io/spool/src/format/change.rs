//! The octets of changes that belong together.

use bytes::Bytes;
use crc32c::crc32c;
use postlane_mail::{Code, Instant, LastReply, Place, Progress, Reply, Stage};

use super::MAY_PASS;
use super::message::{Head, push_message};
use super::octets::{Octets, push_long, push_text};
use super::record::Record;
use crate::error::StoreError;
use crate::store::{Changes, Fate};

/// One entry of a record of changes.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    /// A recipient is done.
    Done { place: Place, recipient: u16 },
    /// A recipient waits on.
    Waiting(Waiting<'a>),
    /// Keyed state is written, or removed.
    Keyed { key: &'a str, value: Option<&'a [u8]> },
    /// A message; copied from a place of before, if there is one. `at` is where it begins, from
    /// the begin of the entry.
    Message { from: Option<Place>, head: Head<'a>, at: u32 },
    /// What is said of a place holds for what was copied from another.
    Also { place: Place, from: Place },
    /// All recipients of these messages of an older segment are done: a bit for each.
    Ended { segment: u32, bits: &'a [u8] },
    /// Something of a later version that may be passed over.
    Passed,
    /// Something of a later version without which the rest is not understood.
    Later(u8),
}

/// How a recipient waits on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting<'a> {
    pub(crate) place: Place,
    pub(crate) recipient: u16,
    pub(crate) progress: Progress,
    last: Option<Said<'a>>,
}

/// A last reply, not copied yet.
#[derive(Debug, Clone, Copy)]
struct Said<'a> {
    stage: Stage,
    code: Code,
    at: Instant,
    host: &'a str,
    text: &'a str,
}

pub(super) const DONE: u8 = 1;
pub(super) const WAITING: u8 = 2;
pub(super) const KEYED: u8 = 3;
pub(super) const REMOVED: u8 = 4;
pub(super) const MESSAGE: u8 = 5;
pub(super) const MOVED: u8 = 6;
pub(super) const ENDED: u8 = 7;
pub(super) const ALSO: u8 = 8;

/// Octets before an entry's body: its kind and its length.
pub(super) const ENTRY_HEAD_OCTETS: usize = 5;

const NOTIFIED: u8 = 1;
const HELD: u8 = 2;
const SAID: u8 = 4;

/// A record of changes, in the order: messages, recipients, keyed state.
pub(crate) fn encode_changes(changes: &Changes) -> Result<Record, StoreError> {
    let mut out = Vec::with_capacity(changes.recipients.len() * 20 + 16);
    for insertion in &changes.insertions {
        let mut refused = None;
        push_entry(MESSAGE, &mut out, |out| refused = push_message(insertion, out).err());
        if let Some(error) = refused {
            return Err(error);
        }
    }
    for change in &changes.recipients {
        match &change.fate {
            Fate::Done => push_done(change.place, change.recipient, &mut out),
            Fate::Waiting(progress, last) => {
                push_waiting(change.place, change.recipient, progress, last.as_ref(), &mut out);
            }
        }
    }
    for (key, value) in &changes.keyed {
        push_keyed(&key.0, value.as_ref().map(Bytes::as_ref), &mut out);
    }
    Ok(Record::of_changes(out, changes.insertions.len() as u32))
}

pub(crate) fn push_done(place: Place, recipient: u16, out: &mut Vec<u8>) {
    push_entry(DONE, out, |out| {
        push_place(place, out);
        out.extend_from_slice(&recipient.to_le_bytes());
    });
}

pub(crate) fn push_waiting(
    place: Place,
    recipient: u16,
    progress: &Progress,
    last: Option<&LastReply>,
    out: &mut Vec<u8>,
) {
    push_entry(WAITING, out, |out| {
        let begin = out.len();
        push_progress(place, recipient, progress, last.map_or(0, |_| SAID), out);
        if let Some(last) = last {
            out.push(last.stage as u8);
            out.extend_from_slice(&last.reply.code().number().to_le_bytes());
            out.extend_from_slice(&last.at.0.to_le_bytes());
            push_text(out, &last.host);
            push_text(out, last.reply.text());
        }
        let crc = crc32c(&out[begin..]);
        out.extend_from_slice(&crc.to_le_bytes());
    });
}

/// What an index says of a recipient that waits on, too.
pub(super) fn push_progress(
    place: Place,
    recipient: u16,
    progress: &Progress,
    flags: u8,
    out: &mut Vec<u8>,
) {
    push_place(place, out);
    out.extend_from_slice(&recipient.to_le_bytes());
    out.extend_from_slice(&progress.attempts.to_le_bytes());
    let notified = if progress.notified { NOTIFIED } else { 0 };
    let held = if progress.held.is_some() { HELD } else { 0 };
    out.push(flags | notified | held);
    out.extend_from_slice(&progress.due.0.to_le_bytes());
    out.extend_from_slice(&progress.expires.0.to_le_bytes());
    if let Some(held) = progress.held {
        out.extend_from_slice(&held.0.to_le_bytes());
    }
}

pub(crate) fn push_keyed(key: &str, value: Option<&[u8]>, out: &mut Vec<u8>) {
    push_entry(if value.is_some() { KEYED } else { REMOVED }, out, |out| {
        push_text(out, key);
        if let Some(value) = value {
            push_long(out, value);
        }
    });
}

/// A message, as it was read from another place.
pub(crate) fn push_moved(from: Place, octets: &[u8], out: &mut Vec<u8>) {
    push_entry(MOVED, out, |out| {
        push_place(from, out);
        out.extend_from_slice(octets);
    });
}

/// A message that was copied from a place is meant by another one, too: it was there before.
pub(crate) fn push_also(place: Place, from: Place, out: &mut Vec<u8>) {
    push_entry(ALSO, out, |out| {
        push_place(place, out);
        push_place(from, out);
    });
}

pub(crate) fn push_ended(segment: u32, bits: &[u8], out: &mut Vec<u8>) {
    push_entry(ENDED, out, |out| {
        out.extend_from_slice(&segment.to_le_bytes());
        push_long(out, bits);
    });
}

/// Writes an entry of a kind, its length in front.
pub(super) fn push_entry(kind: u8, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    out.extend_from_slice(&[kind, 0, 0, 0, 0]);
    body(out);
    let octets = (out.len() - begin - ENTRY_HEAD_OCTETS) as u32;
    out[begin + 1..begin + ENTRY_HEAD_OCTETS].copy_from_slice(&octets.to_le_bytes());
}

/// Reads the entries of a record, each with its offset and its octets. Gives nothing for one
/// that makes no sense, and then ends.
pub(crate) fn entries(octets: &[u8]) -> impl Iterator<Item = Option<(u32, u32, Entry<'_>)>> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let at = (octets.len() - rest.len()) as u32;
        let before = rest.len();
        let read = split_entry(&mut rest).and_then(|(kind, body)| entry(kind, body));
        let Some(entry) = read else {
            rest = &[];
            return Some(None);
        };
        Some(Some((at, (before - rest.len()) as u32, entry)))
    })
}

/// Takes the entry at the front: its kind and its body.
pub(super) fn split_entry<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let mut from = Octets(rest);
    let kind = from.u8()?;
    let body = from.long()?;
    *rest = from.0;
    Some((kind, body))
}

/// Reads the state that stands at the front, as far as it has been read from the disk: nothing
/// where it is damaged; how many octets it needs, where there are fewer.
pub(crate) fn read_waiting(octets: &[u8]) -> Result<Waiting<'_>, usize> {
    let mut from = Octets(octets);
    if from.u8() != Some(WAITING) {
        return Err(0);
    }
    let needs = ENTRY_HEAD_OCTETS + from.u32().ok_or(0usize)? as usize;
    let body = octets.get(ENTRY_HEAD_OCTETS..needs).ok_or(needs)?;
    waiting(body).ok_or(0)
}

fn entry(kind: u8, body: &[u8]) -> Option<Entry<'_>> {
    let mut from = Octets(body);
    Some(match kind {
        DONE => Entry::Done { place: place(&mut from)?, recipient: from.u16()? },
        WAITING => Entry::Waiting(waiting(body)?),
        KEYED => Entry::Keyed { key: from.text()?, value: Some(from.long()?) },
        REMOVED => Entry::Keyed { key: from.text()?, value: None },
        MESSAGE => message(None, body, ENTRY_HEAD_OCTETS)?,
        MOVED => message(Some(place(&mut from)?), from.0, ENTRY_HEAD_OCTETS + 8)?,
        ALSO => Entry::Also { place: place(&mut from)?, from: place(&mut from)? },
        ENDED => Entry::Ended { segment: from.u32()?, bits: from.long()? },
        kind if kind & MAY_PASS != 0 => Entry::Passed,
        kind => Entry::Later(kind),
    })
}

fn message(from: Option<Place>, body: &[u8], at: usize) -> Option<Entry<'_>> {
    let head = Head::read(body)?;
    let whole = head.octets_in_all()? as usize <= body.len();
    whole.then_some(Entry::Message { from, head, at: at as u32 })
}

fn waiting(body: &[u8]) -> Option<Waiting<'_>> {
    let (said, crc) = body.split_last_chunk()?;
    if u32::from_le_bytes(*crc) != crc32c(said) {
        return None;
    }
    let mut from = Octets(said);
    let (place, recipient, progress, flags) = progress(&mut from)?;
    let last = if flags & SAID == 0 {
        None
    } else {
        let stage = *Stage::ALL.get(usize::from(from.u8()?))?;
        let code = Code::new(from.u16()?)?;
        let at = Instant(from.u64()?);
        Some(Said { stage, code, at, host: from.text()?, text: from.text()? })
    };
    Some(Waiting { place, recipient, progress, last })
}

pub(super) fn progress(from: &mut Octets<'_>) -> Option<(Place, u16, Progress, u8)> {
    let (place, recipient) = (place(from)?, from.u16()?);
    let (attempts, flags) = (from.u16()?, from.u8()?);
    let (due, expires) = (Instant(from.u64()?), Instant(from.u64()?));
    let held = if flags & HELD == 0 { None } else { Some(Instant(from.u64()?)) };
    let notified = flags & NOTIFIED != 0;
    Some((place, recipient, Progress { attempts, due, expires, held, notified }, flags))
}

impl Waiting<'_> {
    /// The last reply, if there was one.
    pub(crate) fn last(&self) -> Option<LastReply> {
        self.last.map(|said| LastReply {
            stage: said.stage,
            reply: Reply::new(said.code, said.text),
            host: said.host.into(),
            at: said.at,
        })
    }
}

pub(super) fn push_place(place: Place, out: &mut Vec<u8>) {
    out.extend_from_slice(&place.segment.to_le_bytes());
    out.extend_from_slice(&place.ordinal.to_le_bytes());
}

pub(super) fn place(from: &mut Octets<'_>) -> Option<Place> {
    Some(Place { segment: from.u32()?, ordinal: from.u32()? })
}
