//! What the writer and the readers share.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};

use crate::entry::{Sample, Written};
use crate::error::Trouble;
use crate::figures::Figures;
use crate::mailbox::Mailbox;
use crate::position::Seq;
use crate::settings::Settings;

/// What the writer and the readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) mailbox: Mailbox,
    pub(crate) state: RwLock<State>,
    figures: Mutex<Figures>,
    progress: Mutex<Progress>,
    wrote: Condvar,
}

/// What can be read now.
#[derive(Debug, Default, Clone)]
pub(crate) struct State {
    /// Not sealed yet, in the order of writing.
    pub(crate) open: Vec<Arc<Batch>>,
    /// The place of the last entry that was shown.
    pub(crate) newest: Seq,
}

/// Entries that were written at once, their samples apart.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) entries: Vec<Written>,
    pub(crate) samples: Vec<(Seq, Box<Sample>)>,
}

/// How far the writer has come.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    /// So many of the entries that were appended were written, or tried to.
    entries: u64,
    is_durable: bool,
    is_closed: bool,
}

impl Shared {
    pub(crate) fn new(dir: PathBuf, settings: Settings) -> Self {
        let mailbox = Mailbox::new(settings.waiting_octets_max);
        Self {
            dir,
            settings,
            mailbox,
            state: RwLock::default(),
            figures: Mutex::default(),
            progress: Mutex::default(),
            wrote: Condvar::new(),
        }
    }

    /// Shows a batch to readers.
    pub(crate) fn show(&self, batch: Arc<Batch>) {
        let mut state = self.state.write();
        state.newest = batch.entries.last().map_or(state.newest, |written| written.seq);
        state.open.push(batch);
    }

    /// Says that the first `entries` appended were written, or tried to.
    pub(crate) fn wrote(&self, entries: u64, is_durable: bool) {
        let mut progress = self.progress.lock();
        progress.entries = entries;
        progress.is_durable = is_durable;
        self.wrote.notify_all();
    }

    /// Says that nothing will be written any more.
    pub(crate) fn closed(&self) {
        self.progress.lock().is_closed = true;
        self.wrote.notify_all();
    }

    /// Waits until the first `entries` appended were written; whether all of them are durable, or
    /// nothing when the ledger was closed before.
    pub(crate) fn wait(&self, entries: u64) -> Option<bool> {
        let mut progress = self.progress.lock();
        while progress.entries < entries && !progress.is_closed {
            self.wrote.wait(&mut progress);
        }
        (progress.entries >= entries).then_some(progress.is_durable)
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Figures)) {
        count(&mut self.figures.lock());
    }

    pub(crate) fn figures(&self) -> Figures {
        let mut figures = *self.figures.lock();
        figures.appended = self.mailbox.appended();
        figures.open = self.state.read().open.iter().map(|batch| batch.len() as u64).sum();
        figures
    }

    pub(crate) fn tell(&self, trouble: &Trouble) {
        (self.settings.on_trouble)(trouble);
    }
}

impl Batch {
    /// Takes the entries' samples apart.
    pub(crate) fn new(written: impl Iterator<Item = Written>) -> Self {
        let mut batch = Self::default();
        for mut written in written {
            if let Some(sample) = written.entry.sample.take() {
                batch.samples.push((written.seq, sample));
            }
            batch.entries.push(written);
        }
        batch
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries, each with its sample.
    pub(crate) fn whole(&self) -> impl Iterator<Item = (&Written, Option<&Sample>)> {
        let mut samples = self.samples.iter().peekable();
        self.entries.iter().map(move |written| {
            let sample = samples.next_if(|(seq, _)| *seq == written.seq);
            (written, sample.map(|(_, sample)| &**sample))
        })
    }

    /// The sample of the entry at `seq`.
    pub(crate) fn sample(&self, seq: Seq) -> Option<&Sample> {
        let at = self.samples.binary_search_by_key(&seq, |(seq, _)| *seq).ok()?;
        self.samples.get(at).map(|(_, sample)| &**sample)
    }
}
