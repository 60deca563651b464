//! Giving out work: which lane, which stream, which path, which session.

use postlane_lanes::{Ask, Doing, Permit, Waiting};
use postlane_mail::{Instant, Span, Stream};
use smallvec::SmallVec;

use super::reserve::ASKED_AGAIN;
use super::{Engine, Timer};
use crate::entry::{Entry, State};
use crate::gates::{Of, Shut};
use crate::line::{Open, Way};
use crate::names::AttemptId;
use crate::output::{End, Output};
use crate::path::Crowd;
use crate::session::{Flight, Opening, Slot};

/// What came of asking a path to do something.
pub(super) enum Served {
    /// Something was given out or opened; there may be more.
    Some,
    /// The lane allows nothing before then.
    Paced(Instant),
    /// The lane allows nothing until something under way is over.
    Busy,
    /// It comes back by itself when something changes for it.
    Waits,
    /// Another source of the pool goes first, once.
    Yields,
}

/// A line whose turn it is.
struct Turn {
    line: u32,
    /// What of it may go.
    open: Open,
    /// What the rest waits for first.
    shut: Option<Shut>,
}

/// Mail to ourselves goes the same way again and again (RFC 3463 §3.5, X.4.6).
const ROUTING_LOOP: postlane_mail::Status = postlane_mail::Status::new(5, 4, 6);

/// A few messages wait this long for busy sessions before another one is opened for them.
/// Chosen, not measured: a transaction takes less, and a host that hangs must not hold up
/// what is behind it.
const PATIENCE: Span = Span::from_s(1);

impl<E> Engine<E> {
    /// Gives out what may go now, a step of it.
    pub(super) fn pump(&mut self, now: Instant) {
        while self.has_time() {
            let Some(lane) = self.dirty.pop_front() else {
                if self.has_room() && self.let_in_one() {
                    continue;
                }
                return;
            };
            self.effort += 1;
            self.lanes[lane as usize].dirty = false;
            self.pump_lane(now, lane);
        }
    }

