//! A program hands in a message.

use bytes::Bytes;
use crc32c::crc32c;
use postlane_mail::{QueueId, Span};
use postlane_message::{Client, Draft, compose};
use postlane_spool::{Changes, Key, Store as _, Urgency};

use super::{Accepted, Composed, Content, Handle, NewMessage, NotAccepted};
use crate::intake::{Origin, Refused};

/// How long an idempotency key is remembered. Chosen, not measured: longer than any client
/// retries one request.
const REMEMBERED_FOR: Span = Span::from_h(24);

impl Handle {
    /// Takes a message; when this says so, it is durable.
    pub async fn submit(&self, new: NewMessage) -> Result<Accepted, NotAccepted> {
        if *self.0.stop.borrow() {
            return Err(NotAccepted::NotNow("the server is closing; try again later".to_owned()));
        }
        let message = self.message_of(&new.content)?;
        self.check(&new, &message)?;
        match new.idempotency_key.clone() {
            None => {
                let id = self.0.intake.accept(origin(), new.envelope, message).await;
                Ok(Accepted { id: id.map_err(not_accepted)?, repeated: false })
            }
            Some(key) => self.submit_once(key, new, message).await,
        }
    }

    /// Takes a message unless one was taken with the same key. Key and message become durable
    /// in one batch.
    async fn submit_once(
        &self,
        key: String,
        new: NewMessage,
        message: Vec<u8>,
    ) -> Result<Accepted, NotAccepted> {
        let name = format!("idempotency/{}/{key}", new.envelope.tenant);
        let digest = digest(&new);
        let turn = self.0.by_key.lock().entry(name.clone()).or_default().clone();
        let _turn = turn.lock().await;
        let now = self.0.clock.now();
        let known = self.0.store.keyed(&name).into_iter().find(|(key, _)| *key.0 == *name);
        let known = known.and_then(|(_, value)| Remembered::read(&value));
        if let Some(known) = known.filter(|k| now.since(k.id.moment()) < REMEMBERED_FOR) {
            return match known.digest == digest {
                true => Ok(Accepted { id: known.id, repeated: true }),
                false => Err(NotAccepted::KeyReused),
            };
        }
        let insertion = self.0.intake.insertion(&origin(), new.envelope, message);
        let insertion = insertion.map_err(not_accepted)?;
        let id = insertion.id;
        let (seq, durable) = self.0.awaited.ask();
        self.0.store.commit(Changes {
            seq,
            urgency: Urgency::Now,
            keyed: vec![(Key(name.clone().into()), Some(Remembered { id, digest }.write()))],
            insertions: vec![insertion],
            ..Changes::default()
        });
        let known = durable.await;
        self.0.by_key.lock().remove(&name);
        match known {
            Ok(_) => Ok(Accepted { id, repeated: false }),
            Err(_) => Err(not_accepted(Refused::Unknown)),
        }
    }

    fn message_of(&self, content: &Content) -> Result<Vec<u8>, NotAccepted> {
        match content {
            Content::Raw(octets) => Ok(octets.to_vec()),
            Content::Composed(composed) => {
                // The boundary must differ from message to message, and nothing else hangs on it.
                let id = self.0.intake.next_id(self.0.clock.now());
                compose(&draft(composed), id).map_err(|e| NotAccepted::Invalid(e.to_string()))
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
            return Err(NotAccepted::Invalid(says));
        }
        let bare = |w: &[u8]| (w[0] == b'\r') != (w[1] == b'\n');
        let bare = message.windows(2).any(bare) || message.first() == Some(&b'\n');
        if bare || message.last() == Some(&b'\r') {
            let says = "the message has a bare CR or LF; end its lines with CRLF";
            return Err(NotAccepted::Invalid(says.to_owned()));
        }
        if message.contains(&0) {
            return Err(NotAccepted::Invalid("the message has a NUL octet; remove it".to_owned()));
        }
        Ok(())
    }
}

/// What is kept of a key.
struct Remembered {
    id: QueueId,
    digest: u32,
}

impl Remembered {
    fn write(&self) -> Bytes {
        [&self.id.bits().to_le_bytes()[..], &self.digest.to_le_bytes()].concat().into()
    }

    fn read(octets: &[u8]) -> Option<Self> {
        let (id, digest) = octets.split_first_chunk()?;
        let id = QueueId::from_bits(u64::from_le_bytes(*id));
        Some(Self { id, digest: u32::from_le_bytes(digest.try_into().ok()?) })
    }
}

/// Tells a repetition from another message under the same key. A checksum is enough: whoever
/// holds the token fools only themselves.
fn digest(new: &NewMessage) -> u32 {
    crc32c(format!("{:?} {:?}", new.envelope, new.content).as_bytes())
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
    Origin { client: Client::Hidden, protocol: "HTTP", tls: None, tenant }
}

fn not_accepted(refused: Refused) -> NotAccepted {
    match refused {
        Refused::Header(header) => NotAccepted::Invalid(header.to_string()),
        Refused::Unknown => NotAccepted::Unknown(refused.to_string()),
        _ => NotAccepted::NotNow(refused.to_string()),
    }
}
