//! Giving out work: which lane, which stream, which path, which session.

use postlane_lanes::{Ask, Permit};
use postlane_mail::{Instant, Stream};
use smallvec::SmallVec;

use super::{Closing, Engine, STEP_OUTPUTS, Timer};
use crate::entry::State;
use crate::names::{AttemptId, SourceId};
use crate::output::{End, Output};
use crate::session::{Flight, Listed, SlotState};

/// What came of asking a path to do something.
pub(super) enum Served {
    /// Something was given out or opened; there may be more.
    Some,
    /// The lane allows nothing before then.
    Paced(Instant),
    /// It comes back by itself when something changes for it.
    Waits,
    /// Another source of the pool goes first, once.
    Yields,
    /// There is nothing in this stream.
    Nothing,
}

/// Mail to ourselves goes the same way again and again (RFC 3463 §3.5, X.4.6).
const ROUTING_LOOP: postlane_mail::Status = postlane_mail::Status::new(5, 4, 6);

impl<E> Engine<E> {
    /// Gives out what may go now, a step of it.
    pub(super) fn pump(&mut self, now: Instant) {
        if self.closing != Closing::No {
            return;
        }
        while self.outputs.len() < STEP_OUTPUTS {
            let Some(lane) = self.dirty.pop_front() else { return };
            self.lanes[lane as usize].dirty = false;
            self.pump_lane(now, lane);
        }
    }

    fn pump_lane(&mut self, now: Instant, lane: u32) {
        while self.outputs.len() < STEP_OUTPUTS {
            let Some((stream, path)) = self.next_in_ring(lane) else { return };
            match self.serve(now, path, stream) {
                // To the back of its ring, if it has more: paths of a lane take turns.
                Served::Some => self.offer_path(path),
                Served::Yields => {
                    self.offer_path(path);
                    return;
                }
                Served::Paced(until) => {
                    self.back_in_front(lane, stream, path);
                    self.timers.arm(Timer::Lane(lane), until);
                    return;
                }
                Served::Waits | Served::Nothing => {}
            }
        }
        self.mark(lane);
    }

    /// The most urgent stream's first path, taken out of its ring.
    fn next_in_ring(&mut self, lane: u32) -> Option<(Stream, u32)> {
        for stream in Stream::ALL {
            if let Some(path) = self.lanes[lane as usize].rings[stream as usize].pop_front() {
                self.paths[path as usize].in_ring[stream as usize] = false;
                return Some((stream, path));
            }
        }
        None
    }

    fn back_in_front(&mut self, lane: u32, stream: Stream, path: u32) {
        let in_ring = &mut self.paths[path as usize].in_ring[stream as usize];
        if !*in_ring {
            *in_ring = true;
            self.lanes[lane as usize].rings[stream as usize].push_front(path);
        }
    }

    fn serve(&mut self, now: Instant, path: u32, stream: Stream) -> Served {
        let Some(line) = self.line_to_serve(path, stream) else { return Served::Nothing };
        let state = &self.paths[path as usize];
        let (exchange, lane, resting) = (state.exchange, state.lane, state.resting_until);
        if self.exchange(exchange).is_loop {
            return self.bounce_loop(line, stream);
        }
        if resting > now {
            self.arm_path(path, resting);
            return Served::Waits;
        }
        if self.lets_another_source_go_first(now, path, line) {
            return Served::Yields;
        }
        let Some(slot) = self.free_session(path) else {
            return self.open_for(now, path, line);
        };
        if !self.slots[slot as usize].prepaid
            && let Permit::After(until) = self.lanes[lane as usize].lane.permit(now, Ask::Message)
        {
            return Served::Paced(until);
        }
        match self.lines[line as usize].pop(&mut self.slab, stream) {
            Some(number) => {
                self.account_source(path, line);
                self.send(now, slot, number);
                Served::Some
            }
            None => Served::Some,
        }
    }

    /// The path's lines take turns, too.
    fn line_to_serve(&mut self, path: u32, stream: Stream) -> Option<u32> {
        let lines = self.lines_of(path);
        let first = self.paths[path as usize].next_line;
        let turn = (0..lines.len()).map(|i| (first + i) % lines.len());
        let found = turn.into_iter().find(|i| self.lines[lines[*i] as usize].ready(stream) > 0)?;
        self.paths[path as usize].next_line = found + 1;
        Some(lines[found])
    }

