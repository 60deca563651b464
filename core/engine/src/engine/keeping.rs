//! What is kept of lanes and providers, so that a restart of the program forgets nothing.
//!
//! What an operator changes is kept at once. What a lane learns is kept some seconds later, with
//! all it has learned by then, and everything once more when the relay stops.

use postlane_lanes::Memory;
use postlane_mail::{Instant, Span};

use super::{Engine, Timer};
use crate::input::Scope;
use crate::output::{Kept, Output};
use crate::settings::Keeping;

/// Whether what is kept is the last thing that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    Yes,
}

/// What lanes have learned is kept so long after they have learned it, and
const KEEP_EVERY: Span = Span::from_s(5);

/// so many at once, then more after a moment: ten thousand lanes take twenty seconds. A lane is
/// 300 octets to 8 KiB. Chosen, not measured.
const KEEP_AT_ONCE: usize = 50;
const KEEP_NEXT: Span = Span::from_ms(100);

impl<E> Engine<E> {
    /// What is to be kept of a scope goes out now.
    pub(super) fn keep(&mut self, now: Instant, scope: Scope, request: Option<u64>) {
        self.keep_scope(now, scope, request, Ending::No);
    }

    fn keep_scope(&mut self, now: Instant, scope: Scope, request: Option<u64>, ending: Ending) {
        let mut memory = Memory::default();
        if let Some(ordered) = self.ordered.get(&scope) {
            memory.orders.clone_from(&ordered.orders);
            memory.restart.clone_from(&ordered.restart);
        }
        if let Some(source) = scope.source
            && let Some(lane) = self.lane_numbers.get(&(scope.provider, source))
        {
            let state = &mut self.lanes[*lane as usize];
            state.is_unsaved = false;
            memory.learned = state.lane.learned(now);
            if let Some(learned) = &mut memory.learned {
                learned.is_last = ending == Ending::Yes;
            }
        }
        self.outputs.push_back(Output::Keep(Box::new(Kept { scope, memory, request })));
    }

    /// A lane has heard something that is to be kept, soon.
    pub(super) fn unsaved(&mut self, now: Instant, lane: u32) {
        if self.settings.keeping == Keeping::Off {
            return;
        }
        let state = &mut self.lanes[lane as usize];
        if !std::mem::replace(&mut state.is_unsaved, true) {
            self.unsaved.push_back(lane);
            self.timers.arm_by(Timer::Keeping, now + KEEP_EVERY);
        }
    }

    /// Keeps what lanes have learned, some of them.
    pub(super) fn keep_some(&mut self, now: Instant) {
        for _ in 0..KEEP_AT_ONCE {
            let Some(lane) = self.unsaved.pop_front() else { return };
            self.keep_lane(now, lane);
        }
        if !self.unsaved.is_empty() {
            self.timers.arm(Timer::Keeping, now + KEEP_NEXT);
        }
    }

    /// The end: everything is kept as it is, and days as far as they were used.
    pub(super) fn keep_all(&mut self, now: Instant) {
        let lanes: Vec<u32> = (0..).take(self.lanes.len()).collect();
        for lane in lanes {
            let state = &self.lanes[lane as usize];
            if state.is_gone {
                continue;
            }
            let scope = Scope { provider: state.provider, source: Some(state.source) };
            self.keep_scope(now, scope, None, Ending::Yes);
        }
        let plans = self.ordered.iter().filter_map(|(scope, ordered)| {
            let plan = ordered.restart.as_ref()?;
            Some((*scope, plan.reservation()))
        });
        for (scope, reservation) in plans.collect::<Vec<_>>() {
            self.keep_scope(now, scope, None, Ending::Yes);
            self.reservations += 1;
            let seq = self.reservations;
            self.outputs.push_back(Output::Reserve { seq, scope, reservation });
        }
    }

    /// Keeps what a lane has learned, and its provider's plan, if there is anything new.
    pub(super) fn keep_lane(&mut self, now: Instant, lane: u32) {
        let state = &self.lanes[lane as usize];
        if state.is_unsaved {
            let scope = Scope { provider: state.provider, source: Some(state.source) };
            self.keep(now, scope, None);
            // A provider's plan goes along with what its lanes hear.
            let whole = Scope { source: None, ..scope };
            if self.ordered.get(&whole).is_some_and(|ordered| ordered.restart.is_some()) {
                self.keep(now, whole, None);
            }
        }
    }
}
