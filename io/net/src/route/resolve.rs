//! Asks the DNS for a route.

use std::net::IpAddr;

use futures_util::{StreamExt, stream};
use ipnet::IpNet;
use postlane_mail::{Domain, Family, Host, Span};

use crate::dns::{Answer, Dns, DnsError};

use super::assemble::{LookedUp, Purpose, Route, Skipped, Why, assemble, is_a_host};
use super::failure::RouteFailure;
use super::ours::Ours;
use super::select::{Selection, select};
use super::target::{Lookup, Target};

/// Which families of addresses are used for sending. One that is not is not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Families {
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// Both.
    #[default]
    Both,
}

/// How routes are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSettings {
    /// Which families of addresses are used for sending.
    pub families: Families,
    /// The port that mail exchangers listen at (RFC 5321 §4.5.4.2: 25).
    pub mx_port: u16,
    /// Where we listen.
    pub ours: Ours,
    /// Networks that mail is never sent to, whatever the DNS or an address literal says.
    pub never: Vec<IpNet>,
    /// Hosts of a route, at most; the best ones are kept. Chosen, not measured.
    pub hosts_max: usize,
    /// Addresses of a host and family, at most. Chosen, not measured.
    pub addresses_max: usize,
    /// Hosts of one route looked up at a time; at least 1. Chosen, not measured.
    pub lookups_max: usize,
    /// A route is not asked for again before this, even if its records say so; one that is not
    /// whole, or that the DNS did not answer, is asked for again after this. Chosen, not measured.
    pub ttl_min: Span,
    /// A route is asked for again after this, even if its records are good for longer. Chosen,
    /// not measured: a domain that moves is followed within the hour.
    pub ttl_max: Span,
}

/// Finds routes.
#[derive(Debug)]
pub struct Router<D> {
    dns: D,
    settings: RouteSettings,
}

/// Hosts to look up, before anything is known of them.
struct Candidates {
    hosts: Vec<(u16, Domain)>,
    skipped: Vec<Skipped>,
    ttl: Span,
    implicit: bool,
    authentic: bool,
}

/// What nothing in the DNS limits.
const FOR_EVER: Span = Span(u64::MAX);

impl Default for RouteSettings {
    fn default() -> Self {
        Self {
            families: Families::Both,
            mx_port: 25,
            ours: Ours::default(),
            never: Vec::new(),
            hosts_max: 20,
            addresses_max: 16,
            lookups_max: 8,
            ttl_min: Span::from_min(1),
            ttl_max: Span::from_h(1),
        }
    }
}

impl<D: Dns> Router<D> {
    /// Asks this DNS.
    pub fn new(dns: D, settings: RouteSettings) -> Self {
        Self { dns, settings }
    }

    /// Where mail for a recipient's domain or address literal goes (RFC 5321 §5.1).
    pub async fn resolve(&self, destination: &Host) -> Result<Route, RouteFailure> {
        self.find(destination, Lookup::Mx, self.settings.mx_port).await
    }

    /// Where mail goes that a static route sends to this target. Mistakes of the configuration
    /// are never permanent.
    pub async fn resolve_target(&self, target: &Target) -> Result<Route, RouteFailure> {
        let port = target.port.unwrap_or(self.settings.mx_port);
        let route = self.find(&target.host, target.lookup, port).await;
        route.map_err(|failure| failure.by_operator(&target.host))
    }

    async fn find(
        &self,
        destination: &Host,
        lookup: Lookup,
        port: u16,
    ) -> Result<Route, RouteFailure> {
        let mut purpose = Purpose {
            destination,
            port,
            ours: &self.settings.ours,
            ttl_min: self.settings.ttl_min,
            ttl_max: self.settings.ttl_max,
            mx_ttl: FOR_EVER,
            implicit: false,
            authentic: true,
        };
        let candidates = match (destination, lookup) {
            (Host::Literal(ip), _) => {
                return assemble(&purpose, vec![self.literal(*ip)], Vec::new());
            }
            (Host::Domain(domain), Lookup::Addresses) => Candidates::only(domain, FOR_EVER),
            (Host::Domain(domain), Lookup::Mx) => self.exchangers(domain, &purpose).await?,
        };
        (purpose.mx_ttl, purpose.implicit) = (candidates.ttl, candidates.implicit);
        purpose.authentic = candidates.authentic;
        let lookups = candidates
            .hosts
            .into_iter()
            .map(|(preference, host)| async move { self.look_up(preference, host).await });
        let at_a_time = self.settings.lookups_max.max(1);
        let looked_up = stream::iter(lookups).buffered(at_a_time).collect().await;
        assemble(&purpose, looked_up, candidates.skipped)
    }

