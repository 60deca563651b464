//! What operators have ordered of providers and lanes, and restart plans under way.
//!
//! An order for a provider binds all its lanes; one for a lane, that lane. Both must agree. An
//! order holds as soon as it is heard, and its sender is answered when it is durable. Orders
//! and plans are few: what is asked before each message is a flag of the lane's.

use postlane_lanes::{
    Allowance, FirstAttempt, Judgement, Leave, Memory, Order, OrderKind, Orders, Restart, Waiting,
    Who, Wish,
};
use postlane_mail::{Instant, Stream};

use super::pump::Served;
use super::{Engine, Timer};
use crate::input::{LaneAction, LaneCommand, Recalled, Scope};
use crate::names::{ProviderId, SourceId};
use crate::output::{Event, Output};
use crate::sections::Sections;

/// What holds of a provider, or of one lane.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    pub(super) orders: Orders,
    pub(super) restart: Option<Restart>,
    /// The batch that makes the plan's next reservation durable.
    reserving: Option<(u64, postlane_lanes::Reservation)>,
}

impl Ordered {
    fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.restart.is_none()
    }
}

impl<E> Engine<E> {
    /// Takes up what was kept: before anything is submitted.
    pub(super) fn recall(&mut self, now: Instant, recalled: Vec<Recalled>) {
        for Recalled { scope, memory, reserved } in recalled {
            let Memory { mut orders, mut restart, learned } = memory;
            orders.forget_ended(now);
            if let (Some(plan), Some(reserved)) = (&mut restart, reserved) {
                plan.forfeit(reserved);
            }
            if !orders.is_empty() || restart.is_some() {
                self.ordered.insert(scope, Ordered { orders, restart, reserving: None });
            }
            if let (Some(learned), Some(source)) = (learned, scope.source) {
                let lane = self.lane(scope.provider, source);
                let state = &mut self.lanes[lane as usize];
                state.heard = learned.at.min(now);
                state.shares.recall(learned.is_shared);
                state.rests.recall(learned.rest.map(|rest| rest.refused));
                state.lane.recall(now, &learned);
                self.carries_transactional |= learned.usual.is_some();
            }
            self.heed(now, scope);
        }
        self.watch_orders(now);
    }

    /// Does what an operator says of a lane or a provider.
    pub(super) fn lane_command(&mut self, now: Instant, command: LaneCommand) {
        let LaneCommand { request, scope, by, action } = command;
        let ordered = self.ordered.entry(scope).or_default();
        let mut judged = None;
        let rolls_back = action == LaneAction::RollBack;
        let mut included = false;
        let changed = match action {
            LaneAction::Give { what, until } => {
                ordered.orders.give(Order { what, by, since: now, until });
                true
            }
            LaneAction::Resume => ordered.orders.resume() > 0,
            LaneAction::TakeBack(kind) => {
                included = kind == OrderKind::Exclude;
                ordered.orders.take_back(kind).is_some()
            }
            LaneAction::Begin(ladder) => {
                let plan = Restart::begin(ladder, by, now, ordered.restart.as_ref());
                ordered.restart = Some(plan);
                true
            }
            LaneAction::EndPlan => ordered.restart.as_mut().is_some_and(Restart::end),
            LaneAction::Tell(told, sign) => match &mut ordered.restart {
                Some(plan) if !plan.is_finished() => {
                    plan.tell(told, sign);
                    true
                }
                _ => false,
            },
            LaneAction::RollBack => {
                judged = ordered.restart.as_mut().and_then(|plan| plan.roll_back(now));
                judged.is_some()
            }
        };
        // Without a plan a lane goes back to the rate that held last.
        let lanes_changed = rolls_back && self.roll_lanes_back(now, scope)
            || included && self.end_quarantine(now, scope);
        self.tell_judgement(scope, judged);
        if changed || lanes_changed {
            self.keep(now, scope, Some(request));
        } else {
            self.outputs.push_back(Output::Answered { request, recipients: 0 });
        }
        if self.ordered.get(&scope).is_some_and(Ordered::is_empty) {
            self.ordered.remove(&scope);
        }
        self.heed(now, scope);
        self.watch_orders(now);
    }

