//! Mail that a host has put off until it comes again: it knows it by the address that it came from, so it
//! goes again by the same source (RFC 6647 §2.4). By another it would be new, and put off once more.

use postlane_lanes::{Leave, Wish};
use postlane_mail::{Instant, Span, Stream};
use postlane_replies::Signal;

use super::Engine;
use super::outcome::Over;
use crate::entry::moment;
use crate::gates::Shut;
use crate::input::{Outcome, RecipientOutcome};
use crate::line::Shelf;
use crate::names::SourceId;

/// Mail that is due for so long goes by any source: its own may be paused, or slower than another attempt
/// from the beginning. Chosen by rehearsals (decision 055).
const OVERDUE: Span = Span::from_h(1);

/// Where its source rests for so long, it goes by another at once: quarantined or not, that one is no
/// shorter way. Chosen, not measured.
const RESTS_LONG: Span = Span::from_min(10);

/// Other sources look so often whether they are to carry it. Chosen, not measured.
const LOOKED_AT_EVERY: Span = Span::from_s(30);

impl<E> Engine<E> {
    /// What an attempt has made of an entry that stands nowhere: where it was greylisted and others could carry
    /// it, it waits for the source by which it went.
    pub(super) fn note_greylisted(&mut self, number: u32, over: &Over<'_, E>) {
        let is_greylisted = |o: &RecipientOutcome| matches!(&o.outcome, Outcome::Refused(said) if said.signal == Signal::Greylist);
        let others =
            self.lines.get(self.slab[number].line as usize).is_some_and(|l| l.ways.len() > 1);
        if others && over.outcomes.iter().any(is_greylisted) {
            self.greylisted.insert(number, self.paths[over.path as usize].source);
        }
    }

    /// Whether a host has put off an entry that came from another source than a path's: from this one it is new.
    pub(super) fn is_new_from(&self, number: u32, path: u32) -> bool {
        self.greylisted.get(&number).is_some_and(|first| *first != self.paths[path as usize].source)
    }

    /// Whether what is on a shelf may go by a source now; else when to look again.
    pub(super) fn goes_by(
        &self,
        now: Instant,
        line: u32,
        shelf: &Shelf,
        source: SourceId,
    ) -> Result<(), Shut> {
        match shelf.source {
            Some(first) if first != source && self.carries(now, line, first) => {
                let due = self.lines[line as usize].due_since(&self.slab, shelf);
                let overdue = due.is_some_and(|due_s| now.since(moment(due_s)) >= OVERDUE);
                if overdue { Ok(()) } else { Err(Shut::Until(now + LOOKED_AT_EVERY)) }
            }
            _ => Ok(()),
        }
    }

    /// Whether a source still carries a line's mail.
    fn carries(&self, now: Instant, line: u32, source: SourceId) -> bool {
        let ways = &self.lines[line as usize].ways;
        let mut paths = ways.iter().map(|way| &self.paths[way.path as usize]);
        let path = paths.find(|path| path.source == source && !path.addresses.is_empty());
        path.is_some_and(|path| {
            let lane = &self.lanes[path.lane as usize];
            let rests_long = lane.rests.since().is_some_and(|at| now.since(at) >= RESTS_LONG);
            // An order for all of a provider holds up the others as well.
            let wish = Wish::Open(Stream::Transactional, Instant::default());
            let is_held = || matches!(self.order_says(now, path.lane, wish), Leave::Held { .. });
            !(rests_long || lane.is_ordered && is_held())
        })
    }
}
