//! A route out of what is known of its hosts, or why there is none.

use std::net::{IpAddr, SocketAddr};

use postlane_mail::{Host, Span};

use crate::dns::DnsError;

use super::failure::RouteFailure;
use super::ours::Ours;

/// Where mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The hosts, lowest preference first; among equals the order means nothing. Never empty.
    pub hosts: Vec<HostAddresses>,
    /// How long it is good for: the least of all TTLs, within the bounds of the settings.
    pub ttl: Span,
    /// The domain has no MX and stands for its own host (RFC 5321 §5.1).
    pub implicit: bool,
    /// Whether the resolver vouches for the names of the hosts (the AD bit): always where the
    /// domain stands for its own host, whose addresses say it then.
    pub authentic: bool,
    /// Hosts that were left out.
    pub skipped: Vec<Skipped>,
}

/// A host of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAddresses {
    /// Its name, or the literal it was given as.
    pub name: Host,
    /// Its MX preference; 0 without an MX.
    pub preference: u16,
    /// Its addresses in the order of the answers, each family's together. Never empty.
    pub addresses: Vec<IpAddr>,
    /// How long they are good for.
    pub ttl: Span,
    /// Whether the resolver vouches for all of them (the AD bit).
    pub authentic: bool,
}

/// A host that was left out of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name, or whatever stands in its place.
    pub host: Box<str>,
    /// Its MX preference.
    pub preference: u16,
    /// Why.
    pub why: Why,
}

/// Why a host was left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// What the MX names is no host name, but an address or worse.
    #[error("is no host name")]
    NoHostName,
    /// There are more hosts than we try.
    #[error("is one too many")]
    TooMany,
    /// The DNS gives no address, or could not be asked.
    #[error("{0}")]
    Dns(DnsError),
    /// It has no address of a family that is used for sending.
    #[error("has no address of a family that is used for sending")]
    NoFamily,
    /// No mail can be sent to any of its addresses (unspecified, multicast, broadcast, or
    /// forbidden by a setting).
    #[error("has no address that mail may be sent to")]
    NoUsableAddress,
    /// It is this relay, or no better than this relay (RFC 5321 §5.1).
    #[error("is this relay, or no better")]
    Loop,
}

/// What looking a host up has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LookedUp {
    pub(super) name: Host,
    pub(super) preference: u16,
    /// Its addresses and how long they are good for; none that cannot be used.
    pub(super) found: Result<(Vec<IpAddr>, Span), Why>,
    /// One family's addresses could not be asked for: look again soon.
    pub(super) incomplete: bool,
    /// The resolver vouches for every address.
    pub(super) authentic: bool,
}

/// What a route is made for.
#[derive(Debug)]
pub(super) struct Purpose<'a> {
    pub(super) destination: &'a Host,
    pub(super) port: u16,
    pub(super) ours: &'a Ours,
    pub(super) ttl_min: Span,
    pub(super) ttl_max: Span,
    /// How long the MX set, or its absence, is good for.
    pub(super) mx_ttl: Span,
    pub(super) implicit: bool,
    /// The resolver vouches for the MX set, or there is none.
    pub(super) authentic: bool,
}

/// Makes a route of the hosts that have addresses, lowest preference first, as far as they are
/// better than ourselves.
pub(super) fn assemble(
    purpose: &Purpose<'_>,
    mut looked_up: Vec<LookedUp>,
    mut skipped: Vec<Skipped>,
) -> Result<Route, RouteFailure> {
    looked_up.sort_by_key(|host| host.preference);
    let own = looked_up.iter().find(|host| purpose.is_ours(host)).map(|host| host.preference);
    let (mut hosts, mut ttl, mut unsure) = (Vec::new(), purpose.mx_ttl, false);
    for LookedUp { name, preference, found, incomplete, authentic } in looked_up {
        let skip = |why| Skipped { host: name.to_string().into(), preference, why };
        match found {
            _ if own.is_some_and(|own| preference >= own) => skipped.push(skip(Why::Loop)),
            Ok((addresses, host_ttl)) => {
                ttl = ttl.min(host_ttl);
                unsure |= incomplete;
                let ttl = host_ttl;
                hosts.push(HostAddresses { name, preference, addresses, ttl, authentic });
            }
            Err(why) => {
                match &why {
                    Why::Dns(DnsError::NoData { ttl: t } | DnsError::NxDomain { ttl: t }) => {
                        ttl = ttl.min(*t);
                    }
                    Why::Dns(_) => unsure = true,
                    _ => {}
                }
                skipped.push(skip(why));
            }
        }
    }
    let ttl = if unsure { purpose.ttl_min } else { purpose.bounded(ttl) };
    if hosts.is_empty() {
        return Err(purpose.failure(&skipped, ttl));
    }
    let (implicit, authentic) = (purpose.implicit, purpose.authentic);
    Ok(Route { hosts, ttl, implicit, authentic, skipped })
}

impl Purpose<'_> {
    pub(super) fn bounded(&self, ttl: Span) -> Span {
        ttl.max(self.ttl_min).min(self.ttl_max)
    }

    fn is_ours(&self, host: &LookedUp) -> bool {
        let Ok((addresses, _)) = &host.found else { return false };
        addresses.iter().any(|ip| self.ours.has(SocketAddr::new(*ip, self.port)))
    }

    /// No host is left. What may be otherwise next time is said before what will not.
    fn failure(&self, skipped: &[Skipped], ttl: Span) -> RouteFailure {
        let unsure = skipped.iter().find_map(|skipped| match &skipped.why {
            Why::Dns(error) if !error.is_negative() => Some(error),
            _ => None,
        });
        if let Some(error) = unsure {
            return RouteFailure::no_answer(self.destination, error, ttl);
        }
        let has = |why: &Why| skipped.iter().any(|skipped| skipped.why == *why);
        if has(&Why::Loop) {
            return RouteFailure::leads_back(self.destination, ttl);
        }
        if has(&Why::NoFamily) {
            return RouteFailure::no_family(self.destination, ttl);
        }
        let found: Vec<String> =
            skipped.iter().take(3).map(|s| format!("{} {}", s.host, s.why)).collect();
        RouteFailure::no_host(self.destination, &found.join(", "), ttl)
    }
}

/// Addresses nothing can be sent to: unspecified ones, groups, everybody.
pub(super) fn is_a_host(ip: IpAddr) -> bool {
    let everybody = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    !(ip.is_unspecified() || ip.is_multicast() || everybody)
}

#[cfg(test)]
mod tests;
