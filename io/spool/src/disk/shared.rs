//! What the callers of a store and its committer share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use postlane_mail::{LastReply, Place, Progress};

use super::Settings;
use super::files::Files;
use super::request::Request;
use super::tally::Tally;
use super::volume::Volume;
use crate::error::StoreError;
use crate::format::{
    HEAD_CLAIM_OCTETS, Head, Record, push_also, push_done, push_moved, push_waiting, read_message,
    read_waiting,
};
use crate::store::Usage;
use crate::table::{At, Table};

/// What callers and the committer share.
pub(super) struct Shared {
    pub(super) volume: Arc<dyn Volume>,
    pub(super) settings: Settings,
    mailbox: Mutex<Mailbox>,
    arrived: Condvar,
    pub(super) table: Mutex<Table>,
    pub(super) files: Files,
    backlog: AtomicU64,
    full: AtomicBool,
    closed: AtomicBool,
    free: AtomicU64,
    headroom: AtomicU64,
    /// Somebody is still being told what was in the spool: nothing is moved meanwhile.
    pub(super) recovering: AtomicBool,
    pub(super) tally: Tally,
}

#[derive(Default)]
struct Mailbox {
    requests: Vec<Request>,
    committer_sleeps: bool,
    door: Door,
}

/// Whether anything is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Door {
    /// Yes.
    #[default]
    Open,
    /// No more; what is there is still written.
    Closing,
    /// The committer has ended.
    Shut,
}

impl Shared {
    pub(super) fn new(volume: Arc<dyn Volume>, settings: Settings, table: Table) -> Self {
        Self {
            volume,
            settings,
            mailbox: Mutex::default(),
            arrived: Condvar::new(),
            table: Mutex::new(table),
            files: Files::default(),
            backlog: 0.into(),
            full: false.into(),
            closed: false.into(),
            free: 0.into(),
            headroom: 0.into(),
            recovering: true.into(),
            tally: Tally::default(),
        }
    }

    /// Whether new mail is refused, before anything is done for it.
    pub(super) fn refuses(&self) -> Result<(), StoreError> {
        // What is missed here is caught when it is put into the mailbox.
        if self.closed.load(Ordering::Relaxed) {
            return Err(StoreError::Closed);
        }
        if self.full.load(Ordering::Relaxed) {
            return Err(StoreError::Full("less is free than the watermark".to_owned()));
        }
        Ok(())
    }

    /// Takes new mail, unless too much waits already.
    pub(super) fn put_mail(&self, request: Request) {
        let octets = request.octets();
        let before = self.backlog.fetch_add(octets, Ordering::Relaxed);
        if before.saturating_add(octets) > self.settings.backlog_octets_max && before > 0 {
            self.backlog.fetch_sub(octets, Ordering::Relaxed);
            return request.answer(&StoreError::Full("the disk is behind".to_owned()));
        }
        self.push(request);
    }

    /// Takes what is not mail: it is never too much, since delivering makes room.
    pub(super) fn put(&self, request: Request) {
        self.backlog.fetch_add(request.octets(), Ordering::Relaxed);
        self.push(request);
    }

    fn push(&self, request: Request) {
        let mut mailbox = self.mailbox.lock();
        if mailbox.door != Door::Open {
            drop(mailbox);
            self.written(request.octets());
            return request.answer(&StoreError::Closed);
        }
        mailbox.requests.push(request);
        let asleep = std::mem::replace(&mut mailbox.committer_sleeps, false);
        drop(mailbox);
        if asleep {
            self.arrived.notify_one();
        }
    }

    /// So much is written that nobody has put into the mailbox.
    pub(super) fn expect(&self, octets: u64) {
        self.backlog.fetch_add(octets, Ordering::Relaxed);
    }

    /// So much no longer waits.
    pub(super) fn written(&self, octets: u64) {
        self.backlog.fetch_sub(octets, Ordering::Relaxed);
    }

    pub(super) fn backlog(&self) -> u64 {
        self.backlog.load(Ordering::Relaxed)
    }

    /// Nothing more is taken.
    pub(super) fn close(&self) {
        let mut mailbox = self.mailbox.lock();
        if mailbox.door == Door::Open {
            mailbox.door = Door::Closing;
            self.closed.store(true, Ordering::Relaxed);
        }
        drop(mailbox);
        self.arrived.notify_one();
    }

    /// Nothing more is taken nor written; gives what is left.
    pub(super) fn shut(&self) -> Vec<Request> {
        let mut mailbox = self.mailbox.lock();
        mailbox.door = Door::Shut;
        self.closed.store(true, Ordering::Relaxed);
        std::mem::take(&mut mailbox.requests)
    }

    /// Everything that waits to be written; waits for something, but no longer than until
    /// then. Also whether anything more will come.
    pub(super) fn take(&self, until: Until) -> (Vec<Request>, Door) {
        let mut mailbox = self.mailbox.lock();
        while mailbox.requests.is_empty() && mailbox.door == Door::Open {
            mailbox.committer_sleeps = true;
            let is_late = match until {
                Until::Now => true,
                Until::Then(then) => self.arrived.wait_until(&mut mailbox, then).timed_out(),
                Until::Something => {
                    self.arrived.wait(&mut mailbox);
                    false
                }
            };
            mailbox.committer_sleeps = false;
            if is_late {
                break;
            }
        }
        (std::mem::take(&mut mailbox.requests), mailbox.door)
    }

    /// Asks how much room there is.
    pub(super) fn look_at_room(&self) {
        // Who does not answer that may answer a write: the last figure stands.
        let Ok(room) = self.volume.room() else { return };
        let watermark = self.settings.watermark(room.in_all);
        self.free.store(room.free, Ordering::Relaxed);
        self.headroom.store(room.free.saturating_sub(watermark), Ordering::Relaxed);
        self.full.store(room.free < watermark, Ordering::Relaxed);
    }

