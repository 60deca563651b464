//! How many recipients a host takes in one transaction, where it has said so.

use postlane_mail::{Instant, Span};

use super::Engine;
use crate::line::Joins;

/// What a host has said of the number is believed so long; then it is asked for more again,
/// which costs RCPT commands and nothing else where it has not changed. Chosen, not measured.
const BELIEVED: Span = Span::from_h(1);

impl<E> Engine<E> {
    /// A path's host has taken so many recipients in one transaction, one at least, and not one
    /// more.
    pub(super) fn take_no_more_at_once(&mut self, now: Instant, path: u32, taken: usize) {
        let exchange = self.paths[path as usize].exchange;
        let takes = &mut self.exchange(exchange).takes;
        let before = takes.filter(|(_, until)| *until > now).map_or(taken, |(most, _)| most);
        *takes = Some((taken.min(before).max(1), now + BELIEVED));
    }

    /// Of an entry in no list that goes by a path now, those recipients stay that the host does
    /// not take at once; they are next.
    pub(super) fn leave_those_beyond(&mut self, now: Instant, path: u32, number: u32) {
        if self.slab[number].recipients.as_crowd().is_none() {
            return;
        }
        let exchange = self.paths[path as usize].exchange;
        let takes = self.exchange(exchange).takes.filter(|(_, until)| *until > now);
        let believed = takes.map(|(most, _)| most);
        let said = self.recipients_at_once(path);
        let Some(most) = believed.into_iter().chain(said).min() else { return };
        let recipients = self.recipients_of(number);
        let Some((beyond, _)) = recipients.get(most).copied() else { return };
        if let Some(rest) = self.split(number, |index, _| index >= beyond) {
            self.come_back(now, rest, Joins::First);
        }
    }
}
