//! Rehearsals in a running server: what a campaign would come to, in virtual time.
//!
//! They run one after another on a thread of their own that has the lowest priority the system gives,
//! share no lock with anything that mail passes through, and are bounded in everything that they take
//! (`limits`). What runs can neither send nor store: it is `app/rehearsal`, which reaches no socket and
//! no file, and what it came to is kept in memory.

mod asked;
mod engine;
pub mod limits;
mod shelf;
mod work;

use std::sync::{Arc, OnceLock};
use std::thread;

use parking_lot::Mutex;
use postlane_mail::{Instant, Label};
use postlane_rehearsal::Engine;
use tokio::sync::watch;

use crate::setup::Live;
use shelf::Shelf;

pub use asked::{Keep, NewRehearsal, NoRehearsal, Told};
pub use engine::rehearsed_engine;
pub use shelf::{Rehearsed, Seen, Standing};

/// All rehearsals of a server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rehearsals(Arc<Desk>);

struct Desk {
    live: Live,
    shelf: Mutex<Shelf>,
    /// What comes with the program; made when somebody rehearses for the first time.
    built_in: OnceLock<Arc<Engine>>,
    /// Whether the server is closing.
    closing: watch::Receiver<bool>,
}

impl Rehearsals {
    pub(crate) fn new(live: Live, closing: watch::Receiver<bool>) -> Self {
        let (shelf, built_in) = (Mutex::default(), OnceLock::new());
        Self(Arc::new(Desk { live, shelf, built_in, closing }))
    }

    fn now(&self) -> Instant {
        self.0.live.borrow().clock.now()
    }

    pub(crate) fn put(&self, asked: NewRehearsal) -> Result<Arc<Rehearsed>, NoRehearsal> {
        let mut shelf = self.0.shelf.lock();
        let new = shelf.put(asked, self.now())?;
        if !shelf.is_worked_on {
            let own = self.clone();
            let thread = thread::Builder::new().name("rehearsal".to_owned());
            if let Err(error) = thread.spawn(move || own.work()) {
                shelf.remove(new.id);
                return Err(NoRehearsal::NoThread(error.to_string()));
            }
            shelf.is_worked_on = true;
        }
        Ok(new)
    }

    pub(crate) fn all(&self, tenant: &Label) -> Vec<Arc<Rehearsed>> {
        self.0.shelf.lock().all(tenant)
    }

    pub(crate) fn find(&self, id: u64, tenant: &Label) -> Result<Arc<Rehearsed>, NoRehearsal> {
        self.0.shelf.lock().find(id, tenant)
    }

    pub(crate) fn end(&self, id: u64, tenant: &Label) -> Result<Arc<Rehearsed>, NoRehearsal> {
        let mut shelf = self.0.shelf.lock();
        let found = shelf.find(id, tenant)?;
        match found.standing() {
            Standing::Waits => found.change(|seen| seen.standing = Standing::Stopped),
            Standing::Runs => found.stop(),
            _ => shelf.remove(id),
        }
        Ok(found)
    }

    /// Makes all that waits, and ends.
    fn work(&self) {
        step_back();
        loop {
            let mut shelf = self.0.shelf.lock();
            let Some(next) = shelf.next().filter(|_| !*self.0.closing.borrow()) else {
                shelf.is_worked_on = false;
                return;
            };
            drop(shelf);
            self.make(&next);
        }
    }
}

/// This thread runs when no other wants to: 19 is the lowest priority that anybody may give
/// (setpriority(2)); on Linux it is the thread's own and not the process's. A system that refuses
/// leaves it as it is: rehearsals are bounded all the same.
fn step_back() {
    const LOWEST: i32 = 19;
    let _ = rustix::process::setpriority_process(None, LOWEST);
}
