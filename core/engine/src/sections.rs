//! What an operator says of some mail beyond what single lanes keep to: ceilings over all sources
//! of a provider, ceilings inside lanes, how long a deferred message waits and lives.

use std::collections::BTreeMap;

use postlane_lanes::Rules;
use smallvec::SmallVec;

use crate::names::{DomainId, ExchangeId, FlowId, PoolId, ProviderId, SectionId};

/// All of it. Whoever tells it tells all anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sections {
    /// What holds with providers that have nothing of their own.
    pub all: Rules,
    /// What holds with the others: all of it, nothing is added of `all`.
    pub providers: BTreeMap<ProviderId, Rules>,
    /// Ceilings inside lanes. A section keeps its number for as long as the program runs.
    pub inside: BTreeMap<SectionId, Rules>,
    /// Pools whose mail has a section.
    pub pools: BTreeMap<PoolId, SectionId>,
    /// Pools that all mail of some providers goes by.
    pub routes: BTreeMap<ProviderId, PoolId>,
}

/// Whose mail passes a section's gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passes {
    /// A tenant's: each of its flows.
    Flow(FlowId, Option<SectionId>),
    /// Mail to a domain.
    Domain(DomainId, Option<SectionId>),
    /// Mail to some of these hosts.
    Exchange(ExchangeId, SmallVec<[SectionId; 1]>),
}

/// What holds now, and who passes what.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) sections: Sections,
    flows: BTreeMap<FlowId, SectionId>,
    domains: BTreeMap<DomainId, SectionId>,
    exchanges: BTreeMap<ExchangeId, SmallVec<[SectionId; 1]>>,
}

impl Held {
    /// Hears who passes what; whether that is not what was known.
    pub(crate) fn learn(&mut self, passes: Passes) -> bool {
        fn set<K: Ord, V: PartialEq>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> bool {
            match value {
                Some(value) if map.get(&key) == Some(&value) => false,
                Some(value) => {
                    map.insert(key, value);
                    true
                }
                None => map.remove(&key).is_some(),
            }
        }
        match passes {
            Passes::Flow(flow, section) => set(&mut self.flows, flow, section),
            Passes::Domain(domain, section) => set(&mut self.domains, domain, section),
            Passes::Exchange(exchange, sections) => {
                let sections = Some(sections).filter(|sections| !sections.is_empty());
                set(&mut self.exchanges, exchange, sections)
            }
        }
    }

    pub(crate) fn forget_domain(&mut self, domain: DomainId) {
        self.domains.remove(&domain);
    }

    pub(crate) fn forget_flow(&mut self, flow: FlowId) {
        self.flows.remove(&flow);
    }

    pub(crate) fn forget_exchange(&mut self, exchange: ExchangeId) {
        self.exchanges.remove(&exchange);
    }

    /// Whether something of its own is said of a provider.
    pub(crate) fn speaks_of(&self, provider: ProviderId) -> bool {
        self.sections.providers.contains_key(&provider)
            || self.sections.routes.contains_key(&provider)
    }

    pub(crate) fn of_flow(&self, flow: FlowId) -> Option<SectionId> {
        self.flows.get(&flow).copied()
    }

    pub(crate) fn of_domain(&self, domain: DomainId) -> Option<SectionId> {
        self.domains.get(&domain).copied()
    }

    pub(crate) fn of_exchange(&self, exchange: ExchangeId) -> &[SectionId] {
        self.exchanges.get(&exchange).map_or(&[], |sections| sections)
    }

    pub(crate) fn of_pool(&self, pool: PoolId) -> Option<SectionId> {
        self.sections.pools.get(&pool).copied()
    }

    /// What holds with a provider.
    pub(crate) fn rules(&self, provider: ProviderId) -> &Rules {
        self.sections.providers.get(&provider).unwrap_or(&self.sections.all)
    }
}
