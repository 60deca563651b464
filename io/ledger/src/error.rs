//! What can go wrong, and whose fault it is.

use std::io;
use std::path::PathBuf;

/// Why the ledger could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The folder cannot be used. History is not kept; mail goes on without it.
    #[error(
        "the ledger in {dir} cannot be used: {source}; check that the folder exists, belongs to the user Postlane runs as and has room"
    )]
    Folder {
        /// The ledger's folder.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it open: the relay that keeps it, as a rule.
    #[error(
        "the ledger in {dir} is open in another process, the relay as a rule; ask that one, or look at a copy of the folder"
    )]
    InUse {
        /// The ledger's folder.
        dir: PathBuf,
    },
    /// A file could not be read or written just now.
    #[error("{path} could not be read or written: {source}; check the disk")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was exported could not be written to where it should go.
    #[error("the export could not be written: {0}; check where it goes to")]
    Export(io::Error),
    /// The writer is gone: the ledger was closed, or its thread could not be started.
    #[error("the ledger is closed; restart the server")]
    Closed,
}

/// What went wrong behind the scenes. Mail is not touched by any of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// So many entries found no room in memory and are lost.
    Dropped(u64),
    /// Writing failed; these entries are kept in memory only, and tried again with the next file.
    NotWritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// So many entries could not be sealed and cannot be read until the next start; they are safe in
    /// their append logs.
    Unreadable(u64),
    /// A file was not what it should be and was set aside, renamed with `.broken` behind it.
    SetAside {
        /// The file, before.
        path: PathBuf,
        /// What was wrong.
        why: String,
    },
    /// The end of an append log was not whole, as after a crash, and was cut off.
    Cut {
        /// The file.
        path: PathBuf,
        /// How many octets.
        octets: u64,
    },
}
