//! Domains over time, for whoever wants to know what they publish and published.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_checks::Name;
use postlane_checks::blocklist::Subject;
use postlane_checks::watch::{Board, Values};
use postlane_mail::{Instant, Label};
use postlane_registry::{KeptVersion, RegistryError};

use super::Handle;
pub use crate::identity::watch::{DomainFigures, KnownDomain};
use crate::identity::watch::{Domains, Sought, values};
use crate::setup::WatchSetup;

/// What is known of domains, as of the last look.
#[derive(Debug, Clone)]
pub struct DomainsSeen {
    /// Who is watched, and how.
    pub setup: Arc<WatchSetup>,
    /// Who is on which list.
    pub board: Arc<Board>,
    domains: Arc<Domains>,
    /// What is known of a domain before the first look.
    nothing: KnownDomain,
}

/// What was published at a name, from when to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedThen {
    /// At which name.
    pub name: String,
    /// Which type.
    pub kind: String,
    /// What.
    pub values: Values,
    /// When it was seen first.
    pub since: Instant,
    /// When it was seen last.
    pub seen: Instant,
    /// When something else was seen; none while nothing was.
    pub until: Option<Instant>,
}

impl DomainsSeen {
    /// The domains that a tenant sees, by name; all for [`Label::NONE`]. Of one that is watched and
    /// was not looked at yet nothing is known.
    pub fn iter(&self, tenant: &Label) -> impl Iterator<Item = (&Name, &KnownDomain)> {
        let watched = self.setup.subjects.keys().filter_map(|subject| match subject {
            Subject::Domain(name) => Some((name, &self.nothing)),
            Subject::Address(_) => None,
        });
        let all: BTreeMap<&Name, &KnownDomain> = watched.chain(&self.domains.0).collect();
        let sees = |name: &Name| self.setup.is_seen(&Subject::Domain(name.clone()), tenant);
        all.into_iter().filter(move |(name, _)| sees(name))
    }

    /// One of them.
    pub fn find(&self, name: &Name, tenant: &Label) -> Option<&KnownDomain> {
        let subject = Subject::Domain(name.clone());
        let watched = self.setup.subjects.contains_key(&subject).then_some(&self.nothing);
        let known = self.domains.0.get(name).or(watched);
        known.filter(|_| self.setup.is_seen(&subject, tenant))
    }
}

impl Handle {
    /// What is known of domains, as of the last look.
    pub fn domains_seen(&self) -> DomainsSeen {
        DomainsSeen {
            setup: self.0.live.borrow().watch.clone(),
            board: self.0.watch.seen().board,
            domains: self.0.watch.domains_seen(),
            nothing: KnownDomain::default(),
        }
    }

    /// Looks at all domains now, or at one, and waits for it.
    pub async fn look_at_domains_now(
        &self,
        name: Option<Name>,
    ) -> Result<DomainsSeen, RegistryError> {
        let sought = name.map_or(Sought::All, Sought::One);
        self.look_at_domains(&sought).await?;
        Ok(self.domains_seen())
    }

    /// What a domain published, the youngest first, so many at most; at that moment, where one is
    /// given. Whether it may be seen is asked before.
    pub async fn published(
        &self,
        name: &Name,
        at: Option<Instant>,
        most: u32,
    ) -> Result<Vec<PublishedThen>, RegistryError> {
        let domain = name.to_string();
        let found = self.registry(move |db| db.record_versions(&domain, at, most)).await?;
        Ok(found.into_iter().map(PublishedThen::from).collect())
    }
}

impl From<KeptVersion> for PublishedThen {
    fn from(kept: KeptVersion) -> Self {
        let values = values(&kept);
        let KeptVersion { name, kind, since, seen, until, .. } = kept;
        Self { name, kind, values, since, seen, until }
    }
}
