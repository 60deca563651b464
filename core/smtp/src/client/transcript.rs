//! What was said on both sides, within bounds, without secrets and bodies.

use std::fmt;
use std::sync::Arc;

use postlane_mail::Span;
use smallvec::SmallVec;

use super::decimal::Decimal;

/// A record of a dialogue: how the session was opened, and what was said about one message, or
/// between messages. Printed, it has a line for each line that was said, with the milliseconds
/// since the connection was made, `C:` for us and `S:` for the host.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    pub(super) opening: Arc<Record>,
    pub(super) rest: Record,
}

/// A part of a dialogue, written down as cheaply as can be: it is made for every message, and
/// read for few. Of what is too long, the beginning and the end are kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Entries: who, milliseconds (4 octets), octets (2 octets), and these.
    head: Vec<u8>,
    /// What came when `head` was full, up to [`PART_OCTETS_MAX`].
    tail: Vec<u8>,
    /// What came before that, of the same size.
    before_tail: Vec<u8>,
    /// Something between `head` and `before_tail` is gone.
    cut: bool,
}

/// Octets of each of a record's three parts.
const PART_OCTETS_MAX: usize = 4 * 1024;
const ENTRY_HEAD_OCTETS: usize = 7;
const CLIENT: u8 = b'C';
const SERVER: u8 = b'S';

impl Record {
    /// With room for what is usually said about a message.
    pub(super) fn of_message() -> Self {
        Self { head: Vec::with_capacity(448), ..Self::default() }
    }

    pub(super) fn ours(&mut self, at: Span, octets: &[u8]) {
        self.push(CLIENT, at, octets);
    }

    pub(super) fn theirs(&mut self, at: Span, octets: &[u8]) {
        self.push(SERVER, at, octets);
    }

    /// A message, which is not shown.
    pub(super) fn message(&mut self, at: Span, octets: u64) {
        let mut line: SmallVec<[u8; 40]> = SmallVec::new();
        line.push(b'[');
        line.extend_from_slice(Decimal::of(octets).as_str().as_bytes());
        line.extend_from_slice(b" octets]\r\n");
        self.push(CLIENT, at, &line);
    }

    fn push(&mut self, who: u8, at: Span, octets: &[u8]) {
        let mut rest = octets;
        if self.tail.is_empty() {
            let room = PART_OCTETS_MAX.saturating_sub(self.head.len() + ENTRY_HEAD_OCTETS);
            rest = entry(&mut self.head, who, at, octets, room);
        }
        if rest.is_empty() {
            return;
        }
        let room = PART_OCTETS_MAX - ENTRY_HEAD_OCTETS;
        if rest.len() > room {
            rest = &rest[rest.len() - room..];
            self.cut = true;
        }
        if self.tail.len() + ENTRY_HEAD_OCTETS + rest.len() > PART_OCTETS_MAX {
            self.cut |= !self.before_tail.is_empty();
            std::mem::swap(&mut self.before_tail, &mut self.tail);
            self.tail.clear();
        }
        entry(&mut self.tail, who, at, rest, rest.len());
    }

    fn entries(part: &[u8]) -> impl Iterator<Item = (u8, u32, &[u8])> {
        let mut rest = part;
        std::iter::from_fn(move || {
            let ([who, m0, m1, m2, m3, l0, l1], behind) = rest.split_first_chunk()?;
            let octets = usize::from(u16::from_le_bytes([*l0, *l1])).min(behind.len());
            let (octets, next) = behind.split_at(octets);
            rest = next;
            Some((*who, u32::from_le_bytes([*m0, *m1, *m2, *m3]), octets))
        })
    }

    fn print(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        for part in [&self.head, &self.before_tail, &self.tail] {
            for (who, ms, octets) in Self::entries(part) {
                out.entry(who, ms, octets)?;
            }
            if self.cut && std::ptr::eq(part, &self.head) {
                out.end_line()?;
                writeln!(out.to, "[…]")?;
            }
        }
        out.end_line()
    }
}

/// Writes as much of an entry as there is room for; what is left of its octets.
fn entry<'a>(part: &mut Vec<u8>, who: u8, at: Span, octets: &'a [u8], room: usize) -> &'a [u8] {
    let (kept, rest) = octets.split_at(octets.len().min(room));
    if kept.is_empty() {
        return rest;
    }
    part.push(who);
    let ms = u32::try_from(at.as_ms()).unwrap_or(u32::MAX);
    part.extend_from_slice(&ms.to_le_bytes());
    // No part is as long as 65,536 octets.
    part.extend_from_slice(&(kept.len() as u16).to_le_bytes());
    part.extend_from_slice(kept);
    rest
}

/// Puts lines together that were heard in pieces.
struct Printer<'f, 'a> {
    to: &'f mut fmt::Formatter<'a>,
    line: Vec<u8>,
    who: u8,
    ms: u32,
}

impl Printer<'_, '_> {
    fn entry(&mut self, who: u8, ms: u32, octets: &[u8]) -> fmt::Result {
        if who != self.who {
            self.end_line()?;
        }
        self.who = who;
        for piece in octets.split_inclusive(|b| *b == b'\n') {
            if self.line.is_empty() {
                self.ms = ms;
            }
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> fmt::Result {
        if self.line.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.line);
        let text: String = text.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        writeln!(self.to, "{} {}: {text}", self.ms, char::from(self.who))?;
        self.line.clear();
        Ok(())
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printer = Printer { to: f, line: Vec::new(), who: CLIENT, ms: 0 };
        self.opening.print(&mut printer)?;
        self.rest.print(&mut printer)
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.head.len() + self.before_tail.len() + self.tail.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(rest: Record) -> String {
        Transcript { opening: Arc::default(), rest }.to_string()
    }

    #[test]
    fn lines_are_printed_whole_however_they_were_heard() {
        let mut record = Record::default();
        record.ours(Span::from_ms(1), b"EHLO a\r\nMAIL\r\n");
        record.theirs(Span::from_ms(2), b"250-a\r\n250 ");
        record.theirs(Span::from_ms(30), b"b\x1b\r\n250 cut o");
        record.message(Span::from_ms(31), 4096);
        assert_eq!(
            printed(record),
            "1 C: EHLO a\n1 C: MAIL\n2 S: 250-a\n2 S: 250 b\n30 S: 250 cut o\n31 C: [4096 octets]\n"
        );
    }

    #[test]
    fn of_a_long_dialogue_the_beginning_and_the_end_are_kept() {
        let mut record = Record::default();
        record.ours(Span::ZERO, b"MAIL\r\n");
        for _ in 0..2000 {
            record.ours(Span::ZERO, b"RCPT\r\n");
            record.theirs(Span::ZERO, b"250 ok\r\n");
        }
        record.theirs(Span::ZERO, b"451 at last\r\n");
        let text = printed(record);
        assert!(text.len() < 15_000, "{}", text.len());
        assert!(text.starts_with("0 C: MAIL\n") && text.ends_with("0 S: 451 at last\n"), "{text}");
        assert_eq!(text.matches("[…]\n").count(), 1);

        let mut record = Record::default();
        let all = b"RCPT\r\n".repeat(5000);
        record.ours(Span::ZERO, &[&all, b"DATA\r\n".as_slice()].concat());
        let text = printed(record);
        assert!(text.len() < 15_000 && text.ends_with("C: DATA\n"), "{text}");
    }
}
