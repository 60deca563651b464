//! The registry as the rest of the house has it: a thread of its own that does one thing after the
//! other, so that nobody else ever waits for its disk.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::error::RegistryError;

/// The registry. Cheap to clone; it closes when it is [closed](Self::close), or when the last clone is
/// gone.
#[derive(Clone)]
pub struct Registry {
    work: SyncSender<Work>,
    /// Until somebody waits for its end.
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// What the thread is told.
enum Work {
    /// Something to do with the file, or with why there is none.
    Errand(Box<dyn Errand>),
    /// The last of all.
    Close,
}

/// Whatever takes the file, or why there is none.
trait Errand: Send {
    fn run(self: Box<Self>, file: Result<&mut Database, RegistryError>);
}

impl<F: FnOnce(Result<&mut Database, RegistryError>) + Send> Errand for F {
    fn run(self: Box<Self>, file: Result<&mut Database, RegistryError>) {
        self(file);
    }
}

/// Pieces of work that wait. More, and who asks is told that it is busy. Chosen, not measured: each
/// takes some ten microseconds, or a disk's sync.
const WAITING_MAX: usize = 4096;

/// A file that could not be opened is tried again after this long, when somebody asks: what was in
/// its way may be gone. Chosen, not measured.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Registry {
    /// Begins. The file is opened on its thread, when the first asks; while it cannot be opened
    /// whoever asks is told why.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let path = path.to_owned();
        let name = "registry".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || keep(&path, &receiver))?;
        Ok(Self { work: sender, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// Has something done, and `then` told what came of it, on the registry's thread. Never waits.
    ///
    /// # Errors
    /// [`RegistryError::Busy`]: too much waits already, or the registry is closing; then `then` is told
    /// nothing. What comes of the work is told to `then` alone.
    pub fn ask<T: 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, RegistryError> + Send + 'static,
        then: impl FnOnce(Result<T, RegistryError>) + Send + 'static,
    ) -> Result<(), RegistryError> {
        let work = Work::Errand(Box::new(move |file: Result<&mut Database, RegistryError>| {
            then(file.and_then(work));
        }));
        self.work.try_send(work).map_err(|_| RegistryError::Busy)
    }

    /// Has something done and waits for it: for threads that may wait.
    ///
    /// # Errors
    /// What the work said; [`RegistryError::Busy`] as with [`Self::ask`], or if the thread has ended
    /// meanwhile.
    pub fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let (sender, receiver) = sync_channel(1);
        self.ask(work, move |done| {
            // Who asked may have gone away.
            let _ = sender.send(done);
        })?;
        receiver.recv().unwrap_or(Err(RegistryError::Busy))
    }

    /// Closes the file when all is done that was asked before, and waits for it: SQLite brings its log
    /// where it belongs, so that the file alone is whole. Whoever asks later is told that it is closing.
    pub fn close(&self) {
        // It has ended already where nobody hears this.
        let _ = self.work.send(Work::Close);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Work that panics does not end it; should it have ended so, the file is closed all the same.
            let _ = thread.join();
        }
    }
}

/// The file, or why there is none.
enum File {
    Open(Database),
    /// It could not be opened, and when that was found.
    Shut(RegistryError, Instant),
    /// Another was put in its place: what the rest of the house has read of the old one does not go
    /// with the new one, so that it is read from the next start on.
    Replaced(RegistryError),
}

fn keep(path: &Path, work: &Receiver<Work>) {
    let mut file = open(path);
    while let Ok(Work::Errand(work)) = work.recv() {
        file = looked_at(path, file);
        // What was begun and not committed is rolled back as it is dropped.
        let done = catch_unwind(AssertUnwindSafe(|| match &mut file {
            File::Open(database) => work.run(Ok(database)),
            File::Shut(why, _) | File::Replaced(why) => work.run(Err(why.clone())),
        }));
        if done.is_err() && matches!(file, File::Open(_)) {
            file = open(path);
        }
    }
}

fn open(path: &Path) -> File {
    match Database::open(path) {
        Ok(database) => File::Open(database),
        Err(why) => File::Shut(why, Instant::now()),
    }
}

