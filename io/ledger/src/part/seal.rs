//! Sealing a part, step by step; after each step a crash costs nothing and doubles nothing.
//!
//! The entries' file comes last but one: with its name the part exists. What was written before it
//! is thrown away by the next start if that name is missing, and the append logs, which go last,
//! are passed over if it is there.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::entry::Written;
use crate::part::columns::{ENTRY_COLUMNS, values};
use crate::part::files::Files;
use crate::part::name::Name;
use crate::part::{cube, minutes, samples, trigrams};
use crate::position::Seq;
use crate::shared::Closed;
use crate::table;
use crate::tally::Tally;

/// A step of sealing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Samples,
    Minutes,
    Counts,
    Trigrams,
    Events,
    Forget,
}

impl Step {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 6] =
        [Self::Samples, Self::Minutes, Self::Counts, Self::Trigrams, Self::Events, Self::Forget];
}

/// The name a closed part gets; nothing when it holds no entry.
pub(crate) fn name(closed: &Closed) -> Option<Name> {
    let at = || closed.entries().map(|written| written.entry.at);
    let seq = || closed.entries().map(|written| written.seq);
    Some(Name {
        first_at: at().min()?,
        last_at: at().max()?,
        first: seq().min()?,
        last: seq().max()?,
        entries: closed.entries().count() as u64,
    })
}

/// Does one step. All but the last may be done twice.
pub(crate) fn step(files: &Files, closed: &Closed, name: &Name, step: Step) -> io::Result<()> {
    match step {
        Step::Samples => {
            let samples: Vec<_> = closed
                .batches
                .iter()
                .flat_map(|batch| &batch.samples)
                .map(|(seq, sample): &(Seq, _)| (*seq, &**sample))
                .collect();
            if samples.is_empty() { Ok(()) } else { samples::write(&files.samples(name), &samples) }
        }
        Step::Minutes => {
            let tallies = closed.entries().map(|written| Tally::of(&written.entry)).collect();
            minutes::write(&files.minutes(name), &Tally::together(tallies))
        }
        Step::Counts => cube::write(&files.counts(name), &closed.entries().collect::<Vec<_>>()),
        Step::Trigrams => {
            trigrams::write(&files.trigrams(name), &closed.entries().collect::<Vec<_>>())
        }
        Step::Events => {
            let mut entries: Vec<&Written> = closed.entries().collect();
            entries.sort_unstable_by_key(|written| (written.entry.at, written.seq));
            table::write(&files.events(name), &ENTRY_COLUMNS, entries.len(), |column| {
                values(column, &entries)
            })
        }
        Step::Forget => forget(&closed.logs),
    }
}

/// Removes append logs. One that is gone already is no failure.
pub(crate) fn forget(logs: &[PathBuf]) -> io::Result<()> {
    for log in logs {
        match fs::remove_file(log) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
