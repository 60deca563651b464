//! What the engine's numbers stand for.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::RwLock;
use postlane_engine::{DomainId, ExchangeId, FlowId, HostId, ProviderId, SectionId};
use postlane_mail::{Host, Label};

use crate::config::settings::LaneName;
use crate::routing::{Destination, Exchange, NextHop};

/// The tables behind the engine's numbers. Numbers are given in the order of asking and are
/// never taken back: a relay that runs for a year knows the domains it has written to.
pub(crate) struct Names {
    destinations: Interner<Destination>,
    exchanges: Interner<Exchange>,
    hops: Interner<NextHop>,
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
            destinations: Interner::new(),
            exchanges: Interner::new(),
            hops: Interner::new(),
            providers: Interner::new(),
            flows: Interner::new(),
            sections: Interner::new(),
        }
    }

    pub(crate) fn destination(&self, destination: &Destination) -> DomainId {
        DomainId(self.destinations.number(destination))
    }

    pub(crate) fn exchange(&self, exchange: &Exchange) -> ExchangeId {
        ExchangeId(self.exchanges.number(exchange))
    }

    pub(crate) fn hop(&self, hop: &NextHop) -> HostId {
        HostId(self.hops.number(hop))
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
        self.flows.all().map(|(number, flow)| (FlowId(number), flow)).collect()
    }

    /// Every destination with its number.
    pub(crate) fn destinations(&self) -> Vec<(DomainId, Arc<Destination>)> {
        self.destinations.all().map(|(number, name)| (DomainId(number), name)).collect()
    }

    /// Every set of hosts with its number.
    pub(crate) fn exchanges(&self) -> Vec<(ExchangeId, Arc<Exchange>)> {
        self.exchanges.all().map(|(number, name)| (ExchangeId(number), name)).collect()
    }

    pub(crate) fn destination_of(&self, id: DomainId) -> Arc<Destination> {
        self.destinations.named(id.0)
    }

    pub(crate) fn exchange_of(&self, id: ExchangeId) -> Arc<Exchange> {
        self.exchanges.named(id.0)
    }

    pub(crate) fn hop_of(&self, id: HostId) -> Arc<NextHop> {
        self.hops.named(id.0)
    }

    pub(crate) fn provider_of(&self, id: ProviderId) -> Arc<Box<str>> {
        self.providers.named(id.0)
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

struct Interner<T> {
    inner: RwLock<Table<T>>,
}

struct Table<T> {
    numbers: HashMap<Arc<T>, u32>,
    named: Vec<Arc<T>>,
}

impl<T: Eq + Hash + Clone> Interner<T> {
    fn new() -> Self {
        Self { inner: RwLock::new(Table { numbers: HashMap::new(), named: Vec::new() }) }
    }

    fn number(&self, name: &T) -> u32 {
        if let Some(number) = self.known(name) {
            return number;
        }
        let mut table = self.inner.write();
        // Another thread may have been quicker between the two locks.
        if let Some(number) = table.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(table.named.len()).expect("memory ends before numbers do");
        let name = Arc::new(name.clone());
        table.named.push(name.clone());
        table.numbers.insert(name, number);
        number
    }

    fn known(&self, name: &T) -> Option<u32> {
        self.inner.read().numbers.get(name).copied()
    }

    /// The name behind a number that this table gave.
    fn named(&self, number: u32) -> Arc<T> {
        self.inner.read().named[number as usize].clone()
    }

    fn names(&self) -> Vec<Arc<T>> {
        self.inner.read().named.clone()
    }

    fn all(&self) -> impl Iterator<Item = (u32, Arc<T>)> {
        (0..).zip(self.names())
    }

    fn numbers(&self, agrees: impl Fn(&T) -> bool) -> impl Iterator<Item = u32> {
        let table = self.inner.read();
        let found = table.named.iter().zip(0u32..).filter(|(name, _)| agrees(name));
        found.map(|(_, number)| number).collect::<Vec<_>>().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_has_the_same_number_for_ever() {
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
}
