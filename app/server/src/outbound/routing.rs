//! Where mail goes: asks the DNS on the asynchronous ring and tells the engine.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_engine::{DomainId, Input, Limits, Name, Resolved, RouteHost};
use postlane_mail::{Domain, Host, ReversePath, Span, Status};
use postlane_net::dns::Resolver;
use postlane_net::route::{
    self, Password, Route, RouteFailure, RouteSettings, Router, Target, TargetLane,
};
use postlane_net::unbroken::unbroken;
use postlane_replies::Providers;
use postlane_smtp::auth::Credentials;
use tokio::runtime;

use crate::engine::names::Names;
use crate::engine::sections;
use crate::engine::world::EngineMailbox;
use crate::ground::clock::Clock;
use crate::outbound::tls_policy::{Demand, Published};
use crate::outbound::unreached::Unreached;
use crate::setup::{HopPolicy, Live, Setup, TlsSetup};

/// Whatever is routed alike: a recipient's host, and the sender where routes depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Destination {
    pub(crate) host: Host,
    /// The sender, where a static route asks for it.
    pub(crate) sender: Option<ReversePath>,
}

/// A set of hosts that share sessions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Exchange {
    pub(super) hops: Vec<(NextHop, u16)>,
}

/// A host, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct NextHop {
    pub(crate) name: Host,
    pub(crate) port: u16,
    /// Whose it is.
    pub(crate) provider: Box<str>,
    /// For what of ours its limits count: for all of it, where it is a smart host.
    pub(crate) limits: Limits,
    /// It was found in the DNS, and neither written down by an operator nor is it the way to our
    /// own tests: who names itself as we do there is us, and mail has gone round.
    pub(crate) is_exchanger: bool,
    pub(crate) policy: Arc<HopPolicy>,
}

/// Asks for routes.
pub(crate) struct Routing {
    pub(crate) ring: runtime::Handle,
    pub(crate) clock: Clock,
    pub(crate) live: Live,
    pub(crate) names: Arc<Names>,
    pub(crate) mailbox: EngineMailbox,
    pub(crate) asked: Arc<Asked>,
    pub(crate) failures: Failures,
    pub(crate) unreached: Unreached,
}

/// What is asked, and who knows the providers.
pub(crate) struct Asked {
    pub(crate) router: Router<Resolver>,
    pub(crate) to_tests: Option<ToTests>,
    pub(crate) published: Published,
    pub(crate) providers: Providers,
}

/// The way to our own tests, where they are taken. What comes to their domain at a listener for
/// tests is kept or refused, and never sent on: such mail cannot go round, and what we ourselves
/// make of a message can be tested.
pub(crate) struct ToTests {
    pub(crate) domain: Domain,
    /// To it listeners for tests are another's.
    pub(crate) router: Router<Resolver>,
}

impl Asked {
    /// The way to our own tests, where this is their domain.
    fn tests_at(&self, host: &Host) -> Option<&ToTests> {
        let is_theirs = |tests: &&ToTests| matches!(host, Host::Domain(to) if *to == tests.domain);
        self.to_tests.as_ref().filter(is_theirs)
    }

    /// Who finds the way to this host.
    fn router_to(&self, host: &Host) -> &Router<Resolver> {
        self.tests_at(host).map_or(&self.router, |tests| &tests.router)
    }
}

/// Why there was no route to a destination, in words, for reports.
#[derive(Clone, Default)]
pub(crate) struct Failures(Arc<Mutex<BTreeMap<DomainId, RouteFailure>>>);

impl Failures {
    pub(crate) fn forget(&self, domain: DomainId) {
        self.0.lock().remove(&domain);
    }

    pub(crate) fn of(&self, domain: DomainId) -> Option<RouteFailure> {
        self.0.lock().get(&domain).cloned()
    }
}

/// Our own configuration leads nowhere (RFC 3463 §3.4, X.3.5).
const MISCONFIGURED: Status = Status::new(4, 3, 5);

/// A message came with a number that stands for nothing any more: half an hour late. It is asked
/// for again, and the sender hears of it in the end.
const LOST: Status = Status::new(4, 3, 0);
const LOST_FOR: Span = Span::from_min(30);

impl Exchange {
    /// Its hosts, in order.
    pub(crate) fn next_hops(&self) -> impl Iterator<Item = &NextHop> {
        self.hops.iter().map(|(hop, _)| hop)
    }

    /// The names of its hosts.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hops.iter().map(|(hop, _)| &hop.name)
    }
}

impl Routing {
    /// What a number stood for is forgotten, and what was known of it.
    pub(crate) fn forget(&self, name: Name) {
        for host in self.names.forget(name) {
            self.unreached.forget_host(host);
        }
        if let Name::Domain(domain) = name {
            self.failures.forget(domain);
            self.unreached.forget_domain(domain);
        }
    }

