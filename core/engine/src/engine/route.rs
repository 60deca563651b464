//! Where a domain's mail goes, and how entries come into their lines.

use std::sync::Arc;

use postlane_mail::{Family, Instant, Status};
use smallvec::SmallVec;

use super::{Engine, Timer};
use crate::entry::{NO_LINE, State};
use crate::input::{Resolved, Route, RouteHost};
use crate::line::{Joins, Line};
use crate::names::{DomainId, ExchangeId, PoolId, ProviderId, SourceId};
use crate::output::{End, Output};
use crate::slab::List;

/// What is known of a domain.
#[derive(Debug, Default)]
pub(super) struct Domain {
    known: Known,
    /// The world has been asked and has not answered.
    asked: bool,
    waiting: List,
}

#[derive(Debug, Default)]
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
    pub(super) hosts: Arc<[RouteHost]>,
    pub(super) lines: SmallVec<[u32; 1]>,
    pub(super) paths: SmallVec<[(SourceId, u32); 1]>,
    /// It is ourselves: its mail is bounced until its hosts are resolved again.
    pub(super) is_loop: bool,
}

/// No address of its hosts is of a family that its pool can send from (RFC 3463 §3.5, X.4.4).
const NO_FAMILY: Status = Status::new(4, 4, 4);

impl<E> Engine<E> {
    /// An entry in no list finds its line, or waits for its domain's route.
    pub(super) fn route(&mut self, now: Instant, number: u32) {
        self.route_as(now, number, None);
    }

    pub(super) fn route_as(&mut self, now: Instant, number: u32, joins: Option<Joins>) {
        let domain = self.slab[number].domain;
        let known = self.domain(domain);
        let asked = known.asked;
        match known.known {
            Known::Route { exchange, until } => {
                if until <= now && !asked {
                    self.ask(domain);
                }
                self.join(now, number, exchange, joins);
            }
            Known::Failed { status, until } if until > now => self.no_route(now, number, status),
            Known::Failed { .. } | Known::Nothing => {
                self.stand(number, State::Routing);
                let mut waiting = self.domain(domain).waiting;
                waiting.push(&mut self.slab, number);
                self.domain(domain).waiting = waiting;
                if !asked {
                    self.ask(domain);
                }
            }
        }
    }

    pub(super) fn resolved(&mut self, now: Instant, domain: DomainId, answer: Resolved) {
        let state = self.domain(domain);
        state.asked = false;
        let mut waiting = std::mem::take(&mut state.waiting);
        match answer {
            Resolved::Route(route) => {
                let (exchange, until) = (route.exchange, route.until);
                self.domain(domain).known = Known::Route { exchange, until };
                self.learn(route);
            }
            Resolved::Failed { status, until } => {
                self.domain(domain).known = Known::Failed { status, until };
            }
        }
        while let Some(number) = waiting.pop(&mut self.slab) {
            // An answer that is stale already would ask again for ever: it is taken for once.
            match self.domain(domain).known {
                Known::Route { exchange, .. } => self.join(now, number, exchange, None),
                Known::Failed { status, .. } => self.no_route(now, number, status),
                Known::Nothing => unreachable!("it has just been written down"),
            }
        }
    }

    /// What is not moving for want of a route.
    pub(super) fn known_failure(&self, domain: DomainId) -> Option<(Status, Instant)> {
        match self.domains.get(domain.0 as usize)?.known {
            Known::Failed { status, until } => Some((status, until)),
            _ => None,
        }
    }

    fn learn(&mut self, route: Route) {
        let place = route.exchange.0 as usize;
        if self.exchanges.len() <= place {
            self.exchanges.resize_with(place + 1, || None);
        }
        match &mut self.exchanges[place] {
            Some(known) => {
                known.is_loop = false;
                if known.hosts != route.hosts {
                    known.hosts = route.hosts;
                    let paths: SmallVec<[u32; 4]> = known.paths.iter().map(|(_, p)| *p).collect();
                    paths.into_iter().for_each(|path| self.order_candidates(path));
                }
            }
            empty => {
                *empty = Some(Exchange {
                    provider: route.provider,
                    hosts: route.hosts,
                    lines: SmallVec::new(),
                    paths: SmallVec::new(),
                    is_loop: false,
                });
            }
        }
    }

