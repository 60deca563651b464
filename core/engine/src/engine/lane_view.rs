//! Lanes, for those who ask what they do and why. Looks, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use postlane_lanes::{
    Ask, Caps, Ceilings, Decision, Order, Permit, Quota, Restart, State, Waiting,
};
use postlane_mail::{Instant, Rate, Span, Stream};

use super::Engine;
use super::listing::resting;
use crate::input::Scope;
use crate::names::{HostId, ProviderId, SourceId};
use crate::session::SlotState;

/// A lane, as it stands.
#[derive(Debug, Clone)]
pub struct LaneView {
    /// The provider.
    pub provider: ProviderId,
    /// The source.
    pub source: SourceId,
    /// Whether it finds out what its provider takes.
    pub learns: bool,
    /// What its controller does.
    pub state: State,
    /// Messages a second, below its ceilings.
    pub rate: f64,
    /// The rate an operator has pinned it to.
    pub pinned: Option<Rate>,
    /// What it never exceeds.
    pub ceilings: Ceilings,
    /// Sessions open or opening.
    pub open: u16,
    /// As many as there may be, by ceilings and by what was learned.
    pub connections: u16,
    /// Messages on one session, likewise.
    pub session_messages: u32,
    /// What the provider has said of sessions.
    pub caps: Caps,
    /// Limits it relies on.
    pub quotas: Vec<Quota>,
    /// Limits that may be there.
    pub suspects: Vec<Quota>,
    /// How long the provider shuts it out when it goes too far.
    pub shut_out: Option<Span>,
    /// Messages accepted and refused in all.
    pub accepted: u64,
    /// Of them, refused.
    pub refused: u64,
    /// Entries ready for it; they may go by other sources of their pool, too.
    pub ready: u64,
    /// Since when its source alone is refused, and mail goes by the others of its pool.
    pub quarantined: Option<Instant>,
    /// Its hosts that have answered, the busiest first; `HOSTS_MAX` at most, and none where all
    /// lanes are looked at.
    pub hosts: Vec<HostView>,
    /// Why the next message does not go now.
    pub waiting: Option<Waiting>,
    /// Its last decisions, the oldest first.
    pub decisions: Vec<(Instant, Decision)>,
}

/// One MX host of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostView {
    /// Which.
    pub host: HostId,
    /// Messages it has accepted.
    pub accepted: u64,
    /// Messages and sessions it has refused, for no recipient's sake.
    pub refused: u64,
    /// Sessions open or opening.
    pub open: u32,
    /// Until when it is not tried, as it could not be reached or turned us away.
    pub rests_until: Option<Instant>,
}

/// Hosts that are shown of a lane, at most.
const HOSTS_MAX: usize = 64;

/// What holds of a provider, or of one lane, by order.
#[derive(Debug, Clone)]
pub struct OrderedView {
    /// Of which.
    pub scope: Scope,
    /// Orders that hold.
    pub orders: Vec<Order>,
    /// The restart plan.
    pub restart: Option<Restart>,
}

impl<E> Engine<E> {
    /// All lanes that lead somewhere, or those of a provider, each with so many of its last decisions.
    pub fn lane_views(
        &self,
        now: Instant,
        provider: Option<ProviderId>,
        decisions: usize,
    ) -> Vec<LaneView> {
        let is_meant = |key: &(ProviderId, SourceId)| provider.is_none_or(|p| p == key.0);
        let meant = self.lane_numbers.iter().filter(|(key, _)| is_meant(key));
        meant
            .filter(|(_, lane)| self.leads_somewhere(**lane))
            .map(|(_, lane)| {
                let view = self.lane_view(now, *lane, decisions);
                // Not for all lanes at once: everything waits for who looks.
                let hosts = provider.map(|_| self.hosts_of(now, *lane)).unwrap_or_default();
                LaneView { hosts, ..view }
            })
            .collect()
    }

    /// All orders and restart plans, or a provider's and its lanes'.
    pub fn ordered_views(&self, now: Instant, provider: Option<ProviderId>) -> Vec<OrderedView> {
        let all = self.ordered.iter();
        let meant = all.filter(|(scope, _)| provider.is_none_or(|p| p == scope.provider));
        let view = |(scope, ordered): (&Scope, &super::ordered::Ordered)| OrderedView {
            scope: *scope,
            orders: ordered.orders.holding(now).cloned().collect(),
            restart: ordered.restart.clone(),
        };
        meant.map(view).collect()
    }

    /// Whether a lane has carried something, or could: not where the provider has no address of
    /// the source's family.
    fn leads_somewhere(&self, number: u32) -> bool {
        let state = &self.lanes[number as usize];
        let mut paths = state.paths.iter().map(|path| &self.paths[*path as usize]);
        state.lane.tally() != (0, 0) || paths.any(|path| !path.addresses.is_empty())
    }