    pub(crate) fn resolve(&self, domain: DomainId) {
        let Some(destination) = self.names.destination_of(domain) else {
            let (status, until) = (LOST, self.clock.now() + LOST_FOR);
            self.mailbox
                .tell(Input::Resolved { domain, answer: Resolved::Failed { status, until } });
            return;
        };
        let setup = self.live.borrow().clone();
        let (names, mailbox, asked) =
            (self.names.clone(), self.mailbox.clone(), self.asked.clone());
        let (clock, failures) = (self.clock, self.failures.clone());
        let unreached = self.unreached.clone();
        let known = failures.clone();
        let told = mailbox.clone();
        let found = async move {
            let found = find(&asked, &setup, &destination).await;
            let now = clock.now();
            let mut led_to = None;
            let answer = match found {
                Ok(found) => {
                    known.0.lock().remove(&domain);
                    let (answer, exchange) = found.tell(&names, now);
                    led_to = Some(exchange);
                    answer
                }
                Err(failure) => {
                    let (status, until) = (failure.status, now + failure.ttl);
                    known.0.lock().insert(domain, failure);
                    Resolved::Failed { status, until }
                }
            };
            if let (Resolved::Route(route), Some(exchange)) = (&answer, led_to) {
                let passes = sections::of_route(
                    &setup.lanes,
                    &names,
                    (domain, &*destination),
                    (route.exchange, &exchange),
                );
                if !passes.is_empty() {
                    told.tell(Input::Passes(passes));
                }
                unreached.lead(domain, route.hosts.clone());
            }
            answer
        };
        self.ring.spawn(async move {
            let answer = answer(domain, found, clock, &failures).await;
            mailbox.tell(Input::Resolved { domain, answer });
        });
    }
}

/// Where a domain's mail goes. A look-up that a fault of ours breaks has failed: its mail must not wait for an
/// answer that never comes.
async fn answer(
    domain: DomainId,
    found: impl Future<Output = Resolved>,
    clock: Clock,
    failures: &Failures,
) -> Resolved {
    if let Some(answer) = unbroken(found).await {
        return answer;
    }
    let text = "a fault of ours, told as an alarm, has broken the look-up; please report it".into();
    let failure = RouteFailure { status: LOST, text, ttl: LOST_FOR };
    let answer = Resolved::Failed { status: LOST, until: clock.now() + LOST_FOR };
    failures.0.lock().insert(domain, failure);
    answer
}

/// The settings of a router for this setup; `listening` is where our listeners are.
pub(crate) fn route_settings(setup: &Setup, listening: Vec<SocketAddr>) -> RouteSettings {
    let ours = route::Ours::new(listening);
    RouteSettings { mx_port: setup.mx_port, ours, ..RouteSettings::default() }
}

/// A route, and what it is the route of.
struct Found {
    route: Route,
    port: u16,
    provider: Box<str>,
    limits: Limits,
    /// For each host of the route, in its order.
    policies: Vec<Arc<HopPolicy>>,
    is_exchanger: bool,
}

async fn find(
    asked: &Asked,
    setup: &Setup,
    destination: &Destination,
) -> Result<Found, RouteFailure> {
    let sender = destination.sender.clone().unwrap_or(ReversePath::Null);
    let host = &destination.host;
    if setup.routes.asks_for_provider(host) {
        let route = asked.router_to(host).resolve(host).await;
        let provider = provider_of(asked, host, route.as_ref().ok());
        return match setup.routes.find(&sender, host, Some(&provider)) {
            Some(target) => by_target(asked, setup, host, target, provider).await,
            None => by_exchangers(asked, setup, host, route?, provider).await,
        };
    }
    match setup.routes.find(&sender, host, None) {
        Some(target) => {
            let provider = provider_of(asked, host, None);
            by_target(asked, setup, host, target, provider).await
        }
        None => {
            let route = asked.router_to(host).resolve(host).await?;
            let provider = provider_of(asked, host, Some(&route));
            by_exchangers(asked, setup, host, route, provider).await
        }
    }
}

fn provider_of(asked: &Asked, host: &Host, route: Option<&Route>) -> Box<str> {
    let domain = match host {
        Host::Domain(domain) => domain,
        Host::Literal(ip) => return asked.providers.find_address(*ip).as_str().into(),
    };
    let named = |host: &route::HostAddresses| match &host.name {
        Host::Domain(domain) => Some(domain.clone()),
        Host::Literal(_) => None,
    };
    // Of equal hosts the DNS names another one first each time; the provider is the same.
    let all = || route.into_iter().flat_map(|route| &route.hosts);
    let best = all().map(|host| host.preference).min();
    let mut hosts: Vec<Domain> =
        all().filter(|host| Some(host.preference) == best).filter_map(named).collect();
    hosts.sort_unstable();
    asked.providers.find(&hosts, domain).as_str().into()
}

