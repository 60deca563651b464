//! Opening, keeping and closing sessions.

use std::net::SocketAddr;

use postlane_lanes::{Ask, Doing, FirstAttempt, Heard, Hint, Hinted, Lane, Signal};
use postlane_mail::{Instant, Stream};
use postlane_replies::{self as replies, Diagnosis, Extent, Unit};
use smallvec::SmallVec;

use super::{Closing, Engine, LaneState, Timer, quarantine, together};
use crate::entry::{NONE, Rank, State};
use crate::gates::Of;
use crate::input::Unreached;
use crate::line::Joins;
use crate::names::{ProviderId, SlotId, SourceId};
use crate::output::{Event, Output};
use crate::path::Trouble;
use crate::session::{Listed, Opening, PLACE_BITS, Slot, SlotState, Through};

/// While others wait for its lane's window, a session is closed after so many transactions:
/// else the exchange that came first would keep a lane of one connection for as long as it
/// has mail. Chosen, not measured: no provider we know of allows less on a connection.
const TURN: u32 = 20;

impl<E> Engine<E> {
    pub(super) fn lane(&mut self, provider: ProviderId, source: SourceId) -> u32 {
        if let Some(lane) = self.lane_numbers.get(&(provider, source)) {
            return *lane;
        }
        let number = self.forgetting.lanes.pop().unwrap_or(self.lanes.len() as u32);
        self.watch_provider(provider);
        let lane = Lane::new(self.ceilings(provider), self.settings.learning, self.chance.draw());
        let state = LaneState {
            lane,
            provider,
            source,
            paths: Vec::new(),
            has_way: false,
            siblings: SmallVec::new(),
            expected: Instant::default(),
            rings: Default::default(),
            at_window: Default::default(),
            idle: 0,
            leaving: 0,
            dirty: false,
            is_ordered: false,
            is_unsaved: false,
            told: 0,
            heard: Instant::default(),
            rests: quarantine::Rests::default(),
            shares: together::Shares::default(),
            is_gone: false,
        };
        match self.lanes.get_mut(number as usize) {
            Some(gone) => *gone = state,
            None => self.lanes.push(state),
        }
        self.lane_numbers.insert((provider, source), number);
        self.heed_lane(Instant::default(), number);
        self.tell_rules(number);
        number
    }

    /// A lane has an address to go to: from now on it is one of its provider's, and those that have
    /// one, too, know each other. A source of a family that the provider has no address of is
    /// nobody's sibling.
    pub(super) fn has_way_now(&mut self, lane: u32) {
        let state = &mut self.lanes[lane as usize];
        if std::mem::replace(&mut state.has_way, true) {
            return;
        }
        let provider = state.provider;
        let of_provider = (provider, SourceId(0))..=(provider, SourceId(u16::MAX));
        let others = self.lane_numbers.range(of_provider).map(|(_, other)| *other);
        let others: SmallVec<[u32; 4]> =
            others.filter(|other| *other != lane && self.lanes[*other as usize].has_way).collect();
        for other in &others {
            let other = &mut self.lanes[*other as usize];
            other.siblings.push(lane);
            other.lane.is_among(true);
        }
        let state = &mut self.lanes[lane as usize];
        state.lane.is_among(!others.is_empty());
        state.siblings = others;
    }

    /// Asks for a session; the place it is kept at.
    pub(super) fn open(&mut self, now: Instant, opening: &Opening) -> u32 {
        let place = self.free_slots.pop().unwrap_or(self.slots.len() as u32);
        self.serial += 1;
        let id = SlotId::new(self.serial, place);
        let slot = Slot::new(now, id, opening);
        match self.slots.get_mut(place as usize) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        self.sessions += 1;
        let path = &mut self.paths[opening.path as usize];
        path.slots += 1;
        path.opening += 1;
        path.stirred = now;
        let source = path.source;
        self.lanes[opening.lane as usize].lane.opening(now);
        self.tell_together(now, opening.lane, Doing::Opens);
        self.spend_day(now, opening.lane, opening.stream);
        let gates = self.gates_of_path(opening.path);
        self.spend_at(now, &gates, Ask::Connection);
        self.take_at(&gates);
        self.slots[place as usize].gates = gates;
        let (host, address) = (opening.host, opening.address);
        self.outputs.push_back(Output::Open { slot: id, source, host, address });
        place
    }

