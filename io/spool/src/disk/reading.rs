//! Reading all segments at a start, several at once: from their indexes, or record by record.

use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_mail::{Progress, QueueId};

use super::OpenError;
use super::chores::write_index;
use super::files::{self, index_name, quarantine_name, segment_name};
use super::scan::{Scanned, Unscanned, scan};
use super::volume::{Log, Volume, is_no_room};
use super::whole::Whole;
use crate::finding::{Finding, Wrong};
use crate::format::{
    INDEX_HEADER_OCTETS, IndexHeader, SEGMENT_HEADER_OCTETS, SegmentHeader, Start, Told, told_at,
};

/// What the segments are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To go on with them: what is torn is cut, what is damaged put aside, what has no index
    /// gets one.
    Open,
    /// To look: nothing is written.
    Look,
    /// To verify: nothing is written, and no index is believed.
    Check,
}

/// Why the segments are not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The disk did not do what it was asked.
    Disk(io::Error),
    /// A later version wrote this segment.
    Later(u32),
}

impl Unread {
    /// Why the spool in this directory cannot be opened.
    pub(super) fn told(&self, dir: &Path) -> OpenError {
        match self {
            Self::Disk(why) => OpenError::not_usable(dir, why),
            Self::Later(segment) => OpenError::Later { dir: dir.to_owned(), segment: *segment },
        }
    }
}

/// A segment that has been read.
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) file: Arc<dyn Log>,
    pub(super) octets: u64,
    pub(super) seq: u64,
    pub(super) messages: u32,
    pub(super) last_id: Option<QueueId>,
    pub(super) story: Story,
    /// Messages that its index leaves out, if that was asked for: they must be done.
    pub(super) unindexed: Vec<u32>,
}

/// All that a segment tells, and the ways to find it.
#[derive(Debug, Default)]
pub(crate) struct Story {
    told: Whole,
    /// Where in it the first thing is told.
    begin: usize,
    /// Where messages are told.
    heads: Vec<u32>,
    /// Offsets of states in the segment, growing, and where they are told.
    states: Vec<(u32, u32)>,
}

impl Story {
    /// What an index has told, from there on, of a segment with so many messages, if all of it
    /// makes sense.
    pub(crate) fn of(told: Whole, begin: usize, messages: u32) -> Option<Self> {
        let (mut heads, mut states) = (Vec::new(), Vec::new());
        let mut at = begin;
        while at < told.len() {
            let (here, next) = told_at(&told, at)?;
            match here {
                Told::Message { ordinal, .. } if ordinal >= messages => return None,
                Told::Message { .. } => heads.push(at as u32),
                Told::Waiting { offset, .. } => states.push((offset, at as u32)),
                _ => {}
            }
            at = next;
        }
        states.is_sorted().then_some(Self { told, begin, heads, states })
    }

    /// All of it, in its order.
    pub(crate) fn each(&self) -> impl Iterator<Item = Told<'_>> {
        let mut at = self.begin;
        std::iter::from_fn(move || {
            let (told, next) = told_at(&self.told, at)?;
            at = next;
            Some(told)
        })
    }

    /// How many messages it tells of.
    pub(crate) fn heads(&self) -> usize {
        self.heads.len()
    }

    /// The message that is told as the `nth`.
    pub(crate) fn head(&self, nth: usize) -> Option<Told<'_>> {
        told_at(&self.told, *self.heads.get(nth)? as usize).map(|(told, _)| told)
    }

    /// How far a recipient has come, by the offset of its state in the segment.
    pub(crate) fn progress(&self, offset: u32) -> Option<Progress> {
        let found = self.states.binary_search_by_key(&offset, |(offset, _)| *offset).ok()?;
        match told_at(&self.told, self.states[found].1 as usize)?.0 {
            Told::Waiting { progress, .. } => Some(progress),
            _ => None,
        }
    }
}

/// Reads all segments, several at once.
pub(super) fn read_all(
    volume: &dyn Volume,
    purpose: Purpose,
    each: &(dyn Fn(u32, u32) + Sync),
) -> Result<(Vec<Segment>, Vec<Finding>), Unread> {
    let numbers = files::segments(volume).map_err(Unread::Disk)?;
    let last = numbers.last().copied();
    let next = Mutex::new(numbers.iter());
    let read = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(numbers.len()) {
            scope.spawn(|| {
                loop {
                    let Some(number) = next.lock().next().copied() else { return };
                    let is_last = Some(number) == last;
                    let one = Reading { volume, purpose, number, is_last, findings: Vec::new() };
                    let segment = one.read();
                    let mut read = read.lock();
                    read.push(segment);
                    each(read.len() as u32, numbers.len() as u32);
                }
            });
        }
    });
    let (mut segments, mut findings) = (Vec::new(), Vec::new());
    for one in read.into_inner() {
        let (segment, found) = one?;
        segments.extend(segment);
        findings.extend(found);
    }
    segments.sort_by_key(|segment| segment.number);
    findings.sort();
    Ok((segments, findings))
}

