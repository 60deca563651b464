//! What a spool on a disk has done, for whoever draws figures.

use std::sync::atomic::AtomicU64;

/// What the committer has done, counted since the spool was opened.
#[derive(Debug, Default)]
pub struct Tally {
    /// Times that the disk was synced.
    pub syncs: AtomicU64,
    /// Records written.
    pub records: AtomicU64,
    /// Octets written, headers included.
    pub octets: AtomicU64,
    /// Messages copied forward out of old segments.
    pub copied: AtomicU64,
    /// Segments given back.
    pub removed: AtomicU64,
}