    /// Restart plans that are written in the configuration begin, where there was none before;
    /// those that have begun so go on with the days that are written now.
    pub(super) fn begin_written_plans(&mut self, now: Instant, sections: &Sections) {
        for (provider, rules) in &sections.providers {
            let Some(mut ladder) = rules.restart.clone() else { continue };
            if let Some(bands) = rules.bands {
                (ladder.healthy, ladder.stop) = (bands.healthy().parts(), bands.stop().parts());
            }
            let scope = Scope { provider: *provider, source: None };
            let by = Who::new(Restart::CONFIGURED);
            let ordered = self.ordered.entry(scope).or_default();
            match &mut ordered.restart {
                None => ordered.restart = Some(Restart::begin(ladder, by, now, None)),
                Some(plan) if plan.by() == &by && *plan.ladder() != ladder => plan.climb(ladder),
                Some(_) => continue,
            }
            self.keep(now, scope, None);
            self.heed(now, scope);
        }
        self.watch_orders(now);
    }

    /// What is durable may be used.
    pub(super) fn committed(&mut self, upto: u64) {
        let mut ready = Vec::new();
        for (scope, ordered) in &mut self.ordered {
            if let Some((_, reservation)) = ordered.reserving.take_if(|(seq, _)| *seq <= upto)
                && let Some(plan) = &mut ordered.restart
            {
                plan.reserved(reservation);
                ready.push(*scope);
            }
        }
        ready.into_iter().for_each(|scope| self.offer_lanes_of(scope));
    }

    /// Turns days and forgets orders that have ended, where it is time.
    pub(super) fn look_at_orders(&mut self, now: Instant) {
        let scopes: Vec<Scope> = self.ordered.keys().copied().collect();
        for scope in scopes {
            let turns = |plan: &Restart| !plan.is_finished() && plan.next_turn() <= now;
            let is_due = self.ordered[&scope].restart.as_ref().is_some_and(turns);
            let deferred = is_due.then(|| self.deferred_of(scope));
            let Some(ordered) = self.ordered.get_mut(&scope) else { continue };
            let ended = ordered.orders.forget_ended(now);
            let judged = ordered.restart.as_mut().and_then(|plan| plan.turn(now, deferred));
            if ended || judged.is_some() {
                self.tell_judgement(scope, judged);
                self.keep(now, scope, None);
                if self.ordered.get(&scope).is_some_and(Ordered::is_empty) {
                    self.ordered.remove(&scope);
                }
                self.heed(now, scope);
            }
        }
        self.watch_orders(now);
    }

    /// What stands against mail of a stream on a path: an order, or a day's cap.
    pub(super) fn held_by_order(
        &mut self,
        now: Instant,
        (path, line): (u32, u32),
        stream: Stream,
    ) -> Option<Served> {
        let lane = self.paths[path as usize].lane;
        if !self.lanes[lane as usize].is_ordered {
            return None;
        }
        let accepted = self.lines[line as usize].oldest(&self.slab, stream).unwrap_or(now);
        let is_open = self.free_session(path).is_some();
        let wish =
            if is_open { Wish::Send(stream, accepted) } else { Wish::Open(stream, accepted) };
        match self.order_says(now, lane, wish) {
            Leave::Granted => None,
            // It is offered again when the order ends, or is taken back.
            Leave::Held { .. } => Some(Served::Waits),
        }
    }

    /// Whether a restart plan's day has a unit left for the stream; if not, the path waits.
    pub(super) fn day_is_used(&mut self, now: Instant, lane: u32, stream: Stream) -> bool {
        if !self.lanes[lane as usize].is_ordered {
            return false;
        }
        self.reserve_days(now, lane);
        self.day_allows(now, lane, stream) != Allowance::Granted
    }