/// The reading of one segment.
struct Reading<'a> {
    volume: &'a dyn Volume,
    purpose: Purpose,
    number: u32,
    /// Only the last one was written to when the program ended.
    is_last: bool,
    findings: Vec<Finding>,
}

impl Reading<'_> {
    fn read(mut self) -> Result<(Option<Segment>, Vec<Finding>), Unread> {
        let file = self.volume.open(&segment_name(self.number)).map_err(Unread::Disk)?;
        let octets = file.octets().map_err(Unread::Disk)?;
        let mut begin = [0; SEGMENT_HEADER_OCTETS];
        let header = if octets < begin.len() as u64 {
            Start::Damaged
        } else {
            file.read_at(&mut begin, 0).map_err(Unread::Disk)?;
            SegmentHeader::decode(&begin)
        };
        let number = self.number;
        match header {
            Start::Later(_) => return Err(Unread::Later(number)),
            Start::Sound(header) if header.segment == number && self.purpose != Purpose::Check => {
                if let Some((index, story)) = self.index(header.epoch, octets) {
                    let IndexHeader { seq, messages, .. } = index;
                    let last_id = index.last_id.max(header.last_id);
                    let unindexed = Vec::new();
                    let segment =
                        Segment { number, file, octets, seq, messages, last_id, story, unindexed };
                    return Ok((Some(segment), self.findings));
                }
            }
            _ => {}
        }
        let segment = self.scan(file)?;
        Ok((segment, self.findings))
    }

    /// The segment's index, if there is one for a segment of this epoch and size.
    fn index(&mut self, epoch: u32, octets: u64) -> Option<(IndexHeader, Story)> {
        let whole = match self.volume.read(&index_name(self.number)) {
            Ok(whole) => whole,
            // The segment that was written to has none yet, and of the one before it may still
            // have been in the making.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
            Err(_) => {
                self.find_at(0, 0, Wrong::Index, None);
                return None;
            }
        };
        let found = IndexHeader::decode(&whole).map(|(header, _)| header).filter(|header| {
            header.segment == self.number
                && header.epoch == epoch
                && header.segment_octets == octets
        });
        let found = found.and_then(|header| {
            Some((header, Story::of(whole, INDEX_HEADER_OCTETS, header.messages)?))
        });
        if found.is_none() {
            self.find_at(0, 0, Wrong::Index, None);
        }
        found
    }

    fn scan(&mut self, file: Arc<dyn Log>) -> Result<Option<Segment>, Unread> {
        let octets = self.volume.read(&segment_name(self.number)).map_err(Unread::Disk)?;
        let mut scanned = match scan(self.number, &octets) {
            Ok(scanned) => scanned,
            Err(Unscanned::Later) => return Err(Unread::Later(self.number)),
            Err(Unscanned::NoSegment) => {
                self.put_aside(&octets).map_err(Unread::Disk)?;
                return Ok(None);
            }
        };
        if !scanned.has_header {
            self.find_at(0, SEGMENT_HEADER_OCTETS, Wrong::Header, None);
        }
        self.mend(&*file, &mut scanned, &octets).map_err(Unread::Disk)?;
        let unindexed = if self.purpose == Purpose::Check {
            self.compare(&scanned, octets.len())
        } else {
            Vec::new()
        };
        let Scanned { seq, messages, last_id, epoch, end, .. } = scanned;
        let segment_octets = end as u64;
        if self.purpose == Purpose::Open && scanned.has_header {
            let segment = self.number;
            let header = IndexHeader { segment, epoch, segment_octets, messages, seq, last_id };
            match write_index(self.volume, &header, &scanned.told) {
                // A full disk costs the next start a moment, and holds up no mail.
                Err(e) if is_no_room(&e) => {
                    let new = format!("{}.new", index_name(self.number));
                    self.volume.remove(&new).map_err(Unread::Disk)?;
                }
                written => written.map_err(Unread::Disk)?,
            }
        }
        let story = Story::of(scanned.told.into(), 0, messages).expect("it has just been told");
        let (number, octets) = (self.number, segment_octets);
        Ok(Some(Segment { number, file, octets, seq, messages, last_id, story, unindexed }))
    }

    /// Compares the segment's index, if there is one, with the segment. Gives the messages that
    /// the index leaves out.
    fn compare(&mut self, scanned: &Scanned, octets: usize) -> Vec<u32> {
        let is_hurt = self.findings.iter().any(|finding| finding.segment == self.number);
        let whole = match self.volume.read(&index_name(self.number)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Vec::new(),
            whole => whole.unwrap_or_default(),
        };
        let agrees = |(index, told): (IndexHeader, &[u8])| {
            let is_of_it = index.segment == self.number
                && index.epoch == scanned.epoch
                && index.segment_octets == octets as u64;
            match left_out(&scanned.told, told) {
                // An index may know more than can still be read of the segment.
                None if is_hurt && is_of_it => Some(Vec::new()),
                left_out if is_of_it => left_out,
                _ => None,
            }
        };
        let unindexed = IndexHeader::decode(&whole).and_then(agrees);
        if unindexed.is_none() {
            self.find_at(0, 0, Wrong::Index, None);
        }
        unindexed.unwrap_or_default()
    }

    /// Cuts what is torn and puts aside what is damaged.
    fn mend(&mut self, file: &dyn Log, scanned: &mut Scanned, octets: &[u8]) -> io::Result<()> {
        let mut damaged = std::mem::take(&mut scanned.damaged);
        if let Some(tail) = scanned.tail {
            if self.is_last && !self.is_closed(scanned.epoch, octets.len()) {
                self.find_at(tail.begin, tail.end - tail.begin, Wrong::Torn, None);
                if self.purpose == Purpose::Open {
                    file.cut(scanned.end as u64)?;
                    file.sync()?;
                }
            } else {
                // It was closed and synced before the next was begun: this is no torn write.
                damaged.push(tail);
                scanned.end = octets.len();
            }
        }
        for hurt in damaged {
            let name = quarantine_name(self.number, hurt.begin as u64);
            let whole = octets.get(hurt.begin..hurt.end).unwrap_or_default();
            if self.purpose == Purpose::Open {
                self.volume.write(&name, &[whole])?;
                self.volume.sync_names()?;
            }
            let kept = (self.purpose == Purpose::Open).then(|| name.into());
            self.find_at(hurt.begin, whole.len(), hurt.wrong, kept);
        }
        Ok(())
    }

    /// Whether the segment has an index: then it was closed and synced with this size.
    fn is_closed(&self, epoch: u32, octets: usize) -> bool {
        let whole = self.volume.read(&index_name(self.number)).unwrap_or_default();
        IndexHeader::decode(&whole).is_some_and(|(header, _)| {
            header.segment == self.number
                && header.epoch == epoch
                && header.segment_octets == octets as u64
        })
    }

    /// A file without one record: the last one may have been begun and not written.
    fn put_aside(&mut self, octets: &[u8]) -> io::Result<()> {
        let name = segment_name(self.number);
        // Nothing but the header is written before it, and a file may be longer than what the
        // disk has got of it.
        let behind = octets.get(SEGMENT_HEADER_OCTETS..).unwrap_or_default();
        let begun = self.is_last && behind.iter().all(|octet| *octet == 0);
        let kept = format!("quarantine/{name}");
        if self.purpose == Purpose::Open {
            if begun {
                self.volume.remove(&name)?;
            } else {
                self.volume.rename(&name, &kept)?;
            }
            self.volume.sync_names()?;
        }
        let wrong = if begun { Wrong::Begun } else { Wrong::NoSegment };
        let kept = (self.purpose == Purpose::Open && !begun).then(|| kept.into());
        self.find_at(0, octets.len(), wrong, kept);
        Ok(())
    }

    fn find_at(&mut self, offset: usize, octets: usize, wrong: Wrong, kept: Option<Box<str>>) {
        let (segment, offset, octets) = (self.number, offset as u64, octets as u64);
        self.findings.push(Finding { segment, offset, octets, wrong, kept });
    }
}

/// The messages that an index leaves out of what its segment tells; nothing where it disagrees.
fn left_out(segment: &[u8], index: &[u8]) -> Option<Vec<u32>> {
    let (mut at, mut beside, mut left_out) = (0, 0, Vec::new());
    while at < segment.len() {
        let (told, next) = told_at(segment, at)?;
        let here = segment.get(at..next)?;
        if index.get(beside..).is_some_and(|rest| rest.starts_with(here)) {
            beside += here.len();
        } else if let Told::Message { ordinal, from: None, .. } = told {
            left_out.push(ordinal);
        } else {
            return None;
        }
        at = next;
    }
    (beside == index.len()).then_some(left_out)
}
