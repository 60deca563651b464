//! History: what happens goes into the ledger, for `postlane log` and `postlane trace`.
//!
//! Mail never waits for it and never hangs on it: a ledger that cannot be opened or written is an
//! alarm and a figure, and no more.

mod arrivals;
mod attempts;
mod samples;
mod told;
mod trouble;

use std::collections::hash_map::RandomState;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use postlane_ledger::{Entry, Ledger, Sample, Settings};
use postlane_mail::{Instant, Span};

use crate::config::settings::{Addresses, Remembered};
use crate::setup::{LedgerSetup, Live, Setup};
use crate::telling::journal::alarm;
use crate::telling::veil::Veil;
use samples::{Samples, Verdict};
pub(crate) use told::{CONTROLLER, PREFLIGHT, command_of};
use trouble::Troubles;

/// How long the end of a program waits for the last of it. Chosen, not measured.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where history goes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct History(Option<Arc<Book>>);

/// What happened, for whoever asks.
#[derive(Clone)]
pub struct Past(Arc<Book>);

impl Past {
    /// The ledger. Reading it waits for the disk.
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }
}

struct Book {
    ledger: Ledger,
    samples: Mutex<Samples>,
    keys: RandomState,
}

impl History {
    /// No history.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Opens the ledger as it is set up. Where that cannot be done there is no history until the
    /// next start.
    pub(crate) fn open(live: &Live) -> Self {
        let setup = live.borrow().clone();
        if !setup.ledger.on {
            return Self(None);
        }
        match Ledger::open(&setup.ledger.dir, settings(&setup)) {
            Ok(ledger) => Self(Some(Arc::new(Book {
                ledger,
                samples: Mutex::new(Samples::default()),
                keys: RandomState::new(),
            }))),
            Err(error) => {
                alarm(&format!("mail goes on without history until a restart: {error}"));
                Self(None)
            }
        }
    }

    /// Whether anything is remembered.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// What happened, for whoever asks.
    pub(crate) fn past(&self) -> Option<Past> {
        self.0.clone().map(Past)
    }

    /// Waits until all of it is on the disk, but not for ever.
    pub(crate) async fn finish(&self) {
        let Some(book) = self.0.clone() else { return };
        let flushed = tokio::task::spawn_blocking(move || book.ledger.flush());
        match tokio::time::timeout(PATIENCE, flushed).await {
            Ok(Ok(Err(error))) => alarm(&format!("the last of history may be lost: {error}")),
            Ok(_) => {}
            Err(_) => alarm("the last of history may be lost: its disk takes too long"),
        }
    }

    /// Puts down what happened; whether there was room for it. Nothing is put together where there
    /// is no history.
    pub(crate) fn record(&self, setup: &Setup, entry: impl FnOnce() -> Entry) -> bool {
        let Some(book) = &self.0 else { return false };
        let mut entry = entry();
        if setup.ledger.addresses == Remembered::Domain {
            book.veil(&mut entry);
        }
        book.ledger.append(entry)
    }

    /// The dialogue and the headers of an attempt, where its turn to be remembered has come.
    pub(crate) fn sample(
        &self,
        now: Instant,
        settings: &LedgerSetup,
        (provider, verdict): (&str, Verdict),
        sample: impl FnOnce() -> Sample,
    ) -> Option<Box<Sample>> {
        let book = self.0.as_ref()?;
        let taken = book.samples.lock().takes(now, settings, (provider, verdict));
        taken.then(|| Box::new(sample()))
    }
}

impl Book {
    /// Local parts are taken out of everything that may hold an address.
    fn veil(&self, entry: &mut Entry) {
        let veil = Veil { shown: Addresses::Domain, keys: &self.keys };
        entry.sender = match &*entry.sender {
            "<>" => "<>".into(),
            address => veil.address(address).into(),
        };
        entry.recipient = veil.address(&entry.recipient).into();
        entry.reply = veil.text(&entry.reply).into();
        entry.detail = veil.text(&entry.detail).into();
        if let Some(sample) = &mut entry.sample {
            sample.transcript = veil.text(&sample.transcript).into();
            // Names and subjects tell of people what addresses do.
            sample.headers = Default::default();
        }
    }
}

/// How the ledger is kept.
fn settings(setup: &Setup) -> Settings {
    let LedgerSetup { keep_for, octets_max, backlog_octets_max, .. } = setup.ledger;
    let troubles = Troubles::default();
    // The ledger throws away by the machine's time: what a clock of our own says is not for it.
    let keep = if setup.clock.is_wall() { keep_for } else { Span::from_h(100 * 365 * 24) };
    Settings {
        keep,
        octets_max,
        waiting_octets_max: backlog_octets_max,
        on_trouble: Box::new(move |trouble| troubles.say(trouble)),
        ..Settings::default()
    }
}
