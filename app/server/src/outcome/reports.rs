//! Reports to senders: written where they are owed, and durable with the outcome that owes them.

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use bytes::Bytes;
use postlane_engine::{End, Fate, ProviderId};
use postlane_mail::{
    Envelope, Host, Instant, Label, LastReply, Mailbox as Address, Place, Progress, QueueId,
    Recipient, ReversePath, Status, Stream,
};
use postlane_message::{
    Action, Fields, Original, RecipientReport, Report, message_id_of, write_report,
};
use postlane_spool::{Change, Changes, Insertion, Store, StoreError, Stored, Urgency};
use smallvec::SmallVec;

use crate::engine::names::Names;
use crate::engine::submitting::Awaited;
use crate::ground::mailbox::Mailbox;
use crate::intake::Intake;
use crate::intake::facts::Facts;
use crate::outbound::evidence::{Attempted, Evidence};
use crate::outbound::routing::{Destination, Failures};
use crate::outbound::unreached::Unreached;
use crate::setup::{Live, Reports as Mode};
use crate::telling::counters::Counters;
use crate::telling::events::Events;
use crate::telling::happened::Happened;
use crate::telling::history::History;
use crate::telling::journal::{Journal, alarm};

/// What has become of recipients, where more than a note is owed.
pub(crate) struct Owed {
    pub(crate) now: Instant,
    pub(crate) message: QueueId,
    pub(crate) place: Place,
    pub(crate) recipients: SmallVec<[(u16, Fate); 1]>,
    pub(crate) evidence: Evidence,
    pub(crate) standing: Standing,
}

/// What the engine knows of recipients besides what has become of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// Transactions that had ended in a deferral before.
    pub(crate) attempts_before: u16,
    /// Whose hosts their mail goes to.
    pub(crate) provider: Option<ProviderId>,
}

/// Writes reports; wants a thread of its own, since it reads the spool.
pub(crate) struct Reports {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) live: Live,
    pub(crate) names: Arc<Names>,
    pub(crate) failures: Failures,
    pub(crate) unreached: Unreached,
    pub(crate) awaited: Awaited,
    pub(crate) counters: Arc<Counters>,
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) history: History,
}

/// What is known of one recipient that a report is about.
struct About {
    index: u16,
    action: Action,
    status: Status,
    last: Option<LastReply>,
    until: Option<Instant>,
}

/// How long it takes until a message that could not be read is read again. Chosen, not measured: a
/// disk that answers again is noticed soon, and one that does not is not worn out.
const READ_AGAIN: Duration = Duration::from_secs(60);

impl Reports {
    /// Writes what is owed until the end of the program.
    pub(crate) fn run(&self, owed: &Mailbox<Owed>) {
        let (mut batch, mut unread, mut due) = (Vec::new(), Vec::new(), None);
        loop {
            owed.take(&mut batch, due);
            if due.is_some_and(|due| due <= Moment::now()) {
                batch.append(&mut unread);
                due = None;
            }
            unread.extend(batch.drain(..).filter_map(|owed| self.settle(owed)));
            if due.is_none() && !unread.is_empty() {
                alarm(&format!(
                    "{} messages are given up and cannot be read to report that to their senders; it is tried again \
                     each minute, and after a restart: is the disk of the spool sound?",
                    unread.len()
                ));
                due = Some(Moment::now() + READ_AGAIN);
            }
        }
    }

    /// Gives back what must be tried again: nothing of it is durable then, so that a restart comes to
    /// the same end and owes the same report.
    fn settle(&self, mut owed: Owed) -> Option<Owed> {
        match catch_unwind(AssertUnwindSafe(|| self.is_owed_still(&mut owed))) {
            Ok(is_owed_still) => is_owed_still.then_some(owed),
            Err(_) => {
                self.broke(&owed);
                None
            }
        }
    }

    /// A fault of ours over one message is no reason to leave all others. What was delivered is written
    /// down, or it would be sent again after a restart; what was given up is not, since its sender has
    /// not heard of it: a restart comes to the same end and tries its report again.
    fn broke(&self, owed: &Owed) {
        let mut changes = Changes { urgency: Urgency::Now, ..Changes::default() };
        for (index, fate) in owed.recipients.iter().filter(|(_, fate)| !is_given_up(fate)) {
            let fate = written(fate, owed.evidence.last_reply(*index));
            let (id, place, recipient) = (owed.message, owed.place, *index);
            changes.recipients.push(Change { id, place, recipient, fate });
        }
        if !changes.recipients.is_empty() {
            self.awaited.commit(&*self.store, changes);
        }
        alarm(&format!(
            "message {}: a fault of ours, told in the lines before, has broken the report about it: its sender hears \
             nothing. What was given up of it stays in the spool, and its report is tried again after a restart; please \
             report this",
            owed.message
        ));
    }

