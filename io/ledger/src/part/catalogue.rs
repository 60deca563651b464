//! The sealed parts that there are.

use std::fs;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use parquet::file::metadata::ParquetMetaData;

use crate::entry::{Sample, Written};
use crate::part::files::Files;
use crate::part::name::Name;
use crate::part::trigrams::Trigrams;
use crate::part::{columns, samples};
use crate::position::Seq;
use crate::table::{Table, TableError};

/// One sealed part.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: Name,
    pub(crate) octets: u64,
    events: PathBuf,
    counts: PathBuf,
    samples: PathBuf,
    trigrams: PathBuf,
    events_meta: OnceLock<Arc<ParquetMetaData>>,
    counts_meta: OnceLock<Arc<ParquetMetaData>>,
}

impl Part {
    pub(crate) fn new(files: &Files, name: Name) -> Self {
        Self {
            name,
            octets: files.octets(&name),
            events: files.events(&name),
            counts: files.counts(&name),
            samples: files.samples(&name),
            trigrams: files.trigrams(&name),
            events_meta: OnceLock::new(),
            counts_meta: OnceLock::new(),
        }
    }

    /// The entries.
    pub(crate) fn events(&self) -> Result<Table, TableError> {
        open(&self.events, &self.events_meta)
    }

    /// The counts.
    pub(crate) fn counts(&self) -> Result<Table, TableError> {
        open(&self.counts, &self.counts_meta)
    }

    /// Which three octets stand in the entries' texts; nothing when that is not known.
    pub(crate) fn trigrams(&self) -> Result<Option<Trigrams>, TableError> {
        Ok(Trigrams::read(&self.trigrams)?)
    }

    /// The entries in `rows`, which grow.
    pub(crate) fn read(&self, table: &Table, rows: &[usize]) -> Result<Vec<Written>, TableError> {
        columns::read(table, rows)
    }

    /// The sample of the entry at `seq`.
    pub(crate) fn sample(&self, seq: Seq) -> Result<Option<Sample>, TableError> {
        samples::read(&self.samples, seq)
    }

    /// The entries' file.
    pub(crate) fn path(&self) -> &Path {
        &self.events
    }

    /// Removes the part's files, the entries first: without them it does not exist.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for path in [&self.events, &self.counts, &self.samples, &self.trigrams] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Opens a table, with the footer as it was read the first time.
fn open(path: &Path, meta: &OnceLock<Arc<ParquetMetaData>>) -> Result<Table, TableError> {
    let table = Table::open(path, meta.get().cloned())?;
    let _ = meta.set(table.meta());
    Ok(table)
}

/// Reads something from foreign octets: should the `parquet` crate panic over them, the file is
/// broken, and that is all.
pub(crate) fn carefully<T>(read: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    let panicked = |_| Err(TableError::Broken("it cannot be decoded".to_owned()));
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(panicked)
}