    /// Takes a unit of the days of all plans that bind a lane.
    pub(super) fn spend_day(&mut self, now: Instant, lane: u32, stream: Stream) {
        if !self.lanes[lane as usize].is_ordered {
            return;
        }
        for scope in self.scopes_of(lane) {
            if let Some(plan) = self.ordered.get_mut(&scope).and_then(|o| o.restart.as_mut()) {
                plan.spend(now, stream);
            }
        }
        self.reserve_days(now, lane);
    }

    /// Tells plans what became of a first attempt.
    pub(super) fn first_attempt(&mut self, now: Instant, lane: u32, what: FirstAttempt) {
        if !self.lanes[lane as usize].is_ordered {
            return;
        }
        for scope in self.scopes_of(lane) {
            let plan = self.ordered.get_mut(&scope).and_then(|o| o.restart.as_mut());
            if let Some(judged) = plan.and_then(|plan| plan.tried(now, what)) {
                self.tell_judgement(scope, Some(judged));
                self.keep(now, scope, None);
            }
        }
    }

    /// What an order says to a wish: the provider's or the lane's own, whichever holds longer.
    pub(super) fn order_says(&self, now: Instant, lane: u32, wish: Wish) -> Leave {
        let held = self.ordered_of(lane).map(|ordered| ordered.orders.permits(now, wish));
        let longest = |leave: &Leave| match leave {
            Leave::Granted => Instant::default(),
            Leave::Held { until, .. } => until.unwrap_or(Instant::MAX),
        };
        held.max_by_key(longest).unwrap_or(Leave::Granted)
    }

    /// Why nothing of a stream goes on a lane, where an order or a plan is the reason.
    pub(super) fn why_ordered(
        &self,
        now: Instant,
        lane: u32,
        stream: Stream,
        accepted: Instant,
    ) -> Option<Waiting> {
        if !self.lanes[lane as usize].is_ordered {
            return None;
        }
        if let Leave::Held { kind, until } =
            self.order_says(now, lane, Wish::Open(stream, accepted))
        {
            return Some(Waiting::Ordered { kind, until });
        }
        match self.day_allows(now, lane, stream) {
            Allowance::Used { until } => Some(Waiting::Day { until }),
            _ => None,
        }
    }

    /// Whether an order keeps a lane from sending mail of this stream that is old enough.
    pub(super) fn is_held(&self, now: Instant, lane: u32, stream: Stream) -> bool {
        let wish = Wish::Open(stream, Instant::default());
        self.lanes[lane as usize].is_ordered && self.order_says(now, lane, wish) != Leave::Granted
    }

    /// What was accepted later waits, by order; the earliest of several such moments.
    pub(super) fn new_since(&self, now: Instant, lane: u32, stream: Stream) -> Option<Instant> {
        if !self.lanes[lane as usize].is_ordered {
            return None;
        }
        self.ordered_of(lane).filter_map(|o| o.orders.holds_new_since(now, stream)).min()
    }

    /// What holds of a lane: by its provider, and by itself.
    pub(super) fn ordered_of(&self, lane: u32) -> impl Iterator<Item = &Ordered> {
        self.scopes_of(lane).into_iter().filter_map(|scope| self.ordered.get(&scope))
    }

    fn scopes_of(&self, lane: u32) -> [Scope; 2] {
        let state = &self.lanes[lane as usize];
        Scope::both(state.provider, state.source)
    }

    fn day_allows(&self, now: Instant, lane: u32, stream: Stream) -> Allowance {
        let plans = self.ordered_of(lane).filter_map(|ordered| ordered.restart.as_ref());
        let mut allowed = Allowance::Granted;
        for allowance in plans.map(|plan| plan.allows(now, stream)) {
            match allowance {
                Allowance::Used { .. } => return allowance,
                Allowance::Reserving => allowed = allowance,
                Allowance::Granted => {}
            }
        }
        allowed
    }

    /// Has the next block of each plan's day made durable, where it is time.
    fn reserve_days(&mut self, now: Instant, lane: u32) {
        for scope in self.scopes_of(lane) {
            let Some(ordered) = self.ordered.get_mut(&scope) else { continue };
            let wanted = ordered.restart.as_mut().and_then(|plan| plan.wants(now));
            if let Some(reservation) = wanted {
                self.reservations += 1;
                let seq = self.reservations;
                ordered.reserving = Some((seq, reservation));
                self.outputs.push_back(Output::Reserve { seq, scope, reservation });
            }
        }
    }

