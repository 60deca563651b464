//! What became of a recipient, and what became of sessions, as entries of the ledger.

use postlane_engine::{End, Fate};
use postlane_ledger::{Entry, Kind, Sample};
use postlane_mail::{Envelope, Instant, Mailbox};
use postlane_message::LogDate;
use postlane_replies::{Diagnosis, Label, RuleName};

use super::History;
use super::samples::Verdict;
use crate::outbound::evidence::Attempted;
use crate::setup::Setup;
use crate::telling::happened::Happened;

impl History {
    /// What became of a recipient.
    pub(crate) fn settled(&self, setup: &Setup, happened: &Happened<'_>) {
        self.record(setup, || {
            let mut entry = happened.entry(setup);
            if let Some(attempted) = happened.attempted {
                let verdict = match entry.kind {
                    Kind::Delivered => Verdict::Accepted,
                    _ => Verdict::Refused,
                };
                let provider = &*attempted.hop.provider;
                entry.sample =
                    self.sample(happened.now, &setup.ledger, (provider, verdict), || Sample {
                        transcript: attempted.transcript.to_string().into(),
                        headers: String::from_utf8_lossy(&attempted.headers).into(),
                    });
            }
            entry
        });
    }

    /// A session that did not come about, or broke off.
    pub(crate) fn session(&self, setup: &Setup, (kind, now): (Kind, Instant), of: &Attempted) {
        self.record(setup, || {
            let mut entry = Entry::new(kind, now);
            of.describe(setup, &mut entry);
            entry.took_ms = Some(ms(of.ended.since(of.began).as_ms()));
            if let Some(greeted) = of.session.greeted_after {
                entry.detail = format!("greeted after {} ms", greeted.as_ms()).into();
            }
            if let Some(failure) = of.failure() {
                entry.stage = Some(failure.stage);
                entry.code = Some(failure.reply.code());
                entry.status = failure.reply.status();
                entry.reply = failure.reply.text().into();
            }
            if let Some(diagnosis) = &of.turned_away {
                label(&mut entry, diagnosis);
            }
            entry.sample =
                self.sample(now, &setup.ledger, (&of.hop.provider, Verdict::Refused), || Sample {
                    transcript: of.transcript.to_string().into(),
                    headers: Default::default(),
                });
            entry
        });
    }
}

impl Happened<'_> {
    fn entry(&self, setup: &Setup) -> Entry {
        let mut entry = Entry::new(self.entry_kind(), self.now);
        entry.id = Some(self.id);
        entry.recipient_index = Some(self.index.into());
        entry.delay_ms = Some(self.now.since(self.id.moment()).as_ms());
        if let Some(envelope) = self.envelope {
            describe_envelope(&mut entry, envelope, self.index);
        }
        match self.attempted {
            Some(attempted) => {
                attempted.describe(setup, &mut entry);
                entry.message_id = (&*attempted.message_id).into();
                entry.attempt = Some(u32::from(self.attempts_before) + 1);
                entry.took_ms = Some(ms(attempted.ended.since(attempted.began).as_ms()));
                entry.octets = Some(attempted.octets);
            }
            None => {
                entry.provider = self.provider.unwrap_or_default().into();
                entry.message_id = self.message_id.unwrap_or_default().into();
            }
        }
        entry.status = self.status();
        if let Some(last) = &self.last {
            entry.stage = Some(last.stage);
            entry.code = Some(last.reply.code());
            entry.reply = last.reply.text().into();
        }
        match self.diagnosis() {
            Some(diagnosis) => label(&mut entry, diagnosis),
            None if entry.kind == Kind::Delivered => entry.label = Label::Accepted.name().into(),
            None => {}
        }
        self.describe_fate(&mut entry);
        entry
    }

    fn describe_fate(&self, entry: &mut Entry) {
        match self.fate {
            Fate::Deferred { progress, .. } => {
                let due = LogDate::of(progress.due);
                entry.detail = ["next attempt ", due.as_str()].concat().into();
            }
            Fate::Ended(End::BouncedByOperator | End::Deleted)
            | Fate::Held(_)
            | Fate::Released(_) => entry.who = "operator".into(),
            Fate::Ended(_) => {}
        }
    }

    fn entry_kind(&self) -> Kind {
        match self.fate {
            Fate::Ended(End::Delivered) => Kind::Delivered,
            Fate::Ended(End::Bounced(_)) => Kind::Bounced,
            Fate::Ended(End::Expired) => Kind::Expired,
            Fate::Ended(End::BouncedByOperator) => Kind::BouncedByOperator,
            Fate::Ended(End::Deleted) => Kind::Deleted,
            Fate::Deferred { .. } => Kind::Deferred,
            Fate::Held(_) => Kind::Held,
            Fate::Released(_) => Kind::Released,
        }
    }
}

impl Attempted {
    /// Who spoke with whom.
    fn describe(&self, setup: &Setup, entry: &mut Entry) {
        entry.provider = (&*self.hop.provider).into();
        if let Some(source) = setup.sources.get(usize::from(self.source.0)) {
            entry.source = source.name.as_str().into();
            entry.ehlo = source.ehlo.as_str().into();
        }
        entry.source_ip = self.session.local.map(|local| local.ip());
        entry.mx_host = self.hop.name.to_string().into();
        entry.mx_ip = Some(self.session.remote.ip());
        if let Some(tls) = &self.session.tls {
            entry.tls = match self.hop.policy.demand.name() {
                Some(policy) => [tls.version, policy].join(" ").into(),
                None => tls.version.into(),
            };
        }
        entry.connect_ms = Some(ms(self.session.connect_took.as_ms()));
    }
}

/// Whose mail it is, and for whom.
pub(super) fn describe_envelope(entry: &mut Entry, envelope: &Envelope, index: u16) {
    entry.stream = Some(envelope.stream);
    entry.tenant = envelope.tenant.as_str().into();
    entry.campaign = envelope.campaign.as_str().into();
    entry.sender = match envelope.reverse_path.as_str() {
        "" => "<>".into(),
        address => address.into(),
    };
    if let Some(recipient) = envelope.recipients.get(usize::from(index)) {
        describe_recipient(entry, &recipient.mailbox);
    }
}

/// An address, and its domain as the DNS has it.
pub(super) fn describe_recipient(entry: &mut Entry, mailbox: &Mailbox) {
    entry.recipient = mailbox.as_str().into();
    entry.domain = match mailbox.domain() {
        Some(domain) => domain.as_str().into(),
        None => mailbox.host_text().into(),
    };
}

/// What it means.
pub(super) fn label(entry: &mut Entry, diagnosis: &Diagnosis) {
    entry.label = diagnosis.label.name().into();
    entry.rule = diagnosis.rule.as_ref().map_or("", RuleName::as_str).into();
}

fn ms(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(u32::MAX)
}