    /// Whether some of it must be tried again.
    fn is_owed_still(&self, owed: &mut Owed) -> bool {
        let known = self.store.progress(owed.place).unwrap_or_default();
        let mut changes = Changes { urgency: Urgency::Now, ..Changes::default() };
        let mut about = Vec::new();
        for (index, fate) in &owed.recipients {
            let said = owed.evidence.last_reply(*index);
            let kept = known.iter().find(|(i, ..)| i == index).and_then(|(.., last)| last.clone());
            let last = said.or(kept);
            about.extend(self.about(*index, fate, last.clone(), owed.evidence.attempted(*index)));
            let (id, place, recipient) = (owed.message, owed.place, *index);
            changes.recipients.push(Change { id, place, recipient, fate: written(fate, last) });
        }
        let mut is_owed_still = false;
        if !about.is_empty() {
            match self.read(owed) {
                Ok(stored) => {
                    self.say(owed, &stored, &about);
                    let report = self.report(owed, &stored, about);
                    let leaves = |r: &Insertion| !self.intake.keep_report(owed.now, r.id, r);
                    changes.insertions.extend(report.filter(leaves));
                }
                // It has been settled before: nobody is owed anything any more.
                Err(StoreError::Gone) => {}
                Err(error) => {
                    self.cannot_read(owed, &error);
                    if !matches!(error, StoreError::Damaged(_)) {
                        owed.recipients.retain(|(_, fate)| is_given_up(fate));
                        let waits = |r: u16| owed.recipients.iter().any(|(index, _)| *index == r);
                        changes.recipients.retain(|change| !waits(change.recipient));
                        is_owed_still = !owed.recipients.is_empty();
                    }
                }
            }
        }
        if !changes.recipients.is_empty() {
            self.awaited.commit(&*self.store, changes);
        }
        is_owed_still
    }

    /// The message; where its octets cannot be read, who it is from and for: of that a report can be
    /// made.
    fn read(&self, owed: &Owed) -> Result<Stored, StoreError> {
        let error = match self.store.read(owed.place) {
            Err(error) if error != StoreError::Gone => error,
            read => return read,
        };
        let (id, envelope) = (owed.message, owed.evidence.envelope().cloned());
        let of = |envelope| Stored { id, envelope, facts: Box::default(), message: Bytes::new() };
        let head = self.store.read_head(owed.place).ok().or_else(|| envelope.map(of));
        if head.is_some() {
            let (id, says) = (id.to_string(), error.to_string());
            self.journal.event(owed.now, "original-unread", &[("id", &id), ("text", &says)]);
        }
        head.ok_or(error)
    }

    /// Neither the message can be read nor who is to hear of it.
    fn cannot_read(&self, owed: &Owed, error: &StoreError) {
        let (id, says) = (owed.message.to_string(), error.to_string());
        self.journal.event(owed.now, "report-failed", &[("id", &id), ("text", &says)]);
        let is_for_good = matches!(error, StoreError::Damaged(_));
        if is_for_good && owed.recipients.iter().any(|(_, fate)| is_given_up(fate)) {
            alarm(&format!(
                "message {id} is given up, and its sender is not known any more and hears nothing of it: {says}"
            ));
        }
    }

    /// Says what happened without an attempt, in words of our own.
    fn say(&self, owed: &Owed, stored: &Stored, about: &[About]) {
        let (setup, envelope) = (self.live.borrow().clone(), &stored.envelope);
        let provider = owed.standing.provider.map(|id| self.names.provider_of(id));
        let message_id = self.history.is_on().then(|| message_id(header_of(stored))).flatten();
        for (index, fate) in owed.recipients.iter().filter(|_| owed.evidence.is_none()) {
            let ended = matches!(fate, Fate::Ended(_));
            let Some(about) = about.iter().find(|a| a.index == *index && ended) else { continue };
            let last = about.last.clone().or_else(|| self.explain(owed, envelope, about));
            let happened = Happened {
                now: owed.now,
                id: owed.message,
                index: *index,
                fate,
                envelope: Some(envelope),
                attempted: None,
                last,
                attempts_before: owed.standing.attempts_before,
                provider: provider.as_deref().map(|name| &**name),
                message_id: message_id.as_deref(),
            };
            if setup.log.attempts {
                let veil = self.journal.veil(setup.log.addresses);
                self.journal.write(happened.line(&setup, veil));
            }
            self.history.settled(&setup, &happened);
            self.events.tell(|| happened.event(&setup));
        }
    }

