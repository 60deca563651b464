//! A durable message comes in: its recipients find their lines.

use std::collections::BTreeMap;

use postlane_mail::{Instant, Progress, QueueId, Stream};
use smallvec::SmallVec;

use super::Engine;
use crate::entry::{Entry, Marks, NO_LINE, NONE, Rank, State, moment, seconds_up};
use crate::input::{Submission, SubmittedRecipient, Together, Verdict};
use crate::names::DomainId;
use crate::output::{End, Fate, Output, Settled};

impl<E> Engine<E> {
    pub(super) fn submitted(&mut self, now: Instant, submission: &Submission) {
        self.carries_transactional |= submission.stream == Stream::Transactional;
        // Nearly all mail has one recipient: no grouping for it.
        if let [recipient] = submission.recipients[..] {
            self.enter(now, submission, &[recipient]);
            return;
        }
        // Recipients that have come equally far in one domain wait together.
        let mut groups: BTreeMap<_, SmallVec<[SubmittedRecipient; 4]>> = BTreeMap::new();
        for recipient in &submission.recipients {
            let Progress { attempts, due, expires, held, notified } = recipient.progress;
            let key = (recipient.domain, attempts, due, expires, held, notified);
            groups.entry(key).or_default().push(*recipient);
        }
        let most = match submission.together {
            Together::WhereTheyCan => self.settings.transaction_recipients_max.max(1),
            Together::Never => 1,
        };
        for group in groups.values() {
            for part in group.chunks(usize::from(most)) {
                self.enter(now, submission, part);
            }
        }
    }

    fn enter(&mut self, now: Instant, submission: &Submission, recipients: &[SubmittedRecipient]) {
        let Some(first) = recipients.first() else { return };
        self.enter_flow(submission.flow);
        self.flows_heard = self.flows_heard.max(submission.flow.0.saturating_add(1));
        let progress = first.progress;
        let expires = if progress.expires == Instant::default() {
            submission.id.moment() + self.settings.expires_after[submission.stream as usize]
        } else {
            progress.expires
        };
        let tier = self.settings.engagement.tier(submission.id.moment(), submission.engaged);
        let numbers: SmallVec<[(u16, DomainId); 4]> =
            recipients.iter().map(|r| (r.index, r.domain)).collect();
        let recipients = self.new_recipients(&numbers);
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
            previous: NONE,
            attempts: progress.attempts,
            pool: submission.pool,
            stream: submission.stream,
            state: State::Moving,
            rank: Rank::Fresh,
            marks: Marks::new(&progress, submission.together, tier),
        });
        if submission.awaits_verdict {
            self.verdicts.entry(submission.id).or_default().push(number);
        }
        if let Some(since) = progress.held {
            self.slab[number].due_s = seconds_up(since);
            self.stand(number, State::Held);
        } else if submission.awaits_verdict {
            self.stand(number, State::Verdict);
        } else if progress.due > now {
            self.defer_unrouted(number);
        } else {
            self.route(now, number, None);
        }
        self.arm_sweep(now);
        self.arm_forgetting(now);
    }

    pub(super) fn verdict(&mut self, now: Instant, message: QueueId, verdict: Verdict) {
        for number in self.verdicts.remove(&message).unwrap_or_default() {
            match verdict {
                Verdict::Refuse(status) => self.end(number, End::Bounced(Some(status))),
                // What an operator holds waits for the operator.
                _ if self.slab[number].state == State::Held => {}
                Verdict::Hold => self.hold(now, number),
                Verdict::Go => {
                    self.stand(number, State::Moving);
                    self.route(now, number, None);
                }
            }
        }
    }

    pub(super) fn awaits_verdict(&self, number: u32) -> bool {
        let waiting = self.verdicts.get(&self.slab[number].id);
        waiting.is_some_and(|waiting| waiting.contains(&number))
    }

    pub(super) fn stop_waiting_for_verdict(&mut self, number: u32) {
        let id = self.slab[number].id;
        if let Some(waiting) = self.verdicts.get_mut(&id) {
            waiting.retain(|waits| *waits != number);
            if waiting.is_empty() {
                self.verdicts.remove(&id);
            }
        }
    }

    /// Ends all recipients of an entry that stands in no list.
    pub(super) fn end(&mut self, number: u32, end: End) {
        self.settle_all(number, Fate::Ended(end));
        self.forget(number);
    }

    /// Says of all recipients of an entry where they stand, without an attempt.
    pub(super) fn settle_all(&mut self, number: u32, fate: Fate) {
        let recipients = self.recipients_of(number);
        let entry = &self.slab[number];
        let provider = self.provider_of(entry);
        self.effort += 1;
        self.outputs.push_back(Output::Settled(Settled {
            message: entry.id,
            place: entry.place,
            recipients: recipients.iter().map(|(index, _)| (*index, fate)).collect(),
            attempt: None,
            attempts_before: entry.attempts,
            provider,
        }));
    }

    /// How an entry's recipients stand, to be written down.
    pub(super) fn progress(&self, number: u32) -> Progress {
        let entry = &self.slab[number];
        let held = (entry.state == State::Held).then(|| moment(entry.due_s));
        Progress {
            attempts: entry.attempts,
            due: if held.is_some() { Instant::default() } else { moment(entry.due_s) },
            expires: moment(entry.expires_s),
            held,
            notified: entry.marks.notified(),
        }
    }
}
