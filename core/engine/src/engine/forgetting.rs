//! What nobody has used for long is forgotten: domains, exchanges, lanes, providers and flows. What is
//! queued for, what is under way and what was learned and is worth keeping stays.
//!
//! A number leaves in two steps. At first the world gives the name a new one if it is used again;
//! those who are on their way with the old one are heard all the same. When none has come for as
//! long again, the number stands for nothing any more. It is never given to anything else.

use std::collections::{BTreeMap, VecDeque};

use postlane_mail::{Instant, Span};
use smallvec::SmallVec;

use super::{Engine, Timer};
use crate::entry::NO_LINE;
use crate::gates::Of;
use crate::input::Scope;
use crate::line::{Line, NO_EXCHANGE};
use crate::names::{DomainId, ExchangeId, FlowId, Name, ProviderId, SourceId};
use crate::output::{Kept, Output};
use crate::path::Path;
use crate::settings::Keeping;

/// How much the engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Recipients' domains.
    pub domains: usize,
    /// Sets of hosts.
    pub exchanges: usize,
    /// Queues: a set of hosts from a pool.
    pub lines: usize,
    /// Ways: a set of hosts from a source.
    pub paths: usize,
    /// Lanes.
    pub lanes: usize,
    /// Tenants' campaigns.
    pub flows: usize,
    /// Names that are unused and whose numbers are still understood.
    pub leaving: usize,
}

/// Numbers that are free, and where the search is.
#[derive(Debug, Default)]
pub(super) struct Forgetting {
    pub(super) lines: Vec<u32>,
    pub(super) paths: Vec<u32>,
    pub(super) lanes: Vec<u32>,
    /// Exchanges of each provider.
    exchanges_of: BTreeMap<ProviderId, u32>,
    /// Names without a use, since then.
    leaving: VecDeque<(Instant, Name)>,
    /// Since when each of them is, last.
    unused_since: BTreeMap<Name, Instant>,
    domains: Walk,
    flows: Walk,
    exchanges: Walk,
    all_lanes: Walk,
}

/// What is known of a flow.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Entries of it, in whatever state.
    entries: u32,
    /// Nobody has used it since it was looked at last.
    is_idle: bool,
}

/// A walk through a table, again and again.
#[derive(Debug, Default)]
struct Walk {
    /// What is looked at next.
    next: usize,
    /// How much there was when it began.
    length: usize,
}

impl Walk {
    /// How many of so many are looked at now.
    fn share(&self, of: usize) -> usize {
        let times = (UNUSED_FOR.0 / EVERY.0) as usize;
        (self.length.max(of) / times + 1).min(LOOKED_AT_MAX).min(of)
    }

    fn begin(&mut self, length: usize) {
        *self = Self { next: 0, length };
    }
}

/// What nobody has used for so long is forgotten, and twice as long at most. As long as a host
/// that cannot be reached rests, so that nothing is forgotten that would still matter.
pub(super) const UNUSED_FOR: Span = Span::from_min(30);

/// The search goes on so often, and looks at each thing once in [`UNUSED_FOR`].
const EVERY: Span = Span::from_min(1);

/// Things looked at in one step at most; what is more takes longer.
const LOOKED_AT_MAX: usize = 16_384;

/// What was learned of a provider a month ago says little: as at a start. Chosen, not measured.
const FRESH_FOR: Span = Span::from_h(30 * 24);

impl<E> Engine<E> {
    /// How much the engine knows, whether or not anything waits for it.
    pub fn known(&self) -> Known {
        Known {
            domains: self.domains.len(),
            exchanges: self.exchanges.len(),
            lines: self.lines.len() - self.forgetting.lines.len(),
            paths: self.paths.len() - self.forgetting.paths.len(),
            lanes: self.lanes.len() - self.forgetting.lanes.len(),
            flows: self.flows.len(),
            leaving: self.forgetting.leaving.len(),
        }
    }

    pub(super) fn arm_forgetting(&mut self, now: Instant) {
        if self.timers.armed(Timer::Forgetting).is_none() {
            self.timers.arm(Timer::Forgetting, now + EVERY);
        }
    }

    /// Looks at a part of all that could be forgotten.
    pub(super) fn forget_unused(&mut self, now: Instant) {
        for _ in 0..self.forgetting.domains.share(self.domains.len()) {
            self.look_at_domain(now);
        }
        for _ in 0..self.forgetting.exchanges.share(self.exchanges.len()) {
            self.look_at_exchange(now);
        }
        for _ in 0..self.forgetting.all_lanes.share(self.lanes.len()) {
            self.look_at_lane(now);
        }
        for _ in 0..self.forgetting.flows.share(self.flows.len()) {
            self.look_at_flow(now);
        }
        self.let_go(now);
        let is_over = self.domains.is_empty()
            && self.flows.is_empty()
            && self.exchanges.is_empty()
            && self.lanes.len() == self.forgetting.lanes.len()
            && self.forgetting.leaving.is_empty();
        if !is_over {
            self.timers.arm(Timer::Forgetting, now + EVERY);
        }
    }

