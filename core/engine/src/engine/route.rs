//! Where a domain's mail goes, and how entries come into their lines.

use std::sync::Arc;

use postlane_mail::{Instant, Status};
use smallvec::SmallVec;

use super::Engine;
use crate::entry::{Rank, State};
use crate::input::{Limits, Resolved, Route, RouteHost};
use crate::line::{Joins, Line};
use crate::names::{DomainId, ExchangeId, PoolId, ProviderId, SourceId};
use crate::output::{End, Output};
use crate::slab::List;

/// What is known of a domain.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Domain {
    known: Known,
    /// The world has been asked and has not answered.
    asked: bool,
    /// What is known holds no more.
    outdated: bool,
    /// What the world is about to answer holds no more either.
    ask_again: bool,
    waiting: List,
    /// Recipients of this domain that wait, in whatever state.
    pub(super) recipients: u32,
    /// Nobody has used it since it was looked at last.
    pub(super) is_idle: bool,
}

#[derive(Debug, Clone, Copy, Default)]
enum Known {
    #[default]
    Nothing,
    Route {
        exchange: ExchangeId,
        until: Instant,
    },
    Failed {
        status: Status,
        until: Instant,
    },
}

/// What is known of a set of hosts.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) provider: ProviderId,
    limits: Limits,
    pub(super) hosts: Arc<[RouteHost]>,
    pub(super) lines: SmallVec<[u32; 1]>,
    pub(super) paths: SmallVec<[(SourceId, u32); 1]>,
    /// It is ourselves: its mail is bounced until its hosts are resolved again.
    pub(super) is_loop: bool,
    /// The recipients it takes in one transaction, and until when that is believed.
    pub(super) takes: Option<(usize, Instant)>,
    /// Domains whose mail goes there.
    pub(super) domains: u32,
}

impl Domain {
    /// Whether nobody waits for it, and nobody was asked for it.
    pub(super) fn is_unused(&self) -> bool {
        self.recipients == 0 && !self.asked && self.waiting.is_empty()
    }

    /// Where its mail goes, if that was ever known.
    pub(super) fn leads_to(&self) -> Option<ExchangeId> {
        if let Known::Route { exchange, .. } = self.known { Some(exchange) } else { None }
    }
}

impl Exchange {
    /// The source by which the lane of one of ours is known.
    pub(super) fn lane_source(&self, source: SourceId) -> SourceId {
        match self.limits {
            Limits::OfSource => source,
            Limits::OfAll => SourceId::ANY,
        }
    }

    fn new(route: Route) -> Self {
        Self {
            provider: route.provider,
            limits: route.limits,
            hosts: route.hosts,
            lines: SmallVec::new(),
            paths: SmallVec::new(),
            is_loop: false,
            takes: None,
            domains: 0,
        }
    }
}

impl<E> Engine<E> {
    /// An entry in no list finds its line, or waits for its domain's route. Those of its
    /// recipients that go another way do so by themselves.
    pub(super) fn route(&mut self, now: Instant, number: u32, joins: Option<Joins>) {
        let mut left = Some(number);
        while let Some(number) = left {
            left = self.part_ways(number);
            let domain = self.slab[number].domain;
            let Domain { known, outdated, .. } = *self.domain(domain);
            match known {
                _ if outdated => self.wait_for_route(number),
                Known::Failed { until, .. } if until <= now => self.wait_for_route(number),
                Known::Nothing => self.wait_for_route(number),
                known => self.follow(now, number, known, joins),
            }
        }
    }

    pub(super) fn resolved(&mut self, domain: DomainId, answer: Resolved) {
        let state = self.domain(domain);
        state.asked = false;
        if std::mem::take(&mut state.ask_again) {
            return self.ask(domain);
        }
        state.outdated = false;
        let nobody_waits = state.waiting.is_empty();
        match answer {
            Resolved::Route(route) => {
                let (exchange, until) = (route.exchange, route.until);
                let before = std::mem::replace(&mut state.known, Known::Route { exchange, until });
                self.learn(route);
                self.exchange(exchange).domains += 1;
                if let Known::Route { exchange: old, .. } = before {
                    self.exchange(old).domains -= 1;
                    if old != exchange {
                        self.leave(old);
                    }
                }
            }
            Resolved::Failed { status, until } => {
                let failed = Known::Failed { status, until };
                let before = std::mem::replace(&mut state.known, failed);
                if let Known::Route { exchange: old, .. } = before {
                    self.exchange(old).domains -= 1;
                }
            }
        }
        if !nobody_waits {
            self.answered.push_back(domain);
        }
    }