    pub(super) fn opened(&mut self, now: Instant, id: SlotId) {
        let opening = |place: &u32| self.slots[*place as usize].state == SlotState::Opening;
        let Some(place) = self.place(id).filter(opening) else { return };
        let slot = &mut self.slots[place as usize];
        slot.state = SlotState::Open;
        let (path, lane, particular) = (slot.path, slot.lane, slot.particular.take());
        let state = &mut self.paths[path as usize];
        state.opening -= 1;
        state.open += 1;
        state.stirred = now;
        self.lanes[lane as usize].lane.opening_is_over();
        self.tell_together(now, lane, Doing::Opened);
        self.mark(lane);
        self.list_session(now, place);
        match particular {
            Some(number)
                if self.closing == Closing::No
                    && !self.has_wishes(number)
                    && self.may_pass(now, number, self.paths[path as usize].source).is_ok() =>
            {
                self.send(now, place, number);
            }
            Some(number) => self.come_back(now, number, Joins::First),
            None => {}
        }
        self.close_when_spent(place);
        self.offer_path_first(path);
    }

    pub(super) fn connect_failed(
        &mut self,
        now: Instant,
        id: SlotId,
        why: &Unreached,
        evidence: E,
    ) {
        let opening = |place: &u32| self.slots[*place as usize].state == SlotState::Opening;
        let Some(place) = self.place(id).filter(opening) else { return };
        let slot = &mut self.slots[place as usize];
        let (path, lane, host, address) = (slot.path, slot.lane, slot.host, slot.address);
        let about = About::session(slot.began, slot.others);
        let particular = slot.particular.take();
        self.free_place(now, place);
        let (source, exchange) = {
            let path = &self.paths[path as usize];
            (path.source, path.exchange)
        };
        self.outputs.push_back(Output::Record(Event::ConnectFailed {
            slot: id,
            source,
            host,
            evidence,
        }));
        match why {
            Unreached::Loop => self.exchange(exchange).is_loop = true,
            Unreached::TryAgain => {}
            Unreached::Source => {
                self.paths[path as usize].all_failed(now, &mut self.chance);
            }
            Unreached::Network => {
                self.failed(now, path, address, Trouble::Unreachable);
                self.hear(now, lane, about, Signal::ConnectFailed);
            }
            Unreached::TurnedAway(said) => self.turned_away(now, path, address, about, said),
        }
        self.look_for_new_hosts(now, path);
        if let Some(number) = particular {
            let again = matches!(why, Unreached::TryAgain | Unreached::Loop);
            if again || self.has_wishes(number) || self.closing != Closing::No {
                self.come_back(now, number, Joins::First);
            } else {
                self.stand(number, State::Moving);
                self.defer_for(now, number, None);
            }
        }
        self.offer_path(path);
    }

    pub(super) fn closed(
        &mut self,
        now: Instant,
        id: SlotId,
        said: Option<Diagnosis>,
        evidence: Option<E>,
    ) {
        let Some(place) = self.place(id) else { return };
        let slot = &mut self.slots[place as usize];
        let (path, lane, host, address) = (slot.path, slot.lane, slot.host, slot.address);
        let about = About::session(slot.began, slot.others);
        let source = self.paths[path as usize].source;
        self.outputs.extend(evidence.map(|evidence| {
            Output::Record(Event::SessionLost { slot: id, source, host, evidence })
        }));
        let lost = std::mem::take(&mut slot.in_flight);
        let particular = slot.particular.take();
        let is_told = slot.told;
        // A host that takes connections and drops them before anything is said of a message is
        // as good as one that cannot be reached; trying at once again would hammer it.
        let useless =
            slot.tried == 0 && !slot.blamed && (slot.given > 0 || slot.state != SlotState::Closing);
        self.free_place(now, place);
        if useless && self.closing == Closing::No {
            let turned_away = said.is_some();
            let trouble = if turned_away { Trouble::TurnedAway } else { Trouble::Unreachable };
            self.failed(now, path, address, trouble);
        }
        let gates: SmallVec<[Of; 2]> =
            lost.iter().flat_map(|flight| flight.gates.iter().copied()).collect();
        self.leave_those_of(place, &deduplicated(gates));
        for (i, flight) in lost.iter().enumerate().rev() {
            self.lanes[lane as usize].lane.over(flight.stream);
            self.tell_together(now, lane, Doing::Over(flight.stream));
            self.come_back(now, flight.entry, after_a_loss(i));
        }
        if let Some(number) = particular {
            self.come_back(now, number, Joins::First);
        }
        // What was said to a transaction was heard with its outcome.
        if let Some(said) = said.filter(|_| !is_told) {
            self.hear(now, lane, about, signal_of(&said));
        }
        self.offer_path(path);
    }

