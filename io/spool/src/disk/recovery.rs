//! Coming back: what the segments say, and what must still happen.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::{Condvar, Mutex};
use postlane_mail::{Envelope, Place, Progress, QueueId};
use rustix::fs::{FlockOperation, flock};

use super::committer::{Committer, Tally, look_at_room, open_segment};
use super::files::{self, Files, segment_path};
use super::index::{self, Skim};
use super::{Disk, Mailbox, Settings, Shared};
use crate::format::{
    FILE_HEADER_OCTETS, FileHeader, HEADER_OCTETS, Header, Kind, decode_entries, decode_envelope,
    split_head,
};
use crate::replay;
use crate::store::{Commits, StoreError};
use crate::table::Table;

/// A spool that has been opened.
pub struct Opened {
    /// It takes mail.
    pub store: Arc<Disk>,
    /// What was in it.
    pub recovery: Recovery,
}

/// What was in a spool when it was opened.
pub struct Recovery {
    shared: Arc<Shared>,
    segments: Vec<(u32, Vec<u8>)>,
    /// Places that messages had before they were moved, in the log that was read.
    moved: HashMap<Place, Place>,
    /// What was found on the way.
    pub report: Report,
}

/// What was found on the way, each thing by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages that live.
    pub messages: u64,
    /// The largest queue id that was ever given; none in a new spool.
    pub last_id: Option<QueueId>,
    /// What was damaged, and what was done about it.
    pub findings: Vec<String>,
}

/// A message that must still be delivered to somebody.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// Its name.
    pub id: QueueId,
    /// Where it is kept.
    pub place: Place,
    /// Who it is from and for.
    pub envelope: Envelope,
    /// Its recipients that are not done, and how far each has come.
    pub recipients: Vec<(u16, Progress)>,
}

/// Why a spool cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another server has it.
    #[error(
        "the spool {dir} is in use by process {holder}; stop that server, or choose another --data directory"
    )]
    InUse {
        /// Where it is.
        dir: PathBuf,
        /// The other's process id, as it wrote it.
        holder: String,
    },
    /// It cannot be read or written.
    #[error("the spool {dir} cannot be used: {why}")]
    NotUsable {
        /// Where it is.
        dir: PathBuf,
        /// Why not.
        why: String,
    },
}

pub(super) fn open(
    dir: &Path,
    settings: Settings,
    commits: Box<dyn Commits>,
) -> Result<Opened, OpenError> {
    let unusable = |why: String| OpenError::NotUsable { dir: dir.to_owned(), why };
    fs::create_dir_all(dir).map_err(|e| unusable(e.to_string()))?;
    let lock = lock(dir)?;
    let numbers = files::segments(dir).map_err(|e| unusable(e.to_string()))?;
    let mut report = Report::default();
    let read = read_all(dir, &numbers, &mut report).map_err(|e| unusable(e.to_string()))?;
    let (mut table, mut open_files) = (Table::default(), Files::default());
    let mut seq = 0;
    let mut segments = Vec::with_capacity(read.len());
    for segment in read {
        replay_segment(&mut table, &segment);
        seq = seq.max(segment.seq);
        let room = table.segment(segment.number);
        room.octets = segment.size;
        room.sealed = true;
        open_files.add(segment.number, Arc::new(segment.file));
        segments.push((segment.number, segment.skim));
    }
    let moved = table.forget_moves();
    report.messages = table.messages();
    report.last_id = segments.iter().flat_map(|(_, skim)| ids(skim)).max();
    let next = numbers.last().map_or(1, |last| last + 1);
    let shared = Arc::new(Shared {
        dir: dir.to_owned(),
        settings,
        mailbox: Mutex::new(Mailbox::default()),
        arrived: Condvar::new(),
        table: Mutex::new(table),
        files: Mutex::new(open_files),
        backlog: 0.into(),
        full: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        free: 0.into(),
        tally: Tally::default(),
    });
    look_at_room(&shared);
    let open = open_segment(&shared, next).map_err(|e| unusable(e.to_string()))?;
    let mut clean = super::clean::Clean::default();
    numbers.iter().for_each(|number| clean.consider(*number));
    let committer = Committer {
        shared: shared.clone(),
        commits,
        open,
        seq,
        clean,
        unsynced: None,
        looked: None,
        upto: None,
    };
    let thread = std::thread::Builder::new().name("committer".to_owned());
    let running = thread.spawn(move || {
        committer.run();
        drop(lock);
    });
    let running = running.map_err(|e| unusable(e.to_string()))?;
    let store = Arc::new(Disk { shared: shared.clone(), committer: Mutex::new(Some(running)) });
    Ok(Opened { store, recovery: Recovery { shared, segments, moved, report } })
}

