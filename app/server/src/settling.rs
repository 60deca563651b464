//! What has become of recipients: written down, told to senders where that is owed, logged.

use std::sync::Arc;

use postlane_engine::{End, Event, Fate, ProviderId, Settled};
use postlane_mail::{Envelope, Instant, LastReply, Progress, QueueId};
use postlane_spool::{Change, Changes, Key, Store, Urgency};

use crate::cache::Cache;
use crate::counters::Counters;
use crate::events::{Event as Happened, Events};
use crate::evidence::{Attempted, Evidence};
use crate::journal::{Journal, Line};
use crate::mailbox::Mailbox;
use crate::names::Names;
use crate::reports::Owed;
use crate::setup::Live;
use crate::submitting::Awaited;
use crate::unreached::Unreached;
use crate::veil::Veil;

/// Writes down what has become of recipients.
pub(crate) struct Settling {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) live: Live,
    pub(crate) names: Arc<Names>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) awaited: Awaited,
    pub(crate) reports: Arc<Mailbox<Owed>>,
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) unreached: Unreached,
    pub(crate) changes: Vec<Change>,
    pub(crate) done: Vec<QueueId>,
    pub(crate) lines: String,
}

impl Settling {
    pub(crate) fn settled(&mut self, now: Instant, settled: Settled<Evidence>) {
        let Settled { message, place, recipients, attempt } = settled;
        let attempted = attempt.and_then(|(_, _, evidence)| evidence.0);
        let mut owed = smallvec::SmallVec::<[(u16, Fate); 1]>::new();
        let mut only_one = true;
        for (index, fate) in recipients {
            self.count(&fate);
            self.log(now, message, index, &fate, attempted.as_deref());
            let live = &self.live;
            self.events.tell(|| event(live, now, message, index, &fate, attempted.as_deref()));
            let envelope = attempted.as_ref().and_then(|a| a.envelope.as_deref());
            only_one &= envelope.is_none_or(|envelope| envelope.recipients.len() == 1);
            let written = match &fate {
                Fate::Ended(End::Deleted) => Some(postlane_spool::Fate::Done),
                Fate::Ended(End::Delivered) if !wants_success(envelope, index) => {
                    Some(postlane_spool::Fate::Done)
                }
                Fate::Deferred { progress, notice: false, .. } => {
                    self.waiting(*progress, index, attempted.as_deref())
                }
                _ => None,
            };
            match written {
                Some(fate) => {
                    self.changes.push(Change { id: message, place, recipient: index, fate });
                }
                None => owed.push((index, fate)),
            }
        }
        if only_one {
            self.done.push(message);
        }
        if !owed.is_empty() {
            self.reports.put(Owed { now, message, place, recipients: owed, attempted });
        }
    }

    /// What no host has said anything of keeps its last reply, which only the spool knows.
    fn waiting(
        &self,
        progress: Progress,
        index: u16,
        attempted: Option<&Attempted>,
    ) -> Option<postlane_spool::Fate> {
        let last: LastReply = attempted?.last_reply(index)?;
        Some(postlane_spool::Fate::Waiting(progress, Some(last)))
    }

    pub(crate) fn record(&mut self, now: Instant, event: Event<Evidence>) {
        let Event::ConnectFailed { source, host, evidence, .. } = event;
        self.counters.connects_failed.inc();
        let Some(attempted) = evidence.0 else { return };
        let setup = self.live.borrow();
        let mut line = Line::new(now, "connect-failed");
        line.field("host", &attempted.hop.name.to_string());
        line.field("ip", &attempted.session.remote.to_string());
        let source = setup.sources.get(usize::from(source.0));
        line.field("source", source.map_or("", |source| &source.name));
        if let Some(failure) = attempted.failure() {
            line.field("stage", failure.stage.as_str());
            let veil = self.journal.veil(setup.log.addresses);
            line.field("text", &veil.text(&failure.reply.to_string()));
            self.unreached.note(host, failure);
        }
        drop(setup);
        self.lines.push_str(&line.end());
    }

    /// Budgets that must never be granted twice are kept by provider.
    pub(crate) fn reserve(&mut self, seq: u64, provider: ProviderId, messages: u32) {
        let key = Key(format!("cap/{}", self.names.provider_of(provider)).into());
        let value = format!("{seq} {messages}");
        self.store.commit(Changes {
            seq: self.awaited.next(),
            urgency: Urgency::Now,
            keyed: vec![(key, Some(value.into()))],
            ..Changes::default()
        });
    }

    /// Everything since the last time goes out as one batch.
    pub(crate) fn flush(&mut self) {
        self.journal.write(std::mem::take(&mut self.lines));
        if !self.done.is_empty() {
            self.cache.forget(self.done.drain(..));
        }
        if self.changes.is_empty() {
            return;
        }
        let recipients = std::mem::take(&mut self.changes);
        let seq = self.awaited.next();
        self.store.commit(Changes { seq, recipients, ..Changes::default() });
    }

