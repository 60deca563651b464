//! Tokens, webhooks, saved views and the audit, for whoever may ask of them.

use std::time::Duration;

use postlane_registry::{Audit, Database, RegistryError};
use tokio::sync::oneshot;

use super::Handle;
use crate::setup::HttpLimits;
use crate::telling::journal::{Line, alarm};

/// How often it is asked whether the registry can be used. Chosen, not measured: whoever put another
/// file there is still at the machine.
const ASKED_EVERY: Duration = Duration::from_secs(10);

impl Handle {
    /// Tells when the registry cannot be used, until the server closes. Nobody may ask anything of it for
    /// hours.
    pub(crate) async fn watch_registry(self) {
        let mut stop = self.0.stop.subscribe();
        loop {
            let found = self.registry(|_| Ok(())).await;
            // One that is busy is no other than it was.
            if found != Err(RegistryError::Busy) {
                self.note_registry(found.err());
            }
            tokio::select! {
                () = tokio::time::sleep(ASKED_EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// An alarm, once for each thing that is wrong with it.
    fn note_registry(&self, why: Option<RegistryError>) {
        let mut known = self.0.registry_unusable.lock();
        if *known == why {
            return;
        }
        if let Some(why) = &why {
            alarm(&format!("{why}. Mail goes on; tokens, webhooks and saved views do not work"));
        }
        *known = why;
    }

    /// What does not work though mail is taken and sent, with what to do about it.
    pub fn limping(&self) -> Vec<String> {
        let why = self.0.registry_unusable.lock().clone();
        let says = |why| format!("{why}. Tokens, webhooks and saved views do not work until then");
        why.map(says).into_iter().collect()
    }

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
