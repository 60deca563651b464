//! The machine: its state, and how an input finds its room.

mod admission;
mod asking;
mod at_once;
mod blame;
mod calendar;
mod forgetting;
mod greylisted;
mod intake;
mod keeping;
mod lane_view;
mod listing;
mod operator;
mod ordered;
mod outcome;
mod particular;
mod pump;
mod quarantine;
mod recipients;
mod reroute;
mod reserve;
mod route;
mod session;
mod sweep;
mod together;
mod ways;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use postlane_lanes::Lane;
use postlane_mail::{Chance, Instant, QueueId};
use smallvec::SmallVec;

use crate::entry::{NO_LINE, State};
use crate::gates::Gates;
use crate::input::{Input, Scope};
use crate::line::Line;
use crate::names::{DomainId, PoolId, ProviderId, SourceId};
use crate::numbered::Numbered;
use crate::output::Output;
use crate::path::Path;
use crate::sections::Held;
use crate::session::{Chain, Slot};
use crate::settings::Settings;
use crate::slab::{List, Slab};
use crate::timers::{Timer, Timers};

pub use forgetting::Known;
pub use lane_view::{HostView, LaneView, OrderedView};
pub use listing::{Counts, Cursor, LaneRow, Row, Standing, Tally};

/// The queue machine.
pub struct Engine<E> {
    settings: Arc<Settings>,
    chance: Chance,
    outputs: VecDeque<Output<E>>,
    slab: Slab,
    crowds: recipients::Crowds,
    domains: Numbered<route::Domain>,
    /// Domains whose answer has come and whose entries have not heard of it yet.
    answered: VecDeque<DomainId>,
    exchanges: Numbered<route::Exchange>,
    lines: Vec<Line>,
    forgetting: forgetting::Forgetting,
    /// Lines that no source can carry any more, as long as something stands in them.
    stranded: VecDeque<u32>,
    /// Lines whose entries are to find their way again.
    moving: VecDeque<reroute::Moving>,
    paths: Vec<Path>,
    lanes: Vec<LaneState>,
    lane_numbers: BTreeMap<(ProviderId, SourceId), u32>,
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    /// The last number given to a session or an attempt.
    serial: u64,
    sessions: u32,
    /// Sessions that are being closed.
    leaving: u32,
    /// Sessions with nothing to do, the longest idle first.
    idle: Chain,
    /// Paths that would open a session if there were not so many.
    crowded_out: VecDeque<u32>,
    dirty: VecDeque<u32>,
    timers: Timers,
    /// What is due at a second since the epoch and has no line yet.
    unrouted: BTreeMap<u32, List>,
    /// What not every host can take.
    unable: BTreeMap<u32, particular::Unable>,
    /// What was greylisted, and by which source it went.
    greylisted: BTreeMap<u32, SourceId>,
    /// Who waits for a verdict on a message.
    verdicts: BTreeMap<QueueId, SmallVec<[u32; 1]>>,
    /// What operators want of recipients when their transaction is over.
    wishes: BTreeMap<u32, operator::Wishes>,
    commands: VecDeque<operator::Walk>,
    sweep: sweep::Sweep,
    /// What operators have ordered, and restart plans.
    ordered: BTreeMap<Scope, ordered::Ordered>,
    /// The number of the last reservation that was asked for.
    reservations: u64,
    /// Lanes of which something is to be kept.
    unsaved: VecDeque<u32>,
    held: Held,
    gates: Gates,
    /// Flows of which something waits, or waited lately.
    flows: Numbered<forgetting::Flow>,
    /// Flows that were heard of are below this.
    flows_heard: u32,
    /// Messages that were deferred, the oldest first, where new mail waits for them: second of
    /// acceptance and entry. What has ended since is still there until its turn comes.
    ageing: BTreeMap<ProviderId, BTreeSet<(u32, u32)>>,
    counts: Counts,
    /// Transactional mail has come, or did before.
    carries_transactional: bool,
    /// What this step has done so far.
    effort: usize,
    closing: Closing,
}

