//! Mailbox providers: receivers that share limits, whatever brands they carry.
//!
//! The large ones come from a table, found by the suffix of the best MX host first and by the
//! recipient's domain second. Whoever is not in it is a provider of their own, named by the
//! registrable domain of the best MX host: who runs that machine is who will say 421.
//! People name a provider by its id, a brand or another name; all of them lead to one id.
//! What a provider's limits are is not said here.

mod names;
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
    /// Ids, brands and other names, as [`names::plain`] writes them.
    by_name: BTreeMap<Box<str>, usize>,
}

/// A provider of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name in logs, settings and lanes.
    pub id: ProviderId,
    /// Its name as people write it.
    pub name: Box<str>,
    /// What it is called where its customers meet it; not every provider has brands.
    pub brands: Vec<Brand>,
    /// Further names by which people know it.
    pub aliases: Vec<Box<str>>,
    /// Recipient domains that are its own.
    pub domains: Vec<Box<str>>,
    /// Ends of its MX hosts' names, each with a leading dot.
    pub mx_suffixes: Vec<Box<str>>,
    /// Those of `mx_suffixes` that were written from memory.
    pub mx_unverified: Vec<Box<str>>,
    /// Where its postmasters explain themselves: pages and addresses.
    pub postmaster: Vec<PostmasterPage>,
    /// What else a sender should know of it.
    pub notes: Vec<Note>,
    /// Where its hosts were read.
    pub source: Box<str>,
    /// When: `2026`, `2026-11` or `2026-11-20`.
    pub seen: Box<str>,
    /// Who looked the hosts up.
    pub standing: Standing,
}

/// A name a provider carries on the market, with an id of its own that stands for the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// The brand's id: `web-de`.
    pub id: Box<str>,
    /// The brand's name as people write it.
    pub name: Box<str>,
}

/// Where a provider's postmasters can be read or reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostmasterPage {
    /// The page, or a `mailto:` address.
    pub url: Box<str>,
    /// Where the URL was read.
    pub source: Box<str>,
}

/// A fact about a provider, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The fact, in a sentence.
    pub says: Box<str>,
    /// Where it was read.
    pub source: Box<str>,
}

/// Whether somebody looked an entry's hosts up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Read at the source that is named.
    Read,
    /// Written from memory.
    Unverified,
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

    /// Which provider of the table a host belongs to, where nothing but its name is known, as in
    /// a log: by the suffix of an MX host, else as a recipient domain. Logs shorten hosts to
    /// `qq.com` or `mail.protection.outlook.com`; those are found, too.
    pub fn at(&self, host: &Domain) -> Option<&Provider> {
        let place = self.by_host(host).or_else(|| self.by_domain.get(host.as_str()).copied());
        self.known.get(place?)
    }

    /// Whose limits count at an address that was given without a name.
    pub fn find_address(&self, address: IpAddr) -> ProviderId {
        ProviderId(Host::Literal(address).to_string().into())
    }

    /// The provider of the table that people call so: by id, brand or alias (letters and digits
    /// count; case, blanks, dots, dashes and underscores do not), or by a recipient domain of its.
    pub fn resolve(&self, name: &str) -> Option<ProviderId> {
        self.named(name).map(|provider| provider.id.clone())
    }

    /// As [`resolve`](Self::resolve), with all that is known of it.
    pub fn named(&self, name: &str) -> Option<&Provider> {
        let by_name = || self.by_name.get(names::plain(name).as_str());
        let by_domain =
            || self.by_domain.get(Domain::parse(name.trim().trim_matches('.')).ok()?.as_str());
        let place = by_name().or_else(by_domain)?;
        self.known.get(*place)
    }

    /// What was probably meant by a name that nobody has: an id, brand or alias as the table
    /// writes it, or nothing when no name is like it.
    pub fn suggest(&self, name: &str) -> Option<&str> {
        names::nearest(name, self.known.iter().flat_map(Provider::names))
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

impl Provider {
    /// All that people may call it: id, name, brands and aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let brands = self.brands.iter().flat_map(|brand| [&*brand.id, &*brand.name]);
        let aliases = self.aliases.iter().map(|alias| &**alias);
        [self.id.as_str(), &*self.name].into_iter().chain(brands).chain(aliases)
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
