//! A look at everything that waits, once a minute and a slice at a time: has it expired, is
//! its sender to be told that it is late?

use postlane_mail::{Instant, Span};

use super::{Engine, Timer};
use crate::entry::{State, moment};
use crate::output::{End, Fate};

/// Where the sweep is.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    next: u32,
    began: Instant,
}

/// From the start of one sweep to the next. Nobody minds whether mail of five days expires a
/// minute late. Chosen, not measured.
const EVERY: Span = Span::from_min(1);

/// Entries looked at in one step.
const SLICE: u32 = 8_192;

impl<E> Engine<E> {
    pub(super) fn arm_sweep(&mut self, now: Instant) {
        if !self.timers.is_armed(Timer::Sweep) {
            self.timers.arm(Timer::Sweep, now + EVERY);
        }
    }

    pub(super) fn sweep_slice(&mut self, now: Instant) {
        if self.sweep.next == 0 {
            self.sweep.began = now;
        }
        let end = self.slab.end().min(self.sweep.next + SLICE);
        for number in self.sweep.next..end {
            self.sweep_one(now, number);
        }
        if end < self.slab.end() {
            self.sweep.next = end;
            self.timers.arm(Timer::Sweep, now);
            return;
        }
        self.sweep.next = 0;
        if self.slab.live() > 0 {
            self.timers.arm(Timer::Sweep, (self.sweep.began + EVERY).max(now));
        }
    }

    fn sweep_one(&mut self, now: Instant, number: u32) {
        let entry = &self.slab[number];
        let expired = now >= moment(entry.expires_s);
        let state = entry.state;
        match state {
            // A deferred entry's last attempt is due when it expires.
            State::Ready | State::Routing if expired => {
                let number = self.leave_place(number);
                self.end(number, End::Expired);
            }
            State::Verdict if expired => {
                self.verdicts.remove(&self.slab[number].id);
                self.end(number, End::Expired);
            }
            State::Ready | State::Routing | State::Deferred if self.owes_notice(now, number) => {
                let progress = self.progress(number);
                let fate = Fate::Deferred { progress, notice: true, status: None };
                let fates = self.recipients_of(number);
                let fates = fates.iter().map(|(index, _)| (*index, fate)).collect();
                self.settled(number, fates, None);
            }
            _ => {}
        }
    }
}
