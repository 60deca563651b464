//! What is told of lanes, of mail that came back and of the suppression list, as entries of the
//! ledger.

use postlane_ledger::{Entry, Kind};
use postlane_mail::{Instant, Label, Mailbox, QueueId, Status};
use postlane_message::BounceKind;
use postlane_spool::Stored;

use super::History;
use super::attempts::{describe_envelope, describe_recipient, label};
use crate::lanes::{Audit, LaneName};
use crate::outcome::reports::{header_of, message_id};
use crate::setup::Setup;
use crate::telling::events::{CameBack, Event};

impl History {
    /// What listeners are told, too.
    pub(crate) fn told(&self, setup: &Setup, event: &Event) {
        self.record(setup, || entry(event));
    }

    /// What became of a lane, and who decided so.
    pub(crate) fn lane(
        &self,
        setup: &Setup,
        now: Instant,
        (command, name): (&str, &LaneName),
        (who, why): (&str, &str),
    ) {
        self.record(setup, || {
            let mut entry = Entry::new(Kind::Lane, now);
            entry.provider = (&*name.provider).into();
            entry.source = name.source.as_deref().unwrap_or_default().into();
            entry.command = command.into();
            entry.who = who.into();
            entry.detail = why.into();
            entry
        });
    }

    /// What a provider asks of mail was looked at: it is missing, or there again.
    pub(crate) fn gate(
        &self,
        setup: &Setup,
        now: Instant,
        (command, name): (&str, &LaneName),
        (tenant, why): (&Label, &str),
    ) {
        self.record(setup, || {
            let mut entry = Entry::new(Kind::Lane, now);
            entry.provider = (&*name.provider).into();
            entry.source = name.source.as_deref().unwrap_or_default().into();
            entry.tenant = tenant.as_str().into();
            entry.command = command.into();
            entry.who = PREFLIGHT.into();
            entry.detail = why.into();
            entry
        });
    }

    /// The sender of a message is told what became of a recipient.
    pub(crate) fn reported(
        &self,
        setup: &Setup,
        (now, stored, index): (Instant, &Stored, u16),
        (action, status): (&str, Status),
        (report, to): (QueueId, &Mailbox),
    ) {
        self.record(setup, || {
            let mut entry = Entry::new(Kind::Reported, now);
            entry.id = Some(stored.id);
            entry.recipient_index = Some(index.into());
            entry.message_id = message_id(header_of(stored)).unwrap_or_default().into();
            describe_envelope(&mut entry, &stored.envelope, index);
            entry.status = Some(status);
            entry.delay_ms = Some(now.since(stored.id.moment()).as_ms());
            entry.detail = format!("{action}, told {} by message {report}", to.as_str()).into();
            entry
        });
    }

    /// An operator's command to a lane holds.
    pub(crate) fn ordered(&self, setup: &Setup, now: Instant, name: &LaneName, audit: &Audit) {
        self.lane(setup, now, (&audit.command, name), (&audit.by, &audit.why));
    }
}

fn entry(event: &Event) -> Entry {
    let kind = match (event.kind, &event.came_back) {
        ("suppressed", _) => Kind::Suppressed,
        ("unsuppressed", _) => Kind::Unsuppressed,
        (_, Some(back)) if back.about.kind == BounceKind::Feedback => Kind::Complaint,
        _ => Kind::Returned,
    };
    let mut entry = Entry::new(kind, event.at);
    entry.id = event.id;
    entry.tenant = event.tenant.as_str().into();
    entry.provider = event.provider.as_str().into();
    match Mailbox::parse(&event.recipient) {
        Ok(mailbox) => describe_recipient(&mut entry, &mailbox),
        // Reports name addresses that no standard allows.
        Err(_) => entry.recipient = event.recipient.as_str().into(),
    }
    if let Some(last) = &event.last_reply {
        entry.stage = Some(last.stage);
        entry.code = Some(last.reply.code());
        entry.status = last.reply.status();
        entry.reply = last.reply.text().into();
        entry.mx_host = (&*last.host).into();
    }
    if let Some(diagnosis) = &event.diagnosis {
        label(&mut entry, diagnosis);
    }
    match event.came_back.as_deref() {
        Some(back) => describe_what_came_back(&mut entry, back),
        None => entry.detail = event.detail.as_str().into(),
    }
    if let Some(id) = event.id {
        entry.delay_ms = Some(event.at.since(id.moment()).as_ms());
    }
    entry
}

fn describe_what_came_back(entry: &mut Entry, back: &CameBack) {
    let about = &back.about;
    entry.recipient_index = back.recipient.map(u32::from);
    entry.message_id = about.original_message_id.as_deref().unwrap_or_default().into();
    entry.code = about.code;
    entry.status = about.status;
    entry.reply = about.diagnostic.as_deref().unwrap_or_default().into();
    entry.mx_host = about.remote_mta.as_deref().unwrap_or_default().into();
    entry.who = about.reporting_mta.as_deref().unwrap_or_default().into();
    let mut words = vec![about.kind.as_str().to_owned()];
    words.extend(about.action.map(|action| action.as_str().to_owned()));
    words.extend(about.feedback.clone());
    words.extend(back.claimed_id.map(|id| format!("of {id}, as it says itself")));
    entry.detail = words.join(", ").into();
}

/// What a lane's event is called as a command: `lane-rests` is `rests`.
pub(crate) fn command_of(kind: &str) -> &str {
    kind.strip_prefix("lane-").unwrap_or(kind)
}

/// Who decides of lanes where no operator has.
pub(crate) const CONTROLLER: &str = "controller";

/// Who says how mail stands before a gate.
pub(crate) const PREFLIGHT: &str = "preflight";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_stays_empty() {
        let mut event = Event::new(Instant(1), "returned", None);
        event.recipient = "no address".to_owned();
        let entry = entry(&event);
        assert_eq!((entry.kind, entry.recipient.as_str()), (Kind::Returned, "no address"));
        assert!(entry.domain.is_empty() && entry.delay_ms.is_none() && entry.code.is_none());
    }
}
