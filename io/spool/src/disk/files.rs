//! The files of a spool: names, reading, and what a directory entry needs to last.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::StoreError;

/// Segments that are open for reading.
#[derive(Default)]
pub(super) struct Files(BTreeMap<u32, Arc<File>>);

impl Files {
    pub(super) fn add(&mut self, segment: u32, file: Arc<File>) {
        self.0.insert(segment, file);
    }

    pub(super) fn open(&self, segment: u32) -> Option<Arc<File>> {
        self.0.get(&segment).cloned()
    }

    pub(super) fn forget(&mut self, segment: u32) {
        self.0.remove(&segment);
    }
}

pub(super) fn segment_path(dir: &Path, segment: u32) -> PathBuf {
    dir.join(format!("{segment:08}.seg"))
}

pub(super) fn index_path(dir: &Path, segment: u32) -> PathBuf {
    dir.join(format!("{segment:08}.idx"))
}

/// The numbers of all segments there are, in order.
pub(super) fn segments(dir: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".seg"));
        numbers.extend(number.filter(|n| n.len() == 8).and_then(|n| n.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes a new file, readable by its owner alone, whose name lasts.
pub(super) fn create(dir: &Path, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file =
        OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(path)?;
    sync_dir(dir)?;
    Ok(file)
}

/// What was created, renamed or removed in a directory is so after a crash, too.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

pub(super) fn remove(dir: &Path, segment: u32) -> io::Result<()> {
    // The index first: an index without its segment would be for nothing.
    for path in [index_path(dir, segment), segment_path(dir, segment)] {
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    sync_dir(dir)
}

pub(super) fn read_at(file: &File, offset: u64, octets: usize) -> Result<Vec<u8>, StoreError> {
    let mut buffer = vec![0; octets];
    file.read_exact_at(&mut buffer, offset).map_err(|e| StoreError::Io(e.to_string()))?;
    Ok(buffer)
}

/// Reads so many octets, or fewer at the end of the file.
pub(super) fn read_up_to(file: &File, offset: u64, octets: usize) -> Result<Vec<u8>, StoreError> {
    let failed = |e: io::Error| StoreError::Io(e.to_string());
    let size = file.metadata().map_err(failed)?.len();
    let octets = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX).min(octets);
    read_at(file, offset, octets)
}
