//! Who is due is told; what came of it is written down.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use postlane_mail::{Instant, Label, Span};
use postlane_registry::{Database, Endpoint, Registry, RegistryError, Webhook};
use tokio::sync::{Notify, Semaphore, oneshot, watch};

use super::backoff;
use super::feed::{Feed, Heard, Place, Wanted};
use super::post::{Inside, Letter, NotTaken, Sender, Target};
use super::signature::{SIGNATURE_FIELD, signature};
use crate::ground::clock::Clock;
use crate::ground::secret::random;
use crate::setup::{Live, WebhookSetup};
use crate::telling::journal::{Journal, Line};

/// What webhooks need of the server.
pub(crate) struct Around {
    pub(crate) clock: Clock,
    pub(crate) live: Live,
    pub(crate) registry: Registry,
    pub(crate) journal: Journal,
    pub(crate) stop: watch::Receiver<bool>,
}

/// Whoever tells webhooks what happened.
pub(crate) struct Deliverer {
    around: Around,
    feed: Arc<dyn Feed>,
    sender: Sender,
    /// Webhooks that a message is under way to.
    under_way: Mutex<BTreeSet<Label>>,
    room: Arc<Semaphore>,
    /// Somebody is done, or something was changed: look at once.
    nudge: Notify,
}

/// What came of a message that was sent to try a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The answer's status; none where there was no answer.
    pub status: Option<u16>,
    /// What was wrong; empty where it was taken.
    pub error: String,
    /// How long it took.
    pub took: Span,
}

/// How often it is looked for what has happened. Chosen, not measured: a person sees no delay, and a
/// look costs some ten microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Octets of one message's events; one that is larger goes alone. Chosen, not measured.
const OCTETS_MAX: usize = 1 << 20;

/// What an answer says that wants nothing more, ever (RFC 9110 §15.5.11).
const GONE: u16 = 410;

impl Deliverer {
    /// Begins to tell webhooks what the feed has, until the server stops.
    pub(crate) fn begin(around: Around, feed: Arc<dyn Feed>) -> Arc<Self> {
        let setup = around.live.borrow().clone();
        let room = Arc::new(Semaphore::new(setup.webhooks.at_once));
        let deliverer = Arc::new(Self {
            around,
            feed,
            sender: Sender::new(&setup.https.extra_roots),
            under_way: Mutex::default(),
            room,
            nudge: Notify::new(),
        });
        tokio::spawn(deliverer.clone().run());
        deliverer
    }

    /// What happened, for whoever makes a webhook or sets one back.
    pub(crate) fn feed(&self) -> &dyn Feed {
        &*self.feed
    }

    /// Looks at once: something was changed.
    pub(crate) fn nudge(&self) {
        self.nudge.notify_one();
    }

