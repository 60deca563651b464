//! What happens, for whoever listens: one event for each recipient of each attempt.

use std::sync::Arc;

use bytes::Bytes;
use postlane_mail::{Instant, LastReply, QueueId};
use postlane_message::Bounced;
use postlane_replies::Diagnosis;
use tokio::sync::broadcast;

use crate::setup::Setup;
use crate::telling::history::History;

/// Something that happened to a recipient.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// `delivered`, `deferred`, `bounced`, `expired`, `bounced-by-operator`, `deleted`, `held`, `released`;
    /// `returned` for what came back to a bounce address of ours; `suppressed` and `unsuppressed` for
    /// who comes on the suppression list and is taken off it; `lane-…` for what becomes of lanes.
    pub kind: &'static str,
    /// The message; none if what came back does not tell.
    pub id: Option<QueueId>,
    /// The reverse-path; empty for the null one, and where no attempt was made.
    pub sender: String,
    /// The recipient; empty where no attempt was made.
    pub recipient: String,
    /// The provider's id; empty where no attempt was made.
    pub provider: String,
    /// The source's name; empty where no attempt was made.
    pub source: String,
    /// Whose; empty for nobody's.
    pub tenant: String,
    /// Of which mailing; empty for none.
    pub campaign: String,
    /// What was said.
    pub last_reply: Option<LastReply>,
    /// What it means, where a host refused it.
    pub diagnosis: Option<Diagnosis>,
    /// The dialogue, within bounds, without secrets and bodies.
    pub transcript: String,
    /// The message's header section, 16 KiB at most.
    pub headers: Bytes,
    /// What a report that came back says, on one line; why, until when and by whom somebody is
    /// suppressed; else empty.
    pub detail: String,
    /// What came back to a bounce address of ours, if it could be read.
    pub came_back: Option<Box<CameBack>>,
}

/// What a far host says of mail that it had taken from us.
#[derive(Debug, Clone)]
pub struct CameBack {
    /// The recipient's number in the envelope, from 0, where the reverse-path tells it: then
    /// whoever wrote this has had that recipient's mail.
    pub recipient: Option<u16>,
    /// The message as its own trace has it, where the reverse-path does not tell: whoever wrote
    /// the bounce may have made that up.
    pub claimed_id: Option<QueueId>,
    /// What is said.
    pub about: Bounced,
}

impl Event {
    /// An event of which no more is known.
    pub(crate) fn new(at: Instant, kind: &'static str, id: Option<QueueId>) -> Self {
        Self {
            at,
            kind,
            id,
            sender: String::new(),
            recipient: String::new(),
            provider: String::new(),
            source: String::new(),
            tenant: String::new(),
            campaign: String::new(),
            last_reply: None,
            diagnosis: None,
            transcript: String::new(),
            headers: Bytes::new(),
            detail: String::new(),
            came_back: None,
        }
    }
}

/// Where events go. Nothing is put together while nobody listens.
#[derive(Debug, Clone)]
pub(crate) struct Events(broadcast::Sender<Arc<Event>>);

/// Events that a slow listener may fall behind before it misses some. Chosen, not measured.
const BEHIND_MAX: usize = 4096;

impl Events {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(BEHIND_MAX))
    }

    pub(crate) fn tell(&self, event: impl FnOnce() -> Event) {
        if self.0.receiver_count() > 0 {
            // The last listener may have gone away in between.
            let _ = self.0.send(Arc::new(event()));
        }
    }

    /// The same, and puts it into history.
    pub(crate) fn tell_and_keep(
        &self,
        (history, setup): (&History, &Setup),
        event: impl FnOnce() -> Event,
    ) {
        if history.is_on() {
            let event = event();
            history.told(setup, &event);
            self.tell(|| event);
        } else {
            self.tell(event);
        }
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.subscribe()
    }
}
