//! What lanes keep to: for every provider, for some, and for some of the mail within them.

use std::collections::BTreeMap;

use postlane_lanes::{Defaults, Ladder, Rules};

use crate::config::Config;
use crate::config::lanes::rules_of;
use crate::config::settings::{LaneName, LaneRules};

/// The rules of lanes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaneSetup {
    /// With providers of whom nothing else is said or known.
    pub all: Rules,
    /// With some providers, by their ids: all that holds for them.
    pub providers: BTreeMap<String, Rules>,
    /// Ceilings inside providers' lanes.
    pub inside: Vec<Inside>,
    /// The pools, by their places, that some providers' mail goes by.
    pub pools: BTreeMap<String, usize>,
}

/// Ceilings for some of the mail, inside providers' lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// Which mail; not a provider.
    pub name: LaneName,
    /// The ceilings.
    pub rules: Rules,
}

impl LaneSetup {
    /// The restart plan that the configuration says for a provider, its bands with it.
    pub fn plan(&self, provider: &str) -> Option<Ladder> {
        let rules = self.providers.get(provider)?;
        let mut ladder = rules.restart.clone()?;
        if let Some(bands) = rules.bands {
            (ladder.healthy, ladder.stop) = (bands.healthy().parts(), bands.stop().parts());
        }
        Some(ladder)
    }

    /// What a configuration says, and where it is silent the table of known limits.
    pub(super) fn of(config: &Config) -> Self {
        let (all, known) = (config.lane.rules(), Defaults::built_in());
        let id = |section: &LaneRules| match &section.name {
            LaneName::Provider(id) => Some(id.to_string()),
            _ => None,
        };
        let sections: BTreeMap<String, &LaneRules> =
            config.lanes.iter().filter_map(|section| Some((id(section)?, section))).collect();
        let silent = known.iter().filter(|(id, _)| !sections.contains_key(*id));
        let silent =
            silent.map(|(id, known)| (id.to_owned(), rules_of(None, Some(&known.rules), &all)));
        let said = sections.iter().map(|(id, section)| {
            let known = known.of(id).map(|known| &known.rules);
            (id.clone(), rules_of(Some(section), known, &all))
        });
        let providers = silent.chain(said).filter(|(_, rules)| *rules != all).collect();
        let others = config.lanes.iter().filter(|section| id(section).is_none());
        let inside = others.map(|s| Inside { name: s.name.clone(), rules: s.rules() }).collect();
        let place = |name: &str| config.pools.iter().position(|pool| *pool.name == *name);
        let pool = |section: &LaneRules| place(&section.route.as_ref()?.0);
        let pools = sections.iter().filter_map(|(id, s)| Some((id.clone(), pool(s)?))).collect();
        Self { all, providers, inside, pools }
    }
}
