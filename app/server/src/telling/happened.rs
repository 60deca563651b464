//! What became of a recipient, as a line of the log and as an event.

use postlane_engine::{End, Fate};
use postlane_mail::{Envelope, Instant, LastReply, QueueId, Status};
use postlane_replies::{Diagnosis, RuleName};

use crate::outbound::evidence::Attempted;
use crate::setup::Setup;
use crate::telling::events::Event;
use crate::telling::journal::Line;
use crate::telling::veil::Veil;

/// What became of a recipient, and what is known of how that came.
pub(crate) struct Happened<'a> {
    pub(crate) now: Instant,
    pub(crate) id: QueueId,
    pub(crate) index: u16,
    pub(crate) fate: &'a Fate,
    /// None where the message is not at hand.
    pub(crate) envelope: Option<&'a Envelope>,
    pub(crate) attempted: Option<&'a Attempted>,
    /// What was said, by a host or by ourselves in its place.
    pub(crate) last: Option<LastReply>,
    /// Transactions that had ended in a deferral before.
    pub(crate) attempts_before: u16,
    /// Whose hosts it goes to, as far as that is known without an attempt.
    pub(crate) provider: Option<&'a str>,
    /// The message's `Message-ID`, as far as it is at hand without an attempt.
    pub(crate) message_id: Option<&'a str>,
}

impl Happened<'_> {
    /// The line of the log; `docs/guide/logs.md` says what the keys mean.
    pub(crate) fn line(&self, setup: &Setup, veil: Veil<'_>) -> String {
        let mut line = Line::new(self.now, self.kind());
        line.plain("id", self.id);
        self.describe_envelope(&mut line, &veil);
        if let Some(attempted) = self.attempted {
            line.field("provider", &attempted.hop.provider);
            line.plain("host", &attempted.hop.name);
            line.plain("ip", attempted.session.remote);
            if let Some(tls) = &attempted.session.tls {
                line.field("tls", tls.version);
            }
            if let Some(policy) = attempted.hop.policy.demand.name() {
                line.field("tls_policy", policy);
            }
        }
        if let Some(last) = &self.last {
            line.field("stage", last.stage.as_str());
            line.number("code", u64::from(last.reply.code().number()));
        }
        if let Some(status) = self.status() {
            line.plain("status", status);
        }
        if let Some(diagnosis) = self.diagnosis() {
            line.field("label", diagnosis.label.name());
            line.field("rule", diagnosis.rule.as_ref().map_or("", RuleName::as_str));
        }
        if let Some(last) = &self.last {
            line.field("text", &veil.text(last.reply.text()));
        }
        if let Some(attempted) = self.attempted {
            let source = setup.sources.get(usize::from(attempted.source.0));
            line.field("source", source.map_or("", |source| &source.name));
            line.number("took_ms", attempted.ended.since(attempted.began).as_ms());
        }
        line.number("delay_ms", self.now.since(self.id.moment()).as_ms());
        if let Fate::Deferred { progress, .. } = self.fate {
            line.number("attempts", u64::from(progress.attempts));
            line.number("next_s", progress.due.since(self.now).as_s());
        }
        line.end()
    }

    /// Whose mail it is, and for whom; where that is not at hand the recipient's number.
    fn describe_envelope(&self, line: &mut Line, veil: &Veil<'_>) {
        let recipient = self.envelope.and_then(|e| e.recipients.get(usize::from(self.index)));
        let (Some(envelope), Some(recipient)) = (self.envelope, recipient) else {
            return line.number("recipient", u64::from(self.index));
        };
        line.field("from", &veil.address(envelope.reverse_path.as_str()));
        line.field("to", &veil.address(recipient.mailbox.as_str()));
        line.labels(envelope);
    }

    /// What it means, where a host refused it.
    pub(crate) fn diagnosis(&self) -> Option<&Diagnosis> {
        self.attempted?.diagnosis(self.index)
    }

    /// What the engine says of it, or a host has.
    pub(crate) fn status(&self) -> Option<Status> {
        let ours = match self.fate {
            Fate::Deferred { status, .. } | Fate::Ended(End::Bounced(status)) => *status,
            _ => None,
        };
        ours.or_else(|| self.last.as_ref()?.reply.status())
    }

    /// The event, for whoever listens.
    pub(crate) fn event(self, setup: &Setup) -> Event {
        let kind = self.kind();
        let diagnosis = self.diagnosis().cloned();
        let Self { now, id, index, envelope, attempted, last, .. } = self;
        let recipient = envelope.and_then(|e| e.recipients.get(usize::from(index)));
        let source = attempted.and_then(|a| setup.sources.get(usize::from(a.source.0)));
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Event {
            sender: text(envelope.map(|e| e.reverse_path.as_str())),
            recipient: text(recipient.map(|r| r.mailbox.as_str())),
            provider: text(attempted.map(|a| &*a.hop.provider)),
            source: text(source.map(|s| s.name.as_str())),
            tenant: text(envelope.map(|e| e.tenant.as_str())),
            campaign: text(envelope.map(|e| e.campaign.as_str())),
            last_reply: last,
            diagnosis,
            transcript: attempted.map(|a| a.transcript.to_string()).unwrap_or_default(),
            headers: attempted.map(|a| a.headers.clone()).unwrap_or_default(),
            ..Event::new(now, kind, Some(id))
        }
    }

    fn kind(&self) -> &'static str {
        match self.fate {
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
}
