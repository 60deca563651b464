//! Why a spool cannot be opened.

use std::io;
use std::path::{Path, PathBuf};

/// Why a spool cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "the spool in `{}` is in use by process {holder}: stop that one first, or give this one \
         a directory of its own", dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The process, as it wrote its number; empty if it could not be read.
        holder: String,
    },
    /// There is none.
    #[error("there is no spool in `{}`: name the directory that holds the segments (*.seg)", dir.display())]
    NoSpool {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory or a file in it cannot be used.
    #[error("the spool in `{}` cannot be used: {why}", dir.display())]
    NotUsable {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A later version wrote it.
    #[error(
        "segment {segment:08} in `{}` was written by a later version: start that version, let \
         it deliver what is queued, or export the queue with it", dir.display()
    )]
    Later {
        /// The directory.
        dir: PathBuf,
        /// The segment, from 1.
        segment: u32,
    },
    /// A setting has a value that makes no sense.
    #[error("`spool.{setting}` is {value}: it must be {min} to {max}")]
    OutOfBounds {
        /// The field of [`super::Settings`].
        setting: &'static str,
        /// What it is.
        value: u64,
        /// The smallest value.
        min: u64,
        /// The largest value.
        max: u64,
    },
}

impl OpenError {
    pub(super) fn not_usable(dir: &Path, why: &io::Error) -> Self {
        Self::NotUsable { dir: dir.to_owned(), why: why.to_string() }
    }
}
