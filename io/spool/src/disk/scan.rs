//! Reading a segment record by record: after a crash, or when its index is missing.

use crc32c::crc32c;
use postlane_mail::QueueId;

use crate::finding::Wrong;
use crate::format::{
    HEADER_OCTETS, Head, Header, Kind, MAGIC, SEGMENT_HEADER_OCTETS, SegmentHeader, Start, Told,
    Untold, push_told, read_message, tell,
};

/// What a segment holds.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    pub(crate) epoch: u32,
    /// Whether the segment's header agrees with its checksum.
    pub(crate) has_header: bool,
    /// What its records tell, as an index has it.
    pub(crate) told: Vec<u8>,
    pub(crate) records: u64,
    pub(crate) seq: u64,
    pub(crate) messages: u32,
    pub(crate) last_id: Option<QueueId>,
    /// One past the last whole record.
    pub(crate) end: usize,
    /// What is damaged before that.
    pub(crate) damaged: Vec<Damaged>,
    /// What is behind it, if anything.
    pub(crate) tail: Option<Damaged>,
}

/// Octets that cannot be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Damaged {
    pub(crate) begin: usize,
    pub(crate) end: usize,
    pub(crate) wrong: Wrong,
}

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unscanned {
    /// It is no segment of this number, or not one record of it can be found.
    NoSegment,
    /// It is of a later version, or holds something of one that must not be passed over.
    Later,
}

/// Reads a segment. Behind what is damaged it goes on at the next header that agrees with its
/// checksum; damage with nothing whole behind it is the tail.
pub(crate) fn scan(segment: u32, octets: &[u8]) -> Result<Scanned, Unscanned> {
    // Offsets have four octets; a segment is closed long before.
    let octets = octets.get(..u32::MAX as usize).unwrap_or(octets);
    let mut found = begin(segment, octets)?;
    let (mut at, mut passed) = (found.end, Vec::new());
    while at < octets.len() {
        let record = record_at(octets, at, found.epoch);
        let next = match &record {
            Some((_, body)) => at + HEADER_OCTETS + body.len(),
            None => next_header(octets, at + 1, Some(found.epoch)).unwrap_or(octets.len()),
        };
        match record.map(|(header, body)| found.take(at, &header, body)) {
            Some(Ok(())) => {
                // What was passed over has something whole behind it: it is no torn write.
                found.damaged.append(&mut passed);
                found.end = next;
            }
            Some(Err(Untold::Later(_))) => return Err(Unscanned::Later),
            Some(Err(Untold::Nonsense)) | None => {
                passed.push(Damaged { begin: at, end: next, wrong: what(octets, at) });
            }
        }
        at = next;
    }
    found.tail = passed.first().map(|first| Damaged { end: octets.len(), ..*first });
    Ok(found)
}

fn begin(segment: u32, octets: &[u8]) -> Result<Scanned, Unscanned> {
    let end = SEGMENT_HEADER_OCTETS.min(octets.len());
    match SegmentHeader::decode(octets) {
        Start::Sound(header) if header.segment == segment => {
            let SegmentHeader { epoch, last_id, .. } = header;
            Ok(Scanned { epoch, has_header: true, last_id, end, ..Scanned::default() })
        }
        Start::Sound(_) => Err(Unscanned::NoSegment),
        Start::Later(_) => Err(Unscanned::Later),
        Start::Damaged => {
            let first = next_header(octets, end, None).ok_or(Unscanned::NoSegment)?;
            let header = Header::decode(&octets[first..]).ok_or(Unscanned::NoSegment)?;
            Ok(Scanned { epoch: header.epoch, end, ..Scanned::default() })
        }
    }
}

impl Scanned {
    /// Takes what a record tells, if it agrees with its checksums and makes sense.
    fn take(&mut self, at: usize, header: &Header, body: &[u8]) -> Result<(), Untold> {
        let checked = body.get(..header.checked as usize).ok_or(Untold::Nonsense)?;
        // A record has more octets than its header: a larger number is not believed, since
        // room is made for each message before it.
        let is_numbered =
            header.ordinal >= self.messages && header.ordinal as usize <= at / HEADER_OCTETS;
        if crc32c(checked) != header.check || !is_numbered {
            return Err(Untold::Nonsense);
        }
        if header.kind == Kind::Message {
            let (head, message) = read_message(body).ok_or(Untold::Nonsense)?;
            if head.octets.len() + message.len() != body.len() {
                return Err(Untold::Nonsense);
            }
        }
        let (before, mut last_id) = (self.told.len(), self.last_id);
        let offset = (at + HEADER_OCTETS) as u32;
        let told = tell(header.kind, header.ordinal, offset, body, |told| {
            if let Told::Message { head, .. } = &told {
                last_id = last_id.max(Some(head.id));
            }
            push_told(&told, &mut self.told);
        });
        let messages = told.inspect_err(|_| self.told.truncate(before))?;
        self.last_id = last_id;
        self.messages = header.ordinal.saturating_add(messages);
        self.seq = self.seq.max(header.seq);
        self.records += 1;
        Ok(())
    }
}

fn record_at(octets: &[u8], at: usize, epoch: u32) -> Option<(Header, &[u8])> {
    let header = Header::decode(octets.get(at..)?).filter(|header| header.epoch == epoch)?;
    let begin = at + HEADER_OCTETS;
    let body = octets.get(begin..begin.checked_add(header.octets as usize)?)?;
    Some((header, body))
}

/// Where the next header is that agrees with its checksum.
fn next_header(octets: &[u8], mut at: usize, epoch: Option<u32>) -> Option<usize> {
    loop {
        at += octets.get(at..)?.windows(MAGIC.len()).position(|window| window == MAGIC)?;
        let header = Header::decode(&octets[at..]);
        if header.is_some_and(|header| epoch.is_none_or(|epoch| header.epoch == epoch)) {
            return Some(at);
        }
        at += 1;
    }
}

/// What a damaged record was, as far as it can be told.
fn what(octets: &[u8], at: usize) -> Wrong {
    let head = octets.get(at + HEADER_OCTETS..).and_then(Head::read);
    match (Header::decode(&octets[at..]).map(|header| header.kind), head) {
        (Some(Kind::Message) | None, Some(head)) => Wrong::Message(Some(head.id)),
        (Some(Kind::Message), None) => Wrong::Message(None),
        (Some(_), _) => Wrong::Changes,
        (None, None) => Wrong::Unreadable,
    }
}
