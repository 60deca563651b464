//! What the engine's numbers stand for.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::RwLock;
use postlane_engine::{DomainId, ExchangeId, FlowId, HostId, Name, ProviderId, SectionId};
use postlane_mail::{Host, Label};

use crate::config::settings::LaneName;
use crate::outbound::routing::{Destination, Exchange, NextHop};

/// The tables behind the engine's numbers. Numbers are given in the order of asking. What the
/// engine has not heard of for long leaves: its name gets a new number when it comes again, and the
/// old number stands for nothing else.
pub(crate) struct Names {
    destinations: Interner<Destination>,
    exchanges: RwLock<Exchanges>,
    providers: Interner<Box<str>>,
    flows: Interner<Flow>,
    sections: Interner<LaneName>,
}

/// Whose mail of which mailing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Flow {
    pub(crate) tenant: Label,
    pub(crate) campaign: Label,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self {
            destinations: Interner { inner: RwLock::default() },
            exchanges: RwLock::default(),
            providers: Interner { inner: RwLock::default() },
            flows: Interner { inner: RwLock::default() },
            sections: Interner { inner: RwLock::default() },
        }
    }

    pub(crate) fn destination(&self, destination: &Destination) -> DomainId {
        DomainId(self.destinations.number(destination))
    }

    /// What a destination is called, if it has a number.
    pub(crate) fn known_destination(&self, destination: &Destination) -> Option<DomainId> {
        self.destinations.known(destination).map(DomainId)
    }

    /// A set of hosts, and its hosts in their order.
    pub(crate) fn exchange(&self, exchange: &Exchange) -> (ExchangeId, Arc<[HostId]>) {
        let known = self.exchanges.read().known(exchange);
        known.unwrap_or_else(|| self.exchanges.write().number(exchange))
    }

    /// Nobody has spoken of it for long: it gets a new number when somebody does.
    pub(crate) fn leave(&self, name: Name) {
        match name {
            Name::Domain(domain) => self.destinations.inner.write().leave(domain.0),
            Name::Exchange(exchange) => self.exchanges.write().sets.leave(exchange.0),
            Name::Provider(provider) => self.providers.inner.write().leave(provider.0),
            Name::Flow(flow) => self.flows.inner.write().leave(flow.0),
        }
    }

    /// Nobody will come with its old number any more; hosts that are forgotten with it.
    pub(crate) fn forget(&self, name: Name) -> Vec<HostId> {
        match name {
            Name::Domain(domain) => self.destinations.inner.write().forget(domain.0),
            Name::Exchange(exchange) => return self.exchanges.write().forget(exchange.0),
            Name::Provider(provider) => self.providers.inner.write().forget(provider.0),
            Name::Flow(flow) => self.flows.inner.write().forget(flow.0),
        }
        Vec::new()
    }

    pub(crate) fn provider(&self, id: &str) -> ProviderId {
        ProviderId(self.providers.number(&Box::from(id)))
    }

    pub(crate) fn flow(&self, flow: &Flow) -> FlowId {
        FlowId(self.flows.number(flow))
    }

    /// A section's number, for as long as the program runs; none beyond some tens of thousands.
    pub(crate) fn section(&self, name: &LaneName) -> Option<SectionId> {
        u16::try_from(self.sections.number(name)).ok().map(SectionId)
    }

    /// Every flow with its number.
    pub(crate) fn flows(&self) -> Vec<(FlowId, Arc<Flow>)> {
        self.flows.all().into_iter().map(|(number, flow)| (FlowId(number), flow)).collect()
    }

    /// Every destination with its number.
    pub(crate) fn destinations(&self) -> Vec<(DomainId, Arc<Destination>)> {
        let all = self.destinations.all().into_iter();
        all.map(|(number, name)| (DomainId(number), name)).collect()
    }

    /// Every set of hosts with its number.
    pub(crate) fn exchanges(&self) -> Vec<(ExchangeId, Arc<Exchange>)> {
        let exchanges = self.exchanges.read();
        let all = exchanges.sets.named.iter();
        all.map(|(number, name)| (ExchangeId(*number), name.clone())).collect()
    }

    /// What a number stands for, unless it was forgotten.
    pub(crate) fn destination_of(&self, id: DomainId) -> Option<Arc<Destination>> {
        self.destinations.named(id.0)
    }

    /// A host that the engine knows.
    pub(crate) fn hop_of(&self, id: HostId) -> Arc<NextHop> {
        let hop = self.exchanges.read().hops.named.get(&id.0).cloned();
        hop.expect("a host has its number for as long as the engine knows it")
    }

    /// A provider that the engine has spoken of in the last minutes.
    pub(crate) fn provider_of(&self, id: ProviderId) -> Arc<Box<str>> {
        let provider = self.providers.named(id.0);
        provider.expect("a number says what it stands for half an hour after its last use")
    }

    /// All providers that ever had a number.
    pub(crate) fn providers(&self) -> Vec<Arc<Box<str>>> {
        self.providers.names()
    }

    /// A provider's number if it ever had one.
    pub(crate) fn known_provider(&self, id: &str) -> Option<ProviderId> {
        self.providers.known(&Box::from(id)).map(ProviderId)
    }

    /// Everything that is resolved for a recipient's host, by whatever route.
    pub(crate) fn destinations_of_host(&self, host: &Host) -> Vec<DomainId> {
        self.destinations.numbers(|destination| destination.host == *host).map(DomainId).collect()
    }

    /// All flows of a tenant, of a campaign, or of both.
    pub(crate) fn flows_of(&self, tenant: Option<&Label>, campaign: Option<&Label>) -> Vec<FlowId> {
        let agrees = |flow: &Flow| {
            tenant.is_none_or(|t| flow.tenant == *t) && campaign.is_none_or(|c| flow.campaign == *c)
        };
        self.flows.numbers(agrees).map(FlowId).collect()
    }
}

