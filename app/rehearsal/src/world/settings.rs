//! The engine's settings in a run: the scenario's sources and ceilings, and what an operator has
//! set besides.

use std::collections::BTreeMap;

use postlane_engine::{
    Ceilings, Engagement, Keeping, Learning, Pool, PoolId, RetrySchedule, Sections, Settings,
    Source, SourceId,
};
use postlane_lanes::Ceiling;
use postlane_mail::{Family, Rate, Span};
use postlane_receivers::{Frequency, Scenario};

use crate::said::Said;

/// All its mail may go by all its sources.
pub(super) const POOL: PoolId = PoolId(0);

/// Transactions on one session where the scenario does not say: `lane.session_messages`.
const SESSION_MESSAGES: u32 = 100;

/// What the server does when its configuration says nothing.
pub fn default_settings() -> Settings {
    Settings {
        sources: Vec::new(),
        pools: Vec::new(),
        ceilings: Ceilings { connections: 20, rate: None, session_messages: SESSION_MESSAGES },
        provider_ceilings: BTreeMap::new(),
        learning: Learning::Elsewhere,
        keeping: Keeping::On,
        families_off: BTreeMap::new(),
        retry: RetrySchedule {
            first: Span::from_min(5),
            factor_percent: 200,
            longest: Span::from_h(4),
            jitter_percent: 20,
        },
        engagement: Engagement::DEFAULT,
        expires_after: [Span::from_h(24), Span::from_h(120), Span::from_h(72)],
        delay_notice_after: None,
        transaction_recipients_max: 50,
        sessions_max: 5_000,
        session_idle: Span::from_s(10),
        session_depth: 2,
    }
}

/// An operator's settings with the scenario's sources and under its ceilings.
pub(super) fn settings_of(scenario: &Scenario, settings: &Settings) -> Settings {
    let count = u16::try_from(scenario.sender.ips.len()).unwrap_or(u16::MAX);
    let sources: Vec<SourceId> = (0..count).map(SourceId).collect();
    let weighted = sources.iter().map(|id| (*id, 1)).collect();
    Settings {
        sources: sources.iter().map(|id| Source { id: *id, family: Family::V4 }).collect(),
        pools: vec![Pool { id: POOL, sources: weighted }],
        ceilings: ceilings_of(scenario, settings.ceilings),
        provider_ceilings: BTreeMap::new(),
        // A model receiver is nobody's own host, whatever its address.
        learning: if settings.learning == Learning::Off { Learning::Off } else { Learning::On },
        // Nearly all of a run's time would go into writing what nobody reads.
        keeping: if scenario.restart.is_empty() { Keeping::Off } else { Keeping::On },
        delay_notice_after: None,
        ..settings.clone()
    }
}

/// The tighter of what the operator and what the scenario says.
fn ceilings_of(scenario: &Scenario, own: Ceilings) -> Ceilings {
    let ceiling = &scenario.sender.ceiling;
    let lanes = u32::try_from(scenario.sender.ips.len()).unwrap_or(u32::MAX).max(1);
    let rate = shared(rate_of(ceiling.rate), lanes);
    Ceilings {
        connections: own.connections.min(u16::try_from(ceiling.conns_per_ip).unwrap_or(u16::MAX)),
        rate: Some(own.rate.filter(|own| own.gap() > rate.gap()).unwrap_or(rate)),
        session_messages: ceiling
            .per_conn
            .map_or(own.session_messages, |most| own.session_messages.min(most)),
    }
}

/// An equal share of what all lanes have together: fewer in the same time, where there are enough,
/// so that no shorter time sees more of them than it may.
fn shared(rate: Rate, lanes: u32) -> Rate {
    Rate::new(rate.messages() / lanes, rate.per())
        .or_else(|| Rate::new(rate.messages(), rate.per().times(lanes.into())))
        .unwrap_or(rate)
}

/// What binds all sources together: their shares keep to it where it is large enough to be shared;
/// and what the operator says of some of the mail.
pub(super) fn sections_of(scenario: &Scenario, said: &Said) -> Sections {
    let rate = Some(rate_of(scenario.sender.ceiling.rate));
    said.sections(Ceiling { rate, connections: None })
}

/// Whole messages in a time: never more than the frequency.
fn rate_of(frequency: Frequency) -> Rate {
    let per = frequency.per.to_span();
    let is_whole = frequency.count.fract() == 0.0 && frequency.count <= f64::from(u32::MAX);
    let rate = if is_whole {
        Rate::new(frequency.count as u32, per)
    } else {
        Rate::new(1, Span((per.0 as f64 / frequency.count).ceil() as u64))
    };
    rate.expect("a scenario's rates are above 0")
}
