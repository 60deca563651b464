//! Lanes, for whoever may look at them and order something of them.

use std::collections::BTreeSet;

use postlane_engine::{HostView, Input, LaneAction, LaneCommand, LaneView, Scope, SourceId};
use postlane_lanes::{Ladder, Order, Restart, State, Who};
use postlane_mail::{Domain, Instant, LastReply, Span};
use postlane_net::route::ROUTE;
use postlane_replies::Providers;

use super::{Handle, Inside, Stopped};
use crate::config::nearest;
use crate::identity::preflight::PreflightRow;
use crate::lanes::{Audit, LaneName, source_of};

/// Lanes and what was ordered.
#[derive(Debug, Clone, Default)]
pub struct LaneList {
    /// Lanes, by provider and source.
    pub lanes: Vec<Lane>,
    /// Providers of which something was ordered as a whole.
    pub providers: Vec<OrderedProvider>,
}

/// One lane, with all that is known of it.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Its name; always with a source.
    pub name: LaneName,
    /// What it is doing, in one word.
    pub standing: LaneStanding,
    /// What the engine says.
    pub view: LaneView,
    /// Its hosts, the busiest first.
    pub hosts: Vec<LaneHost>,
    /// Orders that hold for it: its own, and its provider's.
    pub orders: Vec<Ordered>,
    /// Its own restart plan, else its provider's.
    pub restart: Option<Restart>,
    /// The last refusal that was heard on it.
    pub last_reply: Option<LastReply>,
    /// How mail that went by it stands before the provider's gate.
    pub preflight: Vec<PreflightRow>,
    /// The last commands, the oldest first, and whether each was given to its provider as a whole.
    pub audits: Vec<(bool, Audit)>,
}

/// One MX host of a lane.
#[derive(Debug, Clone)]
pub struct LaneHost {
    /// Its name.
    pub name: String,
    /// Messages it has accepted.
    pub accepted: u64,
    /// Messages and sessions it has refused, for no recipient's sake.
    pub refused: u64,
    /// Sessions open or opening.
    pub open: u32,
    /// Until when it is not tried.
    pub rests_until: Option<Instant>,
}

/// An order and why it was given.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// The order.
    pub order: Order,
    /// Whether it was given to the provider as a whole.
    pub is_providers: bool,
    /// Why, in the words of whoever gave it; empty where they said nothing.
    pub why: String,
}

/// What was ordered of a provider as a whole.
#[derive(Debug, Clone)]
pub struct OrderedProvider {
    /// The provider's id.
    pub provider: Box<str>,
    /// Orders that hold.
    pub orders: Vec<Ordered>,
    /// The restart plan.
    pub restart: Option<Restart>,
    /// The last commands, the oldest first.
    pub audits: Vec<Audit>,
}

/// What a lane does, as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneStanding {
    /// It sends, and grows or looks for its rate.
    Healthy,
    /// It sends at the same rate: some fresh mail is deferred.
    Steady,
    /// The provider refused, and it waits until one message may ask again.
    Resting,
    /// An operator's order stops some or all of it.
    Held,
    /// A restart plan's cap binds it: the step of the ladder, from 1.
    Restart(u16),
}

