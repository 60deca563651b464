//! The store on a disk: a log in segments, one committer, one sync for all that waits.

mod check;
mod chores;
mod committer;
mod directory;
mod error;
mod export;
#[cfg(test)]
mod faulty;
mod files;
mod import;
mod reading;
mod recovery;
mod request;
mod scan;
mod settings;
mod shared;
mod stats;
mod tally;
#[cfg(test)]
mod tests;
mod volume;
mod whole;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use postlane_mail::{LastReply, Place, Progress};

use crate::error::StoreError;
use crate::format::{Head, decode_envelope, encode_changes, encode_message, read_message};
use crate::store::{Changes, Commits, Insertion, Key, Store, Stored, Usage};
use crate::ticket::{Ticket, ticket};
use directory::Directory;
use request::Request;
use shared::Shared;

pub use check::{Checked, check};
pub use error::OpenError;
pub use export::{Exported, MoveError, export};
pub use import::{Imported, import};
pub use recovery::{Recovery, Report};
pub use settings::{RoomAt, Settings};
pub use stats::{AGES_MIN, SegmentStats, Stats, stats};
pub use tally::Tally;

/// A spool that nobody else can open meanwhile. Taken before anything else of a data directory is
/// touched, it keeps a second server from all of it.
pub struct Lock(Directory);

impl Lock {
    /// Takes the lock of a spool, which is made if it is not there.
    ///
    /// # Errors
    /// Another process holds it, or the directory cannot be made or used.
    pub fn take(dir: &Path) -> Result<Self, OpenError> {
        Directory::take(dir).map(Self)
    }
}

/// A spool that has been opened.
pub struct Opened {
    /// It takes mail.
    pub store: Arc<Disk>,
    /// What was in it.
    pub recovery: Recovery,
}

/// The store on a disk.
pub struct Disk {
    shared: Arc<Shared>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

impl Disk {
    /// Opens a spool, or makes one, and takes its lock. Mail is taken at once; what was in it
    /// comes out of [`Opened::recovery`].
    ///
    /// # Errors
    /// A setting out of bounds; another process has it open; the directory or a file in it cannot be used;
    /// or a later version wrote it. Damage is no error: it is put aside, and told in the report.
    pub fn open(
        dir: &Path,
        settings: Settings,
        commits: impl Commits,
    ) -> Result<Opened, OpenError> {
        settings.check()?;
        Self::open_locked(Lock::take(dir)?, settings, commits)
    }

    /// Opens a spool whose lock was taken before.
    ///
    /// # Errors
    /// As with [`Self::open`], but for the lock.
    pub fn open_locked(
        lock: Lock,
        settings: Settings,
        commits: impl Commits,
    ) -> Result<Opened, OpenError> {
        settings.check()?;
        let dir = &lock.0.path().to_owned();
        let volume = Arc::new(lock.0);
        let unusable = |e: std::io::Error| OpenError::not_usable(dir, &e);
        let chores = chores::Chores::aside(volume.clone()).map_err(unusable)?;
        let opening = recovery::Opening { volume, settings, commits: Box::new(commits), chores };
        let (shared, committer, recovery) = opening.open(dir)?;
        let thread = std::thread::Builder::new().name("spool-committer".to_owned());
        let running = thread.spawn(move || committer.run()).map_err(unusable)?;
        let store = Arc::new(Self { shared, committer: Mutex::new(Some(running)) });
        Ok(Opened { store, recovery })
    }

    /// Keyed state whose name begins like this, in order.
    pub fn keyed(&self, prefix: &str) -> Vec<(Key, Bytes)> {
        self.shared.table.lock().keys(prefix)
    }

    /// The piece of keyed state with exactly this name.
    pub fn keyed_value(&self, key: &Key) -> Option<Bytes> {
        self.shared.table.lock().value(key)
    }

    /// Looks at keyed state whose name begins like this, in order, where it lies: for what is too
    /// much to be copied. Nothing is committed meanwhile.
    pub fn look_at_keyed<T>(
        &self,
        prefix: &str,
        look: impl FnOnce(&mut dyn Iterator<Item = (&str, &[u8])>) -> T,
    ) -> T {
        let table = self.shared.table.lock();
        let mut keyed = table.keys_with(prefix);
        look(&mut keyed)
    }

    /// Octets that wait to be written, now.
    pub fn backlog(&self) -> u64 {
        self.shared.backlog()
    }

    /// What the committer has done so far.
    pub fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Writes what waits, closes the open segment, and ends the committer. Nothing is taken
    /// after that; what is there can still be read.
    pub fn close(&self) {
        self.shared.close();
        if let Some(committer) = self.committer.lock().take() {
            // A committer that panicked has answered whoever waited.
            drop(committer.join());
        }
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
        if let Err(error) = self.shared.refuses() {
            promise.keep(Err(error));
            return ticket;
        }
        match encode_message(&insertion) {
            Err(error) => promise.keep(Err(error)),
            Ok(record) => self.shared.put_mail(Request::message(record, insertion, promise)),
        }
        ticket
    }

    fn commit(&self, changes: Changes) {
        match encode_changes(&changes) {
            Ok(record) => self.shared.put(Request::changes(record, changes)),
            Err(error) => self.shared.put(Request::Refused(error)),
        }
    }

    fn read(&self, place: Place) -> Result<Stored, StoreError> {
        let octets = self.shared.read_message(place)?;
        let damaged = || shared::damaged_message(place);
        let (head, message) = read_message(&octets).ok_or_else(damaged)?;
        let envelope = decode_envelope(head.envelope).ok_or_else(damaged)?;
        let (id, facts) = (head.id, head.facts.into());
        let begin = octets.len() - message.len();
        Ok(Stored { id, envelope, facts, message: Bytes::from(octets).slice(begin..) })
    }

    fn read_head(&self, place: Place) -> Result<Stored, StoreError> {
        let octets = self.shared.read_head(place)?;
        let damaged = || shared::damaged_message(place);
        let head = Head::read(&octets).ok_or_else(damaged)?;
        let envelope = decode_envelope(head.envelope).ok_or_else(damaged)?;
        Ok(Stored { id: head.id, envelope, facts: head.facts.into(), message: Bytes::new() })
    }

    fn progress(
        &self,
        place: Place,
    ) -> Result<Vec<(u16, Progress, Option<LastReply>)>, StoreError> {
        self.shared.progress(place)
    }

    fn usage(&self) -> Usage {
        self.shared.usage()
    }

    fn is_full(&self) -> bool {
        self.shared.is_full()
    }
}