/// Sets of hosts and the hosts in them: a host has its number for as long as one of its sets.
#[derive(Default)]
struct Exchanges {
    sets: Table<Exchange>,
    hops: Table<NextHop>,
    hops_of: HashMap<u32, Arc<[HostId]>>,
    /// Sets that a host is in.
    uses: HashMap<u32, u32>,
}

impl Exchanges {
    fn known(&self, exchange: &Exchange) -> Option<(ExchangeId, Arc<[HostId]>)> {
        let number = self.sets.known(exchange)?;
        Some((ExchangeId(number), self.hops_of.get(&number)?.clone()))
    }

    fn number(&mut self, exchange: &Exchange) -> (ExchangeId, Arc<[HostId]>) {
        if let Some(known) = self.known(exchange) {
            return known;
        }
        let number = self.sets.number(exchange);
        let hops: Arc<[HostId]> =
            exchange.next_hops().map(|hop| HostId(self.hops.number(hop))).collect();
        for hop in hops.iter() {
            *self.uses.entry(hop.0).or_default() += 1;
        }
        self.hops_of.insert(number, hops.clone());
        (ExchangeId(number), hops)
    }

    /// Forgets a set; the hosts that were in no other.
    fn forget(&mut self, number: u32) -> Vec<HostId> {
        self.sets.forget(number);
        let mut alone = Vec::new();
        for hop in self.hops_of.remove(&number).iter().flat_map(|hops| hops.iter()) {
            let uses = self.uses.entry(hop.0).or_default();
            *uses = uses.saturating_sub(1);
            if *uses == 0 {
                self.uses.remove(&hop.0);
                self.hops.forget(hop.0);
                alone.push(*hop);
            }
        }
        alone
    }
}

#[derive(Default)]
struct Interner<T> {
    inner: RwLock<Table<T>>,
}

