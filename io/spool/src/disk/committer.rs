//! The committer: takes all that waits, writes it in one go, syncs once, and says so.

use std::fs::File;
use std::io::{self, IoSlice, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::index::Skim;
use super::{Request, Shared, clean, files, index};
use crate::format::{FILE_HEADER_OCTETS, FileHeader, HEADER_OCTETS, Header, Kind, split_message};
use crate::replay;
use crate::store::{Changes, Commits, Inserted, Seq, StoreError, Urgency};

/// What is written and may wait for its sync waits no longer than this.
const SYNC_WITHIN: Duration = Duration::from_millis(20);

/// The file system is asked for its free room no more often than this.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the committer has done, counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// Times that the disk was synced.
    pub syncs: AtomicU64,
    /// Records written.
    pub records: AtomicU64,
    /// Octets written.
    pub octets: AtomicU64,
    /// Messages copied forward out of old segments.
    pub copied: AtomicU64,
    /// Segments given back.
    pub removed: AtomicU64,
}

pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) commits: Box<dyn Commits>,
    pub(super) open: OpenSegment,
    pub(super) seq: u64,
    pub(super) clean: clean::Clean,
    /// Written and not synced since then.
    pub(super) unsynced: Option<Instant>,
    pub(super) looked: Option<Instant>,
    /// Numbers of batches that are written and not synced.
    pub(super) upto: Option<Seq>,
}

/// The segment that is written to.
pub(super) struct OpenSegment {
    pub(super) number: u32,
    pub(super) epoch: u32,
    pub(super) file: Arc<File>,
    pub(super) size: u64,
    pub(super) skim: Skim,
}

/// A record on its way to the disk.
struct Staged {
    header: [u8; HEADER_OCTETS],
    body: Vec<u8>,
    kind: Kind,
    /// Where its body begins.
    offset: u32,
}

impl Committer {
    pub(super) fn run(mut self) {
        loop {
            let (requests, closing) = self.take();
            if requests.is_empty() && closing {
                break;
            }
            let begun = self.write(requests);
            if let Err(error) = begun.and_then(|()| self.keep_house()) {
                self.fail(&error);
                return;
            }
        }
        if let Err(error) = self.sync_and_tell().and_then(|()| self.seal()) {
            self.fail(&error);
        }
    }

    /// Everything that waits; waits for something, but no longer than a sync is put off.
    fn take(&mut self) -> (Vec<Request>, bool) {
        let mut mailbox = self.shared.mailbox.lock();
        let deadline = self.unsynced.map(|since| since + SYNC_WITHIN);
        while mailbox.requests.is_empty() && !mailbox.closing && !self.clean.has_work() {
            mailbox.committer_sleeps = true;
            let late = match deadline {
                Some(deadline) => {
                    self.shared.arrived.wait_until(&mut mailbox, deadline).timed_out()
                }
                None => {
                    self.shared.arrived.wait(&mut mailbox);
                    false
                }
            };
            mailbox.committer_sleeps = false;
            if late {
                break;
            }
        }
        (std::mem::take(&mut mailbox.requests), mailbox.closing)
    }

    fn write(&mut self, mut requests: Vec<Request>) -> Result<(), StoreError> {
        if requests.is_empty() {
            return match self.unsynced {
                Some(since) if since.elapsed() >= SYNC_WITHIN => self.sync_and_tell(),
                _ => Ok(()),
            };
        }
        let octets: u64 = requests.iter().map(|request| request.body().len() as u64).sum();
        let mut staged = Vec::with_capacity(requests.len());
        let mut size = self.open.size;
        for request in &mut requests {
            let (kind, crc, body) = request.take_body();
            staged.push(self.stage(kind, crc, body, &mut size));
        }
        let urgent = requests.iter().any(Request::is_urgent);
        if let Err(e) = write_all(&self.open.file, &staged) {
            return self.not_written(requests, &e);
        }
        self.open.size = size;
        self.shared.tally.octets.fetch_add(octets, Ordering::Relaxed);
        self.shared.tally.records.fetch_add(staged.len() as u64, Ordering::Relaxed);
        let synced = if urgent { self.sync() } else { Ok(()) };
        self.shared.backlog.fetch_sub(octets, Ordering::Relaxed);
        match synced {
            Ok(()) => self.told(requests, &staged, urgent),
            Err(error) => {
                // Whether it is on disk nobody knows: it must be called neither.
                requests.into_iter().for_each(|request| request.answer(&error));
                Err(error)
            }
        }
    }

