//! A source that a provider refuses while it takes mail from others of the same pool: it is
//! quarantined with this provider. Nothing but its canaries goes by it; its mail goes by the others.

use postlane_mail::{Instant, Span};

use super::Engine;
use crate::input::Scope;
use crate::output::{Event, Output, Turn};

/// How long a lane has been resting.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rests {
    since: Option<Instant>,
    is_quarantined: bool,
}

/// A lane that rests for so long while others of its provider send is not at its limit: its source
/// is the trouble (LANES, states).
const QUARANTINED_AFTER: Span = Span::from_h(1);

impl Rests {
    /// A rest was under way when the last engine ended.
    pub(super) fn recall(&mut self, since: Option<Instant>) {
        self.since = since;
    }

    /// Since when it is refused, if it rests.
    pub(super) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Since when it is refused, if it is quarantined.
    pub(super) fn quarantined(&self) -> Option<Instant> {
        self.since.filter(|_| self.is_quarantined)
    }
}

impl<E> Engine<E> {
    /// A lane has heard something: is its source in quarantine now, or is it no more?
    pub(super) fn watch_rest(&mut self, now: Instant, lane: u32) {
        let state = &mut self.lanes[lane as usize];
        if !state.lane.is_resting() {
            let was = std::mem::take(&mut state.rests);
            if was.is_quarantined {
                self.tell_quarantine(lane, Turn::Ends);
            }
            return;
        }
        let since = *state.rests.since.get_or_insert(now);
        if state.rests.is_quarantined || now.since(since) < QUARANTINED_AFTER {
            return;
        }
        let sends = |other: &u32| {
            let other = &self.lanes[*other as usize].lane;
            !other.is_resting() && other.accepted_within(QUARANTINED_AFTER, now) > 0
        };
        if self.lanes[lane as usize].siblings.iter().any(sends) {
            self.lanes[lane as usize].rests.is_quarantined = true;
            self.tell_quarantine(lane, Turn::Begins);
        }
    }

    /// An operator includes a source again: its canary goes now. Whether one was waiting.
    pub(super) fn end_quarantine(&mut self, now: Instant, scope: Scope) -> bool {
        let mut any = false;
        for lane in self.lanes_of(scope) {
            let state = &mut self.lanes[lane as usize];
            if state.rests.is_quarantined && state.lane.ask_now(now) {
                state.rests = Rests { since: Some(now), is_quarantined: false };
                any = true;
                self.tell_quarantine(lane, Turn::Ends);
                self.mark(lane);
            }
        }
        any
    }

    fn tell_quarantine(&mut self, lane: u32, turn: Turn) {
        let state = &self.lanes[lane as usize];
        let (provider, source) = (state.provider, state.source);
        self.outputs.push_back(Output::Record(Event::Quarantine { provider, source, turn }));
    }
}
