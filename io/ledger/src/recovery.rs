//! What is done when the ledger is opened: sealed parts are listed, append logs read, torn ends cut,
//! and what a crash left half done is undone.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::entry::Written;
use crate::error::Trouble;
use crate::log;
use crate::part::{Files, Name, Part};
use crate::position::Seq;
use crate::shared::{Batch, Shared};

/// Where the writer goes on.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The last place that was taken.
    pub(crate) last: Seq,
    /// The append logs that hold what is not sealed.
    pub(crate) logs: Vec<PathBuf>,
}

/// Lists what is sealed and reads what is not.
pub(crate) fn recover(shared: &Shared) -> io::Result<Recovered> {
    let files = &shared.files;
    let sealed = files.names("events")?;
    let (entries, logs) = unsealed(shared, &sealed)?;
    for folder in ["counts", "samples", "trigrams"] {
        for name in files.names(folder)?.iter().filter(|name| !sealed.contains(name)) {
            let path = match folder {
                "counts" => files.counts(name),
                "samples" => files.samples(name),
                _ => files.trigrams(name),
            };
            fs::remove_file(path)?;
        }
    }
    let minutes = minutes(files, &sealed, &entries)?;
    let last_sealed = sealed.iter().chain(&minutes).map(|name| name.last).max();
    let last_open = entries.last().map(|written| written.seq);
    let last = last_sealed.max(last_open).unwrap_or_default();
    let mut state = shared.state.write();
    state.parts = sealed.iter().map(|name| Arc::new(Part::new(files, *name))).collect();
    state.minutes = minutes;
    state.newest = last;
    drop(state);
    if !entries.is_empty() {
        shared.count(|figures| figures.durable += entries.len() as u64);
        shared.show(Arc::new(Batch::new(entries.into_iter())));
    }
    Ok(Recovered { last, logs })
}

/// The entries in append logs that are in no sealed part, in the order of writing, and the logs.
fn unsealed(shared: &Shared, sealed: &[Name]) -> io::Result<(Vec<Written>, Vec<PathBuf>)> {
    let (mut entries, mut paths): (Vec<Written>, _) = (Vec::new(), Vec::new());
    for path in logs(&shared.files.open())? {
        let octets = fs::read(&path)?;
        let found = log::recover(&octets);
        if !found.is_log {
            shared.set_aside(&path, "not an append log of this version".to_owned());
            continue;
        }
        let torn = octets.len() - found.whole_octets;
        if torn > 0 {
            cut(&path, found.whole_octets)?;
            shared.tell(&Trouble::Cut { path: path.clone(), octets: torn as u64 });
        }
        let before = entries.len();
        let is_sealed = |seq| sealed.iter().any(|name| name.has(seq));
        entries.extend(found.entries.into_iter().filter(|written| !is_sealed(written.seq)));
        if entries.len() == before {
            fs::remove_file(&path)?;
        } else {
            paths.push(path);
        }
    }
    // A write that failed may have left some of its entries in one log and all of them in the next.
    entries.sort_by_key(|written| written.seq);
    entries.dedup_by_key(|written| written.seq);
    Ok((entries, paths))
}

/// The files of counts by the minute, without those of a part that was not finished and those that
/// were merged into another.
///
/// Entries that could not be sealed in their turn come back later and are sealed with younger ones:
/// then the places of a part, or of a day, lie around others that are whole, and stay.
fn minutes(files: &Files, sealed: &[Name], entries: &[Written]) -> io::Result<Vec<Name>> {
    let names = files.names("minutes")?;
    let mut kept = Vec::new();
    for name in &names {
        let is_open = |seq| entries.binary_search_by_key(&seq, |written| written.seq).is_ok();
        let is_unfinished = !sealed.contains(name) && (is_open(name.first) || is_open(name.last));
        let is_around = |other: &Name| other.first <= name.first && name.last <= other.last;
        let is_merged =
            names.iter().any(|other| other != name && !sealed.contains(other) && is_around(other));
        if is_unfinished || is_merged {
            fs::remove_file(files.minutes(name))?;
        } else {
            kept.push(*name);
        }
    }
    Ok(kept)
}

/// The append logs in `dir`, oldest first.
fn logs(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for file in fs::read_dir(dir)? {
        let path = file?.path();
        if path.extension() == Some(OsStr::new("log")) {
            logs.push(path);
        }
    }
    logs.sort_unstable();
    Ok(logs)
}

fn cut(path: &Path, octets: usize) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(octets as u64)?;
    file.sync_all()
}