    fn stage(&mut self, kind: Kind, body_crc: u32, body: Vec<u8>, size: &mut u64) -> Staged {
        self.seq += 1;
        let octets = body.len() as u32;
        let header = Header { kind, octets, body_crc, epoch: self.open.epoch, seq: self.seq };
        let offset = *size + HEADER_OCTETS as u64;
        *size = offset + body.len() as u64;
        let offset = u32::try_from(offset).expect("a segment is closed long before 4 GiB");
        Staged { header: header.encode(), body, kind, offset }
    }

    /// It is on disk, or written if it may wait: the table and those who wait hear of it.
    fn told(
        &mut self,
        requests: Vec<Request>,
        staged: &[Staged],
        synced: bool,
    ) -> Result<(), StoreError> {
        let mut inserted = Vec::new();
        let mut kept = Vec::with_capacity(requests.len());
        let mut table = self.shared.table.lock();
        for (request, record) in requests.into_iter().zip(staged) {
            self.open.skim.push(record.kind, record.offset, &record.body);
            let (number, offset) = (self.open.number, record.offset);
            match request {
                Request::Message { insertion, promise, .. } => {
                    let octets = record.body.len() as u32;
                    let place =
                        replay::message(&mut table, number, offset, &record.body, octets)
                            .ok_or_else(|| StoreError::Damaged("a record of our own".to_owned()))?;
                    let (id, envelope, tag) = (insertion.id, insertion.envelope, insertion.tag);
                    inserted.push(Inserted { id, place, envelope, tag });
                    kept.push((promise, place));
                }
                Request::Changes { changes, .. } => {
                    let brought = replay::changes(&mut table, number, offset, &record.body)
                        .ok_or_else(|| StoreError::Damaged("a record of our own".to_owned()))?;
                    self.upto = self.upto.max(Some(changes.seq));
                    for (insertion, place) in changes.insertions.into_iter().zip(brought.places) {
                        let (id, envelope, tag) = (insertion.id, insertion.envelope, insertion.tag);
                        inserted.push(Inserted { id, place, envelope, tag });
                    }
                }
            }
        }
        table.segment(self.open.number).octets = self.open.size;
        drop(table);
        // First those who were promised, since they have waited longest.
        kept.into_iter().for_each(|(promise, place)| promise.keep(Ok(place)));
        if !inserted.is_empty() {
            self.commits.inserted(inserted);
        }
        if synced {
            self.tell_upto();
        } else {
            self.unsynced.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    /// Nothing of it is on disk: what was written of it is cut off again.
    fn not_written(&mut self, requests: Vec<Request>, error: &io::Error) -> Result<(), StoreError> {
        let octets: u64 = requests.iter().map(|request| request.body().len() as u64).sum();
        self.shared.backlog.fetch_sub(octets, Ordering::Relaxed);
        let cut = self.open.file.set_len(self.open.size);
        let only_mail = requests.iter().all(|request| matches!(request, Request::Message { .. }));
        let full = error.kind() == io::ErrorKind::StorageFull;
        if full && only_mail && cut.is_ok() {
            self.shared.full.store(true, Ordering::Relaxed);
            let error = StoreError::Full(error.to_string());
            requests.into_iter().for_each(|request| request.answer(&error));
            return Ok(());
        }
        let error = StoreError::Io(format!("write: {error}"));
        requests.into_iter().for_each(|request| request.answer(&error));
        Err(error)
    }

    pub(super) fn sync_and_tell(&mut self) -> Result<(), StoreError> {
        self.sync()?;
        self.tell_upto();
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.shared.tally.syncs.fetch_add(1, Ordering::Relaxed);
        self.unsynced = None;
        // Once it has failed the system may have forgotten what it had not written: asking
        // again and hearing yes would mean nothing.
        self.open.file.sync_data().map_err(|e| StoreError::Unknown(format!("fdatasync: {e}")))
    }

    fn tell_upto(&mut self) {
        if let Some(upto) = self.upto.take() {
            self.commits.committed(upto);
        }
    }

    /// What is to be done between two batches: a full segment, free room, old segments.
    fn keep_house(&mut self) -> Result<(), StoreError> {
        if self.open.size >= self.shared.settings.segment_octets {
            self.sync_and_tell()?;
            self.seal()?;
            self.open = open_segment(&self.shared, self.open.number + 1)?;
        }
        if self.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.looked = Some(Instant::now());
            look_at_room(&self.shared);
        }
        self.clean_a_little()
    }

    /// The open segment is closed: its index is written beside what comes next.
    fn seal(&mut self) -> Result<(), StoreError> {
        let skim = std::mem::take(&mut self.open.skim).into_octets();
        let (dir, number, epoch) = (self.shared.dir.clone(), self.open.number, self.open.epoch);
        let size = self.open.size;
        self.shared.table.lock().segment(number).sealed = true;
        self.clean.consider(number);
        // Without it the segment is scanned at the next start: nothing hangs on it.
        let written = move || index::write(&dir, number, epoch, size, &skim);
        if self.shared.mailbox.lock().closing {
            let _ = written();
        } else {
            std::thread::spawn(written);
        }
        Ok(())
    }

    fn fail(&mut self, error: &StoreError) {
        self.shared.failed.store(true, Ordering::Release);
        let waiting = std::mem::take(&mut self.shared.mailbox.lock().requests);
        waiting.into_iter().for_each(|request| request.answer(&StoreError::Closed));
        self.commits.failed(error.clone());
    }

    /// Writes a record of changes of the committer's own, synced with what comes next.
    pub(super) fn write_own(&mut self, body: Vec<u8>) -> Result<(), StoreError> {
        debug_assert!(super::makes_sense(&body));
        let crc = crc32c::crc32c(&body);
        self.shared.backlog.fetch_add(body.len() as u64, Ordering::Relaxed);
        let changes = Changes { urgency: Urgency::Now, ..Changes::default() };
        let waited = self.upto;
        self.write(vec![Request::Changes { body, crc, changes }])?;
        self.upto = self.upto.filter(|_| waited.is_some());
        Ok(())
    }
}

impl Request {
    fn body(&self) -> &[u8] {
        match self {
            Self::Message { body, .. } | Self::Changes { body, .. } => body,
        }
    }

