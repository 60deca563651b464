//! The suppression list as the server has it: in memory for whoever asks, in the spool for good.

mod came_back;
mod learning;
mod stopped;
mod stops;
mod teller;
mod understanding;
mod writing;

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use postlane_mail::Instant;
use postlane_spool::{Disk, Key};
use postlane_suppression::{Asked, Entry, Full, List, Page, Standing, Subject};

use crate::ground::clock::Clock;

pub(crate) use came_back::CameBy;
pub(crate) use learning::{Learning, Noticed};
pub(crate) use stopped::Stopped;
pub(crate) use stops::{Parted, Stops};
pub(crate) use teller::Teller;
pub(crate) use writing::Writing;

/// Where the spool keeps it.
const SPACE: &str = "suppress/";

/// The list, for everybody who asks or changes it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Suppressions(Arc<RwLock<List>>);

/// An entry that is durable now, or gone for good.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    pub(crate) subject: Subject,
    /// What holds from now on; none where the entry is gone.
    pub(crate) standing: Option<Standing>,
}

impl Suppressions {
    /// A list with nobody on it, until [`Self::load`].
    pub(crate) fn new() -> Self {
        Self(Arc::new(RwLock::new(List::new(0))))
    }

    /// Reads the list as the spool has it; how many of its entries could not be read.
    pub(crate) fn load(&self, store: &Disk, most: usize) -> u64 {
        let (list, unread) = store.look_at_keyed(SPACE, |keyed| {
            let entry = |(key, value)| (str::strip_prefix(key, SPACE).unwrap_or(key), value);
            List::of(most, keyed.map(entry))
        });
        *self.0.write() = list;
        unread
    }

    /// What stops this mail, if anything does.
    pub(crate) fn ask(&self, now: Instant, asked: &Asked<'_>) -> Option<Stopped> {
        self.0.read().ask(now, asked).map(Stopped)
    }

    /// Until when mail to this recipient's domain waits, if it does.
    pub(crate) fn hold(&self, clock: Clock, asked: &Asked<'_>) -> Option<Instant> {
        let list = self.0.read();
        // Nearly always: no look at the clock for it.
        if list.domains() == 0 {
            return None;
        }
        list.ask_domain(clock.now(), asked).map(Stopped)?.waits_until()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }

    pub(crate) fn find(&self, key: &str) -> Option<Standing> {
        self.0.read().find(key)
    }

    /// As [`List::page`]. Looks at so few at once that nobody who asks for mail waits long.
    pub(crate) fn page(
        &self,
        prefix: &str,
        mut behind: Option<Box<str>>,
        limit: usize,
        wanted: impl Fn(&str, &Standing) -> bool,
    ) -> Page {
        let mut page = Page::default();
        loop {
            let left = limit.saturating_sub(page.entries.len());
            let list = self.0.read();
            let part = list.page(prefix, behind.as_deref(), (left, LOOK_AT_ONCE), &wanted);
            drop(list);
            page.entries.extend(part.entries);
            page.next = part.next;
            if page.next.is_none() || page.entries.len() >= limit {
                return page;
            }
            behind.clone_from(&page.next);
        }
    }

    /// Whether so many new ones may come.
    pub(crate) fn room_for(&self, many: usize) -> Result<(), Full> {
        self.0.read().room_for(many)
    }

    pub(crate) fn limit(&self, most: usize) {
        self.0.write().limit(most);
    }

    /// What is durable holds from now on.
    pub(crate) fn apply(&self, updates: &[Update]) {
        let mut list = self.0.write();
        for Update { subject, standing } in updates {
            match standing {
                Some(standing) => list.put(subject, *standing),
                None => drop(list.remove(subject.key())),
            }
        }
    }

    /// Entries about mailboxes, and about whole domains.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let list = self.0.read();
        (list.len() - list.domains(), list.domains())
    }
}

/// Entries looked at while others wait: about a millisecond.
const LOOK_AT_ONCE: usize = 10_000;

/// What the spool calls an entry.
pub(crate) fn key_of(key: &str) -> Key {
    Key(format!("{SPACE}{key}").into())
}

/// An entry as the spool is to keep it.
pub(crate) fn kept(entry: &Entry) -> (Key, Option<Bytes>) {
    (key_of(entry.subject.key()), Some(entry.to_octets().into()))
}
