//! Opening, keeping and closing sessions.

use postlane_lanes::{Ask, Lane, Permit, Signal};
use postlane_mail::{Instant, Span};
use postlane_replies::{Diagnosis, Persistence, Scope};
use smallvec::SmallVec;

use super::pump::Served;
use super::{Closing, Engine, LaneState, Timer};
use crate::entry::State;
use crate::input::Unreached;
use crate::names::{ExchangeId, HostId, ProviderId, SlotId, SourceId};
use crate::output::{Event, Output};
use crate::session::{Listed, PLACE_BITS, Path, Slot, SlotState};

/// How long a path rests after all its addresses have failed once; doubled each time.
/// Chosen, not measured: a host that restarts is back within a minute or two.
const REST_FIRST: Span = Span::from_s(60);

/// A path rests no longer than this, so that a host that comes back is found within it.
/// Chosen, not measured.
const REST_LONGEST: Span = Span::from_min(30);

impl<E> Engine<E> {
    pub(super) fn lane(&mut self, provider: ProviderId, source: SourceId) -> u32 {
        if let Some(lane) = self.lane_numbers.get(&(provider, source)) {
            return *lane;
        }
        let number = self.lanes.len() as u32;
        self.lanes.push(LaneState {
            lane: Lane::new(self.ceilings(provider)),
            provider,
            source,
            rings: Default::default(),
            full: Vec::new(),
            dirty: false,
        });
        self.lane_numbers.insert((provider, source), number);
        number
    }

    pub(super) fn new_path(&mut self, exchange: ExchangeId, source: SourceId, lane: u32) -> u32 {
        self.paths.push(Path {
            exchange,
            source,
            lane,
            candidates: Vec::new(),
            next_candidate: 0,
            failed: 0,
            rests: 0,
            resting_until: Instant::default(),
            opening: 0,
            open: 0,
            idle: Vec::new(),
            chainable: Vec::new(),
            in_ring: [false; 3],
            yielded: 0,
            next_line: 0,
        });
        (self.paths.len() - 1) as u32
    }

    /// Opens a session for a line whose sessions are all busy, if there is enough to do for
    /// one more and the lane allows it.
    pub(super) fn open_for(&mut self, now: Instant, path: u32, line: u32) -> Served {
        let ready = self.lines[line as usize].ready_in_all();
        let depth = u32::from(self.settings.session_depth.max(1));
        let state = &self.paths[path as usize];
        // While nothing has answered yet, one connection tries; then as many again as are open.
        let at_once = if state.failed > 0 || state.rests > 0 { 1 } else { state.open.max(1) };
        if state.opening >= at_once || u32::from(state.opening) * depth >= ready {
            return Served::Waits;
        }
        match self.may_open(now, path) {
            Ok(()) => {
                let state = &self.paths[path as usize];
                let (host, address) =
                    state.candidates[state.next_candidate % state.candidates.len()];
                self.open(now, path, host, address, None);
                Served::Some
            }
            Err(served) => served,
        }
    }

    fn may_open(&mut self, now: Instant, path: u32) -> Result<(), Served> {
        let lane = self.paths[path as usize].lane;
        let full = self.slots.len() >= 1 << PLACE_BITS && self.free_slots.is_empty();
        if self.sessions >= self.settings.sessions_max || full {
            self.make_room();
            self.crowded_out.push(path);
            return Err(Served::Waits);
        }
        match self.lanes[lane as usize].lane.permit(now, Ask::Connection) {
            Permit::Now => Ok(()),
            Permit::After(until) => Err(Served::Paced(until)),
            Permit::Full => {
                self.close_one_idle_of(lane);
                self.lanes[lane as usize].full.push(path);
                Err(Served::Waits)
            }
        }
    }

    pub(super) fn open(
        &mut self,
        now: Instant,
        path: u32,
        host: HostId,
        address: std::net::SocketAddr,
        particular: Option<u32>,
    ) {
        let place = self.free_slots.pop().unwrap_or(self.slots.len() as u32);
        self.serial += 1;
        let id = SlotId::new(self.serial, place);
        let slot = Slot {
            id,
            path,
            host,
            state: SlotState::Opening,
            in_flight: SmallVec::new(),
            given: 0,
            finished: 0,
            prepaid: true,
            particular,
            idle_since: now,
            listed: Listed::No,
        };
        match self.slots.get_mut(place as usize) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        self.sessions += 1;
        let state = &mut self.paths[path as usize];
        state.opening += 1;
        let (lane, source) = (state.lane, state.source);
        self.lanes[lane as usize].lane.opening(now);
        self.outputs.push_back(Output::Open { slot: id, source, host, address });
    }

