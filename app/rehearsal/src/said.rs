//! What an operator says of mail to a scenario's receiver, beyond what its lanes keep to.

use std::collections::BTreeMap;

use postlane_engine::{Passes, SectionId, Sections};
use postlane_lanes::{Ceiling, Rules};
use postlane_mail::Label;
use smallvec::SmallVec;

use crate::destination::{DOMAIN, EXCHANGE, PROVIDER};

/// The sections of a configuration that are about a receiver's mail. Those of pools are left out:
/// a scenario brings its own sources.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// What holds with the provider, all its sources together.
    pub provider: Rules,
    /// What holds for mail to the recipients' domain besides.
    pub domain: Option<Rules>,
    /// What holds for mail to its MX hosts besides.
    pub hosts: Vec<Rules>,
    /// What holds for tenants' mail besides.
    pub tenants: BTreeMap<Label, Rules>,
}

impl Said {
    /// All of it, below a ceiling of the scenario's.
    pub(crate) fn sections(&self, scenario: Ceiling) -> Sections {
        let mut all = Rules { together: scenario, ..Rules::default() }.and(&self.provider);
        // A lane has these already, each source by itself.
        all.per_source = Ceiling::default();
        // A plan begins where something is said of its provider.
        let planned = all.restart.is_some().then(|| (PROVIDER, all.clone()));
        Sections {
            providers: planned.into_iter().collect(),
            all,
            inside: self.numbered().map(|(id, rules)| (id, rules.clone())).collect(),
            ..Sections::default()
        }
    }

    /// Who passes which gates, whoever sends it.
    pub(crate) fn passes(&self) -> Vec<Passes> {
        let domain = self.domain.as_ref().map(|_| Self::number(0));
        let hosts: SmallVec<[SectionId; 1]> =
            (1..).take(self.hosts.len()).map(Self::number).collect();
        vec![Passes::Domain(DOMAIN, domain), Passes::Exchange(EXCHANGE, hosts)]
    }

    /// The gate of a tenant's mail.
    pub(crate) fn of_tenant(&self, tenant: &Label) -> Option<SectionId> {
        let place = self.tenants.keys().position(|named| named == tenant)?;
        Some(Self::number(1 + self.hosts.len() + place))
    }

    /// The domain's section, the hosts', the tenants'.
    fn numbered(&self) -> impl Iterator<Item = (SectionId, &Rules)> {
        let domain = self.domain.iter().map(|rules| (0, rules));
        let hosts = (1..).zip(&self.hosts);
        let tenants = (1 + self.hosts.len()..).zip(self.tenants.values());
        domain.chain(hosts).chain(tenants).map(|(place, rules)| (Self::number(place), rules))
    }

    fn number(place: usize) -> SectionId {
        SectionId(u16::try_from(place).unwrap_or(u16::MAX))
    }
}
