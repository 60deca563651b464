//! What is done when the ledger is opened: append logs are read, torn ends cut.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::entry::Written;
use crate::error::Trouble;
use crate::log;
use crate::position::Seq;
use crate::shared::{Batch, Shared};

/// Reads the append logs and shows what they hold; gives the last place that was taken.
pub(crate) fn recover(shared: &Shared) -> io::Result<Seq> {
    let mut entries: Vec<Written> = Vec::new();
    for path in logs(&shared.dir.join("open"))? {
        let octets = fs::read(&path)?;
        let found = log::recover(&octets);
        if !found.is_log {
            let why = "not an append log of this version".to_owned();
            set_aside(shared, &path, why);
            continue;
        }
        let torn = octets.len() - found.whole_octets;
        if torn > 0 {
            cut(&path, found.whole_octets)?;
            shared.tell(&Trouble::Cut { path: path.clone(), octets: torn as u64 });
        }
        entries.extend(found.entries);
    }
    // A write that failed may have left some of its entries in one log and all of them in the next.
    entries.sort_by_key(|written| written.seq);
    entries.dedup_by_key(|written| written.seq);
    let last = entries.last().map_or(Seq(0), |written| written.seq);
    if !entries.is_empty() {
        shared.count(|figures| figures.durable += entries.len() as u64);
        shared.show(Arc::new(Batch::new(entries.into_iter())));
    }
    Ok(last)
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

/// Renames a file that cannot be read, so that nobody stumbles over it twice.
pub(crate) fn set_aside(shared: &Shared, path: &Path, why: String) {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".broken");
    // If it cannot be renamed it is passed over again at the next start.
    let _ = fs::rename(path, aside);
    shared.count(|figures| figures.set_aside += 1);
    shared.tell(&Trouble::SetAside { path: path.to_owned(), why });
}
