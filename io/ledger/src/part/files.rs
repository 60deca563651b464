//! Where the ledger's files lie.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::part::name::Name;
use crate::private::make_folder;

/// The folders of a ledger.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    dir: PathBuf,
}

impl Files {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Makes the folders.
    pub(crate) fn create(&self) -> io::Result<()> {
        for folder in [
            self.open(),
            self.folder("events"),
            self.folder("samples"),
            self.folder("counts"),
            self.folder("trigrams"),
            self.folder("minutes"),
        ] {
            make_folder(&folder)?;
        }
        Ok(())
    }

    /// Append logs.
    pub(crate) fn open(&self) -> PathBuf {
        self.folder("open")
    }

    /// Sealed entries.
    pub(crate) fn events(&self, name: &Name) -> PathBuf {
        self.folder("events").join(name.file())
    }

    /// Their samples.
    pub(crate) fn samples(&self, name: &Name) -> PathBuf {
        self.folder("samples").join(name.file())
    }

    /// How many of them share their fields.
    pub(crate) fn counts(&self, name: &Name) -> PathBuf {
        self.folder("counts").join(name.file())
    }

    /// Which three octets stand in their texts.
    pub(crate) fn trigrams(&self, name: &Name) -> PathBuf {
        self.folder("trigrams").join(name.file()).with_extension("trigrams")
    }

    /// Their counts by the minute, which are kept longer.
    pub(crate) fn minutes(&self, name: &Name) -> PathBuf {
        self.folder("minutes").join(name.file())
    }

    /// The sealed files in a folder, in the order of writing. What was begun and not finished is
    /// removed; what has another name is left alone.
    pub(crate) fn names(&self, folder: &str) -> io::Result<Vec<Name>> {
        let mut names = Vec::new();
        for file in fs::read_dir(self.folder(folder))? {
            let path = file?.path();
            let Some(file) = path.file_name().and_then(|file| file.to_str()) else { continue };
            if file.ends_with(".tmp") {
                fs::remove_file(&path)?;
            } else {
                // Beside the tables of a part lie files of another form, under the same name.
                let table = file.replace(".trigrams", ".parquet");
                names.extend(Name::parse(&table));
            }
        }
        names.sort_unstable_by_key(|name| (name.first, name.last));
        Ok(names)
    }

    /// Octets that a part takes, with all that lies beside its entries.
    pub(crate) fn octets(&self, name: &Name) -> u64 {
        [self.events(name), self.samples(name), self.counts(name), self.trigrams(name)]
            .iter()
            .filter_map(|path| fs::metadata(path).ok())
            .map(|file| file.len())
            .sum()
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}