    fn take_body(&mut self) -> (Kind, u32, Vec<u8>) {
        match self {
            Self::Message { body, crc, .. } => (Kind::Message, *crc, std::mem::take(body)),
            Self::Changes { body, crc, .. } => (Kind::Changes, *crc, std::mem::take(body)),
        }
    }

    fn is_urgent(&self) -> bool {
        match self {
            Self::Message { .. } => true,
            Self::Changes { changes, .. } => {
                changes.urgency == Urgency::Now || !changes.insertions.is_empty()
            }
        }
    }

    fn answer(self, error: &StoreError) {
        if let Self::Message { promise, .. } = self {
            promise.keep(Err(error.clone()));
        }
    }
}

/// Makes a segment and its header.
pub(super) fn open_segment(shared: &Shared, number: u32) -> Result<OpenSegment, StoreError> {
    let failed = |e: io::Error| StoreError::Io(format!("segment {number}: {e}"));
    let path = files::segment_path(&shared.dir, number);
    let file = files::create(&shared.dir, &path).map_err(failed)?;
    // Any number that the last file in these blocks is unlikely to have had.
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    let epoch = since.unwrap_or_default().as_micros() as u32 ^ number.rotate_left(16);
    (&file).write_all(&FileHeader { segment: number, epoch }.encode()).map_err(failed)?;
    let file = Arc::new(file);
    shared.files.lock().add(number, file.clone());
    shared.table.lock().segment(number).octets = FILE_HEADER_OCTETS as u64;
    Ok(OpenSegment { number, epoch, file, size: FILE_HEADER_OCTETS as u64, skim: Skim::default() })
}

pub(super) fn look_at_room(shared: &Shared) {
    let Ok(stat) = rustix::fs::statvfs(&shared.dir) else { return };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    shared.free.store(free, Ordering::Relaxed);
    shared.full.store(free < shared.settings.free_octets_min, Ordering::Relaxed);
}

/// Writes all records, as many at once as the system takes.
fn write_all(file: &File, staged: &[Staged]) -> io::Result<()> {
    const AT_ONCE: usize = 512;
    let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(staged.len() * 2);
    for record in staged {
        slices.push(IoSlice::new(&record.header));
        slices.push(IoSlice::new(&record.body));
    }
    let mut rest = slices.as_mut_slice();
    let mut file = file;
    while !rest.is_empty() {
        let at_once = rest.len().min(AT_ONCE);
        match file.write_vectored(&rest[..at_once]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// The messages' octets are left out of what is read of a record whose index is at hand.
pub(super) fn message_octets(body: &[u8]) -> Option<usize> {
    split_message(body).map(|(parts, _)| parts.message.len())
}
