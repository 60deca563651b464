//! The ledger as the server sees it: append, ask, close.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use crate::entry::{Entry, Sample};
use crate::error::LedgerError;
use crate::field::Field;
use crate::figures::Figures;
use crate::filter::Filter;
use crate::page::{Counts, Followed, Group, Page};
use crate::position::{Cursor, Seq};
use crate::private;
use crate::read;
use crate::recovery;
use crate::sealer::{Order, Sealer};
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
    orders: Option<Sender<Order>>,
    threads: Vec<JoinHandle<()>>,
    /// Held as long as the ledger is open: two writers would cut each other's logs.
    _lock: File,
}

/// Takes the folder for oneself. The system gives it back when the process ends, however it does.
fn lock(dir: &Path) -> Result<File, LedgerError> {
    let unusable = |source| LedgerError::Folder { dir: dir.to_owned(), source };
    let options = private::options().create(true).truncate(false).write(true).to_owned();
    let lock = options.open(dir.join("lock")).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(LedgerError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

impl Ledger {
    /// Opens the ledger in `dir`, which is made if it is not there, and reads what was not sealed
    /// when it was closed last, orderly or not.
    pub fn open(dir: &Path, settings: Settings) -> Result<Self, LedgerError> {
        let unusable = |source| LedgerError::Folder { dir: dir.to_owned(), source };
        let shared = Arc::new(Shared::new(dir, settings));
        shared.files.create().map_err(unusable)?;
        let lock = lock(dir)?;
        let recovered = recovery::recover(&shared).map_err(unusable)?;
        let (orders, taken) = mpsc::channel();
        let writer = Writer::new(Arc::clone(&shared), recovered, orders.clone());
        let sealer = Sealer::new(Arc::clone(&shared));
        let thread = |name: &str| thread::Builder::new().name(name.to_owned());
        let threads = vec![
            thread("ledger").spawn(move || writer.run()).map_err(unusable)?,
            thread("ledger-seal").spawn(move || sealer.run(&taken)).map_err(unusable)?,
        ];
        Ok(Self { shared, orders: Some(orders), threads, _lock: lock })
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
        let calls = self.shared.mailbox.call(|_| {});
        match self.shared.wait(calls) {
            Some(true) => Ok(()),
            Some(false) => Err(LedgerError::Disk {
                path: self.shared.files.open(),
                source: std::io::Error::other("the last write failed"),
            }),
            None => Err(LedgerError::Closed),
        }
    }

    /// Seals everything that was appended before, merges counts of days that are over, and removes
    /// what is too old or too much; the ledger does so by itself every hour.
    ///
    /// # Errors
    /// The disk fails, or the ledger was closed.
    pub fn seal(&self) -> Result<(), LedgerError> {
        let calls = self.shared.mailbox.call(|waiting| waiting.is_sealed = true);
        if self.shared.wait(calls).is_none() {
            return Err(LedgerError::Closed);
        }
        let (done, is_done) = mpsc::channel();
        let orders = self.orders.as_ref().ok_or(LedgerError::Closed)?;
        orders.send(Order::Tell(done)).map_err(|_| LedgerError::Closed)?;
        let path = || self.shared.files.open();
        is_done
            .recv()
            .map_err(|_| LedgerError::Closed)?
            .map_err(|source| LedgerError::Disk { path: path(), source })
    }

    /// The newest `n` entries that `filter` has, behind `after` if a page came before.
    ///
    /// # Errors
    /// A file of the ledger cannot be read.
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
    ///
    /// # Errors
    /// A file of the ledger cannot be read.
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
    ///
    /// # Errors
    /// A file of the ledger cannot be read.
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
    ///
    /// # Errors
    /// A file of the ledger cannot be read.
    pub fn follow(&self, after: Seq, filter: &Filter, n: usize) -> Result<Followed, LedgerError> {
        read::follow(&self.shared, after, filter, n)
    }

    /// Writes all entries that `filter` has to `out` as one Parquet file with the columns of the
    /// ledger's own; gives how many. Memory does not grow with them. Samples are left out.
    ///
    /// # Errors
    /// A file of the ledger cannot be read, or `out` fails: [`LedgerError::Export`].
    pub fn export<W: Write + Send>(&self, filter: &Filter, out: W) -> Result<u64, LedgerError> {
        read::export(&self.shared, filter, out)
    }

    /// Counts by the minute or by longer stretches, oldest first.
    ///
    /// # Errors
    /// A file of the ledger cannot be read.
    pub fn tallies(&self, asked: &Tallies) -> Result<Vec<Tally>, LedgerError> {
        read::tallies(&self.shared, asked)
    }

    /// The dialogue and the header that were kept with the entry at `seq`, if any.
    ///
    /// # Errors
    /// A file of the ledger cannot be read.
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
}

impl Drop for Ledger {
    /// Writes what still waits.
    fn drop(&mut self) {
        self.shared.mailbox.call(|waiting| waiting.is_closed = true);
        self.orders = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so already; mail goes on without history.
            let _ = thread.join();
        }
        self.shared.closed();
    }
}

#[cfg(test)]
mod tests;
