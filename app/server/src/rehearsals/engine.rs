//! What a server with some settings would do, for rehearsals: with the lanes of its configuration,
//! its times of retry and expiry, and its rules of replies. Sources and pools are the scenario's.

use std::sync::Arc;

use postlane_mail::Domain;
use postlane_receivers::Scenario;
use postlane_rehearsal::{Engine, Knowledge, Said};
use postlane_replies::Providers;

use crate::config::settings::{LaneName, MxPattern};
use crate::server::settings_towards;
use crate::setup::{LaneSetup, Setup};

/// What a server set up so would be given, towards the providers of these scenarios.
pub fn rehearsed_engine(setup: &Setup, scenarios: &[Scenario]) -> Engine {
    let knowledge = Knowledge::new(Providers::built_in(), setup.rules.make());
    let sites = scenarios.iter().map(|scenario| &scenario.receiver.site);
    let towards = sites.map(|site| {
        let provider = knowledge.provider_of(site).as_str().to_owned();
        let settings = settings_towards(setup, &provider);
        (provider, settings)
    });
    let towards = towards.collect();
    let said = scenarios.iter().map(|scenario| {
        let site = scenario.receiver.site.clone();
        let said = said_of(&setup.lanes, &knowledge, &site);
        (site, said)
    });
    let said = said.collect();
    let knowledge = Arc::new(knowledge);
    Engine { knowledge, settings: settings_towards(setup, ""), towards, said }
}

/// The sections that are about a receiver: its provider's, its domain's, its hosts', and those of
/// tenants. A `site` is an MX host, and names its domain.
fn said_of(lanes: &LaneSetup, knowledge: &Knowledge, site: &str) -> Said {
    let host = Domain::parse(site).ok();
    let provider = lanes.providers.get(knowledge.provider_of(site).as_str());
    let mut said = Said { provider: provider.unwrap_or(&lanes.all).clone(), ..Said::default() };
    for inside in &lanes.inside {
        match (&inside.name, &host) {
            (LaneName::Domain(domain), Some(host)) if is_in(host, domain) => {
                said.domain = Some(inside.rules.clone());
            }
            (LaneName::Mx(pattern), Some(host)) if pattern.matches(host) => {
                said.hosts.push(inside.rules.clone());
            }
            (LaneName::Tenant(tenant), _) => {
                said.tenants.insert(tenant.clone(), inside.rules.clone());
            }
            _ => {}
        }
    }
    said
}

/// Whether a host is a domain's own, or has its very name.
fn is_in(host: &Domain, domain: &Domain) -> bool {
    host == domain || MxPattern::Below(domain.clone()).matches(host)
}