/// A command to a lane or a provider.
#[derive(Debug, Clone)]
pub struct Commanded {
    /// The provider: its id, brand, name, or a domain of its.
    pub provider: String,
    /// The source; none for all lanes of the provider.
    pub source: Option<String>,
    /// What to do.
    pub action: LaneAction,
    /// As people say it, for the audit.
    pub says: String,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneDone {
    /// To what it was done.
    pub name: LaneName,
    /// Whether it changed anything.
    pub changed: bool,
}

/// Why nothing was done to a lane, or shown of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoLane {
    /// Nobody is called so.
    #[error("no provider is called {name:?}{}; `postlane lanes list` names those that have lanes", meant(.nearest.as_deref()))]
    Provider {
        /// As it was said.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// There is no such source.
    #[error("no source is called {name:?}{}; `postlane config show` lists them", meant(.nearest.as_deref()))]
    Source {
        /// As it was said.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A route has one lane.
    #[error("all sources share the lane of {0}: leave --source out")]
    OneLane(Box<str>),
    /// A provider has a lane for each source.
    #[error("each source has a lane of its own to {0}: name one, or leave --source out for all")]
    ManyLanes(Box<str>),
    /// The command is for a source, and none was said.
    #[error("say which source is meant: {sources}")]
    NoSource {
        /// Those there are.
        sources: String,
    },
    /// The spool cannot say whether it is on disk, or the server is closing.
    #[error("the server cannot say whether the command is on disk; look, and ask again")]
    Unknown,
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest:?}?"))
}

impl Handle {
    /// All lanes, or a provider's, each with so many of its last decisions.
    pub async fn lanes(
        &self,
        provider: Option<&str>,
        decisions: usize,
    ) -> Result<LaneList, NoLane> {
        let provider = provider.map(|name| self.0.provider_called(name)).transpose()?;
        let id = provider.as_deref().map(|provider| self.0.names.provider(provider));
        let seen = self.look(move |engine, now| {
            (engine.lane_views(now, id, decisions), engine.ordered_views(now, id), now)
        });
        let (views, ordered, now) = seen.await.map_err(|Stopped| NoLane::Unknown)?;
        let mut list = LaneList::default();
        let gates = self.0.preflight.rows();
        for view in views {
            let of_lane = Scope { provider: view.provider, source: Some(view.source) };
            let of_provider = Scope { source: None, ..of_lane };
            let own = ordered.iter().find(|ordered| ordered.scope == of_lane);
            let whole = ordered.iter().find(|ordered| ordered.scope == of_provider);
            let mut orders = own.map(|o| self.0.orders(of_lane, &o.orders)).unwrap_or_default();
            orders.extend(whole.iter().flat_map(|o| self.0.orders(of_provider, &o.orders)));
            let plans = own.into_iter().chain(whole).filter_map(|o| o.restart.as_ref());
            let restart = plans.min_by_key(|plan| plan.cap().unwrap_or(u32::MAX)).cloned();
            let name = self.0.lane_name(of_lane);
            list.lanes.push(Lane {
                standing: standing(now, &view, &orders, restart.as_ref()),
                hosts: self.0.hosts(&view),
                last_reply: self.0.lanes.last_reply(&name),
                preflight: gates.iter().filter(|row| row.subject.goes_by(&name)).cloned().collect(),
                audits: self.0.audits(&name),
                name,
                view,
                orders,
                restart,
            });
        }
        list.lanes.sort_by(|a, b| a.name.cmp(&b.name));
        for whole in ordered.into_iter().filter(|ordered| ordered.scope.source.is_none()) {
            let name = self.0.lane_name(whole.scope);
            list.providers.push(OrderedProvider {
                orders: self.0.orders(whole.scope, &whole.orders),
                restart: whole.restart,
                audits: self.0.lanes.audits(&name),
                provider: name.provider,
            });
        }
        list.providers.sort_by(|a, b| a.provider.cmp(&b.provider));
        Ok(list)
    }

    /// How long mail of the stream that may wait least may wait.
    pub fn shortest_life(&self) -> Span {
        let waits = self.0.live.borrow().expires_after;
        waits.into_iter().min().unwrap_or_default()
    }

    /// The provider that somebody calls so.
    pub fn provider_called(&self, name: &str) -> Result<Box<str>, NoLane> {
        self.0.provider_called(name)
    }

    /// The restart plan that the configuration says for a provider.
    pub fn configured_plan(&self, provider: &str) -> Option<Ladder> {
        let provider = self.0.provider_called(provider).ok()?;
        self.0.live.borrow().lanes.plan(&provider)
    }

    /// Does something to a lane or a provider. When this says so it holds, and outlives the server.
    pub async fn command_lane(&self, commanded: Commanded) -> Result<LaneDone, NoLane> {
        let Commanded { provider, source, action, says, by, why } = commanded;
        let provider = self.0.provider_called(&provider)?;
        let source_id = source.as_deref().map(|name| self.0.source_called(name)).transpose()?;
        let is_routes = provider.starts_with(ROUTE);
        if let Some(source) = source_id
            && is_routes != (source == SourceId::ANY)
        {
            return Err(if is_routes {
                NoLane::OneLane(provider)
            } else {
                NoLane::ManyLanes(provider)
            });
        }
        if needs_source(&action) && source_id.is_none() {
            return Err(NoLane::NoSource { sources: self.0.source_names().join(", ") });
        }
        let name = LaneName { provider, source: source.map(Into::into) };
        let scope = Scope { provider: self.0.names.provider(&name.provider), source: source_id };
        let (request, answer) = self.0.answers.ask();
        let by = Who::new(&by);
        let audit = Audit::new(self.0.clock.now(), by.as_str(), says, &why);
        self.0.lanes.commanded(request, audit);
        self.0.mailbox.tell(Input::Lane(LaneCommand { request, scope, by, action }));
        let changed = answer.await.map_err(|_| NoLane::Unknown)? > 0;
        Ok(LaneDone { name, changed })
    }
}

fn needs_source(action: &LaneAction) -> bool {
    use postlane_lanes::{Instruction, OrderKind};
    matches!(
        action,
        LaneAction::Give { what: Instruction::Exclude, .. }
            | LaneAction::TakeBack(OrderKind::Exclude)
    )
}

fn standing(
    now: Instant,
    view: &LaneView,
    orders: &[Ordered],
    restart: Option<&Restart>,
) -> LaneStanding {
    use postlane_lanes::Instruction;
    let stops = |ordered: &Ordered| !matches!(ordered.order.what, Instruction::Pin(_));
    let rests = match view.state {
        State::Cooling { until } => view.learns && (until > now || view.open == 0),
        State::Canary => view.learns,
        _ => false,
    };
    match restart.filter(|plan| !plan.is_finished()) {
        _ if orders.iter().any(stops) => LaneStanding::Held,
        _ if rests => LaneStanding::Resting,
        Some(plan) => LaneStanding::Restart(plan.step()),
        None if view.state == State::Steady => LaneStanding::Steady,
        None => LaneStanding::Healthy,
    }
}

impl Inside {
    /// Orders with the words they were given with.
    fn orders(&self, scope: Scope, orders: &[Order]) -> Vec<Ordered> {
        let audits = self.lanes.audits(&self.lane_name(scope));
        let with_why = |order: &Order| {
            let given = |audit: &&Audit| {
                let says = order.what.kind().as_str();
                audit.by == order.by.as_str() && audit.command.split(' ').next() == Some(says)
            };
            let why = audits.iter().rev().find(given).map(|audit| audit.why.clone());
            let is_providers = scope.source.is_none();
            Ordered { order: order.clone(), is_providers, why: why.unwrap_or_default() }
        };
        orders.iter().map(with_why).collect()
    }

