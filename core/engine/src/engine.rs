//! The machine: its state, and how an input finds its room.

mod calendar;
mod intake;
mod listing;
mod operator;
mod outcome;
mod pump;
mod route;
mod session;
mod sweep;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use postlane_lanes::Lane;
use postlane_mail::{Instant, QueueId};
use smallvec::SmallVec;

use crate::chance::Chance;
use crate::entry::State;
use crate::input::Input;
use crate::line::Line;
use crate::names::{DomainId, HostId, PoolId, ProviderId, SourceId};
use crate::output::Output;
use crate::session::{Path, Slot};
use crate::settings::Settings;
use crate::slab::{List, Slab};

pub use listing::{Counts, Cursor, LaneRow, Row, Standing, Tally};

/// The queue machine.
pub struct Engine<E> {
    settings: Arc<Settings>,
    chance: Chance,
    outputs: VecDeque<Output<E>>,
    slab: Slab,
    crowds: Crowds,
    domains: Vec<route::Domain>,
    exchanges: Vec<Option<route::Exchange>>,
    lines: Vec<Line>,
    paths: Vec<Path>,
    lanes: Vec<LaneState>,
    lane_numbers: BTreeMap<(ProviderId, SourceId), u32>,
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    serial: u64,
    sessions: u32,
    /// Paths that would open a session if there were not so many.
    crowded_out: Vec<u32>,
    dirty: VecDeque<u32>,
    timers: Timers,
    /// Deferred before they had a route.
    unrouted: BTreeMap<u32, List>,
    /// Hosts that an entry cannot go by.
    unable: BTreeMap<u32, SmallVec<[HostId; 2]>>,
    verdicts: BTreeMap<QueueId, SmallVec<[u32; 1]>>,
    commands: VecDeque<operator::Walk>,
    sweep: sweep::Sweep,
    idle: BTreeSet<(Instant, u32)>,
    counts: Counts,
    wakes: u64,
    closing: Closing,
}

/// A lane and who waits for it.
#[derive(Debug)]
struct LaneState {
    lane: Lane,
    provider: ProviderId,
    source: SourceId,
    /// Paths with something ready, by stream.
    rings: [VecDeque<u32>; 3],
    /// Paths that would open a session if the lane had room for one.
    full: Vec<u32>,
    dirty: bool,
}

/// Crowds of recipients: their numbers and domains.
#[derive(Debug, Default)]
struct Crowds {
    crowds: Vec<Vec<(u16, DomainId)>>,
    free: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// The store failed: nothing new, sessions end as they become idle.
    StoreFailed,
    Shutdown,
    Stopped,
}

/// Something that is due at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Line(u32),
    Unrouted,
    Lane(u32),
    Path(u32),
    Idle,
    Sweep,
}

/// One timer for each thing that can be due, however much waits in it.
#[derive(Debug, Default)]
struct Timers {
    armed: BTreeMap<Timer, Instant>,
    order: BTreeSet<(Instant, Timer)>,
}

/// Outputs in one step, about; what is left is done in the next, so that nobody who tells
/// the engine something waits long. Releasing a whole second at once blocked 3–17 ms
/// (measured while the house was planned).
const STEP_OUTPUTS: usize = 1024;

impl<E> Engine<E> {
    /// An engine with nothing in it. The same seed and the same inputs give the same outputs.
    pub fn new(settings: Arc<Settings>, seed: u64) -> Self {
        Self {
            settings,
            chance: Chance::new(seed),
            outputs: VecDeque::new(),
            slab: Slab::default(),
            crowds: Crowds::default(),
            domains: Vec::new(),
            exchanges: Vec::new(),
            lines: Vec::new(),
            paths: Vec::new(),
            lanes: Vec::new(),
            lane_numbers: BTreeMap::new(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            serial: 0,
            sessions: 0,
            crowded_out: Vec::new(),
            dirty: VecDeque::new(),
            timers: Timers::default(),
            unrouted: BTreeMap::new(),
            unable: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            commands: VecDeque::new(),
            sweep: sweep::Sweep::default(),
            idle: BTreeSet::new(),
            counts: Counts::default(),
            wakes: 0,
            closing: Closing::No,
        }
    }

    /// Hears something.
    pub fn handle(&mut self, now: Instant, input: Input<E>) {
        match input {
            Input::Submitted(submissions) => {
                for submission in submissions {
                    self.submitted(now, submission);
                }
            }
            // Budgets that are reserved join here; in this stage nothing is reserved.
            Input::Committed { .. } => {}
            Input::Resolved { domain, answer } => self.resolved(now, domain, answer),
            Input::Opened { slot } => self.opened(now, slot),
            Input::ConnectFailed { slot, why, evidence } => {
                self.connect_failed(now, slot, why, evidence);
            }
            Input::Closed { slot, said } => self.closed(now, slot, said),
            Input::Finished { slot, attempt, outcomes, evidence } => {
                self.finished(now, slot, attempt, &outcomes, evidence);
            }
            Input::Verdict { message, verdict } => self.verdict(now, message, verdict),
            Input::Operator(command) => self.command(command),
            Input::Settings(settings) => self.settle_into(settings),
            Input::StoreFailed => {
                if self.closing == Closing::No {
                    self.closing = Closing::StoreFailed;
                }
            }
            Input::Shutdown => {
                self.closing = Closing::Shutdown;
                self.close_idle_sessions();
            }
        }
    }

    /// Does what is due, a step of it; [`Self::deadline`] says when there is more.
    pub fn wake(&mut self, now: Instant) {
        self.wakes += 1;
        self.walk_commands(now);
        self.ring_timers(now);
        self.pump(now);
        if self.closing == Closing::Shutdown && self.sessions == 0 {
            self.closing = Closing::Stopped;
            self.outputs.push_back(Output::Stopped);
        }
    }

    /// What is asked of the world next.
    pub fn poll(&mut self) -> Option<Output<E>> {
        self.outputs.pop_front()
    }

    /// When [`Self::wake`] is due: `now` or before when something is left of this step.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let more = !self.commands.is_empty() || !self.dirty.is_empty();
        if more && self.closing == Closing::No {
            return Some(now);
        }
        self.timers.next()
    }