    /// What is to be reported of a recipient, if anything is.
    fn about(
        &self,
        index: u16,
        fate: &Fate,
        last: Option<LastReply>,
        attempted: Option<&Attempted>,
    ) -> Option<About> {
        let of_reply = |class: u8, or: Status| {
            let said = last.as_ref().and_then(|last| last.reply.status());
            said.filter(|status| status.class == class).unwrap_or(or)
        };
        let (action, status, until) = match fate {
            Fate::Ended(End::Delivered) => {
                // RFC 3461 §5.2.2: whoever hands on to a host without DSN says so itself.
                let relayed = attempted.is_none_or(|attempted| !attempted.dsn_relayed);
                if !relayed {
                    return None;
                }
                (Action::Relayed, of_reply(2, Status::new(2, 0, 0)), None)
            }
            Fate::Ended(End::Bounced(Some(status))) => (Action::Failed, *status, None),
            Fate::Ended(End::Bounced(None)) => {
                (Action::Failed, of_reply(5, Status::new(5, 0, 0)), None)
            }
            // RFC 3463 §3.5, X.4.7: delivery time expired.
            Fate::Ended(End::Expired) => (Action::Failed, Status::new(5, 4, 7), None),
            Fate::Ended(End::BouncedByOperator) => (Action::Failed, Status::new(5, 7, 0), None),
            Fate::Deferred { progress, notice: true, status } => {
                let status = status.unwrap_or_else(|| of_reply(4, Status::new(4, 0, 0)));
                (Action::Delayed, status, Some(progress.expires))
            }
            _ => return None,
        };
        Some(About { index, action, status, last, until })
    }

    fn report(&self, owed: &Owed, stored: &Stored, about: Vec<About>) -> Option<Insertion> {
        let envelope = &stored.envelope;
        let setup = self.live.borrow().clone();
        let mode = setup.tenant(&envelope.tenant).reports;
        // A null reverse-path is never answered (RFC 5321 §4.5.5).
        let addressee = envelope.reverse_path.mailbox().filter(|_| mode == Mode::Sender)?;
        let about: Vec<About> = about.into_iter().filter(|a| is_wanted(envelope, a)).collect();
        if about.is_empty() {
            return None;
        }
        let id = self.intake.next_id(owed.now);
        let explained: Vec<Option<LastReply>> = about
            .iter()
            .map(|a| a.last.clone().or_else(|| self.explain(owed, envelope, a)))
            .collect();
        let recipients: Vec<RecipientReport<'_>> = about
            .iter()
            .zip(&explained)
            .filter_map(|(a, last)| recipient_report(envelope, a, last.as_ref()))
            .collect();
        let message_id = message_id(header_of(stored));
        let written = write_report(&Report {
            id,
            at: owed.now,
            addressee,
            reporting_mta: &setup.hostname,
            original: Original {
                id: stored.id,
                arrived: stored.id.moment(),
                envid: envelope.envid.as_deref(),
                message_id: message_id.as_deref(),
                message: &stored.message,
                ret: envelope.ret.unwrap_or(setup.report_returns),
                octets_max: setup.report_octets_max,
                smtputf8: envelope.smtputf8,
            },
            recipients: &recipients,
        });
        self.counters.reports.inc();
        let (report, of) = (id.to_string(), stored.id.to_string());
        let to = self.journal.veil(setup.log.addresses).address(addressee.as_str());
        let fields = [("id", &*report), ("of", &*of), ("to", &*to)];
        self.journal.event(owed.now, "report", &fields);
        for a in &about {
            let said = (a.action.as_str(), a.status);
            self.history.reported(&setup, (owed.now, stored, a.index), said, (id, addressee));
        }
        Some(insertion(id, addressee, envelope, written))
    }

    /// In words of our own, where no host has said anything.
    fn explain(&self, owed: &Owed, envelope: &Envelope, about: &About) -> Option<LastReply> {
        if let Some(failure) = owed.evidence.0.as_ref().and_then(|attempted| attempted.failure()) {
            return Some(failure);
        }
        let recipient = envelope.recipients.get(usize::from(about.index))?;
        let host = recipient.mailbox.host().clone();
        let asks = self.live.borrow().routes.asks_for_sender();
        let sender = asks.then(|| envelope.reverse_path.clone());
        let domain = self.names.known_destination(&Destination { host, sender });
        let unrouted = domain.and_then(|domain| self.failures.of(domain));
        let late = matches!(about.status, Status { subject: 4, detail: 7, .. })
            || about.action == Action::Delayed;
        if late && unrouted.is_none() {
            let towards = |domain| self.unreached.towards(domain, owed.message.moment());
            let failed = domain.and_then(towards);
            if failed.is_some() {
                return failed;
            }
        }
        let text = match (unrouted, about.status) {
            (Some(failure), _) => failure.to_string(),
            (None, Status { subject: 4, detail: 6, .. }) => {
                format!(
                    "{} mail for {} comes back to this relay",
                    about.status,
                    recipient.mailbox.host()
                )
            }
            (None, Status { subject: 4, detail: 7, .. }) => {
                format!("{} no host of {} took it in time", about.status, recipient.mailbox.host())
            }
            (None, Status { subject: 7, .. }) => {
                format!("{} given up by an operator of this relay", about.status)
            }
            (None, Status { subject: 6, detail, .. }) => {
                format!("{} {}", about.status, unable(recipient.mailbox.host(), detail))
            }
            (None, status) => format!("{status} it could not be delivered"),
        };
        let code = postlane_mail::Code::new(if about.status.class == 4 { 450 } else { 550 })?;
        let reply = postlane_mail::Reply::new(code, text);
        Some(LastReply {
            stage: postlane_mail::Stage::Connect,
            reply,
            host: "".into(),
            at: owed.now,
        })
    }
}

