//! A look at everything that waits, once a minute and a slice at a time: has it expired, is
//! its sender to be told that it is late?

use postlane_mail::{Instant, Span};
use smallvec::SmallVec;

use super::{Engine, Timer};
use crate::entry::{NO_LINE, State, moment};
use crate::output::{End, Fate};

/// Where the sweep is.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    next: u32,
}

/// From the start of one sweep to the next. Nobody minds whether mail of five days expires a
/// minute late. Chosen, not measured.
const EVERY: Span = Span::from_min(1);

/// Entries looked at in one slice; the slices are spread over the minute.
const SLICE: u32 = 4096;

/// What is due for its last attempt when it expires gets this long to make it.
const LAST_CHANCE: Span = EVERY;

/// So long before it expires, a message that waits for lanes that rest has one of them ask. Time
/// for two looks, and for those that expire with it. Chosen, not measured.
const LAST_MINUTES: Span = Span::from_min(5);

impl<E> Engine<E> {
    pub(super) fn arm_sweep(&mut self, now: Instant) {
        if self.timers.armed(Timer::Sweep).is_none() {
            self.timers.arm(Timer::Sweep, now + EVERY);
        }
    }

    pub(super) fn sweep_slice(&mut self, now: Instant) {
        let end = self.slab.end().min(self.sweep.next + SLICE);
        while self.sweep.next < end && self.has_time() {
            self.sweep_one(now, self.sweep.next);
            self.sweep.next += 1;
        }
        self.effort += SLICE as usize / 16;
        if self.sweep.next < end {
            self.timers.arm(Timer::Sweep, now);
            return;
        }
        if end == self.slab.end() {
            self.sweep.next = 0;
        }
        if !self.slab.is_empty() {
            let slices = u64::from(self.slab.end().div_ceil(SLICE));
            self.timers.arm(Timer::Sweep, now + Span(EVERY.0 / slices.max(1)));
        }
    }

    /// A message expires soon: the first lane that could carry it and rests until then asks whether
    /// it must.
    fn ask_before(&mut self, now: Instant, number: u32, expires: Instant) {
        let line = self.slab[number].line;
        if line == NO_LINE {
            return;
        }
        let ways = self.lines[line as usize].ways.iter();
        let lanes: SmallVec<[u32; 4]> =
            ways.map(|way| self.paths[way.path as usize].lane).collect();
        if lanes.iter().any(|lane| !self.lanes[*lane as usize].lane.is_resting()) {
            return;
        }
        let asks = |lane: &&u32| self.lanes[**lane as usize].lane.ask_before(now, expires);
        if let Some(lane) = lanes.iter().find(asks) {
            self.mark(*lane);
        }
    }

    fn sweep_one(&mut self, now: Instant, number: u32) {
        let entry = &self.slab[number];
        let expires = moment(entry.expires_s);
        match entry.state {
            State::Ready | State::Routing if now >= expires + LAST_CHANCE => {
                self.pull(number);
                self.end(number, End::Expired);
            }
            State::Verdict if now >= expires => self.end(number, End::Expired),
            State::Ready if now + LAST_MINUTES >= expires => self.ask_before(now, number, expires),
            // A deferred entry's last attempt is due when it expires.
            State::Ready | State::Routing | State::Deferred => {
                if self.owes_notice(now, number) {
                    let progress = self.progress(number);
                    let fate = Fate::Deferred { progress, notice: true, status: None };
                    self.settle_all(number, fate);
                }
            }
            State::Free | State::Moving | State::Active | State::Held | State::Verdict => {}
        }
    }
}