impl Recovery {
    /// Gives every message that lives, in batches, from several threads at once.
    pub fn drain(self, each: impl Fn(Vec<Recovered>) + Sync) {
        const AT_ONCE: usize = 1024;
        let progress = self.progress();
        let next = Mutex::new(self.segments.iter());
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let Some((number, skim)) = next.lock().next() else { return };
                        let mut batch = Vec::with_capacity(AT_ONCE);
                        for (ordinal, head) in (0..).zip(heads(skim)) {
                            let place = Place { segment: *number, ordinal };
                            batch.extend(self.recover(place, head, &progress));
                            if batch.len() >= AT_ONCE {
                                each(std::mem::replace(&mut batch, Vec::with_capacity(AT_ONCE)));
                            }
                        }
                        if !batch.is_empty() {
                            each(batch);
                        }
                    }
                });
            }
        });
    }

    fn recover(
        &self,
        place: Place,
        head: &[u8],
        progress: &BTreeMap<(Place, u16), Progress>,
    ) -> Option<Recovered> {
        // What was moved is given once, at its new place.
        if self.moved.contains_key(&place) {
            return None;
        }
        let living = self.shared.table.lock().living(place);
        if living.is_empty() {
            return None;
        }
        let parts = split_head(head)?;
        let envelope = decode_envelope(parts.envelope)?;
        let of = |index: u16| progress.get(&(place, index)).copied().unwrap_or_default();
        let recipients = living.into_iter().map(|(index, _)| (index, of(index))).collect();
        Some(Recovered { id: parts.id, place, envelope, recipients })
    }

    /// The last progress of each recipient that has any.
    fn progress(&self) -> BTreeMap<(Place, u16), Progress> {
        let resolve = |mut place: Place| {
            while let Some(next) = self.moved.get(&place) {
                place = *next;
            }
            place
        };
        let mut found = BTreeMap::new();
        for (_, skim) in &self.segments {
            for record in index::records(skim).filter(|r| r.kind == Kind::Changes) {
                for (_, entry) in decode_entries(record.head).unwrap_or_default() {
                    if let crate::format::Entry::Waiting { place, recipient, progress, .. } = entry
                    {
                        found.insert((resolve(place), recipient), progress);
                    }
                }
            }
        }
        found
    }
}

/// Takes the lock that a server holds while it lives.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let unusable = |e: io::Error| OpenError::NotUsable { dir: dir.to_owned(), why: e.to_string() };
    let path = dir.join("lock");
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = options.map_err(unusable)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut holder = String::new();
        // Who holds it has written its number there; if it cannot be read, there is none to say.
        let _ = file.read_to_string(&mut holder);
        return Err(OpenError::InUse { dir: dir.to_owned(), holder: holder.trim().to_owned() });
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(unusable)?;
    Ok(file)
}

/// One segment, read.
struct Read {
    number: u32,
    file: File,
    size: u64,
    seq: u64,
    skim: Vec<u8>,
}

