//! A volume in memory that crashes, fails and is full where it is told to.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::sync::Arc;

use parking_lot::Mutex;

use super::volume::{Log, Room, Volume};
use super::whole::Whole;

/// A volume in memory. Its clones are the same volume.
#[derive(Clone, Default)]
pub(super) struct Faulty(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    /// The names as they were last synced, and then after each change since.
    lasting: BTreeMap<String, usize>,
    since: Vec<BTreeMap<String, usize>>,
    /// Calls so far that change something.
    calls: u64,
    trouble: Option<(u64, Trouble)>,
    /// An append takes no more than this, in octets.
    append_octets_max: Option<usize>,
    /// The volume holds no more than this, in octets.
    room: Option<u64>,
    /// The volume has no more names than this.
    names_max: Option<usize>,
    /// The program has no more descriptors: nothing new can be opened.
    is_out_of_descriptors: bool,
    is_dead: bool,
}

#[derive(Default)]
struct Content {
    octets: Vec<u8>,
    synced: usize,
}

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The machine stops: this call and all behind it do nothing, and say so.
    Crash,
    /// This call fails; an append has written half of its octets.
    Failure,
}

/// An open file.
struct Handle {
    volume: Faulty,
    file: usize,
}

impl Faulty {
    /// Calls so far that changed something.
    pub(super) fn calls(&self) -> u64 {
        self.0.lock().calls
    }

    /// Makes trouble at a call, counted from 1.
    pub(super) fn trouble_at(&self, call: u64, trouble: Trouble) {
        self.0.lock().trouble = Some((call, trouble));
    }

    pub(super) fn append_no_more_than(&self, octets: usize) {
        self.0.lock().append_octets_max = Some(octets);
    }

    pub(super) fn set_room(&self, octets: Option<u64>) {
        self.0.lock().room = octets;
    }

    pub(super) fn set_names_max(&self, names: Option<usize>) {
        self.0.lock().names_max = names;
    }

    pub(super) fn set_out_of_descriptors(&self, is_out: bool) {
        self.0.lock().is_out_of_descriptors = is_out;
    }

    pub(super) fn used(&self) -> u64 {
        self.0.lock().used()
    }

    /// What a crash now may leave: what was synced, some of the names that were not, and of each
    /// file a beginning of what was not, behind which zeros may stand. The seed chooses.
    pub(super) fn after_crash(&self, seed: u64) -> Self {
        let inner = self.0.lock();
        let mut chance = Chance(seed | 1);
        let which = chance.below(inner.since.len() + 1);
        let names = which.checked_sub(1).map_or(&inner.lasting, |last| &inner.since[last]);
        let mut left = Inner::default();
        for (name, file) in names {
            let Content { octets, synced } = &inner.files[*file];
            let kept = synced + chance.below(octets.len() - synced + 1);
            let mut content = octets[..kept].to_vec();
            if chance.below(4) == 0 {
                content.resize(octets.len(), 0);
            }
            left.names.insert(name.clone(), left.files.len());
            left.files.push(Content { synced: content.len(), octets: content });
        }
        left.lasting = left.names.clone();
        Self(Arc::new(Mutex::new(left)))
    }

    /// A volume with these files.
    pub(super) fn with(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let made = Self::default();
        for (name, octets) in files {
            made.write(name, &[octets]).unwrap();
        }
        made.sync_names().unwrap();
        made
    }

    /// All files.
    pub(super) fn all(&self) -> BTreeMap<String, Vec<u8>> {
        let inner = self.0.lock();
        let files = inner.names.iter();
        files.map(|(name, file)| (name.clone(), inner.files[*file].octets.clone())).collect()
    }
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) as usize % end
    }
}

fn crashed() -> io::Error {
    io::Error::other("the machine has stopped")
}

impl Inner {
    fn alive(&self) -> io::Result<()> {
        if self.is_dead { Err(crashed()) } else { Ok(()) }
    }

    /// Counts a call that changes something. An error says that it is to fail; what it does
    /// before that the call knows.
    fn call(&mut self) -> io::Result<Result<(), io::Error>> {
        self.alive()?;
        self.calls += 1;
        Ok(match self.trouble {
            Some((at, trouble)) if at == self.calls => {
                self.is_dead = trouble == Trouble::Crash;
                Err(crashed())
            }
            _ => Ok(()),
        })
    }

