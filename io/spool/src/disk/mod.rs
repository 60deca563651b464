//! The store on a disk: a log in segments, one committer, one sync for all that waits.

mod clean;
mod committer;
mod files;
mod index;
mod recovery;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use postlane_mail::{LastReply, Place, Progress};

use crate::format::{
    Entry, decode_entries, decode_envelope, encode_changes, encode_message, split_message,
};
use crate::store::{Changes, Commits, Insertion, Key, Store, StoreError, Stored, Usage};
use crate::table::{At, Table};
use crate::ticket::{Promise, Ticket, ticket};

pub use committer::Tally;
pub use recovery::{OpenError, Opened, Recovered, Recovery, Report};

/// How the disk is used.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A segment is closed when it is larger, in octets; 1 MiB to 1 GiB.
    pub segment_octets: u64,
    /// New mail is refused while less is free, in octets.
    pub free_octets_min: u64,
    /// What waits for the disk, in octets, before new mail is refused.
    pub backlog_octets_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment_octets: 128 << 20,
            free_octets_min: 512 << 20,
            backlog_octets_max: 256 << 20,
        }
    }
}

/// The store on a disk.
pub struct Disk {
    shared: Arc<Shared>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

/// What callers and the committer share.
struct Shared {
    dir: PathBuf,
    settings: Settings,
    mailbox: Mutex<Mailbox>,
    arrived: Condvar,
    table: Mutex<Table>,
    files: Mutex<files::Files>,
    backlog: AtomicU64,
    full: AtomicBool,
    failed: AtomicBool,
    free: AtomicU64,
    tally: Tally,
}

#[derive(Default)]
struct Mailbox {
    requests: Vec<Request>,
    committer_sleeps: bool,
    closing: bool,
}

/// Something to be written, encoded and summed up on the thread that wants it.
enum Request {
    Message { body: Vec<u8>, crc: u32, insertion: Insertion, promise: Promise },
    Changes { body: Vec<u8>, crc: u32, changes: Changes },
}

impl Disk {
    /// Opens a spool, or makes one, and takes its lock. Mail is taken at once; what was in it
    /// comes out of [`Opened::recovery`].
    pub fn open(
        dir: &Path,
        settings: Settings,
        commits: impl Commits,
    ) -> Result<Opened, OpenError> {
        recovery::open(dir, settings, Box::new(commits))
    }

    /// Keyed state whose name begins like this, in order.
    pub fn keyed(&self, prefix: &str) -> Vec<(Key, Bytes)> {
        self.shared.table.lock().keys(prefix)
    }

    /// What the committer has done so far.
    pub fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Writes what waits, closes the open segment, and ends the committer.
    pub fn close(&self) {
        {
            let mut mailbox = self.shared.mailbox.lock();
            mailbox.closing = true;
        }
        self.shared.arrived.notify_one();
        if let Some(committer) = self.committer.lock().take() {
            // A committer that panicked has said so on stderr; there is nothing left to wait for.
            let _ = committer.join();
        }
    }

    fn put(&self, request: Request, octets: usize) {
        self.shared.backlog.fetch_add(octets as u64, Ordering::Relaxed);
        let asleep = {
            let mut mailbox = self.shared.mailbox.lock();
            mailbox.requests.push(request);
            std::mem::replace(&mut mailbox.committer_sleeps, false)
        };
        if asleep {
            self.shared.arrived.notify_one();
        }
    }

    fn refuses(&self) -> Option<StoreError> {
        if self.shared.failed.load(Ordering::Acquire) || self.shared.mailbox.lock().closing {
            return Some(StoreError::Closed);
        }
        if self.shared.full.load(Ordering::Relaxed) {
            return Some(StoreError::Full("less is free than the watermark".to_owned()));
        }
        let backlog = self.shared.backlog.load(Ordering::Relaxed);
        (backlog > self.shared.settings.backlog_octets_max)
            .then(|| StoreError::Full("the disk is behind".to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.close();
    }
}

impl Store for Disk {
    fn insert(&self, insertion: Insertion) -> Ticket {
        let (promise, ticket) = ticket();
        if let Some(refusal) = self.refuses() {
            promise.keep(Err(refusal));
            return ticket;
        }
        let mut body = Vec::new();
        let crc = encode_message(&insertion, &mut body);
        let octets = body.len();
        self.put(Request::Message { body, crc, insertion, promise }, octets);
        ticket
    }

    fn commit(&self, changes: Changes) {
        let mut body = Vec::with_capacity(changes.recipients.len() * 12 + 16);
        encode_changes(&changes, &mut body);
        let crc = crc32c::crc32c(&body);
        let octets = body.len();
        self.put(Request::Changes { body, crc, changes }, octets);
    }

    fn read(&self, place: Place) -> Result<Stored, StoreError> {
        let body = self.shared.read_message(place)?;
        let damaged = || StoreError::Damaged(format!("message at {place:?}"));
        let (parts, _) = split_message(&body).ok_or_else(damaged)?;
        let envelope = decode_envelope(parts.envelope).ok_or_else(damaged)?;
        let (id, facts) = (parts.id, parts.facts.into());
        let begin = body.len() - parts.message.len();
        Ok(Stored { id, envelope, facts, message: Bytes::from(body).slice(begin..) })
    }

    fn progress(
        &self,
        place: Place,
    ) -> Result<Vec<(u16, Progress, Option<LastReply>)>, StoreError> {
        let living = self.shared.table.lock().living(place);
        let mut waiting = Vec::new();
        for (recipient, at) in living {
            if let Some(at) = at {
                let (progress, last) = self.shared.read_state(at)?;
                waiting.push((recipient, progress, last));
            }
        }
        Ok(waiting)
    }

    fn is_full(&self) -> bool {
        self.shared.full.load(Ordering::Relaxed)
    }

    fn usage(&self) -> Usage {
        let table = self.shared.table.lock();
        Usage {
            used: table.segments().map(|(_, segment)| segment.octets).sum(),
            free: self.shared.free.load(Ordering::Relaxed),
            segments: table.segments().count() as u32,
            messages: table.messages(),
            full: self.shared.full.load(Ordering::Relaxed),
        }
    }
}

impl Shared {
    fn file(&self, segment: u32) -> Result<Arc<File>, StoreError> {
        self.files.lock().open(segment).ok_or(StoreError::Gone)
    }

    /// The body of a message's record.
    fn read_message(&self, place: Place) -> Result<Vec<u8>, StoreError> {
        let found = self.table.lock().find(place).ok_or(StoreError::Gone)?;
        let (place, offset, octets) = found;
        let file = self.file(place.segment)?;
        files::read_at(&file, u64::from(offset), octets as usize)
    }

    /// The state that an entry says. Its length is not known before it is read.
    fn read_state(&self, at: At) -> Result<(Progress, Option<LastReply>), StoreError> {
        const ENTRY_OCTETS_MAX: usize = 64 + 2 * 65_536;
        let file = self.file(at.segment)?;
        let octets = files::read_up_to(&file, u64::from(at.offset), ENTRY_OCTETS_MAX)?;
        let entry = crate::format::first_entry(&octets);
        match entry {
            Some((Entry::Waiting { progress, last, .. }, _)) => Ok((progress, last)),
            _ => Err(StoreError::Damaged(format!("state at {at:?}"))),
        }
    }
}

/// Whether a record's changes can be read: asked before they are written.
fn makes_sense(body: &[u8]) -> bool {
    decode_entries(body).is_some()
}
