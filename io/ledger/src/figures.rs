//! The ledger's own figures.

/// Counts since the ledger was opened, and what it holds now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Entries taken by [`crate::Ledger::append`].
    pub appended: u64,
    /// Entries that found no room in memory and are lost.
    pub dropped: u64,
    /// Entries that are safe on disk.
    pub durable: u64,
    /// Times that writing, sealing or reading failed.
    pub failures: u64,
    /// Files that were set aside as broken.
    pub set_aside: u64,
    /// Sealed parts.
    pub parts: u64,
    /// Entries in sealed parts.
    pub sealed: u64,
    /// Entries that are not sealed yet.
    pub open: u64,
    /// Octets on disk, all files together.
    pub octets: u64,
}
