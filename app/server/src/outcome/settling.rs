//! What has become of recipients: written down, told to senders where that is owed, logged.

use std::sync::Arc;

use postlane_engine::{End, Event, Fate, Limits, Scope, Settled};
use postlane_ledger::Kind;
use postlane_mail::{Code, Envelope, Instant, LastReply, Progress, QueueId, Reply, Stage};
use postlane_spool::{Change, Changes, Store};

use crate::engine::names::Names;
use crate::engine::submitting::Awaited;
use crate::ground::mailbox::Mailbox;
use crate::intake::cache::{Cache, Letter};
use crate::lanes::{ANY_SOURCE, Keeping, LaneName};
use crate::outbound::evidence::{Attempted, Evidence};
use crate::outbound::routing::{Destination, Failures};
use crate::outbound::unreached::Unreached;
use crate::outcome::reports::{Owed, Standing, is_given_up, message_id};
use crate::outcome::suppression::{Learning, Noticed, Suppressions, Writing};
use crate::setup::{Live, Setup};
use crate::telling::counters::Counters;
use crate::telling::events::Events;
use crate::telling::happened::Happened;
use crate::telling::history::History;
use crate::telling::journal::{Journal, Line};

/// Writes down what has become of recipients.
pub(crate) struct Settling {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) live: Live,
    pub(crate) names: Arc<Names>,
    pub(crate) failures: Failures,
    pub(crate) counters: Arc<Counters>,
    pub(crate) awaited: Awaited,
    pub(crate) reports: Arc<Mailbox<Owed>>,
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) history: History,
    pub(crate) unreached: Unreached,
    pub(crate) suppressions: Suppressions,
    /// How what has been learned from refusals is written down.
    pub(crate) writing: Writing,
    pub(crate) learning: Learning,
    /// What of lanes outlives the server.
    pub(crate) keeping: Keeping,
    pub(crate) changes: Vec<Change>,
    pub(crate) done: Vec<QueueId>,
    pub(crate) lines: String,
}

