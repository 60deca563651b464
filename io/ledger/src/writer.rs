//! The one who writes: takes what waits, makes it durable, shows it to readers.

use std::collections::VecDeque;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use postlane_mail::Instant;

use crate::entry::{Entry, Written};
use crate::error::Trouble;
use crate::log::AppendLog;
use crate::mailbox::Waiting;
use crate::position::Seq;
use crate::recovery::Recovered;
use crate::sealer::Order;
use crate::shared::{Batch, Closed, Shared};

/// The writer's own things; it lives on a thread of its own.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    log: Option<AppendLog>,
    /// The logs that hold entries of the open part.
    logs: Vec<PathBuf>,
    orders: Sender<Order>,
    /// Shown to readers, but not durable yet: the disk failed. With the octets of each in memory.
    owed: VecDeque<(Arc<Batch>, usize)>,
    last: Seq,
    /// The hour in which it was last looked for what is too old.
    hour: u64,
}

impl Writer {
    /// A writer that goes on behind what was recovered.
    pub(crate) fn new(shared: Arc<Shared>, recovered: Recovered, orders: Sender<Order>) -> Self {
        let Recovered { last, logs } = recovered;
        let hour = hour((shared.settings.clock)());
        Self { shared, log: None, logs, orders, owed: VecDeque::new(), last, hour }
    }

    /// Writes until the ledger is closed and nothing waits any more.
    pub(crate) fn run(mut self) {
        let mut emptied = Vec::new();
        loop {
            let mut taken = self.shared.mailbox.take(self.shared.settings.sync_every, emptied);
            emptied = self.write(&mut taken);
            if taken.is_sealed || self.is_due() {
                self.close();
            }
            self.keep_in_time();
            self.shared.wrote(taken.calls, self.owed.is_empty());
            if taken.is_closed {
                break;
            }
        }
    }

    /// Makes what was taken durable and shows it to readers; gives the emptied list back.
    fn write(&mut self, taken: &mut Waiting) -> Vec<Entry> {
        if taken.dropped > 0 {
            self.shared.count(|figures| figures.dropped += taken.dropped);
            self.shared.tell(&Trouble::Dropped(taken.dropped));
        }
        let mut entries = mem::take(&mut taken.entries);
        if !entries.is_empty() {
            let batch = Arc::new(self.number(&mut entries));
            self.owed.push_back((Arc::clone(&batch), taken.octets));
            self.shared.show(batch);
        }
        self.pay();
        self.forget_oldest();
        entries
    }

    /// A disk that goes on failing must not fill the memory that mail needs: of what is owed to it
    /// the oldest is lost, and counted.
    fn forget_oldest(&mut self) {
        let mut octets: usize = self.owed.iter().map(|(_, octets)| octets).sum();
        let mut lost = Vec::new();
        while octets > self.shared.settings.waiting_octets_max {
            let Some((batch, of_it)) = self.owed.pop_front() else { break };
            octets -= of_it;
            lost.push(batch);
        }
        if lost.is_empty() {
            return;
        }
        let is_lost = |batch: &Arc<Batch>| lost.iter().any(|lost| Arc::ptr_eq(lost, batch));
        self.shared.state.write().open.retain(|batch| !is_lost(batch));
        let entries = lost.iter().map(|batch| batch.len() as u64).sum();
        self.shared.count(|figures| figures.dropped += entries);
        self.shared.tell(&Trouble::Dropped(entries));
    }

    /// Whether the open part's hour is over, or it is full.
    fn is_due(&self) -> bool {
        let state = self.shared.state.read();
        let entries: usize = state.open.iter().map(|batch| batch.len()).sum();
        let first = state.open.first().and_then(|batch| batch.entries.first());
        let now = (self.shared.settings.clock)();
        entries >= self.shared.settings.part_entries_max
            || first.is_some_and(|first| hour(Instant(first.seq.0)) < hour(now))
    }

    /// With every new hour what is too old goes, whether anything has happened or not.
    fn keep_in_time(&mut self) {
        let now = hour((self.shared.settings.clock)());
        if now > self.hour {
            self.hour = now;
            // Nobody listens any more only when the ledger is being closed.
            let _ = self.orders.send(Order::Seal);
        }
    }

    /// Closes the open part, so that it can be sealed while the next one is filled. Not while the
    /// disk owes something: the logs must hold all of it.
    fn close(&mut self) {
        if !self.owed.is_empty() {
            return;
        }
        self.log = None;
        let mut state = self.shared.state.write();
        let batches = mem::take(&mut state.open);
        let logs = mem::take(&mut self.logs);
        if !batches.is_empty() {
            state.closed.push(Arc::new(Closed { batches, logs }));
        }
        // Nobody listens any more only when the ledger is being closed.
        let _ = self.orders.send(Order::Seal);
    }

    /// Gives every entry its place. Places follow the clock, so that none is given twice even when
    /// the last ones were lost in a crash.
    fn number(&mut self, entries: &mut Vec<Entry>) -> Batch {
        let now = (self.shared.settings.clock)();
        let mut last = self.last.0.max(now.0.saturating_sub(1));
        let number = |entry| {
            last += 1;
            Written { seq: Seq(last), entry }
        };
        let batch = Batch::new(entries.drain(..).map(number));
        self.last = Seq(last);
        batch
    }

    /// Writes all that is owed to the disk, into a new log if the last one failed.
    fn pay(&mut self) {
        if self.owed.is_empty() {
            return;
        }
        let path = match &self.log {
            Some(log) => log.path().to_owned(),
            None => self.new_path(),
        };
        if let Err(why) = self.shared.has_room() {
            return self.shared.not_written(path, &why);
        }
        let log = match self.log.take() {
            Some(log) => Ok(log),
            None => AppendLog::create(&path).inspect(|_| self.logs.push(path.clone())),
        };
        let paid = log.and_then(|mut log| {
            log.append(self.owed.iter().flat_map(|(batch, _)| batch.whole()))?;
            Ok(log)
        });
        match paid {
            Ok(log) => {
                self.log = Some(log);
                let owed = self.owed.drain(..);
                let entries = owed.map(|(batch, _)| batch.len() as u64).sum::<u64>();
                self.shared.count(|figures| figures.durable += entries);
            }
            Err(why) => self.shared.not_written(path, &why),
        }
    }

    /// Logs are named by the place of the first entry they may hold, so that they sort.
    fn new_path(&self) -> PathBuf {
        let now = (self.shared.settings.clock)();
        self.shared.files.open().join(format!("{:016x}.log", now.0.max(self.last.0)))
    }
}

/// Hours since 1970.
fn hour(at: Instant) -> u64 {
    at.unix_s() / 3_600
}