/// A lane and who waits for it.
#[derive(Debug)]
struct LaneState {
    lane: Lane,
    provider: ProviderId,
    source: SourceId,
    /// Whose mail it carries.
    paths: Vec<u32>,
    /// The provider has an address of its source's family.
    has_way: bool,
    /// The lanes of other sources that have a way to the same provider.
    siblings: SmallVec<[u32; 4]>,
    /// When its backlog was counted last.
    expected: Instant,
    /// Paths with something ready, by stream.
    rings: [VecDeque<u32>; 3],
    /// Paths that would open a session if the lane had room for one, by stream.
    at_window: [VecDeque<u32>; 3],
    /// Its sessions with nothing to do.
    idle: u32,
    /// Its sessions that are being closed.
    leaving: u32,
    dirty: bool,
    /// An order or a restart plan binds it.
    is_ordered: bool,
    /// It has heard something since it was kept last.
    is_unsaved: bool,
    /// Decisions of it that were told.
    told: u64,
    /// When it heard something last.
    heard: Instant,
    /// Since when it rests, and whether it is alone with that among its provider's sources.
    rests: quarantine::Rests,
    shares: together::Shares,
    /// It was forgotten; its number waits for another lane.
    is_gone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// The store failed: nothing new, sessions end as they become idle.
    StoreFailed,
    Shutdown,
    Stopped,
}

/// Outputs in one step, about; what is left is done in the next, so that nobody who tells
/// the engine something waits long. Releasing a whole second at once blocked 3–17 ms
/// (measured while the house was planned).
const STEP_OUTPUTS: usize = 1024;

/// Entries moved and timers rung in one step, about. The larger part costs 100 ns or less
/// each (`benches/queue.rs`).
const STEP_EFFORT: usize = 4096;

