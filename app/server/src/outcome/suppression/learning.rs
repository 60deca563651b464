//! What refusals teach: entries on their way to the spool, and to whoever listens.

use std::collections::BTreeMap;

use bytes::Bytes;
use postlane_mail::{Envelope, Instant, Label as Tenant, Mailbox, QueueId};
use postlane_spool::Key;
use postlane_suppression::{Bounded, Counts, Entry, Said, Standing, Subject, Verdict, Whom};

use super::understanding::{Lesson, lesson};
use super::{Suppressions, Update, kept, key_of};
use crate::config::settings::Scope;
use crate::outbound::evidence::Evidence;
use crate::setup::Setup;
use crate::telling::counters::Counters;

/// Entries that refusals have made since the last batch.
#[derive(Debug, Default)]
pub(crate) struct Learning {
    /// By key: two refusals of one recipient in one batch are two.
    made: BTreeMap<Box<str>, Entry>,
    /// What deliveries have made void.
    cleared: BTreeMap<Box<str>, Subject>,
}

/// Entries that are to be told of when they are durable.
#[derive(Debug, Default)]
pub(crate) struct Noticed {
    pub(crate) keyed: Vec<(Key, Option<Bytes>)>,
    pub(crate) updates: Vec<Update>,
    /// Those that stop mail from now on.
    pub(crate) entries: Vec<Entry>,
}

impl Learning {
    /// Takes a refusal to heart, if the policy says so.
    pub(crate) fn hear(
        &mut self,
        list: &Suppressions,
        (setup, counters): (&Setup, &Counters),
        (now, message): (Instant, QueueId),
        (evidence, index): (&Evidence, u16),
    ) {
        let Some(lesson) = lesson(now, message, evidence, index) else { return };
        self.learn(list, setup, counters, &lesson);
    }

    /// Forgets refusals of a recipient that were too few to stop mail: the mailbox is there, for
    /// it was given this message.
    pub(crate) fn hear_delivery(
        &mut self,
        list: &Suppressions,
        setup: &Setup,
        (envelope, index): (&Envelope, u16),
    ) {
        // One refusal is enough nearly everywhere, and nothing is counted then.
        if setup.suppression.policy.refusals < 2 {
            return;
        }
        let Some(recipient) = envelope.recipients.get(usize::from(index)) else { return };
        let tenant = match setup.suppression.scope {
            Scope::All => &Tenant::NONE,
            Scope::Tenant => &envelope.tenant,
        };
        let subject = Subject::recipient(&recipient.mailbox, tenant);
        if self.known(list, subject.key()).is_some_and(|known| known.is_cleared_by_delivery()) {
            self.made.remove(subject.key());
            self.cleared.insert(subject.key().into(), subject);
        }
    }

    /// What is known of a subject, with what is not written down yet.
    fn known(&self, list: &Suppressions, key: &str) -> Option<Standing> {
        match self.made.get(key) {
            Some(made) => Some(made.standing),
            None if self.cleared.contains_key(key) => None,
            None => list.find(key),
        }
    }

    pub(super) fn learn(
        &mut self,
        list: &Suppressions,
        setup: &Setup,
        counters: &Counters,
        lesson: &Lesson<'_>,
    ) {
        let policy = &setup.suppression.policy;
        let Some(verdict) = policy.verdict(&lesson.refusal) else { return };
        // Our own desks are read by us: an entry would hide what people write there.
        let is_desk = |desk: &Mailbox| desk == lesson.recipient;
        if setup.role_mailbox.as_ref().is_some_and(is_desk) {
            return;
        }
        let Some(subject) = subject(&verdict, setup.suppression.scope, lesson) else { return };
        let known = self.known(list, subject.key());
        let learned = policy.learn(&verdict, known, lesson.now, lesson.message);
        let Some(standing) = learned else { return };
        if known.is_none() && list.room_for(self.made.len() + 1).is_err() {
            counters.suppressions_lost.inc();
            return;
        }
        self.cleared.remove(subject.key());
        self.made.insert(subject.key().into(), entry(subject, standing, lesson, &verdict));
    }

    /// What has been learned, to be written.
    pub(crate) fn take(&mut self) -> Option<Noticed> {
        if self.made.is_empty() && self.cleared.is_empty() {
            return None;
        }
        let mut noticed = Noticed::default();
        for (key, subject) in std::mem::take(&mut self.cleared) {
            noticed.keyed.push((key_of(&key), None));
            noticed.updates.push(Update { subject, standing: None });
        }
        for entry in std::mem::take(&mut self.made).into_values() {
            noticed.keyed.push(kept(&entry));
            let standing = Some(entry.standing);
            noticed.updates.push(Update { subject: entry.subject.clone(), standing });
            if entry.standing.counts == Counts::Yes {
                noticed.entries.push(entry);
            }
        }
        Some(noticed)
    }
}

/// That a domain takes no mail is so for everybody.
fn subject(verdict: &Verdict, scope: Scope, lesson: &Lesson<'_>) -> Option<Subject> {
    Some(match (verdict.whom, scope) {
        (Whom::Domain, _) => Subject::domain(lesson.recipient.host(), &Tenant::NONE),
        (Whom::Recipient, Scope::All) => Subject::recipient(lesson.recipient, &Tenant::NONE),
        (Whom::Recipient, Scope::Tenant) => Subject::recipient(lesson.recipient, lesson.tenant),
    })
}

fn entry(subject: Subject, standing: Standing, lesson: &Lesson<'_>, verdict: &Verdict) -> Entry {
    let mut entry = Entry::new(subject, standing, lesson.refusal.heard.made_by());
    if verdict.whom == Whom::Recipient {
        entry.written = Bounded::new(lesson.recipient.as_str());
    }
    entry.said = Some(Said::of(&lesson.last));
    entry.rule = Bounded::new(&lesson.rule);
    entry.provider = Bounded::new(lesson.provider);
    entry.message = Some(lesson.message);
    entry
}
