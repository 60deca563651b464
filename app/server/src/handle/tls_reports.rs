//! How sessions with domains that publish a policy of encryption went, for whoever may ask.

use postlane_mail::{Domain, Span};
use postlane_registry::{RegistryError, TlsTally};
use tokio::sync::oneshot;

use super::Handle;

/// What was counted is written down so often. Chosen, not measured: a crash loses so much of it.
const WRITTEN_EVERY: Span = Span::from_s(30);

impl Handle {
    /// What was counted on a day in UTC, from 1970-01-01, of one domain or of all.
    pub async fn tls_tallies(
        &self,
        day: u32,
        domain: Option<Domain>,
    ) -> Result<Vec<TlsTally>, RegistryError> {
        self.write_tls_tallies_now().await;
        self.registry(move |db| db.tls_tallies(day, domain.as_ref().map(Domain::as_str))).await
    }

    /// In whose name reports are, and whom to write to about them.
    pub fn reports_as(&self) -> (Domain, String) {
        let setup = self.0.live.borrow();
        let ours = setup.hostname.clone();
        let contact = setup.role_mailbox.as_ref().map(ToString::to_string);
        let contact = contact.unwrap_or_else(|| format!("postmaster@{ours}"));
        (ours, contact)
    }

    /// Writes down what was counted, again and again, until the server closes.
    pub(crate) async fn write_tls_tallies(self) {
        let mut stop = self.0.stop.subscribe();
        loop {
            tokio::select! {
                () = tokio::time::sleep(WRITTEN_EVERY.to_std()) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            self.write_tls_tallies_now().await;
        }
    }

    /// Writes down what was counted.
    pub(crate) async fn write_tls_tallies_now(&self) {
        let (written, done) = oneshot::channel();
        self.0.published.tallies().write(self.now(), move || {
            // Who waits may have gone away.
            let _ = written.send(());
        });
        // Where the registry does not even hear of it, there is nothing to wait for.
        let _ = done.await;
    }
}
