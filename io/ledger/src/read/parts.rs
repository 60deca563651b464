//! Asking many parts at once, and what is done when one cannot be read.

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::error::LedgerError;
use crate::part::{Part, carefully};
use crate::shared::Shared;
use crate::table::TableError;

/// Threads that one question may take. Chosen, not measured: mail goes first.
const THREADS_MAX: usize = 4;

/// Reads something from a file of the ledger. A file that is gone (it was too old) or broken (it is
/// set aside) gives nothing.
pub(super) fn look<T>(
    shared: &Shared,
    path: &Path,
    read: impl FnOnce() -> Result<T, TableError>,
) -> Result<Option<T>, LedgerError> {
    match carefully(read) {
        Ok(found) => Ok(Some(found)),
        Err(TableError::Disk(source)) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(TableError::Disk(source)) => Err(LedgerError::Disk { path: path.to_owned(), source }),
        Err(TableError::Broken(why)) => {
            shared.set_aside(path, why);
            Ok(None)
        }
    }
}

/// [`look`] into a part. One that is broken is not asked again.
pub(super) fn ask<T>(
    shared: &Shared,
    part: &Arc<Part>,
    read: impl FnOnce(&Part) -> Result<T, TableError>,
) -> Result<Option<T>, LedgerError> {
    let found = look(shared, part.path(), || read(part))?;
    if found.is_none() {
        shared.state.write().parts.retain(|other| !Arc::ptr_eq(other, part));
    }
    Ok(found)
}

/// Does `work` with every one of `all`, on several threads; each thread begins with an `empty`
/// result, and all of theirs are given.
pub(super) fn spread<T: Sync, R: Send>(
    all: &[T],
    empty: impl Fn() -> R + Sync,
    work: impl Fn(&T, &mut R) -> Result<(), LedgerError> + Sync,
) -> Result<Vec<R>, LedgerError> {
    let next = AtomicUsize::new(0);
    let alone = || {
        let mut result = empty();
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(one, &mut result)?;
        }
        Ok(result)
    };
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = cores.min(THREADS_MAX).min(all.len());
    if threads < 2 {
        return Ok(vec![alone()?]);
    }
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(alone)).collect();
        let mut results = vec![alone()];
        for other in others {
            results.push(other.join().unwrap_or_else(|_| Ok(empty())));
        }
        results.into_iter().collect()
    })
}