    /// A recipient of a domain waits.
    pub(super) fn enter_domain(&mut self, domain: DomainId) {
        let state = self.domain(domain);
        state.recipients += 1;
        state.is_idle = false;
    }

    /// The recipients of an entry wait no more.
    pub(super) fn leave_domains(&mut self, number: u32) {
        let Some(crowd) = self.slab[number].recipients.as_crowd() else {
            let domain = self.slab[number].domain;
            self.domain(domain).recipients -= 1;
            return;
        };
        let domains: SmallVec<[DomainId; 8]> =
            self.crowds.of(crowd).iter().map(|(_, domain)| *domain).collect();
        for domain in domains {
            self.domain(domain).recipients -= 1;
        }
    }

    /// An entry of a flow waits.
    pub(super) fn enter_flow(&mut self, flow: FlowId) {
        let state = self.flows.or_insert_with(flow.0, Flow::default);
        state.entries += 1;
        state.is_idle = false;
    }

    /// An entry waits no more.
    pub(super) fn leave_flow(&mut self, number: u32) {
        let flow = self.slab[number].flow;
        self.flows.of(flow.0).entries -= 1;
    }

    /// An entry knows another line, or none.
    pub(super) fn move_to_line(&mut self, number: u32, line: u32) {
        let before = std::mem::replace(&mut self.slab[number].line, line);
        if before == line {
            return;
        }
        if before != NO_LINE {
            self.lines[before as usize].members -= 1;
        }
        if line != NO_LINE {
            self.lines[line as usize].members += 1;
        }
    }

    /// One more exchange is a provider's.
    pub(super) fn use_provider(&mut self, provider: ProviderId) {
        *self.forgetting.exchanges_of.entry(provider).or_default() += 1;
    }

    /// One less is.
    pub(super) fn leave_provider(&mut self, provider: ProviderId) {
        if let Some(exchanges) = self.forgetting.exchanges_of.get_mut(&provider) {
            *exchanges -= 1;
            if *exchanges == 0 {
                self.forgetting.exchanges_of.remove(&provider);
            }
        }
    }

    fn look_at_domain(&mut self, now: Instant) {
        let place = self.forgetting.domains.next;
        let Some((number, domain)) = self.domains.at(place) else {
            self.forgetting.domains.begin(self.domains.len());
            return;
        };
        if domain.is_unused() && domain.is_idle {
            let leads_to = domain.leads_to();
            self.domains.remove(number);
            if let Some(exchange) = leads_to {
                self.exchange(exchange).domains -= 1;
            }
            self.held.forget_domain(DomainId(number));
            self.say_unused(now, Name::Domain(DomainId(number)));
            return;
        }
        let is_unused = domain.is_unused();
        self.domains.of(number).is_idle = is_unused;
        self.forgetting.domains.next += 1;
    }

    fn look_at_flow(&mut self, now: Instant) {
        let place = self.forgetting.flows.next;
        let Some((number, flow)) = self.flows.at(place) else {
            self.forgetting.flows.begin(self.flows.len());
            return;
        };
        let (is_unused, is_idle) = (flow.entries == 0, flow.is_idle);
        if is_unused && is_idle {
            self.flows.remove(number);
            self.held.forget_flow(FlowId(number));
            self.say_unused(now, Name::Flow(FlowId(number)));
            return;
        }
        self.flows.of(number).is_idle = is_unused;
        self.forgetting.flows.next += 1;
    }

    fn look_at_exchange(&mut self, now: Instant) {
        let place = self.forgetting.exchanges.next;
        let Some((number, exchange)) = self.exchanges.at(place) else {
            self.forgetting.exchanges.begin(self.exchanges.len());
            return;
        };
        let is_path_used = |path: u32| {
            let path = &self.paths[path as usize];
            !path.is_unused() || path.any_rests_until(now)
        };
        let is_used = exchange.domains > 0
            || exchange.takes.is_some_and(|(_, until)| until > now)
            || exchange.paths.iter().any(|(_, path)| is_path_used(*path))
            || exchange.lines.iter().any(|line| self.is_line_used(*line));
        if is_used {
            self.forgetting.exchanges.next += 1;
            return;
        }
        let Some(exchange) = self.exchanges.remove(number) else { return };
        for (_, path) in exchange.paths {
            self.forget_path(path);
        }
        for line in exchange.lines {
            self.lines[line as usize] = Line::new(NO_EXCHANGE, Default::default());
            self.timers.disarm(Timer::Line(line));
            self.forgetting.lines.push(line);
        }
        self.held.forget_exchange(ExchangeId(number));
        self.leave_provider(exchange.provider);
        self.say_unused(now, Name::Exchange(ExchangeId(number)));
        self.forget_provider(now, exchange.provider);
    }