/// Reads all segments, several at once.
fn read_all(dir: &Path, numbers: &[u32], report: &mut Report) -> io::Result<Vec<Read>> {
    let next = Mutex::new(numbers.iter());
    let read = Mutex::new(Vec::new());
    let findings = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    let last = numbers.last().copied();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(number) = next.lock().next().copied() else { return };
                    let (segment, found) = match read_one(dir, number, Some(number) == last) {
                        Ok((segment, found)) => (Ok(segment), found),
                        Err(e) => (Err(e), Vec::new()),
                    };
                    read.lock().push(segment);
                    findings.lock().extend(found);
                }
            });
        }
    });
    let mut segments: Vec<Read> = read
        .into_inner()
        .into_iter()
        .collect::<io::Result<Vec<Option<Read>>>>()?
        .into_iter()
        .flatten()
        .collect();
    segments.sort_by_key(|segment| segment.number);
    report.findings = findings.into_inner();
    report.findings.sort();
    Ok(segments)
}

fn read_one(dir: &Path, number: u32, last: bool) -> io::Result<(Option<Read>, Vec<String>)> {
    let path = segment_path(dir, number);
    let file = OpenOptions::new().read(true).append(true).open(&path)?;
    let size = file.metadata()?.len();
    let mut start = [0; FILE_HEADER_OCTETS];
    let whole = files::read_up_to(&file, 0, FILE_HEADER_OCTETS).unwrap_or_default();
    start[..whole.len()].copy_from_slice(&whole);
    let Some(header) = FileHeader::decode(&start).filter(|header| header.segment == number) else {
        return Ok((None, headless(dir, number, size, last)?));
    };
    if let Some(skim) = index::read(dir, number, header.epoch, size) {
        // The index does not say the last sequence number; each record is worth one.
        let seq = index::records(&skim).count() as u64;
        return Ok((Some(Read { number, file, size, seq, skim }), Vec::new()));
    }
    let octets = fs::read(&path)?;
    let scanned = scan(number, header.epoch, &octets);
    let mut findings = scanned.findings;
    for (begin, end, what) in &scanned.damaged {
        let name = format!("{number:08}-{begin:010}.bad");
        quarantine(dir, &name, &octets[*begin..*end])?;
        findings
            .push(format!("segment {number}: {what} at octet {begin}: kept as quarantine/{name}"));
    }
    if scanned.end < octets.len() {
        let torn = octets.len() - scanned.end;
        findings.push(format!(
            "segment {number}: {torn} octets of a torn write cut off at octet {}",
            scanned.end
        ));
        file.set_len(scanned.end as u64)?;
        file.sync_all()?;
    }
    let size = scanned.end as u64;
    index::write(dir, number, header.epoch, size, &scanned.skim)?;
    Ok((Some(Read { number, file, size, seq: scanned.seq, skim: scanned.skim }), findings))
}

/// A file without a header: the last one may have been begun and not written.
fn headless(dir: &Path, number: u32, size: u64, last: bool) -> io::Result<Vec<String>> {
    let path = segment_path(dir, number);
    if last && size <= FILE_HEADER_OCTETS as u64 {
        files::remove(dir, number)?;
        return Ok(vec![format!("segment {number}: begun and not written; removed")]);
    }
    let name = format!("{number:08}.seg");
    let kept = dir.join("quarantine");
    fs::create_dir_all(&kept)?;
    fs::rename(path, kept.join(&name))?;
    files::sync_dir(dir)?;
    Ok(vec![format!("segment {number}: no header of this version; kept as quarantine/{name}")])
}

fn quarantine(dir: &Path, name: &str, octets: &[u8]) -> io::Result<()> {
    let kept = dir.join("quarantine");
    fs::create_dir_all(&kept)?;
    fs::write(kept.join(name), octets)
}

/// What a scan of a segment found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) skim: Vec<u8>,
    pub(super) seq: u64,
    /// One past the last whole record.
    pub(super) end: usize,
    /// From, to, and what is wrong.
    pub(super) damaged: Vec<(usize, usize, String)>,
    pub(super) findings: Vec<String>,
}

