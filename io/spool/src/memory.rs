//! The store in memory: the same promises, kept until the process ends. For the simulation,
//! and as the second witness of what a store is.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use postlane_mail::{Envelope, LastReply, Place, Progress, QueueId};

use crate::error::StoreError;
use crate::format::measure;
use crate::recovered::Recovered;
use crate::store::{Changes, Commits, Fate, Inserted, Insertion, Key, Store, Stored, Usage};
use crate::ticket::{Promise, Ticket, ticket};

/// The store in memory. Nothing becomes durable before [`Memory::pump`] is called, so that
/// whoever calls decides what a crash takes away.
pub struct Memory {
    inner: Mutex<Inner>,
}

struct Inner {
    commits: Option<Box<dyn Commits>>,
    waiting: Vec<Request>,
    kept: Kept,
    failed: bool,
}

/// What is durable.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    messages: BTreeMap<Place, Message>,
    keyed: BTreeMap<Key, Bytes>,
    written: u32,
}

#[derive(Debug, Clone)]
struct Message {
    id: QueueId,
    envelope: Arc<Envelope>,
    facts: Box<[u8]>,
    message: Bytes,
    recipients: BTreeMap<u16, (Progress, Option<LastReply>)>,
}

enum Request {
    Message(Insertion, Promise),
    Changes(Changes),
}

impl Memory {
    /// A store with what another had kept, or with nothing.
    pub fn new(kept: Kept, commits: impl Commits) -> Self {
        let commits: Option<Box<dyn Commits>> = Some(Box::new(commits));
        Self { inner: Mutex::new(Inner { commits, waiting: Vec::new(), kept, failed: false }) }
    }

    /// Makes durable what waits, the first `many` requests of it, and says so.
    pub fn pump(&self, many: usize) {
        let (told, mut commits) = {
            let mut inner = self.inner.lock();
            let many = many.min(inner.waiting.len());
            let requests: Vec<Request> = inner.waiting.drain(..many).collect();
            let Some(commits) = inner.commits.take() else { return };
            (inner.apply(requests), commits)
        };
        if !told.0.is_empty() {
            commits.inserted(told.0);
        }
        if let Some(upto) = told.1 {
            commits.committed(upto);
        }
        self.inner.lock().commits = Some(commits);
    }

    /// Requests that wait.
    pub fn waiting(&self) -> usize {
        self.inner.lock().waiting.len()
    }

    /// The disk fails: what waits is neither done nor not done, and nothing more is taken.
    pub fn fail(&self) {
        let (waiting, commits) = {
            let mut inner = self.inner.lock();
            inner.failed = true;
            (std::mem::take(&mut inner.waiting), inner.commits.take())
        };
        let error = StoreError::Unknown("the disk failed".to_owned());
        for request in waiting {
            if let Request::Message(_, promise) = request {
                promise.keep(Err(error.clone()));
            }
        }
        if let Some(mut commits) = commits {
            commits.failed(error);
        }
    }

    /// What a crash now would leave.
    pub fn kept(&self) -> Kept {
        self.inner.lock().kept.clone()
    }

