//! What the writer and the readers share.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};

use crate::entry::{Sample, Written};
use crate::error::Trouble;
use crate::figures::Figures;
use crate::mailbox::Mailbox;
use crate::part::{Files, Name, Part};
use crate::position::Seq;
use crate::settings::Settings;

/// History leaves a 50th of its disk free, and no more than this, in octets: less than the spool's
/// watermark, so that mail is refused before history stops. Chosen, not measured.
const KEPT_FOR_MAIL_MAX: u64 = 64 << 20;

/// What the writer and the readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) files: Files,
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
    /// Sealed, in the order of writing.
    pub(crate) parts: Vec<Arc<Part>>,
    /// Being sealed, in the order of writing.
    pub(crate) closed: Vec<Arc<Closed>>,
    /// Not sealed yet, in the order of writing.
    pub(crate) open: Vec<Arc<Batch>>,
    /// Counts by the minute, of sealed parts that are there or were.
    pub(crate) minutes: Vec<Name>,
    /// The place of the last entry that was shown.
    pub(crate) newest: Seq,
}

/// Entries that were written at once, their samples apart.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) entries: Vec<Written>,
    pub(crate) samples: Vec<(Seq, Box<Sample>)>,
}

/// What will be one part: no entry is added to it any more.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) batches: Vec<Arc<Batch>>,
    /// The append logs that hold its entries, and no others.
    pub(crate) logs: Vec<PathBuf>,
}

/// How far the writer has come.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    /// So many calls were answered: what was appended before them was written, or tried to.
    calls: u64,
    is_durable: bool,
    is_closed: bool,
}

impl Shared {
    pub(crate) fn new(dir: &Path, settings: Settings) -> Self {
        let mailbox = Mailbox::new(settings.waiting_octets_max);
        Self {
            files: Files::new(dir),
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

    /// Says that what was appended before the first `calls` calls was written, or tried to.
    pub(crate) fn wrote(&self, calls: u64, is_durable: bool) {
        let mut progress = self.progress.lock();
        progress.calls = calls;
        progress.is_durable = is_durable;
        self.wrote.notify_all();
    }

    /// Says that nothing will be written any more.
    pub(crate) fn closed(&self) {
        self.progress.lock().is_closed = true;
        self.wrote.notify_all();
    }

    /// Waits until so many calls were answered; whether everything is durable, or nothing when the
    /// ledger was closed before.
    pub(crate) fn wait(&self, calls: u64) -> Option<bool> {
        let mut progress = self.progress.lock();
        while progress.calls < calls && !progress.is_closed {
            self.wrote.wait(&mut progress);
        }
        (progress.calls >= calls).then_some(progress.is_durable)
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Figures)) {
        count(&mut self.figures.lock());
    }

    pub(crate) fn figures(&self) -> Figures {
        let mut figures = *self.figures.lock();
        figures.appended = self.mailbox.appended();
        let state = self.state.read();
        figures.open = state.unsealed().map(|batch| batch.len() as u64).sum();
        figures.parts = state.parts.len() as u64;
        figures.sealed = state.parts.iter().map(|part| part.name.entries).sum();
        figures.octets = state.parts.iter().map(|part| part.octets).sum();
        figures
    }

    /// Whether there is room for history: the last of a disk that is all but full is for mail and
    /// what becomes of it.
    ///
    /// # Errors
    /// Less is free than is kept for mail.
    pub(crate) fn has_room(&self) -> io::Result<()> {
        // Who does not answer that may answer a write.
        let Ok(stat) = rustix::fs::statvfs(self.files.open()) else { return Ok(()) };
        let octets = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        let kept = (octets(stat.f_blocks) / 50).min(KEPT_FOR_MAIL_MAX);
        if octets(stat.f_bavail) >= kept {
            return Ok(());
        }
        let says =
            format!("less than {} MiB of its disk is free, and that is for mail", kept >> 20);
        Err(io::Error::new(io::ErrorKind::StorageFull, says))
    }

    /// Counts and tells a failure to write.
    pub(crate) fn not_written(&self, path: PathBuf, why: &io::Error) {
        self.count(|figures| figures.failures += 1);
        self.tell(&Trouble::NotWritten { path, why: why.to_string() });
    }

    /// Renames a file that cannot be read, so that nobody stumbles over it twice.
    pub(crate) fn set_aside(&self, path: &Path, why: String) {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".broken");
        // If it cannot be renamed it is met and passed over again at the next start.
        let _ = fs::rename(path, aside);
        self.count(|figures| figures.set_aside += 1);
        self.tell(&Trouble::SetAside { path: path.to_owned(), why });
    }

    pub(crate) fn tell(&self, trouble: &Trouble) {
        (self.settings.on_trouble)(trouble);
    }
}

impl State {
    /// What is not sealed, in the order of writing.
    pub(crate) fn unsealed(&self) -> impl Iterator<Item = &Arc<Batch>> {
        self.closed.iter().flat_map(|closed| &closed.batches).chain(&self.open)
    }
}

impl Closed {
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Written> {
        self.batches.iter().flat_map(|batch| &batch.entries)
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
