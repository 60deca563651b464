//! Mailbox providers: receivers that share limits, whatever brands they carry.
//!
//! The large ones come from a table, found by the suffix of the best MX host first and by the
//! recipient's domain second. Whoever is not in it is a provider of their own, named by the
//! registrable domain of the best MX host: who runs that machine is who will say 421.
//! What a provider's limits are is not said here.

mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use postlane_mail::{Domain, Host};

pub use table::ProvidersError;

/// A provider's name in logs, settings and lanes: `united-internet`, `google`, or a
/// registrable domain or address literal for one that is in no table. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(Arc<str>);

/// Who is which provider.
#[derive(Debug, Clone)]
pub struct Providers {
    known: Vec<Provider>,
    by_mx_suffix: BTreeMap<Box<str>, usize>,
    by_domain: BTreeMap<Box<str>, usize>,
}

/// A provider of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name in logs, settings and lanes.
    pub id: ProviderId,
    /// Its name as people write it.
    pub name: Box<str>,
}

impl ProviderId {
    /// The name, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Providers {
    /// The table that comes with the program.
    pub fn built_in() -> Self {
        Self::parse(include_str!("../providers.toml")).expect("a test reads the table we ship")
    }

    /// Reads a table in the form of the one that comes with the program.
    pub fn parse(text: &str) -> Result<Self, ProvidersError> {
        table::read(text)
    }

    /// Whose limits count for mail to this domain, when its mail goes to these hosts.
    ///
    /// Only the first host, the best one, is looked at: backup hosts are often someone else's.
    /// With no hosts the domain itself speaks.
    pub fn find(&self, mx_hosts: &[Domain], recipient_domain: &Domain) -> ProviderId {
        let best = mx_hosts.first();
        best.and_then(|host| self.by_host(host))
            .or_else(|| self.by_domain.get(recipient_domain.as_str()).copied())
            .and_then(|place| self.known.get(place))
            .map(|provider| provider.id.clone())
            .unwrap_or_else(|| registrable(best.unwrap_or(recipient_domain)))
    }

    /// Whose limits count at an address that was given without a name.
    pub fn find_address(&self, address: IpAddr) -> ProviderId {
        ProviderId(Host::Literal(address).to_string().into())
    }

    /// The providers of the table, in its order.
    pub fn known(&self) -> &[Provider] {
        &self.known
    }

    /// The longest suffix that is in the table.
    fn by_host(&self, host: &Domain) -> Option<usize> {
        let mut rest = host.as_str();
        loop {
            if let Some(place) = self.by_mx_suffix.get(rest) {
                return Some(*place);
            }
            rest = rest.split_once('.')?.1;
        }
    }
}

/// The provider that nobody wrote down: the domain somebody has registered (public suffix
/// list), or the whole name when it is a public suffix itself.
fn registrable(host: &Domain) -> ProviderId {
    ProviderId(psl::domain_str(host.as_str()).unwrap_or(host.as_str()).into())
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
