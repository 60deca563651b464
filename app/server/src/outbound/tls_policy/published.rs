//! What recipients' domains publish about encryption, asked when their mail is routed.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use postlane_checks::mta_sts::{StsMode, StsPolicy};
use postlane_checks::tlsa::TlsaRecord;
use postlane_checks::{DanePolicy, Kind, Name, Question};
use postlane_mail::{Domain, Host, Span, Status};
use postlane_net::dns::{NameServers, Resolver, ResolverSettings};
use postlane_net::enquiry::Enquiry;
use postlane_net::route::{HostAddresses, Route, RouteFailure};
use postlane_net::tls::{ClientTls, Minimum, Trust};
use postlane_registry::Registry;
use tokio::sync::watch;

use super::base::bases;
use super::sts::StsPolicies;
use super::tally::{Tallies, Went};
use super::{DaneDemand, Demand, StsDemand};
use crate::config::settings::Dane;
use crate::ground::clock::Clock;
use crate::setup::{HttpsSetup, Setup, TlsSetup};
use crate::telling::journal::{Journal, alarm};

/// What recipients' domains publish about encryption.
#[derive(Clone)]
pub(crate) struct Published(Arc<Inner>);

struct Inner {
    resolver: Resolver,
    servers: NameServers,
    sts: Arc<StsPolicies>,
    tallies: Tallies,
    clock: Clock,
    hostname: Domain,
    https: HttpsSetup,
    web: OnceLock<Option<Web>>,
    /// Made once for each way of doing it: sessions are opened by the thousand.
    ready: Mutex<Vec<(Minimum, Demanded, ClientTls)>>,
}

/// Who fetches policies, and who judges certificates.
struct Web {
    enquiry: Arc<Enquiry>,
    trust: Trust,
}

/// Ways of doing TLS that do not depend on the host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demanded {
    Enforced,
    Testing,
}

/// No host of a domain may take its mail, by what it publishes (RFC 3463 §3.8, X.7.5).
const FORBIDDEN: Status = Status::new(4, 7, 5);

/// That is asked again after this. Chosen, not measured: whoever mends a policy wants to see it.
const FORBIDDEN_FOR: Span = Span::from_min(5);

/// Policies are looked through for those that are to be renewed so often. Chosen, not measured.
const RENEWED_EVERY: Span = Span::from_h(1);

impl Published {
    /// Asks these name servers; what was kept of policies is taken in.
    pub(crate) fn new(
        setup: &Setup,
        registry: &Registry,
        journal: &Journal,
    ) -> anyhow::Result<Self> {
        let (clock, servers) = (setup.clock, setup.name_servers()?);
        let tallies = Tallies::new(registry.clone());
        let sts = StsPolicies {
            clock,
            registry: registry.clone(),
            journal: journal.clone(),
            tallies: tallies.clone(),
            kept: Mutex::default(),
            failed: Mutex::default(),
        };
        sts.load();
        Ok(Self(Arc::new(Inner {
            resolver: setup.resolver()?,
            servers,
            sts: Arc::new(sts),
            tallies,
            clock,
            hostname: setup.hostname.clone(),
            https: setup.https.clone(),
            web: OnceLock::new(),
            ready: Mutex::default(),
        })))
    }

    /// What a domain demands of sessions with each host of its route; hosts that may not have its
    /// mail are left out of the route.
    pub(crate) async fn demands(
        &self,
        setup: &Setup,
        domain: &Domain,
        mut route: Route,
    ) -> Result<(Route, Vec<Demand>), RouteFailure> {
        let published = setup.published_tls;
        let sts = match published.mta_sts {
            true => {
                let web = self.0.web().map(|web| &web.enquiry);
                self.0.sts.of(domain, &self.0.resolver, web).await
            }
            false => None,
        };
        let vouched = route.authentic && self.0.vouches(published.dane);
        let (mut hosts, mut demands, mut forbidden) = (Vec::new(), Vec::new(), Vec::new());
        for host in route.hosts {
            let (dane, base) = match vouched {
                true => self.0.dane(&host).await,
                false => (DanePolicy::Nothing, None),
            };
            match self.0.demand(domain, &host, (dane, base), sts.as_ref()) {
                Ok(demand) => {
                    hosts.push(host);
                    demands.push(demand);
                }
                Err(why) => forbidden.push(why),
            }
        }
        if hosts.is_empty() {
            return Err(failure(domain, &forbidden));
        }
        route.hosts = hosts;
        Ok((route, demands))
    }

    /// How a session is encrypted, where a domain demands something of it.
    pub(crate) fn client_tls(&self, demand: &Demand, tls: &TlsSetup) -> Option<ClientTls> {
        let trust = || self.0.web().map(|web| &web.trust);
        let kind = match demand {
            Demand::Nothing => return None,
            Demand::Dane(_) => return demand.client_tls(tls.minimum, None),
            Demand::Sts(sts) if sts.policy.mode == StsMode::Enforce => Demanded::Enforced,
            Demand::Sts(_) => Demanded::Testing,
        };
        let mut ready = self.0.ready.lock();
        let key = (tls.minimum, kind);
        if let Some((.., made)) = ready.iter().find(|(minimum, kind, _)| (*minimum, *kind) == key) {
            return Some(made.clone());
        }
        let made = demand.client_tls(tls.minimum, trust())?;
        ready.push((tls.minimum, kind, made.clone()));
        Some(made)
    }