    /// The host answered, and would not have us. Where it wants less or fewer, that is the lane's
    /// business, and its hosts are well.
    fn turned_away(
        &mut self,
        now: Instant,
        path: u32,
        address: SocketAddr,
        about: About,
        said: &Diagnosis,
    ) {
        let lane = self.paths[path as usize].lane;
        let signal = signal_of(said);
        let is_lanes = matches!(signal, Signal::Rate { .. } | Signal::Conn);
        if !is_lanes || !self.lanes[lane as usize].lane.learns() {
            self.failed(now, path, address, Trouble::TurnedAway);
        }
        self.paths[path as usize].refused(address);
        if self.is_hosts_own(now, path, address, signal) {
            return;
        }
        // A host that is out of service is its own business, as long as another one serves.
        if matches!(signal, Signal::Outage { .. })
            && self.paths[path as usize].serves_elsewhere(now, address)
        {
            return;
        }
        self.hear(now, lane, about, signal);
    }

    pub(super) fn failed(
        &mut self,
        now: Instant,
        path: u32,
        address: SocketAddr,
        trouble: Trouble,
    ) {
        self.paths[path as usize].failed(now, address, trouble, &mut self.chance);
    }

    /// Tells the lane of something.
    pub(super) fn hear(&mut self, now: Instant, lane: u32, about: About, signal: Signal) {
        let state = &mut self.lanes[lane as usize];
        let About { sent, stream, attempts, carried, others } = about;
        let open = u32::from(others);
        state.heard = now;
        let heard = Heard { signal, sent, stream, attempts, carried, open };
        let (rested, asked) = (state.lane.is_resting(), state.lane.asking());
        state.lane.observe(now, &heard);
        let rests = !rested && matches!(signal, Signal::Rate { .. }) && state.lane.is_resting();
        self.tell_together(now, lane, Doing::Hears(heard));
        if rests {
            self.compare_waves(now, lane);
        }
        self.tell_answer(now, lane, asked, sent);
        if attempts == 0
            && let Some(what) = first_attempt(signal)
        {
            self.first_attempt(now, lane, what);
        }
        self.watch_rest(now, lane);
        self.unsaved(now, lane);
        if self.tell_decisions(lane) {
            // A rest, or a limit, is not to be found out twice.
            self.keep_lane(now, lane);
            self.tell_limits(now, lane);
        }
        self.mark(lane);
    }

    /// Puts a session on the chain it belongs on: nothing to do, room for one more, or none.
    pub(super) fn list_session(&mut self, now: Instant, place: u32) {
        self.unlist(place);
        let limit = self.session_limit(place);
        let slot = &mut self.slots[place as usize];
        let lane = &self.lanes[slot.lane as usize].lane;
        let depth = usize::from(lane.depth(self.settings.session_depth));
        if slot.state != SlotState::Open || slot.given >= limit || slot.in_flight.len() >= depth {
            return;
        }
        let path = &mut self.paths[slot.path as usize];
        if slot.in_flight.is_empty() {
            slot.listed = Listed::Idle;
            slot.idle_since = now;
            self.lanes[slot.lane as usize].idle += 1;
            path.idle.push(&mut self.slots, Through::Path, place);
            self.idle.push(&mut self.slots, Through::Idle, place);
            self.timers.arm_by(Timer::Idle, now + self.settings.session_idle);
        } else {
            slot.listed = Listed::Chainable;
            path.chainable.push(&mut self.slots, Through::Path, place);
        }
    }

