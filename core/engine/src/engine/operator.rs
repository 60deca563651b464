//! What operators do with waiting mail, a step at a time.

use std::collections::BTreeSet;

use postlane_mail::{Instant, QueueId, Stream};
use smallvec::SmallVec;

use super::Engine;
use crate::entry::{Entry, Rank, State, moment, seconds_up};
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
    /// When it was said: what was accepted after that is not meant.
    said: Instant,
    next: u32,
    end: u32,
    done: u64,
    /// Paths whose hosts rested until this command.
    woken: BTreeSet<u32>,
}

/// What an operator wants of a recipient when its transaction is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Hold it, if it is not over.
    Hold,
    /// Bounce it, if it is not over.
    Bounce,
    /// Delete it, if it is not over.
    Delete,
}

/// Wishes for the recipients of an entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes(SmallVec<[(u16, Wish); 1]>);

impl std::ops::Deref for Wishes {
    type Target = [(u16, Wish)];

    fn deref(&self) -> &[(u16, Wish)] {
        &self.0
    }
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

/// Entries looked at in one step; most are not meant and cost little.
const WALK_ENTRIES: u32 = 16_384;

impl<E> Engine<E> {
    pub(super) fn command(&mut self, now: Instant, command: &Operator) {
        self.commands.push_back(Walk {
            request: command.request,
            action: command.action,
            wanted: Wanted::new(&command.selection),
            said: now,
            next: 0,
            end: self.slab.end(),
            done: 0,
            woken: BTreeSet::new(),
        });
    }

    pub(super) fn walk_commands(&mut self, now: Instant) {
        let Some(mut walk) = self.commands.pop_front() else { return };
        let end = walk.end.min(walk.next + WALK_ENTRIES);
        while walk.next < end && self.has_time() {
            let number = walk.next;
            walk.next += 1;
            let before = self.slab[number].id.moment() <= walk.said;
            if before && self.is_wanted(&walk.wanted, number) {
                self.effort += 1;
                let done = self.act(now, number, walk.action, &walk.wanted);
                // Behind it: what has just become due may wait for such a rest as well.
                let awake = self.wake_for(now, number, &mut walk);
                walk.done += if done == 0 { awake } else { done };
            }
        }
        if walk.next < walk.end {
            self.commands.push_front(walk);
        } else {
            let (request, recipients) = (walk.request, walk.done);
            self.outputs.push_back(Output::Answered { request, recipients });
        }
    }

    /// Nothing is begun any more: what was not done is not done.
    pub(super) fn give_up_commands(&mut self) {
        for Walk { request, done: recipients, .. } in self.commands.drain(..) {
            self.outputs.push_back(Output::Answered { request, recipients });
        }
    }

    /// What is due and waits for nothing but its hosts' rest is tried at once when an operator
    /// asks for it; how many recipients gain by that. One connection goes first, as after
    /// every rest.
    fn wake_for(&mut self, now: Instant, number: u32, walk: &mut Walk) -> u64 {
        let asks = matches!(walk.action, Action::Retry | Action::DeliverNow);
        let entry = &self.slab[number];
        if !asks || entry.state != State::Ready {
            return 0;
        }
        let ways = &self.lines[entry.line as usize].ways;
        let paths: SmallVec<[u32; 4]> = ways.iter().map(|way| way.path).collect();
        let rests = |path: u32| {
            let state = &self.paths[path as usize];
            state.open == 0 && state.rests_until(&[]).is_none_or(|until| until > now)
        };
        if !paths.iter().all(|path| walk.woken.contains(path) || rests(*path)) {
            return 0;
        }
        for path in paths {
            if walk.woken.insert(path) {
                self.paths[path as usize].wake();
                self.offer_path(path);
            }
        }
        let wanted = |(_, domain): &&(u16, DomainId)| walk.wanted.wants_domain(*domain);
        self.recipients_of(number).iter().filter(wanted).count() as u64
    }

