//! The setup in the engine's numbers.

use std::collections::BTreeMap;

use postlane_engine::{Ceilings, Keeping, Pool, PoolId, Settings, Source, SourceId};

use crate::engine::names::Names;
use crate::setup::Setup;

pub(super) fn engine_settings(setup: &Setup, names: &Names) -> Settings {
    let number = |place: usize| SourceId(u16::try_from(place).unwrap_or(u16::MAX));
    let sources = setup.sources.iter().enumerate();
    let ceilings = setup.lanes.all.ceilings(Ceilings::WIDEST);
    let pools = setup.pools.iter().zip(0..);
    Settings {
        sources: sources.map(|(i, s)| Source { id: number(i), family: s.family }).collect(),
        pools: pools
            .map(|(pool, id)| Pool {
                id: PoolId(id),
                sources: pool.sources.iter().map(|(s, weight)| (number(*s), *weight)).collect(),
            })
            .collect(),
        ceilings,
        learning: setup.learning,
        keeping: Keeping::On,
        provider_ceilings: setup
            .lanes
            .providers
            .iter()
            .map(|(id, rules)| (names.provider(id), rules.ceilings(ceilings)))
            .collect(),
        families_off: setup
            .families_off
            .iter()
            .map(|(id, families)| (names.provider(id), families.clone()))
            .collect(),
        retry: setup.retry,
        expires_after: setup.expires_after,
        engagement: setup.engagement,
        delay_notice_after: setup.delay_notice_after,
        transaction_recipients_max: setup.transaction_recipients_max,
        sessions_max: setup.sessions_out_max,
        session_idle: setup.session_idle,
        session_depth: setup.session_depth,
    }
}

/// The engine's settings for mail to that provider alone: what holds for its lanes holds for all.
/// Sources and pools are left out. A rehearsal, which knows one provider, brings its own.
pub(crate) fn settings_towards(setup: &Setup, provider: &str) -> Settings {
    let names = Names::new();
    let settings = engine_settings(setup, &names);
    let id = names.provider(provider);
    let ceilings = settings.provider_ceilings.get(&id).copied().unwrap_or(settings.ceilings);
    Settings {
        sources: Vec::new(),
        pools: Vec::new(),
        ceilings,
        provider_ceilings: BTreeMap::new(),
        families_off: BTreeMap::new(),
        ..settings
    }
}