    pub(super) fn opened(&mut self, now: Instant, id: SlotId) {
        let Some(place) = self.place(id) else { return };
        let slot = &mut self.slots[place as usize];
        slot.state = SlotState::Open;
        let (path, particular) = (slot.path, slot.particular.take());
        let state = &mut self.paths[path as usize];
        state.opening -= 1;
        state.open += 1;
        state.failed = 0;
        let lane = state.lane;
        self.lanes[lane as usize].lane.observe(now, Signal::Connected);
        if let Some(number) = particular.filter(|n| self.slab[*n].state == State::Active) {
            self.send(now, place, number);
        } else {
            self.list_session(now, place);
        }
        if self.closing == Closing::Shutdown {
            self.close_when_spent(place);
        }
        self.offer_path(path);
    }

    pub(super) fn connect_failed(&mut self, now: Instant, id: SlotId, why: Unreached, evidence: E) {
        let Some(place) = self.place(id) else { return };
        let slot = &mut self.slots[place as usize];
        let (path, host, particular) = (slot.path, slot.host, slot.particular.take());
        self.paths[path as usize].opening -= 1;
        let source = self.paths[path as usize].source;
        self.free_session_place(place);
        self.outputs.push_back(Output::Record(Event::ConnectFailed {
            slot: id,
            source,
            host,
            evidence,
        }));
        match why {
            Unreached::Loop => {
                let exchange = self.paths[path as usize].exchange;
                self.exchange(exchange).is_loop = true;
            }
            Unreached::TryAgain => {}
            Unreached::Source => self.rest(now, path),
            Unreached::Network => self.next_candidate(now, path),
            Unreached::TurnedAway(said) => {
                self.hear(now, path, &said);
                self.next_candidate(now, path);
            }
        }
        if let Some(number) = particular {
            self.defer_for(now, number, None);
        }
        self.offer_path(path);
    }

    /// An address has failed: the next one, and after the last a rest.
    fn next_candidate(&mut self, now: Instant, path: u32) {
        let lane = self.paths[path as usize].lane;
        self.lanes[lane as usize].lane.observe(now, Signal::ConnectFailed);
        let state = &mut self.paths[path as usize];
        state.failed += 1;
        state.next_candidate += 1;
        if state.failed >= state.candidates.len() {
            self.rest(now, path);
        }
    }

    /// Nothing is tried on a path for a while; then one connection tries.
    fn rest(&mut self, now: Instant, path: u32) {
        let spread = self.chance.below(REST_FIRST.0 / 4);
        let state = &mut self.paths[path as usize];
        let doubled = REST_FIRST.times(1 << state.rests.min(10));
        state.rests += 1;
        state.failed = 0;
        state.resting_until = now + doubled.min(REST_LONGEST) + Span(spread);
        let until = state.resting_until;
        self.order_candidates(path);
        self.arm_path(path, until);
    }

    pub(super) fn closed(&mut self, now: Instant, id: SlotId, said: Option<Diagnosis>) {
        let Some(place) = self.place(id) else { return };
        let slot = &mut self.slots[place as usize];
        let (path, finished) = (slot.path, slot.finished);
        let lost = std::mem::take(&mut slot.in_flight);
        self.paths[path as usize].open -= 1;
        self.free_session_place(place);
        for flight in lost {
            self.come_back(now, flight.entry);
        }
        if let Some(said) = said {
            self.hear(now, path, &said);
        }
        // A host that takes connections and drops them before anything is said to a message is
        // as good as one that cannot be reached; trying at once again would hammer it.
        if finished == 0 && self.closing == Closing::No {
            self.next_candidate(now, path);
        }
        self.offer_path(path);
    }

    /// Tells the lane of a reply that was no recipient's.
    pub(super) fn hear(&mut self, now: Instant, path: u32, said: &Diagnosis) {
        let lane = self.paths[path as usize].lane;
        let signal = match (said.persistence, said.scope) {
            (Persistence::Success, _) => Signal::Accepted,
            (_, Scope::Lane | Scope::Source) => Signal::SlowDown { wait: said.wait },
            (_, Scope::Host) => Signal::ConnectFailed,
            _ => Signal::Refused,
        };
        self.lanes[lane as usize].lane.observe(now, signal);
    }