    fn pump_lane(&mut self, now: Instant, lane: u32) {
        while self.has_time() {
            self.let_one_to_window(lane);
            let Some((stream, path)) = self.next_in_ring(lane) else { return };
            self.effort += 1;
            if self.paths[path as usize].lane != lane {
                self.offer_path(path);
                continue;
            }
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
                Served::Busy => {
                    self.back_in_front(lane, stream, path);
                    return;
                }
                Served::Waits => {}
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

    /// While its window has room, a lane serves first whoever waited for that, the most urgent
    /// stream's first.
    fn let_one_to_window(&mut self, lane: u32) {
        let state = &mut self.lanes[lane as usize];
        if state.lane.open() >= state.lane.connections() {
            return;
        }
        for stream in Stream::ALL {
            while let Some(path) = self.lanes[lane as usize].at_window[stream as usize].pop_front()
            {
                let waits = &mut self.paths[path as usize];
                waits.at_window[stream as usize] = false;
                let lines = waits.lines.iter();
                if lines.into_iter().any(|line| self.lines[*line as usize].ready(stream) > 0) {
                    let ring = &mut self.lanes[lane as usize].rings[stream as usize];
                    if self.paths[path as usize].in_ring[stream as usize] {
                        ring.retain(|in_ring| *in_ring != path);
                    }
                    self.paths[path as usize].in_ring[stream as usize] = true;
                    ring.push_front(path);
                    return;
                }
            }
        }
    }

    /// There is room for a session again.
    fn let_in_one(&mut self) -> bool {
        let Some(path) = self.crowded_out.pop_front() else { return false };
        self.paths[path as usize].crowd = Crowd::Invited;
        self.offer_path(path);
        true
    }

    fn serve(&mut self, now: Instant, path: u32, stream: Stream) -> Served {
        let Some(Turn { line, open, shut }) = self.line_to_serve(now, path, stream) else {
            return Served::Waits;
        };
        let state = &self.paths[path as usize];
        let (exchange, lane) = (state.exchange, state.lane);
        if self.exchange(exchange).is_loop {
            return self.bounce_loop(line);
        }
        if let Some(served) = self.held_by_order(now, (path, line), stream) {
            return served;
        }
        if let Some(number) = self.lines[line as usize].particular(stream)
            && let Some(served) = self.serve_particular(now, path, number)
        {
            return served;
        }
        if self.lines[line as usize].ready_to_go(stream, &open) == 0 {
            return self.wait_for(path, shut);
        }
        if self.keeps_reserve(now, lane, stream) || self.lets_another_ask(lane) {
            return Served::Paced(now + ASKED_AGAIN);
        }
        if self.lets_another_source_go_first(now, path, line, stream) {
            return Served::Yields;
        }
        let Some(slot) = self.free_session(path) else {
            return self.open_for(now, path, stream);
        };
        if self.gives_way(lane, stream) {
            self.close(slot);
            return Served::Some;
        }
        if let Some(served) = self.refused_by_lane(now, slot, stream) {
            return served;
        }
        let (old, step) = (self.new_since(now, lane, stream), self.settings.engagement.step());
        let open = Open { old, step, ..open };
        let Some(number) = self.lines[line as usize].pop(&mut self.slab, stream, &open) else {
            return Served::Waits;
        };
        self.lines[line as usize].account(path);
        self.send(now, slot, number);
        Served::Some
    }

    /// What the lane says against a message on a session, if it says anything.
    pub(super) fn refused_by_lane(
        &mut self,
        now: Instant,
        slot: u32,
        stream: Stream,
    ) -> Option<Served> {
        let Slot { lane, prepaid, .. } = self.slots[slot as usize];
        self.count_backlog(now, lane);
        let ask = if prepaid { Ask::Prepaid } else { Ask::Message };
        let path = self.slots[slot as usize].path;
        if let Some(served) = self.refused_by_gates(now, path, ask) {
            return Some(served);
        }
        if !prepaid && self.day_is_used(now, lane, stream) {
            return Some(Served::Waits);
        }
        match self.lanes[lane as usize].lane.permit(now, stream, ask) {
            Permit::Now => None,
            Permit::After(waiting) => Some(paced(now, waiting)),
            Permit::Full | Permit::Busy => Some(Served::Busy),
        }
    }

    /// Lets a lane know, now and then, what waits for it: a line's share of the ways it has.
    fn count_backlog(&mut self, now: Instant, lane: u32) {
        const EVERY: Span = Span::from_s(10);
        let state = &self.lanes[lane as usize];
        if now.since(state.expected) < EVERY {
            return;
        }
        let paths = state.paths.iter().map(|path| &self.paths[*path as usize]);
        let lines = paths.filter(|path| !path.addresses.is_empty()).flat_map(|path| &path.lines);
        let share = |line: &u32| {
            let line = &self.lines[*line as usize];
            let leads = |way: &&Way| !self.paths[way.path as usize].addresses.is_empty();
            let ways = line.ways.iter().filter(leads).count().max(1);
            let ways = if state.shares.is_one { 1 } else { ways };
            u64::from(line.ready_in_all()) / ways as u64
        };
        let backlog = lines.map(share).sum();
        let state = &mut self.lanes[lane as usize];
        state.expected = now;
        state.lane.expect(backlog);
        state.lane.expect_urgent(self.carries_transactional && state.siblings.is_empty());
    }

    /// The path's lines take turns, too: the next one of which something may go, else one that
    /// says what it waits for.
    fn line_to_serve(&mut self, now: Instant, path: u32, stream: Stream) -> Option<Turn> {
        let state = &self.paths[path as usize];
        let (many, next) = (state.lines.len(), state.next_line);
        let mut waits = None;
        for i in 0..many {
            let turn = (next + i) % many;
            let line = self.paths[path as usize].lines[turn];
            if self.lines[line as usize].ready(stream) == 0 {
                continue;
            }
            let (open, shut) = self.open_of(now, path, line, stream);
            let state = &self.lines[line as usize];
            let goes = state.particular(stream).is_some() || state.ready_to_go(stream, &open) > 0;
            let found = Turn { line, open, shut };
            if goes {
                self.paths[path as usize].next_line = turn + 1;
                return Some(found);
            }
            waits = waits.or(Some(found));
        }
        waits
    }

    /// How much of a path's lines may go now, in all streams.
    fn ready_to_go(&mut self, now: Instant, path: u32) -> u32 {
        let mut ready = 0;
        for i in 0..self.paths[path as usize].lines.len() {
            let line = self.paths[path as usize].lines[i];
            for stream in Stream::ALL {
                if self.lines[line as usize].common(stream) > 0 {
                    let (open, _) = self.open_of(now, path, line, stream);
                    ready += self.lines[line as usize].ready_to_go(stream, &open);
                }
            }
        }
        ready
    }

    /// A session that can take one more: the one that was idle last, so that those that are
    /// too many are closed; else the one that has been busy longest.
    pub(super) fn free_session(&self, path: u32) -> Option<u32> {
        let path = &self.paths[path as usize];
        path.idle.last().or_else(|| path.chainable.first())
    }

    /// Whether a more urgent stream waits for the lane's window, which is full.
    fn gives_way(&self, lane: u32, stream: Stream) -> bool {
        let lane = &self.lanes[lane as usize];
        let urgent: usize = lane.at_window[..stream as usize].iter().map(|w| w.len()).sum();
        urgent > lane.leaving as usize
    }

    /// Gives an entry in no list to a session.
    pub(super) fn send(&mut self, now: Instant, place: u32, number: u32) {
        self.serial += 1;
        let attempt = AttemptId(self.serial);
        let path = self.slots[place as usize].path;
        self.leave_those_beyond(now, path, number);
        let gates = self.gates_of(number, self.paths[path as usize].source);
        self.spend_at(now, &gates, Ask::Message);
        let slot = &mut self.slots[place as usize];
        let taken: SmallVec<[Of; 2]> =
            gates.iter().copied().filter(|of| !slot.carries(*of)).collect();
        let Entry { stream, attempts, .. } = self.slab[number];
        slot.in_flight.push(Flight { attempt, entry: number, sent: now, stream, attempts, gates });
        slot.given += 1;
        let id = slot.id;
        let ask = if std::mem::take(&mut slot.prepaid) { Ask::Prepaid } else { Ask::Message };
        let (lane, of_session) = (slot.lane, slot.gates.clone());
        self.lanes[lane as usize].lane.sending(now, stream, ask);
        let prepaid = ask == Ask::Prepaid;
        let doing = if prepaid { Doing::SendsPrepaid(stream) } else { Doing::Sends(stream) };
        self.tell_together(now, lane, doing);
        self.paths[path as usize].stirred = now;
        self.take_at(&taken);
        self.spend_at(now, &of_session, ask);
        if ask == Ask::Message {
            self.spend_day(now, lane, stream);
        }
        self.stand(number, State::Active);
        self.slab[number].next = place;
        let recipients = self.recipients_of(number).iter().map(|(index, _)| *index).collect();
        let entry = &self.slab[number];
        self.outputs.push_back(Output::Attempt {
            slot: id,
            attempt,
            message: entry.id,
            place: entry.place,
            recipients,
        });
        self.list_session(now, place);
        self.close_when_spent(place);
    }

    /// Opens a session on a path whose sessions are all busy, if there is enough to do for one
    /// more and the lane allows it.
    fn open_for(&mut self, now: Instant, path: u32, stream: Stream) -> Served {
        let state = &self.paths[path as usize];
        let lane = &self.lanes[state.lane as usize].lane;
        let depth = u32::from(lane.depth(self.settings.session_depth));
        let sessions = u32::from(state.open) + u32::from(state.opening);
        let patient_until = state.stirred + PATIENCE;
        if sessions > 0 && now < patient_until && self.ready_to_go(now, path) <= sessions * depth {
            self.timers.arm_by(Timer::Path(path), patient_until);
            return Served::Waits;
        }
        let state = &self.paths[path as usize];
        // As many again as are open: a host that is new to us, or well again, is not stormed.
        if state.opening >= state.open.max(1) {
            return Served::Waits;
        }
        let rests_until = state.rests_until(&[]).unwrap_or(Instant::MAX);
        if rests_until > now {
            self.timers.arm_by(Timer::Path(path), rests_until);
            return Served::Waits;
        }
        if let Err(served) = self.may_open(now, path, stream) {
            return served;
        }
        let state = &mut self.paths[path as usize];
        let Some(address) = state.next_address(now, &[]) else { return Served::Waits };
        if address.is_doubtful() && state.opening > 0 {
            return Served::Waits;
        }
        let (lane, host, address) = (state.lane, address.host, address.address);
        let others = self.lanes[lane as usize].lane.open();
        self.open(now, &Opening { stream, path, lane, host, address, particular: None, others });
        Served::Some
    }

    /// Whether the lane, and the house, have room for one more session; if not, the path
    /// queues for it.
    pub(super) fn may_open(
        &mut self,
        now: Instant,
        path: u32,
        stream: Stream,
    ) -> Result<(), Served> {
        let lane = self.paths[path as usize].lane;
        if let Some(served) = self.refused_by_gates(now, path, Ask::Connection) {
            return Err(served);
        }
        self.count_backlog(now, lane);
        if self.day_is_used(now, lane, stream) {
            return Err(Served::Waits);
        }
        match self.lanes[lane as usize].lane.permit(now, stream, Ask::Connection) {
            Permit::After(waiting) => return Err(paced(now, waiting)),
            Permit::Busy => return Err(Served::Busy),
            // Whoever has all of it waits for nobody else, and need not make room for itself.
            Permit::Full if self.fills_its_lane(path) => return Err(Served::Waits),
            Permit::Full => {
                let state = &mut self.lanes[lane as usize];
                let waits = &mut self.paths[path as usize].at_window[stream as usize];
                if !std::mem::replace(waits, true) {
                    state.at_window[stream as usize].push_back(path);
                }
                if state.idle > 0 && state.waiting_at_window() > state.leaving as usize {
                    self.close_one_idle_of(lane);
                }
                return Err(Served::Waits);
            }
            Permit::Now => {}
        }
        if let Some(served) = self.full_at_gates(path) {
            return Err(served);
        }
        let has_room = self.has_room();
        let crowd = &mut self.paths[path as usize].crowd;
        // Whoever waited longer is invited first.
        if has_room && (self.crowded_out.is_empty() || *crowd == Crowd::Invited) {
            *crowd = Crowd::Apart;
            return Ok(());
        }
        if *crowd != Crowd::Waits {
            *crowd = Crowd::Waits;
            self.crowded_out.push_back(path);
        }
        if !has_room && self.crowded_out.len() > self.leaving as usize {
            self.close_longest_idle();
        }
        Err(Served::Waits)
    }

    /// Whether all sessions of its lane are the path's own, or leave already: the end of any of
    /// them offers it again.
    fn fills_its_lane(&self, path: u32) -> bool {
        let path = &self.paths[path as usize];
        let lane = &self.lanes[path.lane as usize];
        let own = u32::from(path.open) + u32::from(path.opening);
        own > 0 && own + lane.leaving >= u32::from(lane.lane.open())
    }

    /// Mail whose hosts are ourselves is given back, a step of it.
    fn bounce_loop(&mut self, line: u32) -> Served {
        match self.lines[line as usize].pop_any(&mut self.slab) {
            Some(number) => {
                self.end(number, End::Bounced(Some(ROUTING_LOOP)));
                Served::Some
            }
            None => Served::Waits,
        }
    }

    /// With several sources in the pool, the one that has carried least for its weight goes
    /// first, if it can go at all.
    fn lets_another_source_go_first(
        &mut self,
        now: Instant,
        path: u32,
        line: u32,
        stream: Stream,
    ) -> bool {
        let state = &self.lines[line as usize];
        let asked = (line, state.given);
        // Once for each transaction: who was let go first may turn out not to go.
        if state.ways.len() < 2 || self.paths[path as usize].yielded == asked {
            return false;
        }
        let mine = state.ways.iter().find(|way| way.path == path).map_or(0, |way| way.taken);
        let first = state
            .ways
            .iter()
            .find(|way| way.path != path && way.taken < mine && self.can_go(now, way.path, stream));
        let Some(first) = first.map(|way| way.path) else { return false };
        self.paths[path as usize].yielded = asked;
        self.offer_path(first);
        true
    }

    /// Whether a path could carry or open something now.
    fn can_go(&self, now: Instant, path: u32, stream: Stream) -> bool {
        let state = &self.paths[path as usize];
        if self.is_held(now, state.lane, stream) || self.keeps_reserve(now, state.lane, stream) {
            return false;
        }
        let lane = &self.lanes[state.lane as usize].lane;
        match self.free_session(path) {
            Some(slot) => {
                let prepaid = self.slots[slot as usize].prepaid;
                let ask = if prepaid { Ask::Prepaid } else { Ask::Message };
                lane.permit(now, stream, ask) == Permit::Now
            }
            None => {
                state.opening < state.open.max(1)
                    && state.rests_until(&[]).is_some_and(|until| until <= now)
                    && lane.permit(now, stream, Ask::Connection) == Permit::Now
            }
        }
    }
}

/// A lane that waits for a moment is asked again then.
fn paced(now: Instant, waiting: Waiting) -> Served {
    Served::Paced(waiting.until().unwrap_or(now + PATIENCE))
}
