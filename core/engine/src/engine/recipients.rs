//! The recipients of an entry: one, or a crowd; how a crowd parts.

use smallvec::SmallVec;

use super::Engine;
use crate::entry::{Entry, NO_LINE, Recipients, State};
use crate::line::Joins;
use crate::names::DomainId;

/// Crowds of recipients: their numbers within their envelope and their domains, in order.
#[derive(Debug, Default)]
pub(super) struct Crowds {
    crowds: Vec<Box<[(u16, DomainId)]>>,
    free: Vec<u32>,
}

impl Crowds {
    pub(super) fn insert(&mut self, crowd: Box<[(u16, DomainId)]>) -> u32 {
        match self.free.pop() {
            Some(number) => {
                self.crowds[number as usize] = crowd;
                number
            }
            None => {
                self.crowds.push(crowd);
                (self.crowds.len() - 1) as u32
            }
        }
    }

    pub(super) fn of(&self, number: u32) -> &[(u16, DomainId)] {
        &self.crowds[number as usize]
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.crowds[number as usize] = Box::default();
        self.free.push(number);
    }
}

impl<E> Engine<E> {
    pub(super) fn recipient_count(&self, number: u32) -> u64 {
        let crowd = self.slab[number].recipients.as_crowd();
        crowd.map_or(1, |crowd| self.crowds.crowds[crowd as usize].len() as u64)
    }

    /// The recipients of an entry with their domains, in order.
    pub(super) fn recipients_of(&self, number: u32) -> SmallVec<[(u16, DomainId); 4]> {
        let entry = &self.slab[number];
        match entry.recipients.as_crowd() {
            Some(crowd) => self.crowds.crowds[crowd as usize].iter().copied().collect(),
            None => {
                let index = entry.recipients.as_one().unwrap_or_default();
                SmallVec::from_iter([(index, entry.domain)])
            }
        }
    }

    pub(super) fn new_recipients(&mut self, recipients: &[(u16, DomainId)]) -> Recipients {
        for (_, domain) in recipients {
            self.enter_domain(*domain);
        }
        match recipients {
            [(index, _)] => Recipients::one(*index),
            many => Recipients::crowd(self.crowds.insert(many.into())),
        }
    }

    /// Splits off the recipients that `leaves` says, as an entry of their own in no list;
    /// nothing if all or none of them are to leave.
    pub(super) fn split(
        &mut self,
        number: u32,
        leaves: impl Fn(u16, DomainId) -> bool,
    ) -> Option<u32> {
        let crowd = self.slab[number].recipients.as_crowd()?;
        let all = &self.crowds.crowds[crowd as usize];
        let (gone, stay): (Vec<_>, Vec<_>) = all.iter().partition(|(i, d)| leaves(*i, *d));
        let (Some((_, domain)), false) = (gone.first().copied(), stay.is_empty()) else {
            return None;
        };
        let state = self.slab[number].state;
        self.counts.leave(state, gone.len() as u64);
        self.set_recipients(number, &stay);
        let recipients = self.new_recipients(&gone);
        let entry = self.slab[number].clone();
        let line = entry.line;
        self.enter_flow(entry.flow);
        let part = self.slab.insert(Entry {
            recipients,
            domain,
            line: NO_LINE,
            state: State::Moving,
            ..entry
        });
        self.move_to_line(part, line);
        if let Some(unable) = self.unable.get(&number).cloned() {
            self.unable.insert(part, unable);
        }
        if let Some(source) = self.greylisted.get(&number).copied() {
            self.greylisted.insert(part, source);
        }
        if self.awaits_verdict(number) {
            self.verdicts.entry(self.slab[number].id).or_default().push(part);
        }
        Some(part)
    }

    /// Gives an entry other recipients, one at least; whoever calls sees to the counts.
    pub(super) fn set_recipients(&mut self, number: u32, recipients: &[(u16, DomainId)]) {
        let shelf = self.shelf_of(number);
        let Some((_, domain)) = recipients.first().copied() else { return };
        let recipients = self.new_recipients(recipients);
        self.leave_domains(number);
        if let Some(crowd) = self.slab[number].recipients.as_crowd() {
            self.crowds.remove(crowd);
        }
        let entry = &mut self.slab[number];
        (entry.domain, entry.recipients) = (domain, recipients);
        let (state, rank, line) = (entry.state, entry.rank, entry.line as usize);
        let now = self.shelf_of(number);
        if state == State::Ready && now != shelf {
            self.lines[line].leave(&mut self.slab, number, shelf);
            self.lines[line].join(&mut self.slab, number, Joins::Last(rank), now);
        }
    }
}