    /// How sessions went, for whoever counts them.
    pub(crate) fn tallies(&self) -> &Tallies {
        &self.0.tallies
    }

    /// Renews policies before they end, until the server closes.
    pub(crate) async fn keep_fresh(self, mut stop: watch::Receiver<bool>) {
        loop {
            let next = self.0.clock.now() + RENEWED_EVERY;
            let next = tokio::time::Instant::from_std(self.0.clock.monotonic(next));
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            if let Some(web) = self.0.web() {
                self.0.sts.renew_all(&web.enquiry).await;
            }
        }
    }
}

impl Inner {
    fn web(&self) -> Option<&Web> {
        let made = self.web.get_or_init(|| match Trust::with_roots(&self.https.extra_roots) {
            Ok(trust) => {
                let resolver = Resolver::new(&self.servers, ResolverSettings::default());
                let (mapped, helo) = (self.https.mapped.clone(), self.hostname.as_str());
                let enquiry = Enquiry::new(resolver, trust.clone(), mapped, helo)
                    .with_page_patience(self.https.timeout.to_std());
                Some(Web { enquiry: Arc::new(enquiry), trust })
            }
            Err(error) => {
                alarm(&format!(
                    "no certificate can be checked: {error}. MTA-STS policies cannot be fetched, and \
                     mail to domains whose policy is known waits"
                ));
                None
            }
        });
        made.as_ref()
    }

    /// Whether what resolvers say of signatures counts.
    fn vouches(&self, dane: Dane) -> bool {
        match dane {
            Dane::Off => false,
            Dane::Loopback => self.servers.addresses().iter().all(|at| at.ip().is_loopback()),
            Dane::Always => true,
        }
    }

    /// What the signed records of a host ask for, and at which name they stand: the host's, or the
    /// one that it is an alias of.
    async fn dane(&self, host: &HostAddresses) -> (DanePolicy, Option<Domain>) {
        let Host::Domain(name) = &host.name else { return (DanePolicy::Nothing, None) };
        let names = match bases(&self.resolver, &Name::from(name), host.authentic).await {
            Ok(names) => names,
            // Who can suppress this answer could hide an alias with records, but not where nothing
            // else of the host is signed.
            Err(why) if host.authentic => return (DanePolicy::Undetermined(why.into()), None),
            Err(_) => return (DanePolicy::Nothing, None),
        };
        for base in names {
            let Some(name) = TlsaRecord::name_of(&base) else { continue };
            let answer = self.resolver.answer(&Question { name, kind: Kind::Tlsa }).await;
            let policy = DanePolicy::of(&answer);
            if policy != DanePolicy::Nothing {
                return (policy, Domain::parse(base.as_str()).ok());
            }
        }
        (DanePolicy::Nothing, None)
    }

    /// What a domain demands of one host, or why its mail may not go there. Signed records count
    /// before a policy (RFC 8461 §2).
    fn demand(
        &self,
        domain: &Domain,
        host: &HostAddresses,
        (dane, base): (DanePolicy, Option<Domain>),
        sts: Option<&StsPolicy>,
    ) -> Result<Demand, String> {
        let Host::Domain(name) = &host.name else { return Ok(Demand::Nothing) };
        match dane {
            DanePolicy::Records(records) => {
                let (domain, host) = (domain.clone(), name.clone());
                let base = base.unwrap_or_else(|| host.clone());
                return Ok(Demand::Dane(Arc::new(DaneDemand { domain, host, base, records })));
            }
            DanePolicy::Undetermined(why) => {
                let ips: &[IpAddr] = &host.addresses;
                let went = Went::unproved(domain, name, ips.first().copied(), &why);
                self.tallies.count(self.clock.now(), went);
                return Err(format!(
                    "the TLSA records of {name} cannot be found out, though its zone is signed \
                     ({why}): ask again later, or have its postmaster check the zone's signatures"
                ));
            }
            DanePolicy::Nothing => {}
        }
        let Some(policy) = sts else { return Ok(Demand::Nothing) };
        if policy.mode == StsMode::Enforce && !policy.allows(&Name::from(name)) {
            let went = Went::not_allowed(domain, policy, name, host.addresses.first().copied());
            self.tallies.count(self.clock.now(), went);
            return Err(format!("{name} is not among the hosts of its MTA-STS policy"));
        }
        let policy = policy.clone();
        Ok(Demand::Sts(Arc::new(StsDemand { domain: domain.clone(), policy })))
    }
}

/// No host is left.
fn failure(domain: &Domain, forbidden: &[String]) -> RouteFailure {
    let why: Vec<&str> = forbidden.iter().take(3).map(String::as_str).collect();
    let text = format!(
        "no host may take mail for {domain} by what {domain} publishes: {}. It waits until that or \
         the MX records are mended; [[domain]] with tls = \"opportunistic\" sends it all the same",
        why.join("; ")
    );
    RouteFailure { status: FORBIDDEN, text: text.into(), ttl: FORBIDDEN_FOR }
}