    fn unlist(&mut self, place: u32) {
        let slot = &mut self.slots[place as usize];
        let (path, lane) = (&mut self.paths[slot.path as usize], slot.lane);
        match std::mem::replace(&mut slot.listed, Listed::No) {
            Listed::No => {}
            Listed::Chainable => path.chainable.remove(&mut self.slots, Through::Path, place),
            Listed::Idle => {
                path.idle.remove(&mut self.slots, Through::Path, place);
                self.idle.remove(&mut self.slots, Through::Idle, place);
                self.lanes[lane as usize].idle -= 1;
            }
        }
    }

    fn session_limit(&self, place: u32) -> u32 {
        let lane = &self.lanes[self.slots[place as usize].lane as usize];
        let limit = lane.lane.session_messages();
        let others_wait = lane.waiting_at_window() > lane.leaving as usize
            || self.crowded_out.len() > self.leaving as usize;
        if others_wait { limit.min(TURN) } else { limit }
    }

    /// A session that has carried its fill, or is not needed any more, is closed behind what
    /// it was given.
    pub(super) fn close_when_spent(&mut self, place: u32) {
        let slot = &self.slots[place as usize];
        let over = self.closing != Closing::No && slot.in_flight.is_empty();
        if slot.state == SlotState::Open && (over || slot.given >= self.session_limit(place)) {
            self.close(place);
        }
    }

    /// Gives a session nothing more.
    pub(super) fn close(&mut self, place: u32) {
        self.unlist(place);
        let slot = &mut self.slots[place as usize];
        if slot.state != SlotState::Open {
            return;
        }
        slot.state = SlotState::Closing;
        self.paths[slot.path as usize].open -= 1;
        self.lanes[slot.lane as usize].leaving += 1;
        self.leaving += 1;
        self.outputs.push_back(Output::Close { slot: slot.id });
    }

    pub(super) fn close_idle_since(&mut self, now: Instant) {
        while let Some(due) = self.idle_due() {
            if due > now {
                self.timers.arm(Timer::Idle, due);
                return;
            }
            self.close_longest_idle();
        }
    }

    /// When the session that has been idle longest is to be closed.
    pub(super) fn idle_due(&self) -> Option<Instant> {
        let place = self.idle.first()?;
        Some(self.slots[place as usize].idle_since + self.settings.session_idle)
    }

    pub(super) fn close_all_idle(&mut self) {
        while self.idle.first().is_some() {
            self.close_longest_idle();
        }
    }

    pub(super) fn close_longest_idle(&mut self) {
        if let Some(place) = self.idle.first() {
            self.close(place);
        }
    }

    /// A lane's window is full, and some of it may be idle sessions to other exchanges.
    pub(super) fn close_one_idle_of(&mut self, lane: u32) {
        let of_lane = |place: &u32| self.slots[*place as usize].lane == lane;
        let oldest = self.idle.iter(&self.slots, Through::Idle).find(of_lane);
        if let Some(place) = oldest {
            self.close(place);
        }
    }

    fn free_place(&mut self, now: Instant, place: u32) {
        self.unlist(place);
        let slot = &mut self.slots[place as usize];
        let was = std::mem::replace(&mut slot.state, SlotState::Free);
        let lane = &mut self.lanes[slot.lane as usize];
        let path = &mut self.paths[slot.path as usize];
        let mut was_opening = false;
        match was {
            SlotState::Free => return,
            SlotState::Opening => {
                path.opening -= 1;
                lane.lane.opening_is_over();
                was_opening = true;
            }
            SlotState::Open => path.open -= 1,
            SlotState::Closing => {
                lane.leaving -= 1;
                self.leaving -= 1;
            }
        }
        path.slots -= 1;
        lane.lane.closed();
        self.free_slots.push(place);
        self.sessions -= 1;
        let (lane, gates) = (slot.lane, std::mem::take(&mut slot.gates));
        if was_opening {
            self.tell_together(now, lane, Doing::Opened);
        }
        self.leave_at(&gates);
        self.mark(lane);
    }

