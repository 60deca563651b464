//! Writing an append log.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::entry::{Sample, Written};
use crate::log::reading::HEADER;
use crate::log::record::encode;
use crate::private::options;

/// An append log being written.
#[derive(Debug)]
pub(crate) struct AppendLog {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
}

impl AppendLog {
    /// Begins a log that must not exist yet; its name is durable when this returns.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut file = options().append(true).create_new(true).open(path)?;
        file.write_all(HEADER)?;
        file.sync_all()?;
        if let Some(dir) = path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(Self { path: path.to_owned(), file, buffer: Vec::new() })
    }

    /// Appends entries; they are durable when this returns. After an error the log is not to be
    /// written to again: nobody knows where its end is.
    pub(crate) fn append<'a>(
        &mut self,
        entries: impl Iterator<Item = (&'a Written, Option<&'a Sample>)>,
    ) -> io::Result<()> {
        self.buffer.clear();
        for (written, sample) in entries {
            encode(written, sample, &mut self.buffer);
        }
        self.file.write_all(&self.buffer)?;
        self.file.sync_data()?;
        self.buffer.shrink_to(1 << 20);
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
