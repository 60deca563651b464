//! A program hands in a message.

use bytes::Bytes;
use postlane_mail::Envelope;
use postlane_message::{Client, Draft, compose};
use postlane_spool::{Changes, Urgency};

use super::remembered::Remembered;
use super::{Accepted, Composed, Content, Handle, NewMessage, NotAccepted};
use crate::intake::{Aside, Origin, Refused};

impl Handle {
    /// Takes a message; when this says so, it is durable.
    pub async fn submit(&self, new: NewMessage) -> Result<Accepted, NotAccepted> {
        if *self.0.stop.borrow() {
            return Err(NotAccepted::NotNow("the server is closing; try again later".to_owned()));
        }
        // That there is memory for it was said when it came.
        if self.0.intake.store.is_full() {
            return Err(NotAccepted::NotNow(Refused::DiskFull.to_string()));
        }
        let message: Bytes = self.message_of(&new.content)?.into();
        self.check(&new, &message)?;
        match new.idempotency_key.clone() {
            None => {
                let mut envelope = new.envelope;
                let suppressed = self.take_out_suppressed(&mut envelope)?;
                let intake = &self.0.intake;
                let ours = intake.set_aside(&mut envelope, &message).await;
                let id = match ours.map_err(not_accepted)? {
                    Some(ours) if envelope.recipients.is_empty() => {
                        intake.finish(ours, message).await.map_err(not_accepted)?
                    }
                    ours => {
                        let id = intake.accept(origin(), envelope, &message).await;
                        let id = id.map_err(not_accepted)?;
                        intake.finish_beside(ours, message).await;
                        id
                    }
                };
                Ok(Accepted { id, repeated: false, suppressed })
            }
            // A client that hangs up is one that asks again: what was begun for it is finished.
            Some(key) => {
                let once = tokio::spawn(self.clone().submit_once(key, new, message));
                once.await.unwrap_or_else(|_| Err(not_accepted(Refused::Unknown)))
            }
        }
    }

    /// Takes a message unless one was taken with the same key. Key and message become durable
    /// in one batch.
    async fn submit_once(
        self,
        key: String,
        mut new: NewMessage,
        message: Bytes,
    ) -> Result<Accepted, NotAccepted> {
        let key = Remembered::key(&new.envelope.tenant, &key);
        let digest = Remembered::digest(&new);
        let _turn = self.0.turns.take(key.clone()).await;
        let known = self.0.store.keyed(&key.0).into_iter().find(|(known, _)| *known == key);
        let known = known.and_then(|(_, value)| Remembered::read(&value));
        if let Some(known) = known.filter(|known| known.holds(self.0.clock.now())) {
            return match known.digest == digest {
                true => Ok(Accepted { id: known.id, repeated: true, suppressed: Vec::new() }),
                false => Err(NotAccepted::KeyReused),
            };
        }
        let suppressed = self.take_out_suppressed(&mut new.envelope)?;
        let sender = new.envelope.reverse_path.clone();
        let refused = |refused: Refused| {
            self.0.intake.note_refused(&origin(), &sender, &refused);
            not_accepted(refused)
        };
        let ours = self.0.intake.set_aside(&mut new.envelope, &message).await;
        let ours = ours.map_err(not_accepted)?;
        let insertion = match &ours {
            Some(_) if new.envelope.recipients.is_empty() => None,
            _ => Some(self.0.intake.insertion(&origin(), new.envelope, &message)),
        };
        let insertion = insertion.transpose().map_err(refused)?;
        let taken = insertion.as_ref().map(|insertion| insertion.id);
        let id = taken.or_else(|| ours.as_ref().map(Aside::id));
        let id = id.ok_or_else(|| not_accepted(Refused::Closed))?;
        let arrival = insertion.as_ref().map(|insertion| self.0.intake.arrival(insertion));
        let changes = Changes {
            urgency: Urgency::Now,
            keyed: vec![(key, Some(Remembered { id, digest }.write()))],
            insertions: insertion.into_iter().collect(),
            ..Changes::default()
        };
        let durable = self.0.awaited.commit_and_tell(&*self.0.store, changes);
        match durable.await {
            Ok(_) => {
                if let Some(arrival) = &arrival {
                    self.0.intake.note_accepted(&origin(), arrival);
                }
                self.0.intake.finish_beside(ours, message).await;
                Ok(Accepted { id, repeated: false, suppressed })
            }
            Err(_) => {
                self.0.cache.forget(std::iter::once(id));
                Err(refused(Refused::Unknown))
            }
        }
    }

    /// Recipients that are on the suppression list get nothing; a message for nobody else is not
    /// taken.
    fn take_out_suppressed(
        &self,
        envelope: &mut Envelope,
    ) -> Result<Vec<(Box<str>, String)>, NotAccepted> {
        let suppressed = self.0.intake.take_out_suppressed(envelope);
        match envelope.recipients.is_empty() && !suppressed.is_empty() {
            true => Err(NotAccepted::Suppressed(suppressed)),
            false => Ok(suppressed),
        }
    }

    fn message_of(&self, content: &Content) -> Result<Vec<u8>, NotAccepted> {
        match content {
            Content::Raw(octets) => Ok(octets.to_vec()),
            Content::Composed(composed) => {
                // The boundary must differ from message to message, and nothing else hangs on it.
                let id = self.0.intake.next_id(self.0.clock.now());
                compose(&draft(composed), id).map_err(|e| NotAccepted::Invalid {
                    field: e.field().map(str::to_owned),
                    says: e.to_string(),
                })
            }
        }
    }

    fn check(&self, new: &NewMessage, message: &[u8]) -> Result<(), NotAccepted> {
        let octets_max = self.message_octets_max();
        if message.len() > octets_max {
            return Err(NotAccepted::TooLarge { octets: message.len(), octets_max });
        }
        let recipients_max = self.0.live.borrow().limits.recipients;
        if new.envelope.recipients.len() > recipients_max {
            let many = new.envelope.recipients.len();
            let says = format!("the message has {many} recipients; send {recipients_max} at most");
            return Err(NotAccepted::Invalid { field: Some("rcpt_to".to_owned()), says });
        }
        let bare = |w: &[u8]| (w[0] == b'\r') != (w[1] == b'\n');
        let bare = message.windows(2).any(bare) || message.first() == Some(&b'\n');
        if bare || message.last() == Some(&b'\r') {
            let says = "the message has a bare CR or LF; end its lines with CRLF";
            return Err(invalid(says));
        }
        if message.contains(&0) {
            return Err(invalid("the message has a NUL octet; remove it"));
        }
        Ok(())
    }
}

fn draft(composed: &Composed) -> Draft<'_> {
    Draft {
        from: &composed.from,
        to: &composed.to,
        cc: &composed.cc,
        reply_to: composed.reply_to.as_deref(),
        subject: &composed.subject,
        text: composed.text.as_deref(),
        html: composed.html.as_deref(),
        headers: &composed.headers,
    }
}

fn origin() -> Origin<'static> {
    let tenant = postlane_mail::Label::NONE;
    Origin { client: Client::Hidden, protocol: "HTTP", tls: None, tenant, user: None }
}

fn invalid(says: &str) -> NotAccepted {
    NotAccepted::Invalid { field: None, says: says.to_owned() }
}

fn not_accepted(refused: Refused) -> NotAccepted {
    match refused {
        Refused::Header(header) => invalid(&header.to_string()),
        Refused::TooLarge | Refused::Dormant => invalid(&refused.to_string()),
        Refused::Unknown => NotAccepted::Unknown(refused.to_string()),
        _ => NotAccepted::NotNow(refused.to_string()),
    }
}