    /// A session that can take one more: an idle one first, else one that is busy with one.
    fn free_session(&mut self, path: u32) -> Option<u32> {
        loop {
            let state = &mut self.paths[path as usize];
            let (slot, from) = match state.idle.last() {
                Some(slot) => (*slot, Listed::Idle),
                None => (*state.chainable.last()?, Listed::Chainable),
            };
            if self.slots[slot as usize].state == SlotState::Open
                && self.slots[slot as usize].listed == from
            {
                return Some(slot);
            }
            // It has been given something, is closing, or is another by now.
            let state = &mut self.paths[path as usize];
            if from == Listed::Idle {
                state.idle.pop()
            } else {
                state.chainable.pop()
            };
        }
    }

    /// Gives an entry in no list to a session.
    pub(super) fn send(&mut self, now: Instant, place: u32, number: u32) {
        let slot = &mut self.slots[place as usize];
        let (path, id) = (slot.path, slot.id);
        if !std::mem::take(&mut slot.prepaid) {
            let lane = self.paths[path as usize].lane;
            self.lanes[lane as usize].lane.sending(now);
        }
        self.serial += 1;
        let attempt = AttemptId(self.serial);
        self.slots[place as usize].in_flight.push(Flight { attempt, entry: number });
        self.slots[place as usize].given += 1;
        self.stand(number, State::Active);
        let recipients = self.recipients_of(number).iter().map(|(index, _)| *index).collect();
        let entry = &self.slab[number];
        let (message, place_of) = (entry.id, entry.place);
        self.outputs.push_back(Output::Attempt {
            slot: id,
            attempt,
            message,
            place: place_of,
            recipients,
        });
        self.list_session(now, place);
        self.close_when_spent(place);
    }

    /// Mail whose hosts are ourselves is given back, a step of it.
    fn bounce_loop(&mut self, line: u32, stream: Stream) -> Served {
        match self.lines[line as usize].pop(&mut self.slab, stream) {
            Some(number) => {
                self.end(number, End::Bounced(Some(ROUTING_LOOP)));
                Served::Some
            }
            None => Served::Nothing,
        }
    }

    /// With several sources in the pool, the one that has carried least for its weight goes
    /// first, if it can go at all.
    fn lets_another_source_go_first(&mut self, now: Instant, path: u32, line: u32) -> bool {
        let pool = self.lines[line as usize].pool;
        if self.sources(pool).len() < 2 || self.paths[path as usize].yielded == self.wakes {
            return false;
        }
        let mine = self.taken_by(line, self.paths[path as usize].source);
        let others: SmallVec<[u32; 2]> = self.paths_of(line);
        let first = others.into_iter().find(|other| {
            let source = self.paths[*other as usize].source;
            *other != path && self.taken_by(line, source) < mine && self.can_go(now, *other)
        });
        let Some(first) = first else { return false };
        self.paths[path as usize].yielded = self.wakes;
        self.offer_path(first);
        true
    }

    /// Whether a path could carry or open something now.
    fn can_go(&mut self, now: Instant, path: u32) -> bool {
        let state = &self.paths[path as usize];
        let (lane, rests, opening) = (state.lane, state.resting_until > now, state.opening > 0);
        let ask = if self.free_session(path).is_some() { Ask::Message } else { Ask::Connection };
        let open = ask == Ask::Message || !opening;
        !rests && open && self.lanes[lane as usize].lane.permit(now, ask) == Permit::Now
    }

    fn taken_by(&self, line: u32, source: SourceId) -> u64 {
        let taken = &self.lines[line as usize].taken;
        taken.iter().find(|(s, _)| *s == source).map_or(0, |(_, taken)| *taken)
    }

    fn account_source(&mut self, path: u32, line: u32) {
        let (source, pool) = (self.paths[path as usize].source, self.lines[line as usize].pool);
        let sources = self.sources(pool);
        if sources.len() < 2 {
            return;
        }
        let weight = sources.iter().find(|(s, _)| *s == source).map_or(1, |(_, w)| *w);
        // One message of the largest weight is the unit.
        let share = 1000 / u64::from(weight.max(1));
        let taken = &mut self.lines[line as usize].taken;
        match taken.iter_mut().find(|(s, _)| *s == source) {
            Some((_, taken)) => *taken += share,
            None => taken.push((source, share)),
        }
    }
}
