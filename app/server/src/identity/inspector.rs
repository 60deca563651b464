//! Looks at senders for whoever asks the relay: with its own resolver, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use postlane_checks::Known;
use postlane_inspection::Asked;
use postlane_net::enquiry::Enquiry;
use postlane_net::tls::Trust;
use tokio::time::{Instant, timeout_at};

use crate::identity::turnstile::{NotInspected, Turnstile};
use crate::setup::Setup;

/// Looks that wait for their turn, at most. Chosen, not measured.
const WAITING_MAX: usize = 64;

/// How long a look may take, with its turn: less than a request to the API may. Chosen, not
/// measured.
const PATIENCE: Duration = Duration::from_secs(50);

/// Looks at senders, a few at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Inspector {
    asked: Arc<Asked>,
    turnstile: Turnstile,
}

impl Inspector {
    /// Asks the resolvers of the configuration.
    pub(crate) fn new(setup: &Setup) -> anyhow::Result<Self> {
        let helo = setup.hostname.to_string();
        let (trust, mapped) =
            (Trust::with_roots(&setup.https.extra_roots)?, setup.https.mapped.clone());
        let enquiry = Enquiry::new(setup.resolver()?, trust, mapped, &helo);
        let (asked, turnstile) =
            (Arc::new(Asked::All(Box::new(enquiry))), Turnstile::new(WAITING_MAX));
        Ok(Self { asked, turnstile })
    }

    /// Looks again and again, until the look has all answers that it wants; comes back with what
    /// it found, and with everything that is known then. The look runs where it holds up nobody.
    ///
    /// # Errors
    ///
    /// If it has no turn, takes too long, or does not end.
    pub async fn look<T: Send + 'static>(
        &self,
        known: Known,
        look: impl FnMut(&mut Known) -> Option<T> + Send + 'static,
    ) -> Result<(T, Known), NotInspected> {
        let deadline = Instant::now() + PATIENCE;
        let turn = timeout_at(deadline, self.turnstile.turn()).await;
        let turn = turn.map_err(|_| NotInspected::TooLong)??;
        turn.look((self.asked.clone(), deadline), known, look).await
    }
}
