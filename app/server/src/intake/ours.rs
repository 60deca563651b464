//! What of a submission is for ourselves: set aside before the rest of it is taken, and finished after.
//!
//! A client that is put off comes again with all of it: until the rest is ours, nothing of it is for
//! anybody to read, and nothing has been learned from it.

use bytes::Bytes;
use postlane_mail::{Envelope, QueueId, Recipient};
use postlane_message::Returned;

use super::returned::{Returns, Understood};
use super::roles::{self, Staged};
use super::{Intake, Refused};
use crate::outcome::suppression::{CameBy, Learning};
use crate::telling::journal::alarm;

/// What is ours of a submission, and can be finished.
#[derive(Debug)]
pub(crate) struct Aside {
    id: QueueId,
    /// Addresses of our desks, and their mail.
    desks: Option<(Vec<String>, Staged)>,
    /// Our bounce addresses, and for whose mail, if they tell.
    returned: Vec<(Recipient, Option<Returned>)>,
}

impl Aside {
    /// A name for what was taken.
    pub(crate) fn id(&self) -> QueueId {
        self.id
    }
}

impl Intake {
    /// Our desks can read what a crash kept from them. Before any client is let in.
    pub(crate) fn publish_left(&self) {
        let data = self.live.borrow().data.clone();
        match roles::publish_left(&data) {
            Ok(published) => published.iter().for_each(|path| {
                let fields = [("file", &*path.display().to_string()), ("text", "left by a crash")];
                self.journal.event(self.clock.now(), "kept", &fields);
            }),
            Err(error) => alarm(&format!(
                "what a crash has left in the folder \"postmaster\" cannot be given its name: {error}"
            )),
        }
    }

    /// Takes the recipients that are ours out of an envelope, if there are any: mail to our desks is
    /// written for them, or goes where they are read.
    pub(crate) async fn set_aside(
        &self,
        envelope: &mut Envelope,
        message: &Bytes,
    ) -> Result<Option<Aside>, Refused> {
        let setup = self.live.borrow().clone();
        let ours = roles::take_out(&setup, &self.rights.borrow(), envelope);
        if ours.kept.is_empty() && ours.returned.is_empty() {
            return Ok(None);
        }
        let id = self.next_id(self.clock.now());
        let mut desks = None;
        if !ours.kept.is_empty() {
            let (data, envelope) = (setup.data.clone(), envelope.clone());
            let (kept, message) = (ours.kept.clone(), message.clone());
            let stage = move || roles::stage(&data, id, &envelope, &kept, &message);
            let staged = tokio::task::spawn_blocking(stage).await;
            let staged = staged.map_err(|_| Refused::Closed)?.map_err(|_| Refused::DiskFull)?;
            desks = Some((ours.kept, staged));
        }
        Ok(Some(Aside { id, desks, returned: ours.returned }))
    }

    /// Our desks can read what was set aside, and what came back is written down. Gives a name for
    /// what was taken.
    pub(crate) async fn finish(&self, ours: Aside, message: Bytes) -> Result<QueueId, Refused> {
        let now = self.clock.now();
        if let Some((desks, staged)) = ours.desks {
            let path = tokio::task::spawn_blocking(|| staged.publish()).await;
            let path = path.map_err(|_| Refused::Closed)?.map_err(|_| Refused::DiskFull)?;
            self.say_kept(now, ours.id, &desks, &path);
        }
        self.hear_returned(&ours.returned, &message);
        Ok(ours.id)
    }

    /// The same where the rest of the message is ours already: a client that was put off now would
    /// bring that again.
    pub(crate) async fn finish_beside(&self, ours: Option<Aside>, message: Bytes) {
        let Some(ours) = ours else { return };
        let id = ours.id;
        if self.finish(ours, message).await.is_err() {
            alarm(&format!(
                "message {id} for one of our desks lies in the folder \"postmaster\" as .{id}.new: it could not be \
                 given its name there; the next start tries again"
            ));
        }
    }

    /// What came back to our bounce addresses is told and learned from.
    fn hear_returned(&self, returned: &[(Recipient, Option<Returned>)], message: &Bytes) {
        if returned.is_empty() {
            return;
        }
        let (setup, now) = (self.live.borrow().clone(), self.clock.now());
        let veil = self.journal.veil(setup.log.addresses);
        let returns = Returns {
            at: now,
            journal: &self.journal,
            veil,
            events: &self.events,
            history: (&self.history, &setup),
            meanings: &self.meanings,
            rules: setup.rules.book(),
            hostname: &setup.hostname,
        };
        let mut learning = Learning::default();
        for (recipient, returned) in returned {
            let path = &recipient.mailbox;
            for understood in returns.tell(path, *returned, message) {
                let Understood { returned, bounced, diagnosis } = &understood;
                let came = CameBy { now, path, returned: *returned, bounced, diagnosis };
                let (list, rights) = (&self.suppressions, self.rights.borrow().clone());
                learning.hear_bounce(list, (&setup, &self.counters), &rights, &came);
            }
        }
        if let Some(noticed) = learning.take() {
            self.write_down(noticed);
        }
    }
}