    fn lane_view(&self, now: Instant, number: u32, decisions: usize) -> LaneView {
        let state = &self.lanes[number as usize];
        let lane = &state.lane;
        let lines = state.paths.iter().flat_map(|path| &self.paths[*path as usize].lines);
        // A lane of all sources has a path for each, and a line is on all of them.
        let lines: BTreeSet<u32> = lines.copied().collect();
        let ready = |line: &u32| u64::from(self.lines[*line as usize].ready_in_all());
        let (accepted, refused) = lane.tally();
        let mut last: Vec<_> = lane.decisions().rev().take(decisions).copied().collect();
        last.reverse();
        LaneView {
            provider: state.provider,
            source: state.source,
            learns: lane.learns(),
            state: lane.state(),
            rate: lane.rate(),
            pinned: lane.pinned(),
            ceilings: lane.ceilings(),
            open: lane.open(),
            connections: lane.connections(),
            session_messages: lane.session_messages(),
            caps: *lane.caps(),
            quotas: lane.quotas().to_vec(),
            suspects: lane.suspects().to_vec(),
            shut_out: lane.shut_out(),
            accepted,
            refused,
            ready: lines.iter().map(ready).sum(),
            quarantined: state.rests.quarantined(),
            hosts: Vec::new(),
            waiting: self.lane_waits(now, number),
            decisions: last,
        }
    }

    /// The hosts of a lane, over all its exchanges.
    fn hosts_of(&self, now: Instant, number: u32) -> Vec<HostView> {
        let mut hosts: BTreeMap<HostId, HostView> = BTreeMap::new();
        let paths = &self.lanes[number as usize].paths;
        for address in paths.iter().flat_map(|path| &self.paths[*path as usize].addresses) {
            let rests_until = Some(address.rests_until()).filter(|until| *until > now);
            if address.accepted == 0 && address.refused == 0 && rests_until.is_none() {
                continue;
            }
            let host = address.host;
            let new = HostView { host, accepted: 0, refused: 0, open: 0, rests_until: None };
            let view = hosts.entry(host).or_insert(new);
            view.accepted += u64::from(address.accepted);
            view.refused += u64::from(address.refused);
            view.rests_until = view.rests_until.max(rests_until);
        }
        for slot in self.slots.iter().filter(|slot| slot.lane == number) {
            if slot.state != SlotState::Free
                && let Some(view) = hosts.get_mut(&slot.host)
            {
                view.open += 1;
            }
        }
        let mut all: Vec<HostView> = hosts.into_values().collect();
        all.sort_by_key(|view| std::cmp::Reverse(view.accepted + view.refused));
        all.truncate(HOSTS_MAX);
        all
    }

    /// Why a lane's next message does not go, of the most urgent stream that has any.
    fn lane_waits(&self, now: Instant, number: u32) -> Option<Waiting> {
        let state = &self.lanes[number as usize];
        let lines = || state.paths.iter().flat_map(|path| &self.paths[*path as usize].lines);
        let has = |stream: &Stream| lines().any(|l| self.lines[*l as usize].ready(*stream) > 0);
        let stream = Stream::ALL.into_iter().find(has).unwrap_or_default();
        let oldest = lines().filter_map(|l| self.lines[*l as usize].oldest(&self.slab, stream));
        let accepted = oldest.min().unwrap_or_default();
        if let Some(waiting) = self.why_ordered(now, number, stream, accepted) {
            return Some(waiting);
        }
        let lane = &state.lane;
        match lane.permit(now, stream, Ask::Message) {
            Permit::After(waiting) => Some(waiting),
            Permit::Busy if lane.state() == State::Canary => Some(Waiting::Canary),
            Permit::Busy | Permit::Full => {
                Some(Waiting::Window { open: lane.open(), limit: lane.connections() })
            }
            Permit::Now => self.hosts_rest(now, number),
        }
    }

    /// Until when nothing goes by a lane that might send, as all the hosts that its mail is for rest: what
    /// that mail says of itself, too.
    fn hosts_rest(&self, now: Instant, number: u32) -> Option<Waiting> {
        let waits = |line: &u32| self.lines[*line as usize].ready_in_all() > 0;
        let paths = self.lanes[number as usize].paths.iter();
        let paths = paths.map(|path| &self.paths[*path as usize]);
        let mut first: Option<(Instant, Waiting)> = None;
        for path in paths.filter(|path| path.lines.iter().any(waits)) {
            // A path without an address carries nothing anyway.
            let Some(until) = path.rests_until(&[]) else { continue };
            if until <= now || path.open > 0 {
                return None;
            }
            if first.is_none_or(|(first, _)| until < first) {
                first = Some((until, resting(until, path.failed_last(&[]))));
            }
        }
        first.map(|(_, waiting)| waiting)
    }
}