struct Table<T> {
    numbers: HashMap<Arc<T>, u32>,
    /// In the order of their numbers.
    named: BTreeMap<u32, Arc<T>>,
    next: u32,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), named: BTreeMap::new(), next: 0 }
    }
}

impl<T: Eq + Hash + Clone> Table<T> {
    fn known(&self, name: &T) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    fn number(&mut self, name: &T) -> u32 {
        if let Some(number) = self.known(name) {
            return number;
        }
        // Four billion numbers later it begins again, and leaves out those that are in use.
        while self.named.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let number = self.next;
        self.next = number.wrapping_add(1);
        let name = Arc::new(name.clone());
        self.named.insert(number, name.clone());
        self.numbers.insert(name, number);
        number
    }

    /// The name has another number from now on; the old one still says what it stands for.
    fn leave(&mut self, number: u32) {
        let Some(name) = self.named.get(&number) else { return };
        if self.numbers.get(name) == Some(&number) {
            self.numbers.remove(name);
        }
    }

    fn forget(&mut self, number: u32) {
        self.leave(number);
        self.named.remove(&number);
    }
}

impl<T: Eq + Hash + Clone> Interner<T> {
    fn number(&self, name: &T) -> u32 {
        match self.known(name) {
            Some(number) => number,
            None => self.inner.write().number(name),
        }
    }

    fn known(&self, name: &T) -> Option<u32> {
        self.inner.read().known(name)
    }

    /// The name behind a number that this table gave.
    fn named(&self, number: u32) -> Option<Arc<T>> {
        self.inner.read().named.get(&number).cloned()
    }

    fn names(&self) -> Vec<Arc<T>> {
        self.inner.read().named.values().cloned().collect()
    }

    fn all(&self) -> Vec<(u32, Arc<T>)> {
        self.inner.read().named.iter().map(|(number, name)| (*number, name.clone())).collect()
    }

    fn numbers(&self, agrees: impl Fn(&T) -> bool) -> impl Iterator<Item = u32> {
        let table = self.inner.read();
        let found = table.named.iter().filter(|(_, name)| agrees(name));
        found.map(|(number, _)| *number).collect::<Vec<_>>().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_has_the_same_number() {
        let names = Names::new();
        let (google, yahoo) = (names.provider("google"), names.provider("yahoo"));
        assert_eq!(names.provider("google"), google);
        assert_ne!(google, yahoo);
        assert_eq!(&**names.provider_of(yahoo), "yahoo");
        assert_eq!(names.known_provider("gmx"), None);
    }

    #[test]
    fn a_tenant_is_all_its_flows() {
        let names = Names::new();
        let label = |text: &str| Label::parse(text).unwrap();
        let flow = |tenant: &str, campaign: &str| {
            names.flow(&Flow { tenant: label(tenant), campaign: label(campaign) })
        };
        let (a1, a2, b1) = (flow("a", "1"), flow("a", "2"), flow("b", "1"));
        assert_eq!(names.flows_of(Some(&label("a")), None), [a1, a2]);
        assert_eq!(names.flows_of(None, Some(&label("1"))), [a1, b1]);
    }

    #[test]
    fn who_left_gets_a_new_number_and_the_old_one_is_understood_until_it_is_forgotten() {
        let names = Names::new();
        let google = names.provider("google");
        names.leave(Name::Provider(google));
        let again = names.provider("google");
        assert_ne!(again, google);
        assert_eq!(&**names.provider_of(google), "google");
        names.forget(Name::Provider(google));
        assert_eq!(names.provider("google"), again);
        assert_eq!(names.providers().len(), 1);
    }

    #[test]
    fn no_number_is_given_twice_even_when_they_begin_again() {
        let names = Names::new();
        let first = names.provider("first");
        names.providers.inner.write().next = u32::MAX;
        let (last, next) = (names.provider("last"), names.provider("next"));
        assert_eq!((last.0, next.0), (u32::MAX, 1));
        assert_eq!(names.provider("first"), first);
    }
}
