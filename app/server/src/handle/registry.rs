//! Tokens, webhooks, saved views and the audit, for whoever may ask of them.

use postlane_registry::{Audit, Database, RegistryError};
use tokio::sync::oneshot;

use super::Handle;
use crate::setup::HttpLimits;
use crate::telling::journal::Line;

impl Handle {
    /// Has something done with the registry, on its own thread.
    pub async fn registry<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let (sender, done) = oneshot::channel();
        self.0.registry.ask(work, move |result| {
            // Who asked may have gone away.
            let _ = sender.send(result);
        })?;
        done.await.unwrap_or(Err(RegistryError::Busy))
    }

    /// How much may be asked of the HTTP API now.
    pub fn http_limits(&self) -> HttpLimits {
        self.0.live.borrow().http_limits
    }

    /// Writes a change down, in the log and in the registry. What cannot be written there is in
    /// the log all the same.
    pub async fn audit(&self, audit: Audit) {
        let mut line = Line::new(audit.at, "changed");
        line.field("by", &audit.who);
        line.field("client", &audit.origin);
        if !audit.tenant.is_none() {
            line.field("tenant", audit.tenant.as_str());
        }
        let journal = &self.0.intake.journal;
        let veil = journal.veil(self.0.live.borrow().log.addresses);
        line.field("command", &veil.text(&audit.what.replace("%40", "@")));
        line.number("code", audit.status.into());
        if let Err(why) = self.registry(move |db| db.add_audit(&audit)).await {
            line.field("text", &format!("it is not in the audit: {why}"));
        }
        journal.write(line.end());
    }

    /// Says in the log that somebody came without a valid token. Whoever calls this keeps it from
    /// being said too often.
    pub fn note_refused_token(&self, origin: &str) {
        let fields = [("client", origin)];
        self.0.intake.journal.event(self.now(), "token-refused", &fields);
    }
}