async fn by_exchangers(
    asked: &Asked,
    setup: &Setup,
    host: &Host,
    route: Route,
    provider: Box<str>,
) -> Result<Found, RouteFailure> {
    let tls = setup.tls_for(host, &provider);
    let (route, demands) = match host {
        Host::Domain(domain) if setup.heeds_published_tls(domain, &provider) => {
            asked.published.demands(setup, domain, route).await?
        }
        _ => {
            let demands = vec![Demand::Nothing; route.hosts.len()];
            (route, demands)
        }
    };
    let policy = |demand| Arc::new(HopPolicy { tls: tls.clone(), auth: None, demand });
    let policies = demands.into_iter().map(policy).collect();
    let (limits, port) = (Limits::OfSource, setup.mx_port);
    let is_exchanger = asked.tests_at(host).is_none();
    Ok(Found { route, port, provider, limits, policies, is_exchanger })
}

async fn by_target(
    asked: &Asked,
    setup: &Setup,
    host: &Host,
    target: &Target,
    provider: Box<str>,
) -> Result<Found, RouteFailure> {
    let route = asked.router_to(host).resolve_target(target).await?;
    let auth = target.credentials.as_ref().map(read_password).transpose()?;
    let of_recipients = setup.tls_for(host, &provider);
    let (provider, limits) = match target.lane_name(setup.mx_port) {
        Some(own) => (own.into(), Limits::OfAll),
        None if target.lane == TargetLane::Provider => (provider, Limits::OfSource),
        None => (provider_of(asked, &target.host, Some(&route)), Limits::OfSource),
    };
    let said = setup.tls_with(of_recipients, &provider);
    let tls = TlsSetup { policy: target.tls.unwrap_or(said.policy), ..said };
    let policy = Arc::new(HopPolicy { tls, auth, demand: Demand::Nothing });
    let policies = vec![policy; route.hosts.len()];
    let port = target.port.unwrap_or(setup.mx_port);
    Ok(Found { route, port, provider, limits, policies, is_exchanger: false })
}

fn read_password(credentials: &route::Credentials) -> Result<Credentials, RouteFailure> {
    let password = match &credentials.password {
        Password::File(path) => {
            fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
        }
        Password::Environment(name) => {
            std::env::var(&**name).map_err(|e| format!("environment variable {name}: {e}"))
        }
    };
    let unreadable = |why: String| RouteFailure {
        status: MISCONFIGURED,
        text: format!("the password of {} cannot be read: {why}", credentials.user).into(),
        ttl: Span::from_min(1),
    };
    let password = password.map_err(unreadable)?;
    let password = password.lines().next().unwrap_or_default();
    Ok(Credentials { user: credentials.user.clone(), password: password.into() })
}

impl Found {
    fn tell(self, names: &Names, now: postlane_mail::Instant) -> (Resolved, Exchange) {
        let hop = |(host, policy): (&route::HostAddresses, &Arc<HopPolicy>)| NextHop {
            name: host.name.clone(),
            port: self.port,
            provider: self.provider.clone(),
            limits: self.limits,
            is_exchanger: self.is_exchanger,
            policy: policy.clone(),
        };
        let hosts = self.route.hosts.iter().zip(&self.policies);
        let hops: Vec<(NextHop, u16)> =
            hosts.map(|(host, policy)| (hop((host, policy)), host.preference)).collect();
        let named = Exchange { hops };
        let (exchange, numbers) = names.exchange(&named);
        let hosts = self.route.hosts.iter().zip(&named.hops).zip(numbers.iter());
        let hosts = hosts.map(|((host, (hop, preference)), number)| RouteHost {
            host: *number,
            preference: *preference,
            addresses: host.addresses.iter().map(|ip| SocketAddr::new(*ip, hop.port)).collect(),
        });
        let hosts = hosts.collect();
        let (provider, limits) = (names.provider(&self.provider), self.limits);
        let until = now + self.route.ttl;
        let route = postlane_engine::Route { provider, limits, exchange, hosts, until };
        (Resolved::Route(route), named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_up_that_breaks_has_failed_and_says_why() {
        let (failures, domain, clock) = (Failures::default(), DomainId(7), Clock::wall());
        let now = clock.now();
        let breaks = async {
            tokio::task::yield_now().await;
            assert_eq!(1, 2, "a fault of ours");
            Resolved::Failed { status: MISCONFIGURED, until: now }
        };
        let answer = answer(domain, breaks, clock, &failures).await;
        let Resolved::Failed { status: LOST, until } = answer else { panic!("{answer:?}") };
        assert!(until >= now + LOST_FOR, "it is asked for again, and not at once");
        let why = failures.of(domain).unwrap().to_string();
        assert!(why.contains("a fault of ours"), "{why}");
    }
}