    /// Puts a session on the list it belongs on: nothing to do, room for one more, or none.
    pub(super) fn list_session(&mut self, now: Instant, place: u32) {
        let depth = usize::from(self.settings.session_depth.max(1));
        let limit = self.session_limit(place);
        let slot = &mut self.slots[place as usize];
        if slot.listed == Listed::Idle {
            self.idle.remove(&(slot.idle_since, place));
        }
        let busy = slot.in_flight.len();
        let listed = match slot.state {
            SlotState::Open if slot.given >= limit => Listed::No,
            SlotState::Open if busy == 0 => Listed::Idle,
            SlotState::Open if busy < depth => Listed::Chainable,
            _ => Listed::No,
        };
        let again = slot.listed == listed && listed != Listed::Idle;
        slot.listed = listed;
        let path = slot.path;
        match listed {
            Listed::Idle => {
                slot.idle_since = now;
                self.idle.insert((now, place));
                self.timers.arm_by(Timer::Idle, now + self.settings.session_idle);
                self.paths[path as usize].idle.push(place);
            }
            Listed::Chainable if !again => self.paths[path as usize].chainable.push(place),
            _ => {}
        }
    }

    fn session_limit(&self, place: u32) -> u32 {
        let lane = self.paths[self.slots[place as usize].path as usize].lane;
        self.lanes[lane as usize].lane.ceilings().session_messages.max(1)
    }

    /// A session that has carried its fill, or is not needed any more, is closed behind what
    /// it was given.
    pub(super) fn close_when_spent(&mut self, place: u32) {
        let limit = self.session_limit(place);
        let slot = &self.slots[place as usize];
        let spent = slot.given >= limit;
        let over = self.closing != Closing::No && slot.in_flight.is_empty();
        if slot.state == SlotState::Open && (spent || over) {
            self.close(place);
        }
    }

    fn close(&mut self, place: u32) {
        let slot = &mut self.slots[place as usize];
        if slot.listed == Listed::Idle {
            self.idle.remove(&(slot.idle_since, place));
        }
        slot.listed = Listed::No;
        slot.state = SlotState::Closing;
        self.outputs.push_back(Output::Close { slot: slot.id });
    }

    pub(super) fn close_idle_since(&mut self, now: Instant) {
        while let Some((since, place)) = self.idle.first().copied() {
            let due = since + self.settings.session_idle;
            if due > now {
                self.timers.arm(Timer::Idle, due);
                return;
            }
            self.close(place);
        }
    }

    pub(super) fn close_idle_sessions(&mut self) {
        while let Some((_, place)) = self.idle.first().copied() {
            self.close(place);
        }
    }

    /// All sessions there may be are open: the one that has been idle longest makes room.
    fn make_room(&mut self) {
        if let Some((_, place)) = self.idle.first().copied() {
            self.close(place);
        }
    }

    /// A lane's window is full, and some of it may be idle sessions to other exchanges.
    fn close_one_idle_of(&mut self, lane: u32) {
        let of_lane =
            |place: &u32| self.paths[self.slots[*place as usize].path as usize].lane == lane;
        let oldest = self.idle.iter().map(|(_, place)| *place).find(of_lane);
        if let Some(place) = oldest {
            self.close(place);
        }
    }

    fn free_session_place(&mut self, place: u32) {
        let slot = &mut self.slots[place as usize];
        if slot.listed == Listed::Idle {
            self.idle.remove(&(slot.idle_since, place));
        }
        slot.listed = Listed::No;
        slot.state = SlotState::Free;
        let path = slot.path;
        self.free_slots.push(place);
        self.sessions -= 1;
        let lane = self.paths[path as usize].lane as usize;
        self.lanes[lane].lane.closed();
        let waiting = std::mem::take(&mut self.lanes[lane].full);
        let crowded_out = std::mem::take(&mut self.crowded_out);
        for path in waiting.into_iter().chain(crowded_out) {
            self.offer_path(path);
        }
    }

    /// Where a session is kept, if it is still the one that is meant.
    pub(super) fn place(&self, id: SlotId) -> Option<u32> {
        let place = id.place();
        let slot = self.slots.get(place as usize)?;
        (slot.id == id && slot.state != SlotState::Free).then_some(place)
    }
}