/// What the hosts of `host` lack, for the detail of a status X.6.Y (RFC 3463 §3.7, RFC 6531 §3.5).
fn unable(host: &Host, detail: u16) -> String {
    let lack = match detail {
        3 => "takes bodies of eight bits",
        7 => "takes addresses beyond ASCII",
        9 => "takes header fields beyond ASCII",
        _ => "takes what this message needs",
    };
    format!("no host of {host} {lack}")
}

/// Whether somebody may believe that it still goes on, unless a report says otherwise.
pub(super) fn is_given_up(fate: &Fate) -> bool {
    matches!(fate, Fate::Ended(End::Bounced(_) | End::Expired | End::BouncedByOperator))
}

/// What the spool is to know of it.
fn written(fate: &Fate, last: Option<LastReply>) -> postlane_spool::Fate {
    let waiting = |progress: &Progress| postlane_spool::Fate::Waiting(*progress, last.clone());
    match fate {
        Fate::Ended(_) => postlane_spool::Fate::Done,
        Fate::Deferred { progress, .. } => waiting(progress),
        Fate::Held(progress) | Fate::Released(progress) => waiting(progress),
    }
}

/// Whether the sender wants to hear of it (RFC 3461 §4.1).
fn is_wanted(envelope: &Envelope, about: &About) -> bool {
    let Some(recipient) = envelope.recipients.get(usize::from(about.index)) else { return false };
    match about.action {
        Action::Failed => recipient.notify.failure(),
        Action::Delayed => recipient.notify.delay(),
        _ => recipient.notify.success(),
    }
}

fn recipient_report<'a>(
    envelope: &'a Envelope,
    about: &About,
    last: Option<&'a LastReply>,
) -> Option<RecipientReport<'a>> {
    let Recipient { mailbox, orcpt, .. } = envelope.recipients.get(usize::from(about.index))?;
    Some(RecipientReport {
        mailbox,
        orcpt: orcpt.as_deref(),
        action: about.action,
        status: about.status,
        last_reply: last,
        will_retry_until: about.until,
    })
}

/// A stored message's header section.
pub(crate) fn header_of(stored: &Stored) -> &[u8] {
    let facts = Facts::from_octets(&stored.facts);
    stored.message.get(..facts.header_octets as usize).unwrap_or(&stored.message)
}

/// The `Message-ID` in a header section.
pub(crate) fn message_id(header: &[u8]) -> Option<Box<str>> {
    let mut fields = Fields::new(header);
    let field = fields.find(|field| field.name.eq_ignore_ascii_case(b"message-id"))?;
    message_id_of(field.value).map(Box::from)
}

fn insertion(
    id: QueueId,
    addressee: &Address,
    of: &Envelope,
    written: postlane_message::WrittenReport,
) -> Insertion {
    let envelope = Envelope {
        reverse_path: ReversePath::Null,
        recipients: vec![Recipient::new(addressee.clone())],
        body: written.body,
        smtputf8: written.smtputf8 || addressee.needs_smtputf8(),
        ret: None,
        envid: None,
        stream: Stream::Transactional,
        tenant: of.tenant.clone(),
        campaign: Label::NONE,
        engaged: None,
    };
    let header = memchr::memmem::find(&written.message, b"\r\n\r\n").map_or(0, |at| at + 2);
    let (head, body) = written.message.split_at(header);
    let facts = Facts {
        header_octets: u32::try_from(header).unwrap_or(u32::MAX),
        eight_bit_header: !head.is_ascii(),
        eight_bit_body: !body.is_ascii(),
        dot_lines: true,
        body_hash: None,
    };
    Insertion {
        id,
        envelope: Arc::new(envelope),
        facts: facts.to_octets(),
        message: vec![written.message.into()],
        tag: 0,
    }
}
