//! What operators do with waiting mail, a step at a time.

use std::collections::BTreeSet;

use postlane_mail::{Instant, QueueId, Stream};

use super::Engine;
use super::intake::held_for;
use crate::entry::{Entry, State, Wish, seconds_up};
use crate::input::{Action, Operator, Selection};
use crate::line::Joins;
use crate::names::{DomainId, FlowId, ProviderId};
use crate::output::{End, Fate, Output};

/// A command on its way through all entries.
#[derive(Debug)]
pub(super) struct Walk {
    request: u64,
    action: Action,
    wanted: Wanted,
    next: u32,
    /// Entries that were added behind it are not meant.
    end: u32,
    done: u64,
}

/// A selection, made quick to ask.
#[derive(Debug)]
pub(super) struct Wanted {
    ids: Option<BTreeSet<QueueId>>,
    domains: Option<BTreeSet<DomainId>>,
    flows: Option<BTreeSet<FlowId>>,
    provider: Option<ProviderId>,
    stream: Option<Stream>,
    before: Option<Instant>,
    after: Option<Instant>,
}

/// Entries looked at in one step.
const WALK_ENTRIES: u32 = 16_384;

impl<E> Engine<E> {
    pub(super) fn command(&mut self, command: Operator) {
        self.commands.push_back(Walk {
            request: command.request,
            action: command.action,
            wanted: Wanted::new(&command.selection),
            next: 0,
            end: self.slab.end(),
            done: 0,
        });
    }

    pub(super) fn walk_commands(&mut self, now: Instant) {
        let Some(mut walk) = self.commands.pop_front() else { return };
        let end = walk.end.min(walk.next + WALK_ENTRIES);
        while walk.next < end && self.outputs.len() < super::STEP_OUTPUTS {
            let number = walk.next;
            walk.next += 1;
            if !is_waiting(self.slab[number].state) || !self.is_wanted(&walk.wanted, number) {
                continue;
            }
            walk.done += self.act(now, number, walk.action, &walk.wanted);
        }
        if walk.next < walk.end {
            self.commands.push_front(walk);
        } else {
            let (request, recipients) = (walk.request, walk.done);
            self.outputs.push_back(Output::Answered { request, recipients });
        }
    }

    /// Does it to one entry; how many recipients it was done to.
    fn act(&mut self, now: Instant, number: u32, action: Action, wanted: &Wanted) -> u64 {
        let state = self.slab[number].state;
        let many = self.wanted_recipients(wanted, number);
        let done = match (action, state) {
            (Action::Retry | Action::DeliverNow, State::Held | State::Active) => false,
            (Action::Retry, State::Deferred) => self.move_up(now, number, Joins::Returned),
            (Action::Retry, _) => false,
            (Action::DeliverNow, State::Deferred | State::Ready) => {
                self.move_up(now, number, Joins::Urgent)
            }
            (Action::DeliverNow, _) | (Action::Hold, State::Held) => false,
            (Action::Hold, State::Active) => self.wish(number, Wish::Hold),
            (Action::Bounce, State::Active) => self.wish(number, Wish::Bounce),
            (Action::Delete, State::Active) => self.wish(number, Wish::Delete),
            (Action::Release, State::Held) => self.release(now, number),
            (Action::Release, _) => false,
            (Action::Hold, _) => {
                let number = self.take_out(number, wanted);
                self.hold(now, number);
                true
            }
            (Action::Bounce, _) => {
                let number = self.take_out(number, wanted);
                self.end(number, End::BouncedByOperator);
                true
            }
            (Action::Delete, _) => {
                let number = self.take_out(number, wanted);
                self.end(number, End::Deleted);
                true
            }
        };
        if done { many } else { 0 }
    }

    fn wish(&mut self, number: u32, wish: Wish) -> bool {
        let changes = self.slab[number].wish != wish;
        self.slab[number].wish = wish;
        changes
    }

    fn move_up(&mut self, now: Instant, number: u32, joins: Joins) -> bool {
        let number = self.leave_place(number);
        self.slab[number].due_s = seconds_up(now);
        self.route_as(now, number, Some(joins));
        true
    }

    /// Takes an entry out of whatever list it stands in; recipients that are not meant stay.
    fn take_out(&mut self, number: u32, wanted: &Wanted) -> u32 {
        if let Some(part) = self.split(number, |_, domain| wanted.wants_domain(domain)) {
            return part;
        }
        match self.slab[number].state {
            State::Held => number,
            State::Verdict => {
                self.verdicts.remove(&self.slab[number].id);
                number
            }
            _ => self.leave_place(number),
        }
    }

    /// Holds an entry that stands in no list: its clock stands still from now on.
    pub(super) fn hold(&mut self, now: Instant, number: u32) {
        if self.slab[number].state != State::Held {
            self.stand(number, State::Held);
            self.slab[number].due_s = seconds_up(now);
        }
        let progress = self.progress(number);
        let fates = self.recipients_of(number);
        let fates = fates.iter().map(|(index, _)| (*index, Fate::Held(progress))).collect();
        self.settled(number, fates, None);
    }

    fn release(&mut self, now: Instant, number: u32) -> bool {
        let held = u32::try_from(held_for(&self.slab[number], now).as_s()).unwrap_or(u32::MAX);
        let entry = &mut self.slab[number];
        entry.expires_s = entry.expires_s.saturating_add(held);
        entry.due_s = seconds_up(now);
        // It is in no list now, so that what it is said to be is not "held" any more.
        self.stand(number, State::Routing);
        let progress = self.progress(number);
        let fates = self.recipients_of(number);
        let fates = fates.iter().map(|(index, _)| (*index, Fate::Released(progress))).collect();
        self.settled(number, fates, None);
        self.route(now, number);
        true
    }

    pub(super) fn is_wanted(&self, wanted: &Wanted, number: u32) -> bool {
        let entry = &self.slab[number];
        wanted.wants(entry)
            && wanted.provider.is_none_or(|p| self.provider_of(entry) == Some(p))
            && self.wanted_recipients(wanted, number) > 0
    }

    fn wanted_recipients(&self, wanted: &Wanted, number: u32) -> u64 {
        let recipients = self.recipients_of(number);
        recipients.iter().filter(|(_, domain)| wanted.wants_domain(*domain)).count() as u64
    }
}

/// Whether an entry is somebody who waits, and not a place that was left or is free.
pub(super) fn is_waiting(state: State) -> bool {
    !matches!(state, State::Free | State::Left)
}

impl Wanted {
    pub(super) fn new(selection: &Selection) -> Self {
        let set = |ids: &Option<Vec<QueueId>>| ids.as_ref().map(|i| i.iter().copied().collect());
        Self {
            ids: set(&selection.ids),
            domains: selection.domains.as_ref().map(|d| d.iter().copied().collect()),
            flows: selection.flows.as_ref().map(|f| f.iter().copied().collect()),
            provider: selection.provider,
            stream: selection.stream,
            before: selection.before,
            after: selection.after,
        }
    }

    fn wants(&self, entry: &Entry) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&entry.id))
            && self.flows.as_ref().is_none_or(|flows| flows.contains(&entry.flow))
            && self.stream.is_none_or(|stream| stream == entry.stream)
            && self.before.is_none_or(|before| entry.id.moment() < before)
            && self.after.is_none_or(|after| entry.id.moment() > after)
    }

    pub(super) fn wants_domain(&self, domain: DomainId) -> bool {
        self.domains.as_ref().is_none_or(|domains| domains.contains(&domain))
    }
}
