//! Sections `[lane."NAME"]` in the engine's numbers: what they say, and whose mail passes their
//! gates.

use postlane_engine::{DomainId, ExchangeId, FlowId, Passes, PoolId, SectionId, Sections};
use postlane_mail::{Host, Label};
use smallvec::SmallVec;

use crate::config::settings::LaneName;
use crate::engine::names::Names;
use crate::outbound::routing::{Destination, Exchange};
use crate::setup::{LaneSetup, Setup};

/// What they say.
pub(crate) fn sections(setup: &Setup, names: &Names) -> Sections {
    let lanes = &setup.lanes;
    let pool = |place: usize| u16::try_from(place).map(PoolId).ok();
    let pools = setup.pools.iter().enumerate().filter_map(|(place, of)| {
        let name = LaneName::Pool(of.name.as_str().into());
        Some((pool(place)?, number(lanes, names, &name)?))
    });
    Sections {
        all: lanes.all.clone(),
        providers: lanes
            .providers
            .iter()
            .map(|(id, rules)| (names.provider(id), rules.clone()))
            .collect(),
        inside: lanes
            .inside
            .iter()
            .filter_map(|inside| Some((names.section(&inside.name)?, inside.rules.clone())))
            .collect(),
        pools: pools.collect(),
        routes: lanes
            .pools
            .iter()
            .filter_map(|(id, place)| Some((names.provider(id), pool(*place)?)))
            .collect(),
    }
}

/// Whose mail passes which gates, of all that has a number yet.
pub(crate) fn of_all(lanes: &LaneSetup, names: &Names) -> Vec<Passes> {
    let flows = names.flows().into_iter().map(|(id, flow)| {
        Passes::Flow(id, number(lanes, names, &LaneName::Tenant(flow.tenant.clone())))
    });
    let domains = names
        .destinations()
        .into_iter()
        .map(|(id, destination)| Passes::Domain(id, of_domain(lanes, names, &destination.host)));
    let exchanges = names
        .exchanges()
        .into_iter()
        .map(|(id, exchange)| Passes::Exchange(id, of_hosts(lanes, names, &exchange)));
    flows.chain(domains).chain(exchanges).collect()
}

/// Which gate a tenant's mail passes, if it passes one.
pub(crate) fn of_flow(
    lanes: &LaneSetup,
    names: &Names,
    id: FlowId,
    tenant: &Label,
) -> Option<Passes> {
    if lanes.inside.is_empty() || tenant.is_none() {
        return None;
    }
    let section = number(lanes, names, &LaneName::Tenant(tenant.clone()))?;
    Some(Passes::Flow(id, Some(section)))
}

/// Which gates mail on a route passes; nothing as long as there are none.
pub(crate) fn of_route(
    lanes: &LaneSetup,
    names: &Names,
    (domain, destination): (DomainId, &Destination),
    (id, exchange): (ExchangeId, &Exchange),
) -> Vec<Passes> {
    if lanes.inside.is_empty() {
        return Vec::new();
    }
    vec![
        Passes::Domain(domain, of_domain(lanes, names, &destination.host)),
        Passes::Exchange(id, of_hosts(lanes, names, exchange)),
    ]
}

fn of_domain(lanes: &LaneSetup, names: &Names, host: &Host) -> Option<SectionId> {
    let Host::Domain(domain) = host else { return None };
    number(lanes, names, &LaneName::Domain(domain.clone()))
}

fn of_hosts(lanes: &LaneSetup, names: &Names, exchange: &Exchange) -> SmallVec<[SectionId; 1]> {
    let matching = lanes.inside.iter().filter(|inside| match &inside.name {
        LaneName::Mx(pattern) => {
            exchange.hosts().any(|host| matches!(host, Host::Domain(name) if pattern.matches(name)))
        }
        _ => false,
    });
    matching.filter_map(|inside| names.section(&inside.name)).collect()
}

fn number(lanes: &LaneSetup, names: &Names, name: &LaneName) -> Option<SectionId> {
    lanes.inside.iter().find(|inside| inside.name == *name)?;
    names.section(name)
}