impl<E> Engine<E> {
    /// An engine with nothing in it. The same seed and the same inputs give the same outputs.
    pub fn new(settings: Arc<Settings>, seed: u64) -> Self {
        Self {
            settings,
            chance: Chance::new(seed),
            outputs: VecDeque::new(),
            slab: Slab::default(),
            crowds: recipients::Crowds::default(),
            domains: Numbered::default(),
            answered: VecDeque::new(),
            exchanges: Numbered::default(),
            forgetting: forgetting::Forgetting::default(),
            lines: Vec::new(),
            stranded: VecDeque::new(),
            moving: VecDeque::new(),
            paths: Vec::new(),
            lanes: Vec::new(),
            lane_numbers: BTreeMap::new(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            serial: 0,
            sessions: 0,
            leaving: 0,
            idle: Chain::default(),
            crowded_out: VecDeque::new(),
            dirty: VecDeque::new(),
            timers: Timers::default(),
            unrouted: BTreeMap::new(),
            unable: BTreeMap::new(),
            greylisted: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            wishes: BTreeMap::new(),
            commands: VecDeque::new(),
            sweep: sweep::Sweep::default(),
            ordered: BTreeMap::new(),
            reservations: 0,
            unsaved: VecDeque::new(),
            held: Held::default(),
            gates: Gates::default(),
            flows: Numbered::default(),
            flows_heard: 0,
            ageing: BTreeMap::new(),
            counts: Counts::default(),
            carries_transactional: false,
            effort: 0,
            closing: Closing::No,
        }
    }

    /// Hears something.
    pub fn handle(&mut self, now: Instant, input: Input<E>) {
        match input {
            Input::Submitted(submissions) => {
                for submission in submissions {
                    self.submitted(now, &submission);
                }
            }
            Input::Recalled(recalled) => self.recall(now, recalled),
            Input::Lane(command) => self.lane_command(now, command),
            Input::Committed { upto } => self.committed(upto),
            Input::Resolved { domain, answer } => self.resolved(domain, answer),
            Input::Sections(sections) => self.keep_sections(now, *sections),
            Input::Passes(passes) => self.learn_passes(passes),
            Input::Opened { slot } => self.opened(now, slot),
            Input::ConnectFailed { slot, why, evidence } => {
                self.connect_failed(now, slot, &why, evidence);
            }
            Input::Closed { slot, said, evidence } => self.closed(now, slot, said, evidence),
            Input::Finished { slot, attempt, outcomes, evidence } => {
                self.finished(now, slot, attempt, &outcomes, evidence);
            }
            Input::Verdict { message, verdict } => self.verdict(now, message, verdict),
            Input::Operator(command) => self.command(now, &command),
            Input::Settings(settings) => self.settle_into(settings),
            Input::Reroute => self.reroute(),
            Input::StoreFailed => {
                if self.closing == Closing::No {
                    self.closing = Closing::StoreFailed;
                }
            }
            Input::Shutdown => {
                if self.closing != Closing::Stopped {
                    self.closing = Closing::Shutdown;
                }
                self.close_all_idle();
            }
        }
    }

    /// Does what is due, a step of it; [`Self::deadline`] says when there is more.
    pub fn wake(&mut self, now: Instant) {
        self.effort = 0;
        if self.closing == Closing::No {
            self.walk_commands(now);
            self.ring_timers(now);
            self.move_on(now);
            self.tell_answers(now);
            self.clear_stranded(now);
            self.pump(now);
            return;
        }
        self.give_up_commands();
        self.close_idle_since(now);
        if self.closing == Closing::Shutdown && self.sessions == 0 {
            self.closing = Closing::Stopped;
            self.keep_all(now);
            self.outputs.push_back(Output::Stopped);
        }
    }

    /// What is asked of the world next.
    pub fn poll(&mut self) -> Option<Output<E>> {
        self.outputs.pop_front()
    }

    /// When [`Self::wake`] is due: `now` or before when something is left of this step.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        if self.closing != Closing::No {
            return self.idle_due();
        }
        let more = !self.commands.is_empty()
            || !self.dirty.is_empty()
            || !self.answered.is_empty()
            || !self.stranded.is_empty()
            || !self.moving.is_empty();
        if more { Some(now) } else { self.timers.next() }
    }

    fn ring_timers(&mut self, now: Instant) {
        while self.has_time() {
            let Some(timer) = self.timers.due(now) else { return };
            self.effort += 1;
            match timer {
                Timer::Line(line) => self.release_line(now, line),
                Timer::Unrouted => self.release_unrouted(now),
                Timer::Lane(lane) => self.mark(lane),
                Timer::Path(path) => self.offer_path(path),
                Timer::Idle => self.close_idle_since(now),
                Timer::Sweep => self.sweep_slice(now),
                Timer::Orders => self.look_at_orders(now),
                Timer::Keeping => self.keep_some(now),
                Timer::Forgetting => self.forget_unused(now),
            }
        }
    }

    /// Whether this step may go on with what can wait.
    fn has_time(&self) -> bool {
        self.effort < STEP_EFFORT && self.outputs.len() < STEP_OUTPUTS
    }

    /// The lane has something to do in this or the next step.
    fn mark(&mut self, lane: u32) {
        let state = &mut self.lanes[lane as usize];
        if !state.dirty {
            state.dirty = true;
            self.dirty.push_back(lane);
        }
    }

    fn settle_into(&mut self, settings: Arc<Settings>) {
        self.settings = settings;
        for i in 0..self.lanes.len() {
            if self.lanes[i].is_gone {
                continue;
            }
            let ceilings = self.ceilings(self.lanes[i].provider);
            self.lanes[i].lane.keep_to(ceilings, self.settings.learning);
        }
        self.find_ways_anew();
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

    /// Writes down where an entry stands, for its recipients' sake.
    fn stand(&mut self, number: u32, state: State) {
        let many = self.recipient_count(number);
        let was = std::mem::replace(&mut self.slab[number].state, state);
        self.counts.leave(was, many);
        self.counts.join(state, many);
    }

    /// Forgets an entry that stands in no list.
    fn forget(&mut self, number: u32) {
        self.stand(number, State::Free);
        self.move_to_line(number, NO_LINE);
        self.leave_domains(number);
        self.leave_flow(number);
        if let Some(crowd) = self.slab[number].recipients.as_crowd() {
            self.crowds.remove(crowd);
        }
        self.unable.remove(&number);
        self.greylisted.remove(&number);
        self.wishes.remove(&number);
        self.stop_waiting_for_verdict(number);
        self.slab.remove(number);
    }

    /// Takes an entry out of whatever list it stands in.
    fn pull(&mut self, number: u32) {
        let (state, line, due, domain) = {
            let entry = &self.slab[number];
            (entry.state, entry.line, entry.due_s, entry.domain)
        };
        match state {
            State::Ready => {
                let shelf = self.shelf_of(number);
                self.lines[line as usize].leave(&mut self.slab, number, shelf);
            }
            State::Routing => self.stop_waiting_for(domain, number),
            State::Deferred => {
                let calendar = match self.lines.get_mut(line as usize) {
                    Some(line) => &mut line.deferred,
                    None => {
                        debug_assert_eq!(line, NO_LINE);
                        &mut self.unrouted
                    }
                };
                if let Some(list) = calendar.get_mut(&due) {
                    list.remove(&mut self.slab, number);
                    if list.is_empty() {
                        calendar.remove(&due);
                    }
                }
            }
            // Whoever waits for a verdict is found by its message.
            State::Free | State::Moving | State::Active | State::Held | State::Verdict => {}
        }
        self.stand(number, State::Moving);
    }
}