    /// Those who waited for a route hear of it, a step of them.
    pub(super) fn tell_answers(&mut self, now: Instant) {
        while self.has_time() {
            let Some(domain) = self.answered.front().copied() else { return };
            let Some(Domain { known, mut waiting, .. }) = self.domains.get(domain.0).copied()
            else {
                self.answered.pop_front();
                continue;
            };
            let first = waiting.pop(&mut self.slab);
            self.domain(domain).waiting = waiting;
            let Some(number) = first else {
                self.answered.pop_front();
                continue;
            };
            self.effort += 1;
            self.stand(number, State::Moving);
            // An answer that is stale already would be asked for again for ever: it is taken
            // for once.
            self.follow(now, number, known, None);
        }
    }

    /// What is known of domains counts no more, nor what the world has been asked before.
    pub(super) fn outdate_routes(&mut self) {
        for domain in self.domains.values_mut() {
            domain.outdated = true;
            domain.ask_again = domain.asked;
        }
    }

    /// What is not moving for want of a route.
    pub(super) fn known_failure(&self, domain: DomainId) -> Option<Status> {
        match self.domains.get(domain.0)?.known {
            Known::Failed { status, .. } => Some(status),
            _ => None,
        }
    }

    pub(super) fn known_provider(&self, domain: DomainId) -> Option<ProviderId> {
        let Known::Route { exchange, .. } = self.domains.get(domain.0)?.known else {
            return None;
        };
        Some(self.exchanges.get(exchange.0)?.provider)
    }

    pub(super) fn exchange(&mut self, exchange: ExchangeId) -> &mut Exchange {
        self.exchanges.of(exchange.0)
    }

    pub(super) fn stop_waiting_for(&mut self, domain: DomainId, number: u32) {
        let mut waiting = self.domain(domain).waiting;
        waiting.remove(&mut self.slab, number);
        self.domain(domain).waiting = waiting;
    }

    fn wait_for_route(&mut self, number: u32) {
        let domain = self.slab[number].domain;
        self.stand(number, State::Routing);
        let mut waiting = self.domain(domain).waiting;
        waiting.push(&mut self.slab, number);
        self.domain(domain).waiting = waiting;
        self.ask(domain);
    }

    /// Does what is known of its domain with an entry in no list.
    fn follow(&mut self, now: Instant, number: u32, known: Known, joins: Option<Joins>) {
        match known {
            Known::Route { exchange, .. } => {
                for (_, domain) in self.recipients_of(number) {
                    self.ask_if_stale(now, domain);
                }
                self.join(now, number, exchange, joins);
            }
            Known::Failed { status, .. } if status.class == 5 => {
                self.end(number, End::Bounced(Some(status)));
            }
            Known::Failed { status, .. } => self.defer_for(now, number, Some(status)),
            Known::Nothing => self.wait_for_route(number),
        }
    }

    /// Splits off the recipients that do not go where the first one goes.
    fn part_ways(&mut self, number: u32) -> Option<u32> {
        self.slab[number].recipients.as_crowd()?;
        let first = self.slab[number].domain;
        let (exchange, gate) = (self.exchange_of(first), self.held.of_domain(first));
        let recipients = self.recipients_of(number);
        let others: SmallVec<[DomainId; 4]> = recipients
            .iter()
            .map(|(_, domain)| *domain)
            .filter(|d| {
                let elsewhere = exchange.is_none() || self.exchange_of(*d) != exchange;
                *d != first && (elsewhere || self.held.of_domain(*d) != gate)
            })
            .collect();
        self.split(number, |_, domain| others.contains(&domain))
    }

    fn exchange_of(&self, domain: DomainId) -> Option<ExchangeId> {
        match *self.domains.get(domain.0)? {
            Domain { known: Known::Route { exchange, .. }, outdated: false, .. } => Some(exchange),
            _ => None,
        }
    }

    /// A route that is too old is asked for again, and used meanwhile.
    pub(super) fn ask_if_stale(&mut self, now: Instant, domain: DomainId) {
        if matches!(self.domain(domain).known, Known::Route { until, .. } if until <= now) {
            self.ask(domain);
        }
    }