    fn ring_timers(&mut self, now: Instant) {
        while self.outputs.len() < STEP_OUTPUTS {
            let Some(timer) = self.timers.due(now) else { return };
            match timer {
                Timer::Line(line) => self.release_line(now, line),
                Timer::Unrouted => self.release_unrouted(now),
                Timer::Lane(lane) => self.mark(lane),
                Timer::Path(path) => self.offer_path(path),
                Timer::Idle => self.close_idle_since(now),
                Timer::Sweep => self.sweep_slice(now),
            }
        }
    }

    /// New settings: lanes keep to other ceilings, sessions that are open go on.
    fn settle_into(&mut self, settings: Arc<Settings>) {
        self.settings = settings;
        for i in 0..self.lanes.len() {
            let ceilings = self.ceilings(self.lanes[i].provider);
            self.lanes[i].lane.keep_to(ceilings);
            self.mark(i as u32);
        }
        for path in 0..self.paths.len() {
            self.offer_path(path as u32);
        }
    }

    fn ceilings(&self, provider: ProviderId) -> postlane_lanes::Ceilings {
        *self.settings.provider_ceilings.get(&provider).unwrap_or(&self.settings.ceilings)
    }

    /// The pool's sources with their weights; the first pool's where it is gone.
    fn sources(&self, pool: PoolId) -> &[(SourceId, u16)] {
        let pools = &self.settings.pools;
        let pool = pools.iter().find(|p| p.id == pool).or_else(|| pools.first());
        pool.map_or(&[], |pool| &pool.sources)
    }

    /// The lane has something to do in this or the next step.
    fn mark(&mut self, lane: u32) {
        let state = &mut self.lanes[lane as usize];
        if !state.dirty {
            state.dirty = true;
            self.dirty.push_back(lane);
        }
    }

    /// Writes down where an entry stands, for its recipients' sake.
    fn stand(&mut self, number: u32, state: State) {
        let many = self.recipient_count(number);
        let was = self.slab[number].state;
        self.counts.leave(was, many);
        self.counts.join(state, many);
        self.slab[number].state = state;
    }

    /// Forgets an entry that stands in no list.
    fn forget(&mut self, number: u32) {
        self.stand(number, State::Free);
        if let Some(crowd) = self.slab[number].recipients.as_crowd() {
            self.crowds.remove(crowd);
        }
        self.unable.remove(&number);
        self.slab.remove(number);
    }

    /// Takes an entry out of the list it stands in: it goes on under another number, and its
    /// place is dropped when the list comes to it.
    fn leave_place(&mut self, number: u32) -> u32 {
        let entry = self.slab[number].clone();
        if entry.state == State::Ready && entry.line != crate::entry::NO_LINE {
            self.lines[entry.line as usize].left(entry.stream);
        }
        let moved = self.slab.insert(entry);
        if let Some(hosts) = self.unable.remove(&number) {
            self.unable.insert(moved, hosts);
        }
        self.slab[number].state = State::Left;
        moved
    }

    fn recipient_count(&self, number: u32) -> u64 {
        let recipients = self.slab[number].recipients;
        recipients.as_crowd().map_or(1, |crowd| self.crowds.crowds[crowd as usize].len() as u64)
    }

    /// The recipients of an entry with their domains, in order.
    fn recipients_of(&self, number: u32) -> SmallVec<[(u16, DomainId); 4]> {
        let entry = &self.slab[number];
        match entry.recipients.as_crowd() {
            Some(crowd) => self.crowds.crowds[crowd as usize].iter().copied().collect(),
            None => {
                let index = entry.recipients.as_one().unwrap_or_default();
                SmallVec::from_iter([(index, entry.domain)])
            }
        }
    }
}

impl Crowds {
    fn insert(&mut self, crowd: Vec<(u16, DomainId)>) -> u32 {
        match self.free.pop() {
            Some(number) => {
                self.crowds[number as usize] = crowd;
                number
            }
            None => {
                self.crowds.push(crowd);
                (self.crowds.len() - 1) as u32
            }
        }
    }

    fn remove(&mut self, number: u32) {
        self.crowds[number as usize] = Vec::new();
        self.free.push(number);
    }
}

impl Timers {
    /// Due at `at` and not before; a timer that was armed is moved.
    fn arm(&mut self, timer: Timer, at: Instant) {
        if let Some(was) = self.armed.insert(timer, at) {
            self.order.remove(&(was, timer));
        }
        self.order.insert((at, timer));
    }

    /// Due at `at` or before.
    fn arm_by(&mut self, timer: Timer, at: Instant) {
        if self.armed.get(&timer).is_none_or(|was| *was > at) {
            self.arm(timer, at);
        }
    }

    fn is_armed(&self, timer: Timer) -> bool {
        self.armed.contains_key(&timer)
    }

    fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    fn due(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.order.first().filter(|(at, _)| *at <= now)?;
        self.order.remove(&(at, timer));
        self.armed.remove(&timer);
        Some(timer)
    }
}
