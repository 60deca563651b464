//! What a relay adds to a message and takes from it when it accepts it.
//!
//! A `Received` field goes on top; `Date` and `Message-ID` go to the end of the header section
//! if they are missing; blind copies, our own `X-Postlane-…` fields and listed fields go out.
//! Everything else stays as it came, octet for octet and in its order: the message is never
//! parsed and written anew, it is cut and joined. Nothing of it is even copied: [`Prepared`] is
//! a list of pieces that the spool's record is put together from.

mod edits;
mod facts;
mod lines;

use std::ops::Range;

use smallvec::SmallVec;

pub use edits::{ClientTrace, Edits, HeaderLimits, HeaderRefused, InnerReceived};
pub use facts::{Facts, Finding};
pub use lines::Lines;

use self::facts::{Fate, Section};
use crate::date::MailDate;
use crate::header::{Fields, SectionEnd};
use crate::received::{Arrival, Client, printed, write_received};

/// A message as it will be kept and sent: pieces of what came, with ours between them.
#[derive(Debug, Clone)]
pub struct Prepared<'a> {
    message: &'a [u8],
    added: Vec<u8>,
    pieces: SmallVec<[Piece; 8]>,
    octets: usize,
    /// What was seen on the way.
    pub facts: Facts,
}

#[derive(Debug, Clone)]
enum Piece {
    /// A part of what we wrote.
    Added(Range<usize>),
    /// A part of what came.
    Kept(Range<usize>),
}

/// Finds what must be added and taken away, without copying the message.
///
/// Takes any octets. A body that begins without an empty line before it gets one, or our
/// fields would swallow its first line; a header that breaks off in the middle of a line gets
/// its CRLF. A `Date` or `Message-ID` that is on the list of what to remove is put anew.
pub fn prepare<'a>(
    message: &'a [u8],
    edits: &Edits,
    arrival: &Arrival<'_>,
) -> Result<Prepared<'a>, HeaderRefused> {
    let mut arrival = *arrival;
    if edits.client == ClientTrace::Hidden {
        arrival.client = Client::Hidden;
    }
    let mut prepared = Prepared::new(message);
    prepared.add(|out| write_received(out, &edits.our_name, &arrival));

    let mut section = Section::new(edits);
    let mut fields = Fields::new(message);
    let mut kept = 0..0;
    for field in fields.by_ref() {
        match section.see(&field)? {
            Fate::Keep => kept.end = field.range.end,
            Fate::Remove => {
                prepared.keep(kept, &mut section.facts.header);
                kept = field.range.end..field.range.end;
            }
        }
    }
    let hops = section.facts.received;
    if hops > edits.limits.hops_max {
        return Err(HeaderRefused::Loop { hops });
    }
    prepared.keep(kept, &mut section.facts.header);
    prepared.complete(section, edits, &arrival);
    prepared.close(&fields);
    Ok(prepared)
}

impl<'a> Prepared<'a> {
    fn new(message: &'a [u8]) -> Self {
        let (added, pieces) = (Vec::with_capacity(512), SmallVec::new());
        Self { message, added, pieces, octets: 0, facts: Facts::default() }
    }

    /// The pieces in order; joined they are the message.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Added(range) => self.added.get(range.clone()).unwrap_or_default(),
            Piece::Kept(range) => self.message.get(range.clone()).unwrap_or_default(),
        })
    }

    /// Octets of the message.
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// Puts the message together at the end of `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.octets);
        for piece in self.pieces() {
            out.extend_from_slice(piece);
        }
    }

    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.added.len();
        write(&mut self.added);
        self.push(Piece::Added(start..self.added.len()), self.added.len() - start);
    }

    /// Keeps a part that begins at the start of a line, and looks at its lines.
    fn keep(&mut self, range: Range<usize>, lines: &mut Lines) {
        *lines = lines.and(Lines::of(self.message.get(range.clone()).unwrap_or_default()));
        let octets = range.len();
        self.push(Piece::Kept(range), octets);
    }

    fn push(&mut self, piece: Piece, octets: usize) {
        if octets > 0 {
            self.pieces.push(piece);
            self.octets += octets;
        }
    }

    /// Ends the header section with what it lacks.
    fn complete(&mut self, section: Section<'_>, edits: &Edits, arrival: &Arrival<'_>) {
        let Section { has_date, has_message_id, facts, .. } = section;
        self.facts = facts;
        let broken = self.pieces().last().is_some_and(|piece| !piece.ends_with(b"\r\n"));
        if broken {
            self.facts.findings.push(Finding::BrokenLine);
            self.add(|out| out.extend_from_slice(b"\r\n"));
        }
        if !has_date {
            self.add(|out| {
                out.extend_from_slice(b"Date: ");
                out.extend_from_slice(MailDate::of(arrival.at).as_str().as_bytes());
                out.extend_from_slice(b"\r\n");
            });
        }
        if !has_message_id {
            let id = new_message_id(edits, arrival);
            self.add(|out| {
                out.extend_from_slice(b"Message-ID: ");
                out.extend_from_slice(id.as_bytes());
                out.extend_from_slice(b"\r\n");
            });
            self.facts.message_id = Some(id);
        }
        if let Some(recipient) = arrival.recipient {
            // `for` repeats it in our own field.
            self.facts.header.eight_bit |= recipient.needs_smtputf8();
        }
        self.facts.header_octets = self.octets;
    }

    /// The body, and the empty line before it.
    fn close(&mut self, fields: &Fields<'_>) {
        if fields.end() == SectionEnd::NoField {
            self.facts.findings.push(Finding::NoEmptyLine);
            self.add(|out| out.extend_from_slice(b"\r\n"));
        }
        let body = self.message.get(fields.body()..).unwrap_or_default();
        self.facts.body = Lines::of(body);
        let rest = fields.at()..self.message.len();
        let octets = rest.len();
        self.push(Piece::Kept(rest), octets);
    }
}

/// A message id of ours: the queue id, which is given once, at our name (RFC 5322 §3.6.4).
fn new_message_id(edits: &Edits, arrival: &Arrival<'_>) -> Box<str> {
    let mut room = [0; 16];
    let id = std::str::from_utf8(printed(arrival.id, &mut room)).unwrap_or_default();
    format!("<{id}@{}>", edits.our_name).into()
}

#[cfg(test)]
mod tests;