    async fn exchangers(
        &self,
        domain: &Domain,
        purpose: &Purpose<'_>,
    ) -> Result<Candidates, RouteFailure> {
        match self.dns.mx(domain).await {
            Ok(mx) => match select(&mx.records, self.settings.hosts_max) {
                Selection::NullMx => Err(RouteFailure::null_mx(domain, purpose.bounded(mx.ttl))),
                Selection::Hosts(hosts, skipped) => {
                    let (ttl, authentic) = (mx.ttl, mx.authentic);
                    Ok(Candidates { hosts, skipped, ttl, implicit: false, authentic })
                }
            },
            Err(DnsError::NoData { ttl }) => {
                Ok(Candidates { implicit: true, ..Candidates::only(domain, ttl) })
            }
            Err(DnsError::NxDomain { ttl }) => {
                Err(RouteFailure::no_such_domain(domain, purpose.bounded(ttl)))
            }
            Err(error) => Err(RouteFailure::no_answer(domain, &error, purpose.ttl_min)),
        }
    }

    fn literal(&self, ip: IpAddr) -> LookedUp {
        let ip = ip.to_canonical();
        let found = if !self.settings.families.has(Family::of(ip)) {
            Err(Why::NoFamily)
        } else if self.is_usable(ip) {
            Ok((vec![ip], FOR_EVER))
        } else {
            Err(Why::NoUsableAddress)
        };
        let name = Host::Literal(ip);
        LookedUp { name, preference: 0, found, incomplete: false, authentic: false }
    }

    async fn look_up(&self, preference: u16, host: Domain) -> LookedUp {
        let (v4, v6) =
            tokio::join!(self.addresses(&host, Family::V4), self.addresses(&host, Family::V6));
        let (mut addresses, mut ttl, mut seen, mut errors) =
            (Vec::new(), FOR_EVER, false, Vec::new());
        let mut authentic = true;
        for answer in [v4, v6].into_iter().flatten() {
            match answer {
                Ok(answer) => {
                    (ttl, seen) = (ttl.min(answer.ttl), true);
                    authentic &= answer.authentic;
                    addresses.extend(self.usable(&answer.records));
                }
                Err(error) => errors.push(error),
            }
        }
        let incomplete = errors.iter().any(|error| !error.is_negative());
        let found = match addresses.is_empty() {
            false => Ok((addresses, ttl)),
            true => Err(self.why_none(seen, errors)),
        };
        LookedUp { name: Host::Domain(host), preference, found, incomplete, authentic }
    }

    async fn addresses(
        &self,
        host: &Domain,
        family: Family,
    ) -> Option<Result<Answer<IpAddr>, DnsError>> {
        if self.settings.families.has(family) {
            Some(self.dns.addresses(host, family).await)
        } else {
            None
        }
    }

    /// Why a host has no addresses. What may be otherwise next time is said before what will not.
    fn why_none(&self, seen: bool, mut errors: Vec<DnsError>) -> Why {
        errors.sort_by_key(|error| match error {
            DnsError::NxDomain { .. } => 1,
            DnsError::NoData { .. } => 2,
            _ => 0,
        });
        match errors.into_iter().next() {
            Some(error) if !error.is_negative() => Why::Dns(error),
            _ if seen => Why::NoUsableAddress,
            Some(DnsError::NoData { .. }) if self.settings.families != Families::Both => {
                Why::NoFamily
            }
            Some(error) => Why::Dns(error),
            None => Why::NoFamily,
        }
    }

    /// The addresses that mail may be sent to, each once.
    fn usable(&self, records: &[IpAddr]) -> Vec<IpAddr> {
        let mut usable = Vec::new();
        for ip in records {
            // An IPv4-mapped IPv6 address is none to be reached at over IPv6 (RFC 4291 §2.5.5.2).
            let mapped = ip.to_canonical() != *ip;
            if !mapped && self.is_usable(*ip) && !usable.contains(ip) {
                usable.push(*ip);
            }
        }
        usable.truncate(self.settings.addresses_max);
        usable
    }

    fn is_usable(&self, ip: IpAddr) -> bool {
        is_a_host(ip) && !self.settings.never.iter().any(|network| network.contains(&ip))
    }
}

impl Candidates {
    fn only(domain: &Domain, ttl: Span) -> Self {
        let hosts = vec![(0, domain.clone())];
        Self { hosts, skipped: Vec::new(), ttl, implicit: false, authentic: true }
    }
}

impl Families {
    /// Whether this family is one of them.
    pub fn has(self, family: Family) -> bool {
        match self {
            Self::V4 => family == Family::V4,
            Self::V6 => family == Family::V6,
            Self::Both => true,
        }
    }
}

#[cfg(test)]
mod tests;