    /// Does it to one entry; how many recipients it was done to.
    fn act(&mut self, now: Instant, number: u32, action: Action, wanted: &Wanted) -> u64 {
        let (state, rank) = (self.slab[number].state, self.slab[number].rank);
        match (action, state) {
            (Action::Hold, State::Active) => return self.wish(number, Wish::Hold, wanted),
            (Action::Bounce, State::Active) => return self.wish(number, Wish::Bounce, wanted),
            (Action::Delete, State::Active) => return self.wish(number, Wish::Delete, wanted),
            (Action::Retry, State::Deferred) | (Action::DeliverNow, State::Deferred) => {}
            (Action::DeliverNow, State::Ready) if rank != Rank::Urgent => {}
            (Action::Retry | Action::DeliverNow, _) | (_, State::Active) => return 0,
            (Action::Release, State::Held) | (Action::Bounce | Action::Delete, _) => {}
            (Action::Release, _) | (Action::Hold, State::Held) => return 0,
            (Action::Hold, _) => {}
        }
        let part = self.take_out(number, wanted);
        let many = self.recipient_count(part);
        match action {
            Action::Retry => self.move_up(now, part, Rank::Returned),
            Action::DeliverNow => self.move_up(now, part, Rank::Urgent),
            Action::Hold => self.hold(now, part),
            Action::Release => self.release(now, part),
            Action::Bounce => self.end(part, End::BouncedByOperator),
            Action::Delete => self.end(part, End::Deleted),
        }
        many
    }

    /// Takes the recipients that are meant out of whatever list they stand in; the others
    /// stay. Who is held or waits for a verdict stays found as such.
    fn take_out(&mut self, number: u32, wanted: &Wanted) -> u32 {
        let state = self.slab[number].state;
        let part = self.split(number, |_, domain| wanted.wants_domain(domain));
        match (part, state) {
            (Some(part), State::Held | State::Verdict) => {
                self.stand(part, state);
                part
            }
            (Some(part), _) => part,
            (None, State::Held | State::Verdict) => number,
            (None, _) => {
                self.pull(number);
                number
            }
        }
    }

    fn move_up(&mut self, now: Instant, number: u32, rank: Rank) {
        let entry = &mut self.slab[number];
        entry.due_s = entry.due_s.min(seconds_up(now));
        self.route(now, number, Some(Joins::Last(rank)));
    }

    /// Holds an entry that stands in no list, and says so.
    pub(super) fn hold(&mut self, now: Instant, number: u32) {
        let fate = self.put_on_hold(now, number);
        self.settle_all(number, fate);
    }

    /// Holds an entry that stands in no list: its clock stands still from now on.
    pub(super) fn put_on_hold(&mut self, now: Instant, number: u32) -> Fate {
        self.stand(number, State::Held);
        self.slab[number].due_s = seconds_up(now);
        Fate::Held(self.progress(number))
    }

    /// Lets a held entry go on, its clock moved on by the hold.
    fn release(&mut self, now: Instant, number: u32) {
        let entry = &mut self.slab[number];
        let held_s = now.since(moment(entry.due_s)).as_s();
        let held_s = u32::try_from(held_s).unwrap_or(u32::MAX);
        entry.expires_s = entry.expires_s.saturating_add(held_s);
        entry.due_s = seconds_up(now);
        let awaits_verdict = self.awaits_verdict(number);
        self.stand(number, if awaits_verdict { State::Verdict } else { State::Moving });
        self.settle_all(number, Fate::Released(self.progress(number)));
        if !awaits_verdict {
            self.route(now, number, None);
        }
    }

    fn wish(&mut self, number: u32, wish: Wish, wanted: &Wanted) -> u64 {
        let recipients = self.recipients_of(number);
        let wishes = self.wishes.entry(number).or_default();
        let mut changed = 0;
        for (index, _) in recipients.iter().filter(|(_, d)| wanted.wants_domain(*d)) {
            let was = wishes.0.iter_mut().find(|(i, _)| i == index);
            match was {
                Some((_, was)) if *was == wish => continue,
                Some((_, was)) => *was = wish,
                None => wishes.0.push((*index, wish)),
            }
            changed += 1;
        }
        changed
    }

    pub(super) fn wish_for(&self, number: u32, index: u16) -> Option<Wish> {
        let wishes = self.wishes.get(&number)?;
        wishes.iter().find(|(i, _)| *i == index).map(|(_, wish)| *wish)
    }

    pub(super) fn has_wishes(&self, number: u32) -> bool {
        self.wishes.contains_key(&number)
    }

    /// Whether an entry is somebody who waits, and one of its recipients is meant.
    pub(super) fn is_wanted(&self, wanted: &Wanted, number: u32) -> bool {
        let entry = &self.slab[number];
        entry.state != State::Free
            && wanted.wants(entry)
            && wanted.provider.is_none_or(|p| self.provider_of(entry) == Some(p))
            && (wanted.domains.is_none()
                || self.recipients_of(number).iter().any(|(_, d)| wanted.wants_domain(*d)))
    }
}

impl Wanted {
    pub(super) fn new(selection: &Selection) -> Self {
        Self {
            ids: selection.ids.as_ref().map(|ids| ids.iter().copied().collect()),
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
