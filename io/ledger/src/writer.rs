//! The one who writes: takes what waits, makes it durable, shows it to readers.

use std::path::PathBuf;
use std::sync::Arc;

use crate::entry::{Entry, Written};
use crate::error::Trouble;
use crate::log::AppendLog;
use crate::mailbox::Waiting;
use crate::position::Seq;
use crate::shared::{Batch, Shared};

/// The writer's own things; it lives on a thread of its own.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    log: Option<AppendLog>,
    /// Shown to readers, but not durable yet: the disk failed.
    owed: Vec<Arc<Batch>>,
    last: Seq,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, last: Seq) -> Self {
        Self { shared, log: None, owed: Vec::new(), last }
    }

    /// Writes until the ledger is closed and nothing waits any more.
    pub(crate) fn run(mut self) {
        let mut emptied = Vec::new();
        loop {
            let mut taken = self.shared.mailbox.take(self.shared.settings.sync_every, emptied);
            emptied = self.write(&mut taken);
            self.shared.wrote(taken.appended, self.owed.is_empty());
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
        let mut entries = std::mem::take(&mut taken.entries);
        if !entries.is_empty() {
            let batch = Arc::new(self.number(&mut entries));
            self.owed.push(Arc::clone(&batch));
            self.shared.show(batch);
        }
        self.pay();
        entries
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
        let log = match self.log.take() {
            Some(log) => Ok(log),
            None => AppendLog::create(&path),
        };
        let paid = log.and_then(|mut log| {
            log.append(self.owed.iter().flat_map(|batch| batch.whole()))?;
            Ok(log)
        });
        match paid {
            Ok(log) => {
                self.log = Some(log);
                let entries = self.owed.drain(..).map(|batch| batch.len() as u64).sum::<u64>();
                self.shared.count(|figures| figures.durable += entries);
            }
            Err(why) => {
                self.shared.count(|figures| figures.failures += 1);
                self.shared.tell(&Trouble::NotWritten { path, why: why.to_string() });
            }
        }
    }

    /// Logs are named by the place of the first entry they may hold, so that they sort.
    fn new_path(&self) -> PathBuf {
        let now = (self.shared.settings.clock)();
        self.shared.dir.join("open").join(format!("{:016x}.log", now.0.max(self.last.0)))
    }
}
