//! The directory a spool lives in, as little of a file system as it needs.
//!
//! A seam: the tests have a second volume, which crashes and fails where it is told to.

use std::io::{self, IoSlice};
use std::sync::Arc;

use rustix::io::Errno;

use super::whole::Whole;

/// A directory of files that are appended to.
pub(crate) trait Volume: Send + Sync + 'static {
    /// The names of all files there are.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Makes a new file to append to.
    fn create(&self, name: &str) -> io::Result<Arc<dyn Log>>;

    /// Opens a file to read it, and to cut it.
    fn open(&self, name: &str) -> io::Result<Arc<dyn Log>>;

    /// The whole of a file.
    fn read(&self, name: &str) -> io::Result<Whole>;

    /// Writes a whole file anew and syncs it, its name not included.
    fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()>;

    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file; one that is not there is removed already.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes last what was created, renamed and removed before.
    fn sync_names(&self) -> io::Result<()>;

    /// Octets that are free for us, and all there are.
    fn room(&self) -> io::Result<Room>;
}

/// A file that is appended to.
pub(crate) trait Log: Send + Sync {
    /// Appends octets, or only the first of them; says how many.
    fn append(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Makes last what was appended before. Once it has failed nothing is known of it: the
    /// system may have forgotten what it had not written.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file to a size.
    fn cut(&self, octets: u64) -> io::Result<()>;

    /// Its size in octets.
    fn octets(&self) -> io::Result<u64>;

    /// Fills the buffer from an offset on.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

/// Room on a volume, in octets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) free: u64,
    pub(crate) in_all: u64,
}

/// Whether that is what a disk says that has no room, or none for one more name; or the system that
/// has no descriptor left. It goes by itself, and nothing of what was written is in doubt.
pub(super) fn is_no_room(error: &io::Error) -> bool {
    let has_no_descriptor =
        matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE));
    let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    is_full || has_no_descriptor
}