/// Reads a segment record by record. Behind what is damaged it goes on at the next header that
/// agrees with its checksum; damage with nothing whole behind it is a torn write.
pub(super) fn scan(number: u32, epoch: u32, octets: &[u8]) -> Scanned {
    let mut found = Scanned { end: FILE_HEADER_OCTETS.min(octets.len()), ..Scanned::default() };
    let mut skim = Skim::default();
    let mut at = found.end;
    while at < octets.len() {
        match record_at(octets, at, epoch) {
            Some((header, body)) if sound(&header, body) => {
                // Whatever was passed over has something whole behind it: it is no torn write.
                if at > found.end {
                    found.damaged.push((found.end, at, damaged_what(octets, found.end)));
                }
                skim.push(header.kind, (at + HEADER_OCTETS) as u32, body);
                found.seq = found.seq.max(header.seq);
                at += HEADER_OCTETS + body.len();
                found.end = at;
            }
            Some((_, body)) => at += HEADER_OCTETS + body.len(),
            None => at = next_header(octets, at + 1, epoch),
        }
    }
    debug_assert!(number > 0);
    found.skim = skim.into_octets();
    found
}

fn record_at(octets: &[u8], at: usize, epoch: u32) -> Option<(Header, &[u8])> {
    let header = Header::decode(&octets[at..]).filter(|header| header.epoch == epoch)?;
    let begin = at + HEADER_OCTETS;
    let body = octets.get(begin..begin.checked_add(header.octets as usize)?)?;
    Some((header, body))
}

/// Whether a record agrees with its checksum and makes sense.
fn sound(header: &Header, body: &[u8]) -> bool {
    crc32c::crc32c(body) == header.body_crc
        && match header.kind {
            Kind::Message => super::committer::message_octets(body).is_some(),
            Kind::Changes => decode_entries(body).is_some(),
        }
}

fn next_header(octets: &[u8], mut at: usize, epoch: u32) -> usize {
    let magic = 0x52_4c_50_b7_u32.to_le_bytes();
    while let Some(found) = octets.get(at..).and_then(|rest| find(rest, &magic)) {
        at += found;
        if Header::decode(&octets[at..]).is_some_and(|header| header.epoch == epoch) {
            return at;
        }
        at += 1;
    }
    octets.len()
}

fn find(haystack: &[u8], needle: &[u8; 4]) -> Option<usize> {
    haystack.windows(4).position(|window| window == needle)
}

/// What a damaged record was, as far as it can be told.
fn damaged_what(octets: &[u8], at: usize) -> String {
    let body = octets.get(at + HEADER_OCTETS..).unwrap_or_default();
    match Header::decode(&octets[at..]).map(|header| header.kind) {
        Some(Kind::Message) => match split_head(body) {
            Some(parts) => format!("damaged message {}", parts.id),
            None => "damaged message".to_owned(),
        },
        Some(Kind::Changes) => "damaged record of changes".to_owned(),
        None => "damaged record".to_owned(),
    }
}

fn replay_segment(table: &mut Table, segment: &Read) {
    table.segment(segment.number);
    for record in index::records(&segment.skim) {
        // What makes no sense was left out when the index was made.
        match record.kind {
            Kind::Message => {
                let (number, head) = (segment.number, record.head);
                let _ = replay::message(table, number, record.offset, head, record.octets);
            }
            Kind::Changes => {
                drop(replay::changes(table, segment.number, record.offset, record.head));
            }
        }
    }
}

/// The heads of all messages of a segment, in the order of their ordinals.
fn heads(skim: &[u8]) -> impl Iterator<Item = &[u8]> {
    index::records(skim).flat_map(|record| match record.kind {
        Kind::Message => vec![record.head],
        Kind::Changes => {
            let entries = decode_entries(record.head).unwrap_or_default();
            let message = |entry| match entry {
                crate::format::Entry::Message { octets }
                | crate::format::Entry::Moved { octets, .. } => Some(octets),
                _ => None,
            };
            entries.into_iter().filter_map(|(_, entry)| message(entry)).collect()
        }
    })
}

fn ids(skim: &[u8]) -> impl Iterator<Item = QueueId> {
    heads(skim).filter_map(|head| split_head(head).map(|parts| parts.id))
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        Self::Io(error.to_string())
    }
}