    /// Where a session is kept, if it is still the one that is meant.
    pub(super) fn place(&self, id: SlotId) -> Option<u32> {
        let place = id.place();
        let slot = self.slots.get(place as usize)?;
        (slot.id == id && slot.state != SlotState::Free).then_some(place)
    }

    /// Whether there may be one more session in all.
    pub(super) fn has_room(&self) -> bool {
        let has_place = self.slots.len() < 1 << PLACE_BITS || !self.free_slots.is_empty();
        self.sessions < self.settings.sessions_max && has_place
    }

    /// The source an active entry is going by.
    pub(super) fn source_of(&self, number: u32) -> Option<SourceId> {
        let entry = &self.slab[number];
        let place = Some(entry.next).filter(|next| entry.state == State::Active && *next != NONE);
        let slot = self.slots.get(place? as usize)?;
        Some(self.paths[slot.path as usize].source)
    }
}

impl LaneState {
    pub(super) fn waiting_at_window(&self) -> usize {
        self.at_window.iter().map(|paths| paths.len()).sum()
    }
}

/// Each gate once.
fn deduplicated(mut gates: SmallVec<[Of; 2]>) -> SmallVec<[Of; 2]> {
    gates.sort_unstable();
    gates.dedup();
    gates
}

/// Where an entry joins that was on a session when it ended. The one that was being tried may
/// itself be what ended it, and goes to the back; those behind it lost their turn.
pub(super) fn after_a_loss(behind: usize) -> Joins {
    if behind == 0 { Joins::Last(Rank::Returned) } else { Joins::First }
}

/// What something that a lane hears is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    pub(super) sent: Instant,
    pub(super) stream: Stream,
    /// Attempts before it.
    pub(super) attempts: u16,
    /// Messages accepted on the session before.
    pub(super) carried: u32,
    /// Sessions of the lane that were open when it was.
    pub(super) others: u16,
}

impl About {
    /// A session that carried nothing.
    fn session(began: Instant, others: u16) -> Self {
        Self { sent: began, stream: Stream::Engaged, attempts: 1, carried: 0, others }
    }
}

/// What a lane hears of a diagnosis.
pub(super) fn signal_of(said: &Diagnosis) -> Signal {
    match said.signal {
        replies::Signal::Accepted => Signal::Accepted,
        replies::Signal::Rate => Signal::Rate { hint: hint_of(said) },
        replies::Signal::Conn => Signal::Conn,
        replies::Signal::PerConn => Signal::PerConn,
        replies::Signal::Greylist => Signal::Greylist,
        replies::Signal::Mailbox => Signal::Mailbox,
        replies::Signal::Outage => Signal::Outage { hint: hint_of(said) },
        replies::Signal::Ambiguous => Signal::Ambiguous,
        replies::Signal::Policy => Signal::Policy,
        // Nothing was said of a message: a session did not come about.
        _ if said.extent == Extent::Host => Signal::ConnectFailed,
        replies::Signal::Temp | replies::Signal::None => Signal::Temp,
        replies::Signal::Perm => Signal::Perm,
    }
}

/// What a first attempt was, to a restart plan; nothing where it is no message's.
fn first_attempt(signal: Signal) -> Option<FirstAttempt> {
    match signal {
        Signal::Accepted => Some(FirstAttempt::Accepted),
        Signal::Rate { .. } | Signal::Outage { .. } | Signal::Ambiguous => {
            Some(FirstAttempt::Deferred)
        }
        Signal::Conn | Signal::PerConn | Signal::Connected | Signal::ConnectFailed => None,
        Signal::Greylist | Signal::Mailbox | Signal::Temp | Signal::Policy | Signal::Perm => {
            Some(FirstAttempt::Other)
        }
    }
}

/// The figures in what a provider said.
fn hint_of(said: &Diagnosis) -> Hint {
    let hint = said.hint;
    let messages = hint.quota.filter(|quota| quota.of == Unit::Messages);
    Hint {
        wait: hint.wait.map(|wait| Hinted { wait: wait.span, exact: wait.exact }),
        window: hint.window,
        quota: messages.map(|quota| quota.count),
        closes: matches!(said.extent, Extent::Session | Extent::Host),
    }
}
