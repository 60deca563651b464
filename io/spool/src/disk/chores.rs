//! What need not be done between two batches: writing indexes and removing files.
//!
//! They are done in the order they were given. A segment may be removed only after all those
//! that it said something of: else a crash between the two would bring their messages back.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use super::files::{RESERVE, index_name, segment_name};
use super::volume::Volume;
use crate::format::{IndexHeader, without};

/// Something to be done beside the batches.
pub(super) enum Chore {
    /// A segment has been closed: its index is made.
    Index { header: IndexHeader, told: Vec<u8>, ended: Vec<u8> },
    /// Nothing is in a segment any more.
    Remove(u32),
    /// So many octets are kept aside.
    Reserve(u64),
}

/// Who does the chores.
pub(super) enum Chores {
    /// A thread of its own.
    Aside(Sender<Chore>, JoinHandle<()>),
    /// Whoever asks, at once.
    #[cfg(test)]
    AtOnce(Worker),
}

/// Does one chore after the other.
pub(super) struct Worker {
    volume: Arc<dyn Volume>,
    /// Once a removal has failed nothing more is removed.
    is_stuck: bool,
}

impl Chores {
    /// A thread that does them.
    pub(super) fn aside(volume: Arc<dyn Volume>) -> io::Result<Self> {
        let (give, take) = channel();
        let mut worker = Worker { volume, is_stuck: false };
        let thread = std::thread::Builder::new().name("spool-chores".to_owned());
        let thread = thread.spawn(move || take.iter().for_each(|chore| worker.work(chore)))?;
        Ok(Self::Aside(give, thread))
    }

    /// No thread: for tests that count each call.
    #[cfg(test)]
    pub(super) fn at_once(volume: Arc<dyn Volume>) -> Self {
        Self::AtOnce(Worker { volume, is_stuck: false })
    }

    pub(super) fn give(&mut self, chore: Chore) {
        match self {
            // A thread that is gone has panicked: an index less is a slower start, a segment
            // more costs room. No promise hangs on either.
            Self::Aside(give, _) => drop(give.send(chore)),
            #[cfg(test)]
            Self::AtOnce(worker) => worker.work(chore),
        }
    }

    /// Waits until all of them are done.
    pub(super) fn finish(self) {
        match self {
            Self::Aside(give, thread) => {
                drop(give);
                drop(thread.join());
            }
            #[cfg(test)]
            Self::AtOnce(_) => {}
        }
    }
}

impl Worker {
    fn work(&mut self, chore: Chore) {
        match chore {
            // Without it the segment is read at the next start.
            Chore::Index { header, told, ended } => {
                drop(write_index(&*self.volume, &header, &without(&told, &ended)));
            }
            Chore::Remove(segment) if !self.is_stuck => {
                self.is_stuck = remove(&*self.volume, segment).is_err();
            }
            Chore::Remove(_) => {}
            Chore::Reserve(octets) => {
                if write_reserve(&*self.volume, octets).is_err() {
                    drop(self.volume.remove(RESERVE));
                }
            }
        }
    }
}

/// Writes a segment's index beside it. It is of use only if it is whole, and only for a
/// segment of its epoch and size; so it needs no care about order.
pub(super) fn write_index(
    volume: &dyn Volume,
    header: &IndexHeader,
    told: &[u8],
) -> io::Result<()> {
    let name = index_name(header.segment);
    let new = format!("{name}.new");
    volume.write(&new, &[&header.encode(told), told])?;
    volume.rename(&new, &name)?;
    volume.sync_names()
}

/// Octets that say nothing, in a file that can be removed.
fn write_reserve(volume: &dyn Volume, octets: u64) -> io::Result<()> {
    const PIECE: [u8; 4096] = [0; 4096];
    let pieces = usize::try_from(octets).unwrap_or(usize::MAX).div_ceil(PIECE.len());
    volume.write(RESERVE, &vec![&PIECE[..]; pieces])
}

fn remove(volume: &dyn Volume, segment: u32) -> io::Result<()> {
    // The index first: an index without its segment would be for nothing.
    volume.remove(&index_name(segment))?;
    volume.remove(&segment_name(segment))?;
    volume.sync_names()
}