    fn used(&self) -> u64 {
        self.names.values().map(|file| self.files[*file].octets.len() as u64).sum()
    }

    fn left(&self) -> usize {
        self.room.map_or(usize::MAX, |room| room.saturating_sub(self.used()) as usize)
    }

    fn name(&mut self, change: impl FnOnce(&mut BTreeMap<String, usize>)) {
        change(&mut self.names);
        self.since.push(self.names.clone());
    }

    fn file(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Volume for Faulty {
    fn names(&self) -> io::Result<Vec<String>> {
        let inner = self.0.lock();
        inner.alive()?;
        Ok(inner.names.keys().filter(|name| !name.contains('/')).cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn Log>> {
        let mut inner = self.0.lock();
        let goes = inner.call()?;
        if inner.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if inner.names_max.is_some_and(|max| inner.names.len() >= max) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if inner.is_out_of_descriptors {
            return Err(rustix::io::Errno::MFILE.into());
        }
        let file = inner.files.len();
        inner.files.push(Content::default());
        inner.name(|names| {
            names.insert(name.to_owned(), file);
        });
        goes?;
        Ok(Arc::new(Handle { volume: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn Log>> {
        let inner = self.0.lock();
        inner.alive()?;
        let file = inner.file(name)?;
        Ok(Arc::new(Handle { volume: self.clone(), file }))
    }

    fn read(&self, name: &str) -> io::Result<Whole> {
        let inner = self.0.lock();
        inner.alive()?;
        Ok(inner.files[inner.file(name)?].octets.clone().into())
    }

    fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let mut inner = self.0.lock();
        let goes = inner.call()?;
        let octets = parts.concat();
        if octets.len() > inner.left() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let synced = if goes.is_ok() { octets.len() } else { 0 };
        let file = inner.files.len();
        inner.files.push(Content { octets, synced });
        inner.name(|names| {
            names.insert(name.to_owned(), file);
        });
        goes
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.0.lock();
        let goes = inner.call()?;
        let file = inner.file(from)?;
        inner.name(|names| {
            names.remove(from);
            names.insert(to.to_owned(), file);
        });
        goes
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.0.lock();
        let goes = inner.call()?;
        inner.name(|names| {
            names.remove(name);
        });
        goes
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut inner = self.0.lock();
        inner.call()??;
        inner.lasting = inner.names.clone();
        inner.since.clear();
        Ok(())
    }

    fn room(&self) -> io::Result<Room> {
        let inner = self.0.lock();
        inner.alive()?;
        let in_all = inner.room.unwrap_or(1 << 40);
        Ok(Room { free: in_all.saturating_sub(inner.used()), in_all })
    }
}

impl Log for Handle {
    fn append(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut inner = self.volume.0.lock();
        let goes = inner.call()?;
        let mut octets: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        octets.truncate(inner.append_octets_max.unwrap_or(usize::MAX));
        let left = inner.left();
        if left == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        octets.truncate(left);
        if goes.is_err() && !inner.is_dead {
            octets.truncate(octets.len() / 2);
        }
        inner.files[self.file].octets.extend_from_slice(&octets);
        goes.map(|()| octets.len())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.volume.0.lock();
        inner.call()??;
        let content = &mut inner.files[self.file];
        content.synced = content.octets.len();
        Ok(())
    }

    fn cut(&self, octets: u64) -> io::Result<()> {
        let mut inner = self.volume.0.lock();
        inner.call()??;
        let content = &mut inner.files[self.file];
        content.octets.truncate(octets as usize);
        content.synced = content.synced.min(content.octets.len());
        Ok(())
    }

    fn octets(&self) -> io::Result<u64> {
        let inner = self.volume.0.lock();
        inner.alive()?;
        Ok(inner.files[self.file].octets.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let inner = self.volume.0.lock();
        inner.alive()?;
        let octets = &inner.files[self.file].octets;
        let wanted = octets.get(offset as usize..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(wanted.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
