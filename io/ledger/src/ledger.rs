//! The ledger as the server sees it: append, ask, close.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::entry::{Entry, Sample};
use crate::error::LedgerError;
use crate::field::Field;
use crate::figures::Figures;
use crate::filter::Filter;
use crate::page::{Counts, Followed, Group, Page};
use crate::position::{Cursor, Seq};
use crate::read;
use crate::recovery;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::tally::{Tallies, Tally};
use crate::writer::Writer;

/// What happened, being written and read at the same time.
///
/// Every method may be called from any thread. All but [`Self::append`], [`Self::newest`] and
/// [`Self::figures`] read files: not for a thread that must not wait.
#[derive(Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

impl Ledger {
    /// Opens the ledger in `dir`, which is made if it is not there, and reads what was not sealed
    /// when it was closed last, orderly or not.
    pub fn open(dir: &Path, settings: Settings) -> Result<Self, LedgerError> {
        let unusable = |source| LedgerError::Folder { dir: dir.to_owned(), source };
        fs::create_dir_all(dir.join("open")).map_err(unusable)?;
        let shared = Arc::new(Shared::new(dir.to_owned(), settings));
        let last = recovery::recover(&shared).map_err(unusable)?;
        let writer = Writer::new(Arc::clone(&shared), last);
        let thread = thread::Builder::new().name("ledger".into());
        let writer = thread.spawn(move || writer.run()).map_err(unusable)?;
        Ok(Self { shared, writer: Some(writer) })
    }

    /// Leaves an entry to be written. Never waits for the disk; whether there was room for it.
    /// What there is no room for is lost, and counted.
    pub fn append(&self, entry: Entry) -> bool {
        self.shared.mailbox.put(entry)
    }

    /// Waits until all that was appended before is durable.
    ///
    /// # Errors
    /// The disk fails, or the ledger was closed.
    pub fn flush(&self) -> Result<(), LedgerError> {
        let entries = self.shared.mailbox.call(|waiting| waiting.is_flushed = true);
        match self.shared.wait(entries) {
            Some(true) => Ok(()),
            Some(false) => Err(LedgerError::Disk {
                path: self.shared.dir.join("open"),
                source: std::io::Error::other("the last write failed"),
            }),
            None => Err(LedgerError::Closed),
        }
    }

    /// The newest `n` entries that `filter` has, behind `after` if a page came before.
    pub fn latest(
        &self,
        filter: &Filter,
        n: usize,
        after: Option<Cursor>,
    ) -> Result<Page, LedgerError> {
        read::latest(&self.shared, filter, n, after)
    }

    /// How often the values of some fields occur among the entries that `filter` has; `values_max`
    /// of each field, most frequent first.
    pub fn facets(
        &self,
        filter: &Filter,
        fields: &[Field],
        values_max: usize,
    ) -> Result<Vec<Counts>, LedgerError> {
        read::facets(&self.shared, filter, fields, values_max)
    }

    /// How many entries that `filter` has share their values of several fields; the `groups_max`
    /// largest groups, largest first.
    pub fn groups(
        &self,
        filter: &Filter,
        by: &[Field],
        groups_max: usize,
    ) -> Result<Vec<Group>, LedgerError> {
        read::groups(&self.shared, filter, by, groups_max)
    }

    /// Up to `n` entries written after `after` that `filter` has, in the order of writing. To wait
    /// for more, look at [`Self::newest`] now and then: it costs next to nothing.
    pub fn follow(&self, after: Seq, filter: &Filter, n: usize) -> Result<Followed, LedgerError> {
        read::follow(&self.shared, after, filter, n)
    }

    /// Counts by the minute or by longer stretches, oldest first.
    pub fn tallies(&self, asked: &Tallies) -> Result<Vec<Tally>, LedgerError> {
        read::tallies(&self.shared, asked)
    }

    /// The dialogue and the header that were kept with the entry at `seq`, if any.
    pub fn sample(&self, seq: Seq) -> Result<Option<Sample>, LedgerError> {
        read::sample(&self.shared, seq)
    }

    /// The place of the last entry that can be read.
    pub fn newest(&self) -> Seq {
        self.shared.state.read().newest
    }

    /// The ledger's own figures.
    pub fn figures(&self) -> Figures {
        self.shared.figures()
    }

    /// The folder.
    pub fn dir(&self) -> PathBuf {
        self.shared.dir.clone()
    }
}

impl Drop for Ledger {
    /// Writes what still waits.
    fn drop(&mut self) {
        self.shared.mailbox.call(|waiting| waiting.is_closed = true);
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so already; mail goes on without history.
            let _ = writer.join();
        }
        self.shared.closed();
    }
}

#[cfg(test)]
mod tests;
