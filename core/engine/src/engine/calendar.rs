//! What is not due yet: one calendar for each line, one timer for each calendar.

use std::collections::BTreeMap;

use postlane_mail::{Instant, Span, Status};

use super::{Engine, Timer};
use crate::entry::{NO_LINE, State, moment, seconds_up};
use crate::output::{End, Fate};
use crate::slab::{List, Slab};

/// Entries released for one ring of a calendar's timer: others have their turn in between.
const RELEASED_MAX: usize = 512;

impl<E> Engine<E> {
    /// Defers an entry in no list after something that was no transaction; it expires when its
    /// time is over.
    pub(super) fn defer_for(&mut self, now: Instant, number: u32, status: Option<Status>) {
        if now >= moment(self.slab[number].expires_s) {
            self.end(number, End::Expired);
            return;
        }
        self.put_off(now, number, None);
        let notice = self.owes_notice(now, number);
        let fate = Fate::Deferred { progress: self.progress(number), notice, status };
        self.settle_all(number, fate);
        self.defer_unrouted(number);
    }

    /// Counts an attempt and sets the next one's time: by the schedule, by what the other side
    /// asked for if that is longer, and not after the message expires, so that the last
    /// attempt is made then.
    pub(super) fn put_off(&mut self, now: Instant, number: u32, asked: Option<Span>) {
        let attempts = self.slab[number].attempts.saturating_add(1);
        let wait = self.settings.retry.wait(attempts, &mut self.chance);
        let wait = wait.max(asked.unwrap_or(Span::ZERO)).max(self.backoff(number));
        self.put_off_for(now, number, wait);
    }

    /// Counts an attempt and sets the next one's time.
    pub(super) fn put_off_for(&mut self, now: Instant, number: u32, wait: Span) {
        let entry = &mut self.slab[number];
        entry.attempts = entry.attempts.saturating_add(1);
        entry.due_s = seconds_up(now + wait).min(entry.expires_s).max(seconds_up(now));
        self.note_age(number);
    }

    /// Counts an attempt of an entry that goes again as soon as its lane does.
    pub(super) fn put_off_with_lane(&mut self, now: Instant, number: u32) -> Fate {
        let entry = &mut self.slab[number];
        entry.attempts = entry.attempts.saturating_add(1);
        entry.due_s = seconds_up(now);
        self.note_age(number);
        let notice = self.owes_notice(now, number);
        Fate::Deferred { progress: self.progress(number), notice, status: None }
    }

    /// Whether the sender is to be told, now and never again, that it is late.
    pub(super) fn owes_notice(&mut self, now: Instant, number: u32) -> bool {
        let Some(after) = self.settings.delay_notice_after else { return false };
        let entry = &mut self.slab[number];
        if entry.marks.notified() || now.since(entry.id.moment()) < after {
            return false;
        }
        entry.marks.notify();
        true
    }

    /// Puts a deferred entry into its line's calendar.
    pub(super) fn defer_in_line(&mut self, number: u32) {
        let (line, due) = (self.slab[number].line, self.slab[number].due_s);
        if line == NO_LINE {
            self.defer_unrouted(number);
            return;
        }
        self.stand(number, State::Deferred);
        let calendar = &mut self.lines[line as usize].deferred;
        calendar.entry(due).or_default().push(&mut self.slab, number);
        self.timers.arm_by(Timer::Line(line), moment(due));
    }

    /// Puts a deferred entry into the calendar of what has no line.
    pub(super) fn defer_unrouted(&mut self, number: u32) {
        let due = self.slab[number].due_s;
        self.move_to_line(number, NO_LINE);
        self.stand(number, State::Deferred);
        self.unrouted.entry(due).or_default().push(&mut self.slab, number);
        self.timers.arm_by(Timer::Unrouted, moment(due));
    }

    pub(super) fn release_line(&mut self, now: Instant, line: u32) {
        for _ in 0..RELEASED_MAX {
            let calendar = &mut self.lines[line as usize].deferred;
            let Some(number) = pop_due(now, calendar, &mut self.slab) else { break };
            self.release_due(now, number);
        }
        if let Some((due, _)) = self.lines[line as usize].deferred.first_key_value() {
            self.timers.arm(Timer::Line(line), moment(*due));
        }
    }

    pub(super) fn release_unrouted(&mut self, now: Instant) {
        for _ in 0..RELEASED_MAX {
            let Some(number) = pop_due(now, &mut self.unrouted, &mut self.slab) else { break };
            self.release_due(now, number);
        }
        if let Some((due, _)) = self.unrouted.first_key_value() {
            self.timers.arm(Timer::Unrouted, moment(*due));
        }
    }

    /// Routes may have changed since it was deferred.
    fn release_due(&mut self, now: Instant, number: u32) {
        self.effort += 1;
        self.stand(number, State::Moving);
        self.move_to_line(number, NO_LINE);
        self.route(now, number, None);
    }
}

fn pop_due(now: Instant, calendar: &mut BTreeMap<u32, List>, slab: &mut Slab) -> Option<u32> {
    let mut first = calendar.first_entry().filter(|e| moment(*e.key()) <= now)?;
    let number = first.get_mut().pop(slab);
    if first.get().is_empty() {
        first.remove();
    }
    number
}