    /// Keyed state whose name begins like this, in order.
    pub fn keyed(&self, prefix: &str) -> Vec<(Key, Bytes)> {
        let inner = self.inner.lock();
        let found = inner.kept.keyed.iter().filter(|(key, _)| key.0.starts_with(prefix));
        found.map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

impl Kept {
    /// Every message that lives, with its recipients that are not done.
    pub fn recovered(&self) -> Vec<Recovered> {
        let each = self.messages.iter().map(|(place, message)| Recovered {
            id: message.id,
            place: *place,
            envelope: (*message.envelope).clone(),
            recipients: message.recipients.iter().map(|(index, (p, _))| (*index, *p)).collect(),
        });
        each.collect()
    }
}

impl Inner {
    fn apply(&mut self, requests: Vec<Request>) -> (Vec<Inserted>, Option<crate::store::Seq>) {
        let (mut inserted, mut upto) = (Vec::new(), None);
        for request in requests {
            match request {
                Request::Message(insertion, promise) => {
                    let message = self.kept.insert(insertion);
                    promise.keep(Ok(message.place));
                    inserted.push(message);
                }
                Request::Changes(changes) => {
                    upto = upto.max(Some(changes.seq));
                    inserted.extend(self.kept.change(changes));
                }
            }
        }
        (inserted, upto)
    }
}

impl Kept {
    fn insert(&mut self, insertion: Insertion) -> Inserted {
        let place = Place { segment: 1, ordinal: self.written };
        self.written += 1;
        let many = insertion.envelope.recipients.len() as u16;
        let message = Message {
            id: insertion.id,
            envelope: insertion.envelope.clone(),
            facts: insertion.facts,
            message: insertion.message.concat().into(),
            recipients: (0..many).map(|index| (index, Default::default())).collect(),
        };
        self.messages.insert(place, message);
        Inserted { id: insertion.id, place, envelope: insertion.envelope, tag: insertion.tag }
    }

    fn change(&mut self, changes: Changes) -> Vec<Inserted> {
        for change in changes.recipients {
            let Some(message) = self.messages.get_mut(&change.place) else { continue };
            match change.fate {
                Fate::Done => drop(message.recipients.remove(&change.recipient)),
                Fate::Waiting(progress, last) => {
                    if let Some(known) = message.recipients.get_mut(&change.recipient) {
                        *known = (progress, last);
                    }
                }
            }
            if message.recipients.is_empty() {
                self.messages.remove(&change.place);
            }
        }
        for (key, value) in changes.keyed {
            match value {
                Some(value) => drop(self.keyed.insert(key, value)),
                None => drop(self.keyed.remove(&key)),
            }
        }
        changes.insertions.into_iter().map(|insertion| self.insert(insertion)).collect()
    }
}

impl Store for Memory {
    fn insert(&self, insertion: Insertion) -> Ticket {
        let (promise, ticket) = ticket();
        let mut inner = self.inner.lock();
        if inner.failed {
            drop(inner);
            promise.keep(Err(StoreError::Closed));
        } else if let Err(error) = measure(&insertion) {
            drop(inner);
            promise.keep(Err(error));
        } else {
            inner.waiting.push(Request::Message(insertion, promise));
        }
        ticket
    }

    fn commit(&self, changes: Changes) {
        let mut inner = self.inner.lock();
        if !inner.failed {
            inner.waiting.push(Request::Changes(changes));
        }
    }

    fn read(&self, place: Place) -> Result<Stored, StoreError> {
        let inner = self.inner.lock();
        let message = inner.kept.messages.get(&place).ok_or(StoreError::Gone)?;
        Ok(Stored {
            id: message.id,
            envelope: (*message.envelope).clone(),
            facts: message.facts.clone(),
            message: message.message.clone(),
        })
    }

    fn read_head(&self, place: Place) -> Result<Stored, StoreError> {
        self.read(place).map(|stored| Stored { message: Bytes::new(), ..stored })
    }

    fn progress(
        &self,
        place: Place,
    ) -> Result<Vec<(u16, Progress, Option<LastReply>)>, StoreError> {
        let inner = self.inner.lock();
        let Some(message) = inner.kept.messages.get(&place) else { return Ok(Vec::new()) };
        let waiting = message.recipients.iter().filter(|(_, (p, _))| *p != Progress::default());
        Ok(waiting.map(|(index, (p, last))| (*index, *p, last.clone())).collect())
    }

    fn is_full(&self) -> bool {
        false
    }

    fn usage(&self) -> Usage {
        let inner = self.inner.lock();
        let used = inner.kept.messages.values().map(|m| m.message.len() as u64).sum();
        Usage {
            used,
            free: u64::MAX,
            headroom: u64::MAX,
            segments: 1,
            messages: inner.kept.messages.len() as u64,
            full: false,
        }
    }
}
