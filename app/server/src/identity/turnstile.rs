//! Looks at strangers' mail and domains, a few at a time, each on a thread of its own.

use std::sync::Arc;

use postlane_checks::Known;
use postlane_inspection::{Asked, Endless};
use thiserror::Error;
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Looks at a time; more wait for their turn. Chosen, not measured: one that is made of a large
/// hostile message takes half a second of a core.
const AT_ONCE_MAX: usize = 4;

/// Why a look did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotInspected {
    /// Many are waiting already.
    #[error("many looks are waiting already; try again in a minute")]
    Busy,
    /// The DNS, or whom else it asked, took too long.
    #[error("the look did not come to its end within 50 seconds; is the resolver slow?")]
    TooLong,
    /// It asked for ever more.
    #[error(transparent)]
    Endless(#[from] Endless),
    /// The server is closing.
    #[error("the server is closing")]
    Closing,
}

/// Lets a few looks through at a time. Who asks by the API, mail that goes, and mail that comes for
/// tests have one each, so that none holds up another. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Turnstile {
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// Who has it may look.
#[derive(Debug)]
pub(crate) struct Turn {
    _turn: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Turnstile {
    /// With so many that may wait for their turn.
    pub(crate) fn new(waiting_max: usize) -> Self {
        let places = AT_ONCE_MAX.saturating_add(waiting_max).min(Semaphore::MAX_PERMITS);
        let (turns, waiting) = (Semaphore::new(AT_ONCE_MAX), Semaphore::new(places));
        Self { turns: Arc::new(turns), waiting: Arc::new(waiting) }
    }

    /// With as many waiting as there are: whoever sends them has a limit of their own.
    pub(crate) fn unbounded() -> Self {
        Self::new(Semaphore::MAX_PERMITS)
    }

    /// Waits for a turn, as long as it takes.
    ///
    /// # Errors
    ///
    /// If many are waiting already.
    pub(crate) async fn turn(&self) -> Result<Turn, NotInspected> {
        let place = self.waiting.clone().try_acquire_owned().map_err(|_| NotInspected::Busy)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| NotInspected::Closing)?;
        Ok(Turn { _turn: turn, _place: place })
    }
}

impl Turn {
    /// Looks again and again, until the look has all answers that it wants; comes back with what
    /// it found, and with everything that is known then. The look runs where it holds up nobody.
    ///
    /// # Errors
    ///
    /// If it takes too long, or does not end.
    pub(crate) async fn look<T: Send + 'static>(
        self,
        (asked, deadline): (Arc<Asked>, Instant),
        mut known: Known,
        look: impl FnMut(&mut Known) -> Option<T> + Send + 'static,
    ) -> Result<(T, Known), NotInspected> {
        let ring = runtime::Handle::current();
        // On a thread of its own: what is looked at may be large, and is a stranger's.
        let looking = tokio::task::spawn_blocking(move || {
            let found = asked.until_found(&mut known, look);
            let found = ring.block_on(async { timeout_at(deadline, found).await });
            drop(self);
            Ok((found.map_err(|_| NotInspected::TooLong)??, known))
        });
        looking.await.map_err(|_| NotInspected::Closing)?
    }
}