    /// The last commands to a lane and to its provider.
    fn audits(&self, name: &LaneName) -> Vec<(bool, Audit)> {
        let whole = LaneName { source: None, ..name.clone() };
        let whole = self.lanes.audits(&whole).into_iter().map(|audit| (true, audit));
        let own = self.lanes.audits(name).into_iter().map(|audit| (false, audit));
        let mut all: Vec<_> = whole.chain(own).collect();
        all.sort_by_key(|(_, audit)| audit.at);
        all
    }

    fn hosts(&self, view: &LaneView) -> Vec<LaneHost> {
        let named = |host: &HostView| LaneHost {
            name: self.names.hop_of(host.host).name.to_string(),
            accepted: host.accepted,
            refused: host.refused,
            open: host.open,
            rests_until: host.rests_until,
        };
        view.hosts.iter().map(named).collect()
    }

    fn lane_name(&self, scope: Scope) -> LaneName {
        LaneName::of(scope, &self.names, &self.live.borrow())
    }

    /// By id, brand, name or domain of one that is known; else by the name of one that has lanes,
    /// orders or settings; else a domain that nobody is like, to which no mail may have gone yet.
    fn provider_called(&self, name: &str) -> Result<Box<str>, NoLane> {
        let seen = self.seen_providers();
        if seen.contains(name) {
            return Ok(name.into());
        }
        let routes = self.routes();
        let is_meant = |route: &&String| {
            **route == *name || route.strip_prefix(ROUTE).is_some_and(|place| place == name)
        };
        if let Some(route) = routes.iter().find(is_meant) {
            return Ok(route.as_str().into());
        }
        let known = Providers::built_in();
        if let Some(id) = known.resolve(name) {
            return Ok(id.as_str().into());
        }
        let written = name.to_ascii_lowercase();
        if seen.contains(&*written) {
            return Ok(written.into());
        }
        let seen: Vec<&str> = seen.iter().map(AsRef::as_ref).collect();
        let near = known.suggest(name).or_else(|| nearest::nearest(name, &seen));
        match (near, Domain::parse(name)) {
            (None, Ok(domain)) if name.contains('.') => Ok(domain.as_str().into()),
            _ => {
                let nearest = near.map(str::to_owned);
                Err(NoLane::Provider { name: name.to_owned(), nearest })
            }
        }
    }

    /// The lanes of the routes that are written down.
    fn routes(&self) -> Vec<String> {
        let setup = self.live.borrow();
        setup.routes.iter().filter_map(|(_, target)| target.lane_name(setup.mx_port)).collect()
    }

    fn seen_providers(&self) -> BTreeSet<Box<str>> {
        let mut seen = self.lanes.providers();
        seen.extend(self.names.providers().into_iter().map(|name| (*name).clone()));
        seen
    }

    fn source_called(&self, name: &str) -> Result<SourceId, NoLane> {
        let setup = self.live.borrow().clone();
        source_of(name, &setup).ok_or_else(|| {
            let names = self.source_names();
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            let nearest = nearest::nearest(name, &known).map(str::to_owned);
            NoLane::Source { name: name.to_owned(), nearest }
        })
    }

    fn source_names(&self) -> Vec<String> {
        self.live.borrow().sources.iter().map(|source| source.name.clone()).collect()
    }
}

impl LaneStanding {
    /// As JSON and metrics have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Steady => "steady",
            Self::Resting => "resting",
            Self::Held => "held",
            Self::Restart(_) => "restart",
        }
    }
}

impl std::fmt::Display for LaneStanding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Restart(day) => write!(f, "restart day {day}"),
            _ => f.write_str(self.as_str()),
        }
    }
}