impl Settling {
    pub(crate) fn settled(&mut self, now: Instant, settled: Settled<Evidence>) {
        let Settled { message, place, recipients, attempt, attempts_before, provider } = settled;
        let evidence = attempt.map(|(_, _, evidence)| evidence).unwrap_or_default();
        let young = if evidence.is_none() { self.cache.find(message) } else { None };
        self.hear_refusal(&recipients, &evidence);
        // Where there was an attempt, it tells both.
        let unattempted = self.history.is_on() && evidence.0.is_none();
        let named = provider.filter(|_| unattempted).map(|id| self.names.provider_of(id));
        let headers = young.as_ref().filter(|_| unattempted).map(Letter::headers);
        let message_id = headers.and_then(|headers| message_id(&headers));
        let mut owed = smallvec::SmallVec::<[(u16, Fate); 1]>::new();
        let mut only_one = true;
        for (index, fate) in recipients {
            self.count(&fate);
            let envelope = evidence.envelope();
            self.learn(now, message, index, &fate, &evidence);
            // What is given up is said by the reports' thread: it reads the message anyway.
            if !evidence.is_none() || !is_given_up(&fate) {
                let at_hand = young.as_ref().map(|letter| &*letter.envelope);
                let envelope = envelope.or(at_hand);
                let said = evidence.last_reply(index);
                self.say(Happened {
                    now,
                    id: message,
                    index,
                    fate: &fate,
                    envelope,
                    attempted: evidence.attempted(index),
                    last: said.or_else(|| self.unrouted(now, &fate, envelope, index)),
                    attempts_before,
                    provider: named.as_deref().map(|name| &**name),
                    message_id: message_id.as_deref(),
                });
            }
            only_one &= envelope.is_none_or(|envelope| envelope.recipients.len() == 1);
            let written = match &fate {
                Fate::Ended(End::Deleted) => Some(postlane_spool::Fate::Done),
                Fate::Ended(End::Delivered) if !wants_success(envelope, index) => {
                    Some(postlane_spool::Fate::Done)
                }
                Fate::Deferred { progress, notice: false, .. } => {
                    waiting(*progress, evidence.last_reply(index))
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
            let recipients = owed;
            let standing = Standing { attempts_before, provider };
            self.reports.put(Owed { now, message, place, recipients, evidence, standing });
        }
    }

    /// Why there was no route, as a reply, where that is why it waits.
    fn unrouted(
        &self,
        now: Instant,
        fate: &Fate,
        envelope: Option<&Envelope>,
        index: u16,
    ) -> Option<LastReply> {
        let Fate::Deferred { status: Some(_), .. } = fate else { return None };
        let envelope = envelope?;
        let host = envelope.recipients.get(usize::from(index))?.mailbox.host().clone();
        let asks = self.live.borrow().routes.asks_for_sender();
        let sender = asks.then(|| envelope.reverse_path.clone());
        let failure =
            self.failures.of(self.names.known_destination(&Destination { host, sender })?)?;
        let reply = Reply::new(Code::new(450)?, failure.to_string());
        Some(LastReply { stage: Stage::Connect, reply, host: "".into(), at: now })
    }

    pub(crate) fn record(&mut self, now: Instant, event: Event<Evidence>) {
        let (event, source, host, evidence) = match event {
            Event::Decided { provider, source, decision } => {
                let scope = Scope { provider, source: Some(source) };
                self.lines.push_str(&self.keeping.teller.decided(now, scope, &decision));
                return;
            }
            Event::Judged { scope, judgement } => {
                self.lines.push_str(&self.keeping.teller.judged(now, scope, &judgement));
                return;
            }
            Event::Quarantine { provider, source, turn } => {
                let scope = Scope { provider, source: Some(source) };
                self.lines.push_str(&self.keeping.teller.quarantined(now, scope, turn));
                return;
            }
            Event::ConnectFailed { source, host, evidence, .. } => {
                self.counters.connects_failed.inc();
                (Kind::ConnectFailed, source, host, evidence)
            }
            Event::SessionLost { source, host, evidence, .. } => {
                (Kind::SessionLost, source, host, evidence)
            }
        };
        let Some(attempted) = evidence.0 else { return };
        let setup = self.live.borrow();
        self.history.session(&setup, (event, now), &attempted);
        let mut line = Line::new(now, event.as_str());
        line.field("host", &attempted.hop.name.to_string());
        line.field("ip", &attempted.session.remote.to_string());
        let source = setup.sources.get(usize::from(source.0));
        line.field("source", source.map_or("", |source| &source.name));
        if let Some(failure) = attempted.failure() {
            line.field("stage", failure.stage.as_str());
            if let Some(diagnosis) = &attempted.turned_away {
                line.field("label", diagnosis.label.name());
                line.field("rule", diagnosis.rule.as_ref().map_or("", |rule| rule.as_str()));
            }
            let veil = self.journal.veil(setup.log.addresses);
            line.field("text", &veil.text(&failure.reply.to_string()));
            if attempted.turned_away.is_some() {
                self.refused(&setup, &attempted, failure.clone());
            }
            self.unreached.note(host, failure);
        }
        drop(setup);
        self.lines.push_str(&line.end());
    }

    /// Everything since the last time goes out as one batch.
    pub(crate) fn flush(&mut self, now: Instant) {
        self.journal.write(std::mem::take(&mut self.lines));
        if !self.done.is_empty() {
            self.cache.forget(self.done.drain(..));
        }
        let recipients = std::mem::take(&mut self.changes);
        let changes = Changes { recipients, ..Changes::default() };
        match self.learning.take() {
            Some(noticed) => self.write_down(noticed, changes),
            None if changes.recipients.is_empty() => {}
            None => self.awaited.commit(&*self.store, changes),
        }
        // What became of mail goes first.
        self.keeping.flush(now, &*self.store, &self.awaited);
    }

    /// What a lane was told last is shown with it.
    fn hear_refusal(&self, recipients: &[(u16, Fate)], evidence: &Evidence) {
        let refused = |(index, fate): &(u16, Fate)| {
            let delivered = matches!(fate, Fate::Ended(End::Delivered));
            if delivered { None } else { evidence.last_reply(*index) }
        };
        let Some(attempted) = &evidence.0 else { return };
        let Some(reply) = recipients.iter().find_map(refused) else { return };
        self.refused(&self.live.borrow(), attempted, reply);
    }

    /// A lane's mail was refused, or its session was turned away.
    fn refused(&self, setup: &Setup, attempted: &Attempted, reply: LastReply) {
        let Some(source) = setup.sources.get(usize::from(attempted.source.0)) else { return };
        let provider = attempted.hop.provider.clone();
        let source = match attempted.hop.limits {
            Limits::OfSource => source.name.as_str().into(),
            Limits::OfAll => ANY_SOURCE.into(),
        };
        self.keeping.lanes.refused(LaneName { provider, source: Some(source) }, reply);
    }

    /// Who is refused for good may come on the suppression list; who got mail is not on the way there.
    fn learn(
        &mut self,
        now: Instant,
        message: QueueId,
        index: u16,
        fate: &Fate,
        evidence: &Evidence,
    ) {
        let (setup, counters) = (self.live.borrow(), &self.counters);
        match fate {
            Fate::Ended(End::Bounced(None)) => {
                let (attempt, refused) = ((now, message), (evidence, index));
                self.learning.hear(&self.suppressions, (&setup, counters), attempt, refused);
            }
            Fate::Ended(End::Delivered) => {
                let Some(envelope) = evidence.envelope() else { return };
                self.learning.hear_delivery(&self.suppressions, &setup, (envelope, index));
            }
            _ => {}
        }
    }

    /// What has been learned holds when it is durable, and is told then.
    fn write_down(&self, noticed: Noticed, changes: Changes) {
        self.writing.write_down(noticed, changes);
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

    /// Says what happened, to the log and to whoever listens. Without an attempt the envelope is
    /// at hand only while the message is young.
    fn say(&mut self, happened: Happened<'_>) {
        let setup = self.live.borrow().clone();
        if setup.log.attempts {
            self.lines.push_str(&happened.line(&setup, self.journal.veil(setup.log.addresses)));
        }
        self.history.settled(&setup, &happened);
        self.events.tell(|| happened.event(&setup));
    }
}

/// What nobody has said anything of keeps its last reply, which only the spool knows.
fn waiting(progress: Progress, last: Option<LastReply>) -> Option<postlane_spool::Fate> {
    Some(postlane_spool::Fate::Waiting(progress, Some(last?)))
}

fn wants_success(envelope: Option<&Envelope>, index: u16) -> bool {
    let recipient = envelope.and_then(|e| e.recipients.get(usize::from(index)));
    recipient.is_none_or(|recipient| recipient.notify.success())
}