    /// Octets that may still be written before new mail is refused, at the last look.
    pub(super) fn headroom(&self) -> u64 {
        self.headroom.load(Ordering::Relaxed)
    }

    /// A write has found no room.
    pub(super) fn found_full(&self) {
        self.full.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    pub(super) fn usage(&self) -> Usage {
        let table = self.table.lock();
        Usage {
            used: table.segments().map(|(_, segment)| segment.octets).sum(),
            free: self.free.load(Ordering::Relaxed),
            headroom: self.headroom.load(Ordering::Relaxed),
            segments: table.segments().count() as u32,
            messages: table.messages(),
            full: self.full.load(Ordering::Relaxed),
        }
    }

    /// Head and octets of a message, as they are on the disk: not compared with their
    /// checksums yet.
    pub(super) fn read_message(&self, place: Place) -> Result<Vec<u8>, StoreError> {
        self.read_front(place, u32::MAX)
    }

    /// The head of a message alone: what lies behind it is not touched.
    pub(super) fn read_head(&self, place: Place) -> Result<Vec<u8>, StoreError> {
        let begin = self.read_front(place, HEAD_CLAIM_OCTETS)?;
        self.read_front(place, Head::claims(&begin).ok_or_else(|| damaged_message(place))?)
    }

    /// So many of its octets, or all there are.
    fn read_front(&self, place: Place, most: u32) -> Result<Vec<u8>, StoreError> {
        // A message may be moved, and its segment removed, between the two looks: then it is
        // found at its new place.
        loop {
            let found = self.table.lock().find(place);
            let (now, offset, octets) = found.ok_or(StoreError::Gone)?;
            let Some(file) = self.files.of(now.segment) else {
                let same = self.table.lock().find(place).map(|(place, ..)| place) == Some(now);
                if same {
                    return Err(StoreError::Gone);
                }
                continue;
            };
            let mut buffer = vec![0; octets.min(most) as usize];
            let read = file.read_at(&mut buffer, u64::from(offset));
            return read.map(|()| buffer).map_err(|e| unread(&e));
        }
    }

    /// A record that says again what is known of a message: its octets, how far its recipients
    /// have come, and who is done. It calls the place of before `from`, and whoever reads the
    /// record takes that for the new one.
    pub(super) fn message_again(&self, place: Place, from: Place) -> Result<Record, StoreError> {
        let table = self.table.lock();
        let (living, done) = (table.living(place), table.done_of(place));
        let formers = table.formers(place);
        drop(table);
        let octets = self.read_message(place)?;
        // What is damaged is not given a checksum that says it is not.
        read_message(&octets).ok_or_else(|| damaged_message(place))?;
        let mut body = Vec::with_capacity(octets.len() + 64);
        push_moved(from, &octets, &mut body);
        for (recipient, at) in living {
            if let Some(at) = at {
                let (progress, last) = self.read_state(at)?;
                push_waiting(from, recipient, &progress, last.as_ref(), &mut body);
            }
        }
        done.into_iter().for_each(|recipient| push_done(from, recipient, &mut body));
        formers.into_iter().for_each(|former| push_also(former, from, &mut body));
        Ok(Record::of_changes(body, 1))
    }

    /// What was last written about the recipients of a message that are not done.
    pub(super) fn progress(
        &self,
        place: Place,
    ) -> Result<Vec<(u16, Progress, Option<LastReply>)>, StoreError> {
        loop {
            let living = self.table.lock().living(place);
            let written = living.iter().filter_map(|(recipient, at)| Some((*recipient, (*at)?)));
            let read = written.map(|(recipient, at)| {
                let (progress, last) = self.read_state(at)?;
                Ok((recipient, progress, last))
            });
            match read.collect() {
                // A state may be written anew, and its segment removed, between the two looks.
                Err(StoreError::Gone) if self.table.lock().living(place) != living => {}
                read => return read,
            }
        }
    }

    /// The state that an entry says. How long it is stands at its begin.
    pub(super) fn read_state(&self, at: At) -> Result<(Progress, Option<LastReply>), StoreError> {
        /// Most states are smaller.
        const OCTETS: usize = 512;
        /// A host and a reply of 64 KiB each, and what stands before them.
        const OCTETS_MAX: usize = 2 * 65_536 + 128;
        let file = self.files.of(at.segment).ok_or(StoreError::Gone)?;
        let left = file.octets().map_err(|e| unread(&e))?.saturating_sub(u64::from(at.offset));
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let damaged = || StoreError::Damaged(format!("a state in segment {}", at.segment));
        let mut needed = OCTETS.min(left);
        for _ in 0..2 {
            let mut buffer = vec![0; needed];
            file.read_at(&mut buffer, u64::from(at.offset)).map_err(|e| unread(&e))?;
            match read_waiting(&buffer) {
                Ok(waiting) => return Ok((waiting.progress, waiting.last())),
                Err(more) if more > needed && more <= left.min(OCTETS_MAX) => needed = more,
                Err(_) => return Err(damaged()),
            }
        }
        Err(damaged())
    }
}

/// How long the committer waits for something to write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    /// Not at all: it has something else to do.
    Now,
    /// Until then.
    Then(Instant),
    /// As long as it takes.
    Something,
}

fn unread(error: &std::io::Error) -> StoreError {
    StoreError::Io(format!("read: {error}"))
}

pub(super) fn damaged_message(place: Place) -> StoreError {
    let Place { segment, ordinal } = place;
    StoreError::Damaged(format!("message {ordinal} of segment {segment}"))
}