    /// Lets a scope's lanes know what holds of them, and has them look for work.
    fn heed(&mut self, now: Instant, scope: Scope) {
        for lane in self.lanes_of(scope) {
            self.heed_lane(now, lane);
        }
        self.offer_lanes_of(scope);
    }

    /// Lets a lane know what holds of it.
    pub(super) fn heed_lane(&mut self, now: Instant, lane: u32) {
        let ordered = self.ordered_of(lane).next().is_some();
        let pins = self.ordered_of(lane).filter_map(|ordered| ordered.orders.pinned(now));
        let pinned = pins.max_by_key(|rate| rate.gap());
        let state = &mut self.lanes[lane as usize];
        state.is_ordered = ordered;
        if state.lane.pinned() != pinned {
            state.lane.pin(pinned);
        }
    }

    fn offer_lanes_of(&mut self, scope: Scope) {
        for lane in self.lanes_of(scope) {
            for place in 0..self.lanes[lane as usize].paths.len() {
                self.offer_path(self.lanes[lane as usize].paths[place]);
            }
        }
    }

    pub(super) fn lanes_of(&self, scope: Scope) -> Vec<u32> {
        let all = (scope.provider, SourceId(0))..=(scope.provider, SourceId(u16::MAX));
        let meant =
            |(_, source): &(ProviderId, SourceId)| scope.source.is_none_or(|s| s == *source);
        let lanes = self.lane_numbers.range(all).filter(|(key, _)| meant(key));
        lanes.map(|(_, lane)| *lane).collect()
    }

    fn roll_lanes_back(&mut self, now: Instant, scope: Scope) -> bool {
        let mut any = false;
        for lane in self.lanes_of(scope) {
            any |= self.lanes[lane as usize].lane.roll_back(now);
            self.unsaved(now, lane);
        }
        any
    }

    /// Messages of a scope that were tried and wait for another attempt. Looks at every line's
    /// calendar, once a day.
    fn deferred_of(&self, scope: Scope) -> u64 {
        let mut deferred = 0;
        for line in &self.lines {
            let of_scope = line.ways.iter().any(|way| {
                let lane = &self.lanes[self.paths[way.path as usize].lane as usize];
                lane.provider == scope.provider
                    && scope.source.is_none_or(|source| source == lane.source)
            });
            if of_scope {
                deferred += line.tried(&self.slab);
            }
        }
        deferred
    }

    fn tell_judgement(&mut self, scope: Scope, judged: Option<Judgement>) {
        self.outputs
            .extend(judged.map(|judgement| Output::Record(Event::Judged { scope, judgement })));
    }

    fn watch_orders(&mut self, now: Instant) {
        let turn = |plan: &Restart| (!plan.is_finished()).then(|| plan.next_turn());
        let all = self.ordered.values();
        let next = all.filter_map(|ordered| {
            let ends = ordered.orders.next_end(now);
            ends.into_iter().chain(ordered.restart.as_ref().and_then(turn)).min()
        });
        if let Some(next) = next.min() {
            self.timers.arm(Timer::Orders, next);
        }
    }

    /// Says what a lane has decided since it was asked last; whether it has.
    pub(super) fn tell_decisions(&mut self, lane: u32) -> bool {
        let state = &mut self.lanes[lane as usize];
        let made = state.lane.decided();
        let new = usize::try_from(made - state.told).unwrap_or(usize::MAX);
        if new == 0 {
            return false;
        }
        state.told = made;
        let (provider, source) = (state.provider, state.source);
        let decisions: Vec<_> = state.lane.decisions().rev().take(new).collect();
        let told = decisions.into_iter().rev().map(|(_, decision)| {
            Output::Record(Event::Decided { provider, source, decision: *decision })
        });
        self.outputs.extend(told);
        true
    }
}
