//! A spool's directory on a disk, locked for as long as it is used.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, IoSlice, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::OpenError;
use super::files::segments;
use super::volume::{Log, Room, Volume};
use super::whole::Whole;

/// Makes a folder that nobody else may look into: the names in it tell of mail, too.
fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A directory on a disk, locked for as long as this lives.
pub(crate) struct Directory {
    path: PathBuf,
    /// Itself, to be synced: that must not fail for want of a descriptor. None where it is only looked
    /// at.
    folder: Option<File>,
    /// None where it is only looked at and nobody ever took it: a copy.
    _lock: Option<File>,
}

impl Directory {
    /// Takes a directory, made if it is not there.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        make(path).map_err(|e| OpenError::not_usable(path, &e))?;
        Self::lock(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn lock(path: &Path) -> Result<Self, OpenError> {
        let unusable = |e: io::Error| OpenError::not_usable(path, &e);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path.join("lock")).map_err(unusable)?;
        hold(&mut file, FlockOperation::NonBlockingLockExclusive, path)?;
        file.set_len(0).map_err(unusable)?;
        // The number is for people: a full disk has no room for it, and holds nobody up.
        let _ = writeln!(file, "{}", std::process::id());
        let folder = File::open(path).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), folder: Some(folder), _lock: Some(file) })
    }

    /// A directory to look at, beside others who look, and only while nobody writes. Nothing in
    /// it is changed.
    pub(crate) fn look(path: &Path) -> Result<Self, OpenError> {
        let looked = Self::peep(path)?;
        match File::open(path.join("lock")) {
            Ok(mut file) => {
                hold(&mut file, FlockOperation::NonBlockingLockShared, path)?;
                Ok(Self { _lock: Some(file), ..looked })
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(looked),
            Err(e) => Err(OpenError::not_usable(path, &e)),
        }
    }

    /// A directory to look at while others may write: what is read may not fit together.
    pub(crate) fn peep(path: &Path) -> Result<Self, OpenError> {
        let looked = Self { path: path.to_owned(), folder: None, _lock: None };
        match segments(&looked) {
            Ok(numbers) if !numbers.is_empty() => Ok(looked),
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(OpenError::not_usable(path, &e)),
            _ => Err(OpenError::NoSpool { dir: path.to_owned() }),
        }
    }
}

fn hold(lock: &mut File, how: FlockOperation, path: &Path) -> Result<(), OpenError> {
    flock(&*lock, how).map_err(|why| {
        if why != Errno::WOULDBLOCK {
            // A file system without locks: nobody holds it, and nobody could.
            return OpenError::not_usable(path, &why.into());
        }
        let mut holder = String::new();
        // Who holds it has written its number there; if it cannot be read, there is none.
        let _ = lock.read_to_string(&mut holder);
        OpenError::InUse { dir: path.to_owned(), holder: holder.trim().to_owned() }
    })
}

impl Volume for Directory {
    fn names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name()));
        let names = names.collect::<io::Result<Vec<_>>>()?;
        // A name that is no text is none of ours.
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn Log>> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true).mode(0o600);
        Ok(Arc::new(options.open(self.path.join(name))?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn Log>> {
        Ok(Arc::new(OpenOptions::new().read(true).append(true).open(self.path.join(name))?))
    }

    fn read(&self, name: &str) -> io::Result<Whole> {
        Whole::read(&File::open(self.path.join(name))?)
    }

    fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            make(folder)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let to = self.path.join(to);
        if let Some(folder) = to.parent() {
            make(folder)?;
        }
        fs::rename(self.path.join(from), to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    fn sync_names(&self) -> io::Result<()> {
        match &self.folder {
            Some(folder) => folder.sync_all()?,
            None => File::open(&self.path)?.sync_all()?,
        }
        let kept = self.path.join("quarantine");
        if kept.exists() { File::open(kept)?.sync_all() } else { Ok(()) }
    }

    fn room(&self) -> io::Result<Room> {
        room(&self.path)
    }
}

impl Log for File {
    fn append(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut file = self;
        file.write_vectored(slices)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&self, octets: u64) -> io::Result<()> {
        self.set_len(octets)
    }

    fn octets(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}

/// Room on the file system that a directory is on.
pub(super) fn room(dir: &Path) -> io::Result<Room> {
    let stat = rustix::fs::statvfs(dir)?;
    let octets = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok(Room { free: octets(stat.f_bavail), in_all: octets(stat.f_blocks) })
}