    fn is_line_used(&self, line: u32) -> bool {
        self.lines[line as usize].members > 0
            || self.stranded.contains(&line)
            || self.moving.iter().any(|moving| moving.is_of(line))
    }

    fn forget_path(&mut self, path: u32) {
        let lane = self.paths[path as usize].lane;
        let paths = &mut self.lanes[lane as usize].paths;
        if let Some(place) = paths.iter().position(|of_lane| *of_lane == path) {
            paths.remove(place);
        }
        self.timers.disarm(Timer::Path(path));
        self.paths[path as usize] = Path::new(NO_EXCHANGE, SourceId::default(), lane);
        self.forgetting.paths.push(path);
    }

    fn look_at_lane(&mut self, now: Instant) {
        let number = self.forgetting.all_lanes.next;
        let Some(state) = self.lanes.get(number) else {
            self.forgetting.all_lanes.begin(self.lanes.len());
            return;
        };
        self.forgetting.all_lanes.next += 1;
        let is_busy = !state.paths.is_empty()
            || state.is_ordered
            || state.is_unsaved
            || state.dirty
            || state.lane.open() > 0
            || now.since(state.heard) < UNUSED_FOR;
        let is_fresh = now.since(state.heard) < FRESH_FOR;
        if state.is_gone || is_busy || is_fresh && state.lane.is_worth_keeping(now) {
            return;
        }
        let (provider, source) = (state.provider, state.source);
        let siblings = state.siblings.clone();
        for sibling in siblings {
            self.lanes[sibling as usize].siblings.retain(|lane| *lane as usize != number);
        }
        self.lane_numbers.remove(&(provider, source));
        self.timers.disarm(Timer::Lane(number as u32));
        let state = &mut self.lanes[number];
        state.is_gone = true;
        state.siblings.clear();
        state.paths = Vec::new();
        self.forgetting.lanes.push(number as u32);
        if self.settings.keeping == Keeping::On {
            let scope = Scope { provider, source: Some(source) };
            let kept = Kept { scope, memory: Default::default(), request: None };
            self.outputs.push_back(Output::Keep(Box::new(kept)));
        }
        self.forget_provider(now, provider);
    }

    /// Forgets a provider that has no lane, no exchange, no order and nothing said of it.
    fn forget_provider(&mut self, now: Instant, provider: ProviderId) {
        let lanes = (provider, SourceId(0))..=(provider, SourceId(u16::MAX));
        let orders =
            Scope { provider, source: None }..=Scope { provider, source: Some(SourceId(u16::MAX)) };
        let is_used = self.forgetting.exchanges_of.contains_key(&provider)
            || self.lane_numbers.range(lanes).next().is_some()
            || self.ordered.range(orders).next().is_some()
            || self.held.speaks_of(provider)
            || self.settings.provider_ceilings.contains_key(&provider)
            || self.settings.families_off.contains_key(&provider);
        if !is_used {
            self.gates.forget(Of::Provider(provider));
            self.ageing.remove(&provider);
            self.say_unused(now, Name::Provider(provider));
        }
    }

    fn say_unused(&mut self, now: Instant, name: Name) {
        self.effort += 1;
        self.outputs.push_back(Output::Unused(name));
        self.forgetting.leaving.push_back((now, name));
        self.forgetting.unused_since.insert(name, now);
    }

    /// Numbers nobody has come with since are let go.
    fn let_go(&mut self, now: Instant) {
        while let Some((since, name)) = self.forgetting.leaving.front().copied()
            && now.since(since) >= UNUSED_FOR
        {
            self.forgetting.leaving.pop_front();
            // It came back, and left again.
            if self.forgetting.unused_since.get(&name) != Some(&since) {
                continue;
            }
            self.forgetting.unused_since.remove(&name);
            let is_back = match name {
                Name::Domain(domain) => self.domains.get(domain.0).is_some(),
                Name::Exchange(exchange) => self.exchanges.get(exchange.0).is_some(),
                Name::Provider(provider) => self.is_provider_known(provider),
                Name::Flow(flow) => self.flows.get(flow.0).is_some(),
            };
            if !is_back {
                self.outputs.push_back(Output::Forgotten(name));
            }
        }
    }

    fn is_provider_known(&self, provider: ProviderId) -> bool {
        let lanes = (provider, SourceId(0))..=(provider, SourceId(u16::MAX));
        self.forgetting.exchanges_of.contains_key(&provider)
            || self.lane_numbers.range(lanes).next().is_some()
            || self.held.speaks_of(provider)
    }
}