/// The file as the next piece of work finds it. Reading is told of another file in its place, too: a
/// token that was taken back in that one would go on to hold here.
fn looked_at(path: &Path, file: File) -> File {
    match file {
        File::Shut(_, since) if since.elapsed() >= AGAIN_AFTER => open(path),
        File::Open(database) => match database.stands() {
            Ok(()) => File::Open(database),
            // It was moved away: a new one is made, as the cure for a broken one has it.
            Err(_) if !path.exists() => {
                drop(database);
                open(path)
            }
            Err(why) => File::Replaced(why),
        },
        still => still,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use postlane_mail::Label;

    use super::*;
    use crate::{NewToken, Scope, Scopes, Token};

    fn names(tokens: &[Token]) -> Vec<&str> {
        tokens.iter().map(|token| token.name.as_str()).collect()
    }

    fn new_token(name: &str) -> NewToken {
        NewToken {
            name: Label::parse(name).unwrap(),
            scopes: Scopes::new([Scope::Read]).unwrap(),
            tenant: Label::NONE,
            by: "test".to_owned(),
            expires: None,
        }
    }

    #[test]
    fn what_is_asked_is_done_in_turn_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("registry.db");
        let registry = Registry::begin(&path).unwrap();
        let now = postlane_mail::Instant(1);
        registry.wait(move |db| db.add_token(&new_token("a"), now)).unwrap();
        drop(registry);
        let registry = Registry::begin(&path).unwrap();
        let tokens = registry.wait(|db| db.tokens()).unwrap();
        assert_eq!(tokens.len(), 1);
    }

    #[test]
    fn a_closed_registry_is_one_whole_file_and_takes_no_more_work() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("registry.db");
        let registry = Registry::begin(&path).unwrap();
        let (other, now) = (registry.clone(), postlane_mail::Instant(1));
        registry.ask(move |db| db.add_token(&new_token("a"), now), drop).unwrap();
        registry.close();
        let files = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name());
        assert_eq!(files.collect::<Vec<_>>(), ["registry.db"], "no log is left beside it");
        assert_eq!(names(&Database::open(&path).unwrap().tokens().unwrap()), ["a"]);
        assert_eq!(other.wait(|db| db.tokens()).err(), Some(RegistryError::Busy));
        other.close();
    }

    #[test]
    fn a_broken_file_is_told_to_everybody_who_asks_and_work_that_panics_ends_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("registry.db");
        fs::write(&path, [b'x'; 4096]).unwrap();
        let registry = Registry::begin(&path).unwrap();
        for _ in 0..2 {
            let refused = registry.wait(|db| db.tokens()).err().unwrap();
            assert!(matches!(refused, RegistryError::Broken { .. }), "{refused:?}");
        }
        let sound = Registry::begin(&dir.path().join("sound.db")).unwrap();
        let died = sound.wait(|_| -> Result<(), RegistryError> { panic!("as a bug would") });
        assert_eq!(died, Err(RegistryError::Busy));
        assert_eq!(sound.wait(|db| db.tokens()).unwrap().len(), 0);
    }

    #[test]
    fn another_file_in_its_place_is_told_to_readers_and_writers_and_read_from_the_next_start_on() {
        let dir = tempfile::tempdir().unwrap();
        let now = postlane_mail::Instant(1);
        let (path, backup) = (dir.path().join("registry.db"), dir.path().join("backup.db"));
        Database::open(&backup).unwrap().add_token(&new_token("restored"), now).unwrap();
        let registry = Registry::begin(&path).unwrap();
        registry.wait(move |db| db.add_token(&new_token("a"), now)).unwrap();
        fs::rename(&backup, &path).unwrap();
        let replaced = Some(RegistryError::Replaced { path: path.clone() });
        assert_eq!(registry.wait(|db| db.tokens()).err(), replaced);
        assert_eq!(registry.wait(move |db| db.add_token(&new_token("b"), now)).err(), replaced);
        drop(registry);
        let registry = Registry::begin(&path).unwrap();
        let tokens = registry.wait(|db| db.tokens()).unwrap();
        assert_eq!(names(&tokens), ["restored"]);
    }

    #[test]
    fn one_that_was_moved_away_takes_nothing_more_and_a_new_one_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let now = postlane_mail::Instant(1);
        let path = dir.path().join("registry.db");
        let registry = Registry::begin(&path).unwrap();
        registry.wait(move |db| db.add_token(&new_token("a"), now)).unwrap();
        fs::rename(&path, dir.path().join("away")).unwrap();
        registry.wait(move |db| db.add_token(&new_token("b"), now)).unwrap();
        drop(registry);
        let registry = Registry::begin(&path).unwrap();
        let tokens = registry.wait(|db| db.tokens()).unwrap();
        assert_eq!(names(&tokens), ["b"]);
    }
}
