//! Looks at senders for whoever asks the relay: with its own resolver, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use postlane_checks::Known;
use postlane_inspection::{Asked, Endless};
use postlane_net::enquiry::Enquiry;
use postlane_net::tls::Trust;
use thiserror::Error;
use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::setup::Setup;

/// Looks at a time; more wait for their turn. Chosen, not measured: one that is made of a large
/// hostile message takes half a second of a core.
const AT_ONCE_MAX: usize = 4;

/// Looks that wait for their turn, at most. Chosen, not measured.
const WAITING_MAX: usize = 64;

/// How long a look may take, with its turn: less than a request to the API may. Chosen, not
/// measured.
const PATIENCE: Duration = Duration::from_secs(50);

/// Looks at senders, a few at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Inspector(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    asked: Asked,
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

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

impl Inspector {
    /// Asks the resolvers of the configuration.
    pub(crate) fn new(setup: &Setup) -> anyhow::Result<Self> {
        let helo = setup.hostname.to_string();
        let (trust, mapped) =
            (Trust::with_roots(&setup.https.extra_roots)?, setup.https.mapped.clone());
        let enquiry = Enquiry::new(setup.resolver()?, trust, mapped, &helo);
        let turns = Arc::new(Semaphore::new(AT_ONCE_MAX));
        let waiting = Arc::new(Semaphore::new(AT_ONCE_MAX + WAITING_MAX));
        Ok(Self(Arc::new(Inside { asked: Asked::All(Box::new(enquiry)), turns, waiting })))
    }

    /// Looks again and again, until the look has all answers that it wants; comes back with what
    /// it found, and with everything that is known then. The look runs where it holds up nobody.
    ///
    /// # Errors
    ///
    /// If it has no turn, takes too long, or does not end.
    pub async fn look<T: Send + 'static>(
        &self,
        mut known: Known,
        look: impl FnMut(&mut Known) -> Option<T> + Send + 'static,
    ) -> Result<(T, Known), NotInspected> {
        let inside = self.0.clone();
        let place = inside.waiting.clone().try_acquire_owned().map_err(|_| NotInspected::Busy)?;
        let deadline = Instant::now() + PATIENCE;
        let turn = timeout_at(deadline, inside.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| NotInspected::TooLong)?.map_err(|_| NotInspected::Closing)?;
        let ring = runtime::Handle::current();
        // On a thread of its own: what is looked at may be large, and is a stranger's.
        let looking = tokio::task::spawn_blocking(move || {
            let _kept = (place, turn);
            let found = inside.asked.until_found(&mut known, look);
            let found = ring.block_on(async { timeout_at(deadline, found).await });
            Ok((found.map_err(|_| NotInspected::TooLong)??, known))
        });
        looking.await.map_err(|_| NotInspected::Closing)?
    }
}