    fn no_route(&mut self, now: Instant, number: u32, status: Status) {
        if status.class == 5 {
            self.end(number, End::Bounced(Some(status)));
        } else {
            self.defer_for(now, number, Some(status));
        }
    }

    fn ask(&mut self, domain: DomainId) {
        self.domain(domain).asked = true;
        self.outputs.push_back(Output::Resolve { domain });
    }

    fn domain(&mut self, domain: DomainId) -> &mut Domain {
        let place = domain.0 as usize;
        if self.domains.len() <= place {
            self.domains.resize_with(place + 1, Domain::default);
        }
        &mut self.domains[place]
    }

    /// An entry in no list joins its line, and the line's sources hear of it.
    fn join(&mut self, now: Instant, number: u32, exchange: ExchangeId, joins: Option<Joins>) {
        let domains = self.recipients_of(number);
        let elsewhere: SmallVec<[DomainId; 4]> = domains
            .iter()
            .map(|(_, d)| *d)
            .filter(|d| self.leads_elsewhere(*d, exchange))
            .collect();
        let rest = self.split(number, |_, domain| elsewhere.contains(&domain));
        if let Some(rest) = rest {
            self.route_as(now, rest, joins);
        }
        let line = self.line(exchange, self.slab[number].pool);
        if self.paths_of(line).is_empty() {
            self.defer_for(now, number, Some(NO_FAMILY));
            return;
        }
        self.slab[number].line = line;
        if self.unable.contains_key(&number) {
            self.go_particular(now, number, exchange);
            return;
        }
        let fresh = self.slab[number].attempts == 0;
        let joins = joins.unwrap_or(if fresh { Joins::Fresh } else { Joins::Returned });
        if joins == Joins::Fresh && self.travels_with_youngest(line, number) {
            return;
        }
        self.stand(number, State::Ready);
        self.lines[line as usize].join(&mut self.slab, number, joins);
        self.offer_line(line);
    }

    fn leads_elsewhere(&self, domain: DomainId, exchange: ExchangeId) -> bool {
        let known = self.domains.get(domain.0 as usize).map(|domain| &domain.known);
        matches!(known, Some(Known::Route { exchange: other, .. }) if *other != exchange)
    }

    /// Recipients of one message in several domains of one exchange share a transaction.
    fn travels_with_youngest(&mut self, line: u32, number: u32) -> bool {
        let entry = &self.slab[number];
        let youngest = self.lines[line as usize].youngest(entry.stream, entry.flow);
        let Some(youngest) = youngest.filter(|y| {
            let y = &self.slab[*y];
            y.id == entry.id && y.state == State::Ready && y.attempts == 0
        }) else {
            return false;
        };
        let mut together = self.recipients_of(youngest).to_vec();
        together.extend(self.recipients_of(number));
        if together.len() > usize::from(self.settings.transaction_recipients_max) {
            return false;
        }
        together.sort_unstable();
        let more = self.recipient_count(number);
        self.set_recipients(youngest, together);
        self.counts.join(State::Ready, more);
        self.forget(number);
        true
    }

    fn line(&mut self, exchange: ExchangeId, pool: PoolId) -> u32 {
        let lines = self.exchange(exchange).lines.clone();
        if let Some(line) = lines.into_iter().find(|l| self.lines[*l as usize].pool == pool) {
            return line;
        }
        let line = self.lines.len() as u32;
        self.lines.push(Line::new(exchange, pool));
        self.exchange(exchange).lines.push(line);
        line
    }

    pub(super) fn exchange(&mut self, exchange: ExchangeId) -> &mut Exchange {
        self.exchanges[exchange.0 as usize].as_mut().expect("a line's exchange has been learned")
    }