    async fn run(self: Arc<Self>) {
        let mut stop = self.around.stop.clone();
        loop {
            // A registry that cannot be read has been told of at the start, and heals by itself.
            if let Ok(endpoints) = self.registry(|db| db.endpoints()).await {
                endpoints.into_iter().for_each(|endpoint| self.clone().tell_if_due(endpoint));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.nudge.notified() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    fn tell_if_due(self: Arc<Self>, endpoint: Endpoint) {
        let webhook = &endpoint.webhook;
        let is_due = webhook.standing.paused.is_none()
            && webhook.standing.next_try.is_none_or(|due| due <= self.around.clock.now())
            && Place::read(&webhook.place) < self.feed.newest();
        if !is_due || !self.under_way.lock().insert(webhook.name.clone()) {
            return;
        }
        tokio::spawn(async move {
            let name = endpoint.webhook.name.clone();
            // Nobody closes the semaphore.
            let room = self.room.clone().acquire_owned().await;
            let has_more = self.tell(endpoint).await;
            drop(room);
            self.under_way.lock().remove(&name);
            if has_more {
                self.nudge();
            }
        });
    }

    /// Tells one webhook the next of what it wants; whether there may be more at once.
    async fn tell(&self, endpoint: Endpoint) -> bool {
        let webhook = &endpoint.webhook;
        let from = Place::read(&webhook.place);
        let Some(heard) = self.hear(webhook, from).await else { return false };
        let name = webhook.name.clone();
        let (at, upto) = (webhook.place.clone(), heard.upto.kept());
        if heard.events.is_empty() {
            // Not written: the next look passes it again.
            let _ = self.registry(move |db| db.webhook_passed(&name, (&at, &upto))).await;
            return false;
        }
        let now = self.around.clock.now();
        let id = heard.events.first().map_or(0, |(place, _)| place.0);
        let body = body(webhook, id, now, &heard);
        match self.send(&endpoint, format!("{}-{id}", webhook.name), body).await {
            Ok(_) => {
                let now = self.around.clock.now();
                let told = self.registry(move |db| db.webhook_told(&name, (&at, &upto), now)).await;
                // Set back or removed meanwhile, or not written: the next look sees what holds.
                told.is_ok()
            }
            Err(why) => {
                self.failed(webhook, &why).await;
                false
            }
        }
    }

    async fn hear(&self, webhook: &Webhook, from: Place) -> Option<Heard> {
        let most = self.setup().batch;
        let wanted = Wanted { events: webhook.events.clone(), tenant: webhook.tenant.clone() };
        let feed = self.feed.clone();
        let heard = move || feed.after(from, &wanted, most);
        // A feed that cannot be read says so itself; it is asked again.
        let heard = tokio::task::spawn_blocking(heard).await.ok()?.ok()?;
        Some(bounded(heard))
    }

    /// Sends a body to a webhook, signed.
    async fn send(&self, endpoint: &Endpoint, id: String, body: Bytes) -> Result<u16, NotTaken> {
        let unread = |e: super::TargetError| NotTaken::Unreached(e.to_string());
        let target = Target::parse(&endpoint.webhook.url).map_err(unread)?;
        let now = self.around.clock.now();
        let setup = self.setup();
        let fields = vec![
            (SIGNATURE_FIELD, signature(&endpoint.secrets.at(now), now, &body)),
            ("postlane-webhook", endpoint.webhook.name.to_string()),
            ("postlane-delivery", id),
        ];
        let inside = if setup.private_addresses { Inside::Allowed } else { Inside::Refused };
        let patience = setup.timeout.to_std();
        self.sender.send(Letter { target: &target, fields, body, patience, inside }).await
    }

    async fn failed(&self, webhook: &Webhook, why: &NotTaken) {
        let now = self.around.clock.now();
        let standing = &webhook.standing;
        let wait = backoff::wait(standing.tries, u64::from_le_bytes(random()));
        let (name, says) = (webhook.name.clone(), why.to_string());
        let since = standing.failing_since.unwrap_or(now);
        let is_gone = matches!(why, NotTaken::Refused { status: GONE, .. });
        if standing.failing_since.is_none() {
            self.say("webhook-failing", webhook, &says);
        }
        let pause = is_gone || now.since(since) >= self.setup().pause_after;
        let because = match is_gone {
            true => "it answered 410 Gone".to_owned(),
            false => format!("it has taken nothing for {}: {says}", self.setup().pause_after),
        };
        if pause {
            let resume =
                format!("{because}; `postlane webhook resume {name}` goes on where it was");
            self.say("webhook-paused", webhook, &resume);
            crate::telling::journal::alarm(&format!("the webhook {name} is paused: {resume}"));
        }
        // What cannot be written is tried again at the next look.
        let _ = self
            .registry(move |db| {
                db.webhook_failed(&name, &says, now + wait, now)?;
                if pause { db.pause_webhook(&name, &because, now).map(|_| ()) } else { Ok(()) }
            })
            .await;
    }

    fn say(&self, event: &str, webhook: &Webhook, text: &str) {
        let mut line = Line::new(self.around.clock.now(), event);
        line.field("webhook", webhook.name.as_str());
        line.field("text", text);
        self.around.journal.write(line.end());
    }

    /// Sends a webhook a message of one event, `test`, that moves its place nowhere.
    pub(crate) async fn test(&self, name: Label) -> Result<Tested, RegistryError> {
        let endpoints = self.registry(|db| db.endpoints()).await?;
        let found = endpoints.into_iter().find(|known| known.webhook.name == name);
        let unknown = || RegistryError::Unknown { what: "webhook", name: name.to_string() };
        let endpoint = found.ok_or_else(unknown)?;
        let now = self.around.clock.now();
        let event = format!("{{\"seq\":0,\"at\":\"{}\",\"kind\":\"test\"}}", written(now));
        let heard = Heard { events: vec![(Place(0), event.into_bytes().into())], upto: Place(0) };
        let body = body(&endpoint.webhook, 0, now, &heard);
        let began = std::time::Instant::now();
        let sent = self.send(&endpoint, format!("{name}-0"), body).await;
        let took = u64::try_from(began.elapsed().as_micros()).map_or(Span::ZERO, Span);
        let status = match &sent {
            Ok(status) | Err(NotTaken::Refused { status, .. }) => Some(*status),
            Err(_) => None,
        };
        let error = sent.err().map(|why| why.to_string()).unwrap_or_default();
        Ok(Tested { status, error, took })
    }

    fn setup(&self) -> WebhookSetup {
        self.around.live.borrow().webhooks
    }

    async fn registry<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let (sender, done) = oneshot::channel();
        self.around.registry.ask(work, move |result| {
            // Who asked may have gone away.
            let _ = sender.send(result);
        })?;
        done.await.unwrap_or(Err(RegistryError::Busy))
    }
}

/// As many as fit into a message; the rest comes with the next.
fn bounded(heard: Heard) -> Heard {
    let mut octets = 0;
    let fit = heard.events.iter().take_while(|(_, event)| {
        octets += event.len();
        octets <= OCTETS_MAX
    });
    let fit = fit.count().max(1);
    if fit >= heard.events.len() {
        return heard;
    }
    let events: Vec<_> = heard.events.into_iter().take(fit).collect();
    let upto = events.last().map_or(heard.upto, |(place, _)| *place);
    Heard { events, upto }
}

/// The message: who it is for, when it was sent, and what happened, each event with its place.
fn body(webhook: &Webhook, id: u64, now: Instant, heard: &Heard) -> Bytes {
    let head = format!(
        "{{\"id\":\"{}-{id}\",\"webhook\":\"{}\",\"sent_at\":\"{}\",\"events\":[",
        webhook.name,
        webhook.name,
        written(now)
    );
    let mut body = head.into_bytes();
    for (number, (_, event)) in heard.events.iter().enumerate() {
        if number > 0 {
            body.push(b',');
        }
        body.extend_from_slice(event);
    }
    body.extend_from_slice(b"]}");
    body.into()
}

/// A moment as the log and JSON have it.
fn written(at: Instant) -> String {
    postlane_message::LogDate::of(at).as_str().to_owned()
}

#[cfg(test)]
mod tests;
