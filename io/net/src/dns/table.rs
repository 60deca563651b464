//! A DNS in memory, for rehearsals and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use parking_lot::Mutex;
use postlane_mail::{Domain, Family, Span};

use super::answer::{Answer, DnsError, Exchange, Mx};
use super::question::Dns;

/// Names and their records. A name without any does not exist; a name with others than those
/// that are asked for has no such record.
#[derive(Debug, Default)]
pub struct Table {
    mx: BTreeMap<Domain, Vec<Mx>>,
    addresses: BTreeMap<Domain, Vec<IpAddr>>,
    failures: BTreeMap<Domain, DnsError>,
    ttls: BTreeMap<Domain, Span>,
    asked: Mutex<BTreeSet<String>>,
}

/// How long records are good for unless something else is said.
const TTL: Span = Span::from_h(1);

impl Table {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a mail exchanger.
    #[must_use]
    pub fn with_mx(mut self, domain: &Domain, preference: u16, exchange: Exchange) -> Self {
        self.mx.entry(domain.clone()).or_default().push(Mx { preference, exchange });
        self
    }

    /// With an address.
    #[must_use]
    pub fn with_address(mut self, host: &Domain, address: IpAddr) -> Self {
        self.addresses.entry(host.clone()).or_default().push(address);
        self
    }

    /// With a name for which every question fails like this.
    #[must_use]
    pub fn with_failure(mut self, name: &Domain, failure: DnsError) -> Self {
        self.failures.insert(name.clone(), failure);
        self
    }

    /// With a name whose answers, or lack of them, are good for this long.
    #[must_use]
    pub fn with_ttl(mut self, name: &Domain, ttl: Span) -> Self {
        self.ttls.insert(name.clone(), ttl);
        self
    }

    /// What has been asked so far, in order of name, as in `mx example.com`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().iter().cloned().collect()
    }

    fn answer<T: Clone>(&self, name: &Domain, records: Vec<T>) -> Result<Answer<T>, DnsError> {
        if let Some(failure) = self.failures.get(name) {
            return Err(failure.clone());
        }
        let ttl = self.ttls.get(name).copied().unwrap_or(TTL);
        if !records.is_empty() {
            return Ok(Answer { records: records.into(), ttl, authentic: false });
        }
        let exists = self.mx.contains_key(name) || self.addresses.contains_key(name);
        Err(if exists { DnsError::NoData { ttl } } else { DnsError::NxDomain { ttl } })
    }
}

impl Dns for Table {
    async fn mx(&self, domain: &Domain) -> Result<Answer<Mx>, DnsError> {
        self.asked.lock().insert(format!("mx {domain}"));
        self.answer(domain, self.mx.get(domain).cloned().unwrap_or_default())
    }

    async fn addresses(&self, host: &Domain, family: Family) -> Result<Answer<IpAddr>, DnsError> {
        self.asked.lock().insert(format!("{family} {host}"));
        let all = self.addresses.get(host).into_iter().flatten();
        self.answer(host, all.copied().filter(|ip| Family::of(*ip) == family).collect())
    }
}