    /// The ways a line's mail can go: one for each source of its pool that has an address to
    /// go to.
    pub(super) fn paths_of(&mut self, line: u32) -> SmallVec<[u32; 2]> {
        let (exchange, pool) = {
            let line = &self.lines[line as usize];
            (line.exchange, line.pool)
        };
        let sources: SmallVec<[SourceId; 2]> = self.sources(pool).iter().map(|(s, _)| *s).collect();
        let paths = sources.into_iter().map(|source| self.path(exchange, source));
        let paths: SmallVec<[u32; 2]> = paths.collect();
        paths.into_iter().filter(|p| !self.paths[*p as usize].candidates.is_empty()).collect()
    }

    fn path(&mut self, exchange: ExchangeId, source: SourceId) -> u32 {
        let known = self.exchange(exchange).paths.iter().find(|(s, _)| *s == source);
        if let Some((_, path)) = known {
            return *path;
        }
        let provider = self.exchange(exchange).provider;
        let lane = self.lane(provider, source);
        let path = self.new_path(exchange, source, lane);
        self.exchange(exchange).paths.push((source, path));
        self.order_candidates(path);
        path
    }

    /// Puts a path's addresses in order: by preference, hosts of equal preference by chance
    /// (RFC 5321 §5.1).
    pub(super) fn order_candidates(&mut self, path: u32) {
        let (exchange, source) = {
            let path = &self.paths[path as usize];
            (path.exchange, path.source)
        };
        let known = self.exchange(exchange);
        let (provider, hosts) = (known.provider, known.hosts.clone());
        let family = self.settings.sources.iter().find(|s| s.id == source).map(|s| s.family);
        let off = self.settings.families_off.get(&provider);
        let usable = |ip| {
            let of = Family::of(ip);
            Some(of) == family && !off.is_some_and(|off| off.contains(&of))
        };
        let mut order: Vec<&RouteHost> = hosts.iter().collect();
        self.chance.shuffle(&mut order);
        order.sort_by_key(|host| host.preference);
        let addresses = order.iter().flat_map(|host| {
            let usable = host.addresses.iter().filter(|a| usable(a.ip()));
            usable.map(|address| (host.host, *address))
        });
        let candidates = addresses.collect();
        let path = &mut self.paths[path as usize];
        path.candidates = candidates;
        path.next_candidate = 0;
    }

    /// Tells everybody who could carry a line's mail that there is some.
    pub(super) fn offer_line(&mut self, line: u32) {
        for path in self.paths_of(line) {
            self.offer_path(path);
        }
    }

    /// A path joins its lane's rings for every stream that has something ready for it.
    pub(super) fn offer_path(&mut self, path: u32) {
        let lines = self.lines_of(path);
        for stream in postlane_mail::Stream::ALL {
            let ready = lines.iter().any(|line| self.lines[*line as usize].ready(stream) > 0);
            let state = &mut self.paths[path as usize];
            if ready && !state.in_ring[stream as usize] {
                state.in_ring[stream as usize] = true;
                let lane = state.lane;
                self.lanes[lane as usize].rings[stream as usize].push_back(path);
            }
        }
        let lane = self.paths[path as usize].lane;
        self.mark(lane);
    }

    /// The lines that a path may carry.
    pub(super) fn lines_of(&mut self, path: u32) -> SmallVec<[u32; 2]> {
        let (exchange, source) = {
            let path = &self.paths[path as usize];
            (path.exchange, path.source)
        };
        let lines = self.exchange(exchange).lines.clone();
        let carries = |line: &u32| {
            let pool = self.lines[*line as usize].pool;
            self.sources(pool).iter().any(|(s, _)| *s == source)
        };
        lines.into_iter().filter(carries).collect()
    }

    /// A line's mail is routed again when its routes may have changed.
    pub(super) fn reroute(&mut self, now: Instant, number: u32) {
        self.slab[number].line = NO_LINE;
        self.route(now, number);
    }

    pub(super) fn arm_path(&mut self, path: u32, at: Instant) {
        self.timers.arm_by(Timer::Path(path), at);
    }
}
