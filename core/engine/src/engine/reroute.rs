//! Routes are decided anew: what is known of domains counts no more, and what stands in a line
//! finds its way again.

use postlane_mail::Instant;

use super::Engine;
use crate::entry::State;
use crate::names::ExchangeId;

/// What is left to be moved out of a line.
#[derive(Debug)]
pub(super) struct Moving {
    line: u32,
    entries: u32,
}

impl Moving {
    pub(super) fn is_of(&self, line: u32) -> bool {
        self.line == line
    }
}

impl<E> Engine<E> {
    /// Attempts under way go on; whatever comes back from them goes the new way.
    pub(super) fn reroute(&mut self) {
        // Those who were about to hear an old answer wait for a new one.
        let answered = std::mem::take(&mut self.answered);
        self.outdate_routes();
        answered.into_iter().for_each(|domain| self.ask(domain));
        let moving = self
            .lines
            .iter()
            .zip(0..)
            .map(|(line, number)| Moving { line: number, entries: line.ready_in_all() });
        self.moving = moving.filter(|moving| moving.entries > 0).collect();
    }

    /// A domain's mail goes to other hosts now: what stands in the lines of the old ones finds
    /// its way again, be it the same.
    pub(super) fn leave(&mut self, old: ExchangeId) {
        for line in self.exchange(old).lines.clone() {
            let entries = self.lines[line as usize].ready_in_all();
            let is_moving = self.moving.iter().any(|moving| moving.line == line);
            if entries > 0 && !is_moving {
                self.moving.push_back(Moving { line, entries });
            }
        }
    }

    /// No host of an exchange can be reached from a source: perhaps its mail goes elsewhere by
    /// now. The first in each line finds out for all.
    pub(super) fn look_for_new_hosts(&mut self, now: Instant, path: u32) {
        if self.paths[path as usize].rests_until(&[]).is_some_and(|until| until <= now) {
            return;
        }
        for line in self.paths[path as usize].lines.clone() {
            if let Some(first) = self.lines[line as usize].first() {
                let domain = self.slab[first].domain;
                self.ask_if_stale(now, domain);
            }
        }
    }

    /// Moves entries out of their lines, a step of them. Those that come back into the same
    /// line stand behind all that are still to be moved.
    pub(super) fn move_on(&mut self, now: Instant) {
        while self.has_time() {
            let Some(Moving { line, entries }) = self.moving.front_mut() else { return };
            let slab = &mut self.slab;
            let number = match entries.checked_sub(1) {
                Some(left) => {
                    *entries = left;
                    self.lines[*line as usize].pop_any(slab)
                }
                None => None,
            };
            let Some(number) = number else {
                self.moving.pop_front();
                continue;
            };
            self.effort += 1;
            self.stand(number, State::Moving);
            self.route(now, number, None);
        }
    }
}
