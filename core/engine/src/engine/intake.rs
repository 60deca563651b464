//! A durable message comes in: its recipients find their lines.

use std::collections::BTreeMap;

use postlane_mail::{Instant, QueueId, Span};
use smallvec::SmallVec;

use super::Engine;
use crate::entry::{Entry, NO_LINE, NONE, Recipients, State, Wish, moment, seconds_up};
use crate::input::{Submission, SubmittedRecipient, Verdict};
use crate::names::DomainId;
use crate::output::{End, Fate};

impl<E> Engine<E> {
    pub(super) fn submitted(&mut self, now: Instant, submission: Submission) {
        // Nearly all mail has one recipient: no grouping for it.
        if let [recipient] = submission.recipients[..] {
            self.enter(now, &submission, &[recipient]);
            return;
        }
        // Recipients that have come equally far in one domain wait together.
        let mut groups: BTreeMap<_, SmallVec<[SubmittedRecipient; 4]>> = BTreeMap::new();
        for recipient in &submission.recipients {
            let progress = recipient.progress;
            let key = (
                recipient.domain,
                progress.held,
                progress.due,
                progress.attempts,
                progress.notified,
            );
            groups.entry(key).or_default().push(*recipient);
        }
        let most = usize::from(self.settings.transaction_recipients_max.max(1));
        for group in groups.values() {
            for part in group.chunks(most) {
                self.enter(now, &submission, part);
            }
        }
    }

    fn enter(&mut self, now: Instant, submission: &Submission, recipients: &[SubmittedRecipient]) {
        let first = recipients[0];
        let progress = first.progress;
        let expires = if progress.expires == Instant::default() {
            submission.id.moment() + self.settings.expires_after[submission.stream as usize]
        } else {
            progress.expires
        };
        let recipients = match recipients {
            [one] => Recipients::one(one.index),
            many => {
                let crowd = many.iter().map(|r| (r.index, r.domain)).collect();
                Recipients::crowd(self.crowds.insert(crowd))
            }
        };
        let number = self.slab.insert(Entry {
            id: submission.id,
            place: submission.place,
            flow: submission.flow,
            domain: first.domain,
            line: NO_LINE,
            recipients,
            due_s: seconds_up(progress.due),
            expires_s: seconds_up(expires),
            next: NONE,
            attempts: progress.attempts,
            pool: submission.pool,
            stream: submission.stream,
            state: State::Free,
            wish: Wish::None,
            notified: progress.notified,
        });
        if let Some(since) = progress.held {
            // The hold is kept where the next attempt's time would be.
            self.slab[number].due_s = seconds_up(since);
            self.stand(number, State::Held);
        } else if submission.awaits_verdict {
            self.stand(number, State::Verdict);
            self.verdicts.entry(submission.id).or_default().push(number);
        } else if progress.due > now {
            self.defer_unrouted(number);
        } else {
            self.route(now, number);
        }
        self.arm_sweep(now);
    }

    pub(super) fn verdict(&mut self, now: Instant, message: QueueId, verdict: Verdict) {
        for number in self.verdicts.remove(&message).unwrap_or_default() {
            match verdict {
                Verdict::Go => self.route(now, number),
                Verdict::Hold => self.hold(now, number),
                Verdict::Refuse(status) => self.end(number, End::Bounced(Some(status))),
            }
        }
    }

    /// Ends all recipients of an entry that stands in no list.
    pub(super) fn end(&mut self, number: u32, end: End) {
        let recipients = self.recipients_of(number);
        let fates = recipients.iter().map(|(index, _)| (*index, Fate::Ended(end))).collect();
        self.settled(number, fates, None);
        self.forget(number);
    }

    /// How an entry's recipients stand, to be written down.
    pub(super) fn progress(&self, number: u32) -> postlane_mail::Progress {
        let entry = &self.slab[number];
        let held = (entry.state == State::Held).then(|| moment(entry.due_s));
        postlane_mail::Progress {
            attempts: entry.attempts,
            due: if held.is_some() { Instant::default() } else { moment(entry.due_s) },
            expires: moment(entry.expires_s),
            held,
            notified: entry.notified,
        }
    }

    /// Splits off the recipients that `leaves` says, as an entry of their own in no list.
    pub(super) fn split(
        &mut self,
        number: u32,
        leaves: impl Fn(u16, DomainId) -> bool,
    ) -> Option<u32> {
        let all = self.recipients_of(number);
        let (gone, stay): (Vec<_>, Vec<_>) = all.iter().partition(|(i, d)| leaves(*i, *d));
        if gone.is_empty() || stay.is_empty() {
            return None;
        }
        let state = self.slab[number].state;
        self.counts.leave(state, gone.len() as u64);
        self.set_recipients(number, stay);
        let entry = Entry { state: State::Free, next: NONE, ..self.slab[number].clone() };
        let part = self.slab.insert(Entry { recipients: Recipients::one(0), ..entry });
        self.set_recipients(part, gone);
        Some(part)
    }

    /// Gives an entry other recipients; whoever calls sees to the counts.
    pub(super) fn set_recipients(&mut self, number: u32, recipients: Vec<(u16, DomainId)>) {
        if let Some(crowd) = self.slab[number].recipients.as_crowd() {
            self.crowds.remove(crowd);
        }
        let Some((index, domain)) = recipients.first().copied() else { return };
        self.slab[number].domain = domain;
        self.slab[number].recipients = match recipients.len() {
            1 => Recipients::one(index),
            _ => Recipients::crowd(self.crowds.insert(recipients)),
        };
    }
}

/// How long a held entry has been held.
pub(super) fn held_for(entry: &Entry, now: Instant) -> Span {
    now.since(moment(entry.due_s))
}