    pub(super) fn ask(&mut self, domain: DomainId) {
        if !std::mem::replace(&mut self.domain(domain).asked, true) {
            self.outputs.push_back(Output::Resolve { domain });
        }
    }

    pub(super) fn domain(&mut self, domain: DomainId) -> &mut Domain {
        self.domains.or_insert_with(domain.0, Domain::default)
    }

    fn learn(&mut self, route: Route) {
        let Some(known) = self.exchanges.value_mut(route.exchange.0) else {
            self.use_provider(route.provider);
            self.exchanges.or_insert_with(route.exchange.0, || Exchange::new(route));
            return;
        };
        known.is_loop = false;
        let before = std::mem::replace(&mut known.provider, route.provider);
        let before_limits = std::mem::replace(&mut known.limits, route.limits);
        let other_provider = before != route.provider;
        let other_hosts = known.hosts != route.hosts;
        if !other_provider && !other_hosts && before_limits == route.limits {
            return;
        }
        known.hosts = route.hosts;
        let (paths, lines) = (known.paths.clone(), known.lines.clone());
        if other_provider {
            self.use_provider(route.provider);
            self.leave_provider(before);
        }
        for (source, path) in paths {
            let source = self.exchange(route.exchange).lane_source(source);
            let lane = self.lane(route.provider, source);
            let before = std::mem::replace(&mut self.paths[path as usize].lane, lane);
            self.lanes[before as usize].paths.retain(|of_lane| *of_lane != path);
            self.lanes[lane as usize].paths.push(path);
            self.learn_addresses(path);
            self.offer_path(path);
        }
        lines.into_iter().for_each(|line| self.strand_without_way(line));
    }

    /// An entry in no list joins its line, and the line's sources hear of it.
    fn join(&mut self, now: Instant, number: u32, exchange: ExchangeId, joins: Option<Joins>) {
        let provider = self.exchange(exchange).provider;
        let line = self.line(exchange, self.pool_to(provider, number));
        if !self.has_way(line) {
            self.defer_for(now, number, Some(super::ways::NO_FAMILY));
            return;
        }
        self.move_to_line(number, line);
        self.shorten_life(number);
        self.note_age(number);
        let fresh = if self.slab[number].attempts == 0 { Rank::Fresh } else { Rank::Returned };
        let joins = if self.unable.contains_key(&number) {
            Joins::Last(Rank::Particular)
        } else {
            joins.unwrap_or(Joins::Last(fresh))
        };
        if joins == Joins::Last(Rank::Fresh) && self.travels_with_youngest(line, number) {
            return;
        }
        self.stand(number, State::Ready);
        let shelf = self.shelf_of(number);
        self.lines[line as usize].join(&mut self.slab, number, joins, shelf);
        self.offer_line(line);
    }

    /// Recipients of one message in several domains of one exchange share a transaction.
    fn travels_with_youngest(&mut self, line: u32, number: u32) -> bool {
        let entry = &self.slab[number];
        if entry.marks.apart() {
            return false;
        }
        let shelf = self.shelf_of(number);
        let youngest = self.lines[line as usize].youngest(
            entry.stream,
            (entry.flow, entry.marks.tier()),
            shelf,
        );
        let Some(youngest) = youngest.filter(|y| self.slab[*y].id == entry.id) else {
            return false;
        };
        let mut together = self.recipients_of(youngest).to_vec();
        together.extend(self.recipients_of(number));
        if together.len() > usize::from(self.settings.transaction_recipients_max) {
            return false;
        }
        together.sort_unstable();
        let more = self.recipient_count(number);
        self.set_recipients(youngest, &together);
        self.counts.join(State::Ready, more);
        self.forget(number);
        true
    }

    fn line(&mut self, exchange: ExchangeId, pool: PoolId) -> u32 {
        let known = self.exchange(exchange).lines.clone();
        if let Some(line) = known.into_iter().find(|l| self.lines[*l as usize].pool == pool) {
            return line;
        }
        let line = self.forgetting.lines.pop().unwrap_or(self.lines.len() as u32);
        let new = Line::new(exchange, pool);
        match self.lines.get_mut(line as usize) {
            Some(gone) => *gone = new,
            None => self.lines.push(new),
        }
        self.exchange(exchange).lines.push(line);
        self.find_ways(line);
        line
    }
}