    fn count(&self, fate: &Fate) {
        match fate {
            Fate::Ended(End::Delivered) => self.counters.delivered.inc(),
            Fate::Ended(End::Bounced(_)) => self.counters.bounced.inc(),
            Fate::Ended(End::Expired) => self.counters.expired.inc(),
            Fate::Ended(End::Deleted | End::BouncedByOperator) => self.counters.removed.inc(),
            Fate::Deferred { .. } => self.counters.deferred.inc(),
            Fate::Held(_) | Fate::Released(_) => {}
        }
    }

    fn log(
        &mut self,
        now: Instant,
        id: QueueId,
        index: u16,
        fate: &Fate,
        attempted: Option<&Attempted>,
    ) {
        let setup = self.live.borrow();
        if !setup.log.attempts {
            return;
        }
        let mut line = Line::new(now, event_of(fate));
        line.field("id", &id.to_string());
        if let Some(attempted) = attempted {
            let veil = self.journal.veil(setup.log.addresses);
            describe(&mut line, attempted, index, veil);
            let source = setup.sources.get(usize::from(attempted.source.0));
            line.field("source", source.map_or("", |source| &source.name));
            line.number("took_ms", attempted.ended.since(attempted.began).as_ms());
        }
        line.number("delay_ms", now.since(id.moment()).as_ms());
        if let Fate::Deferred { progress, status, .. } = fate {
            line.number("attempts", u64::from(progress.attempts));
            line.number("next_s", progress.due.since(now).as_s());
            if let Some(status) = status {
                line.field("status", &status.to_string());
            }
        }
        if let Fate::Ended(End::Bounced(Some(status))) = fate {
            line.field("status", &status.to_string());
        }
        drop(setup);
        self.lines.push_str(&line.end());
    }
}

fn event_of(fate: &Fate) -> &'static str {
    match fate {
        Fate::Ended(End::Delivered) => "delivered",
        Fate::Ended(End::Bounced(_)) => "bounced",
        Fate::Ended(End::Expired) => "expired",
        Fate::Ended(End::BouncedByOperator) => "bounced-by-operator",
        Fate::Ended(End::Deleted) => "deleted",
        Fate::Deferred { .. } => "deferred",
        Fate::Held(_) => "held",
        Fate::Released(_) => "released",
    }
}

fn describe(line: &mut Line, attempted: &Attempted, index: u16, veil: Veil<'_>) {
    if let Some(envelope) = &attempted.envelope {
        line.field("from", &veil.address(envelope.reverse_path.as_str()));
        if let Some(recipient) = envelope.recipients.get(usize::from(index)) {
            line.field("to", &veil.address(recipient.mailbox.as_str()));
        }
        line.field("stream", envelope.stream.as_str());
        if !envelope.tenant.is_none() {
            line.field("tenant", envelope.tenant.as_str());
        }
        if !envelope.campaign.is_none() {
            line.field("campaign", envelope.campaign.as_str());
        }
    }
    line.field("provider", &attempted.hop.provider);
    line.field("host", &attempted.hop.name.to_string());
    line.field("ip", &attempted.session.remote.to_string());
    if let Some(tls) = &attempted.session.tls {
        line.field("tls", tls.version);
    }
    if let Some(last) = attempted.last_reply(index) {
        line.field("stage", last.stage.as_str());
        line.number("code", u64::from(last.reply.code().number()));
        line.field("text", &veil.text(last.reply.text()));
    }
}

fn wants_success(envelope: Option<&Envelope>, index: u16) -> bool {
    let recipient = envelope.and_then(|e| e.recipients.get(usize::from(index)));
    recipient.is_none_or(|recipient| recipient.notify.success())
}

fn event(
    live: &Live,
    at: Instant,
    id: QueueId,
    index: u16,
    fate: &Fate,
    attempted: Option<&Attempted>,
) -> Happened {
    let envelope = attempted.and_then(|attempted| attempted.envelope.as_deref());
    let recipient = envelope.and_then(|e| e.recipients.get(usize::from(index)));
    let setup = live.borrow();
    let source = attempted.and_then(|a| setup.sources.get(usize::from(a.source.0)));
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Happened {
        sender: text(envelope.map(|e| e.reverse_path.as_str())),
        recipient: text(recipient.map(|r| r.mailbox.as_str())),
        provider: text(attempted.map(|a| &*a.hop.provider)),
        source: text(source.map(|s| s.name.as_str())),
        tenant: text(envelope.map(|e| e.tenant.as_str())),
        campaign: text(envelope.map(|e| e.campaign.as_str())),
        last_reply: attempted.and_then(|a| a.last_reply(index)),
        transcript: attempted.map(|a| a.transcript.to_string()).unwrap_or_default(),
        headers: attempted.map(|a| a.headers.clone()).unwrap_or_default(),
        ..Happened::new(at, event_of(fate), Some(id))
    }
}
