//! Lanes as the server keeps them: what outlives it of each, and who has ordered what and why.
//!
//! The engine says what is to be kept and the spool keeps it, under `lane/SOURCE/PROVIDER`, without
//! a source for the provider as a whole. What a restart plan's day has granted is beside it under
//! `cap/`, and who commanded what and why under `audit/`.

mod audit;
mod keeping;
mod recalling;
mod remembering;
mod telling;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_engine::{Scope, SourceId};
use postlane_mail::LastReply;
use postlane_spool::Key;

use crate::engine::names::Names;
use crate::setup::Setup;

pub use audit::Audit;
pub(crate) use keeping::Keeping;
pub(crate) use recalling::{Found, source_of};
pub(crate) use telling::Teller;

/// Where the spool keeps what.
const LANE: &str = "lane/";
const CAP: &str = "cap/";
const AUDIT: &str = "audit/";

/// What the source of a route's lane is called, which all our sources share. No source is called so.
pub(crate) const ANY_SOURCE: &str = "*";

/// What the server knows of lanes besides the engine. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Lanes(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    /// The last commands to each, the oldest first.
    audits: BTreeMap<LaneName, VecDeque<Audit>>,
    /// Commands that the engine has not done yet.
    commanded: BTreeMap<u64, Audit>,
    /// What the spool has.
    kept: BTreeSet<Key>,
    /// The last refusal on each lane.
    refused: BTreeMap<LaneName, LastReply>,
}

/// A provider with all its lanes, or one lane, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaneName {
    /// The provider's id.
    pub provider: Box<str>,
    /// The source's name; none for all of them.
    pub source: Option<Box<str>>,
}

impl Lanes {
    /// A command goes to the engine: who gave it, and why.
    pub(crate) fn commanded(&self, request: u64, audit: Audit) {
        self.0.lock().commanded.insert(request, audit);
    }

    /// The engine has done nothing for it.
    pub(crate) fn changed_nothing(&self, request: u64) {
        self.0.lock().commanded.remove(&request);
    }

    /// Something was refused on a lane.
    pub(crate) fn refused(&self, name: LaneName, reply: LastReply) {
        self.0.lock().refused.insert(name, reply);
    }

    /// The last refusal on a lane, since the server began.
    pub(crate) fn last_reply(&self, name: &LaneName) -> Option<LastReply> {
        self.0.lock().refused.get(name).cloned()
    }

    /// The last commands to a lane or a provider, the oldest first.
    pub(crate) fn audits(&self, name: &LaneName) -> Vec<Audit> {
        self.0.lock().audits.get(name).into_iter().flatten().cloned().collect()
    }

    /// Providers of which something is kept.
    pub(crate) fn providers(&self) -> BTreeSet<Box<str>> {
        let book = self.0.lock();
        let names = book.kept.iter().filter_map(|key| LaneName::of_key(LANE, &key.0));
        names.map(|name| name.provider).collect()
    }
}

impl LaneName {
    pub(crate) fn of(scope: Scope, names: &Names, setup: &Setup) -> Self {
        let source = scope.source.map(|source| match setup.sources.get(usize::from(source.0)) {
            _ if source == SourceId::ANY => ANY_SOURCE.into(),
            source => source.map_or("", |source| source.name.as_str()).into(),
        });
        Self { provider: (*names.provider_of(scope.provider)).clone(), source }
    }

    fn key(&self, space: &str) -> Key {
        let source = self.source.as_deref().unwrap_or_default();
        Key(format!("{space}{source}/{}", self.provider).into())
    }

    fn of_key(space: &str, key: &str) -> Option<Self> {
        let (source, provider) = key.strip_prefix(space)?.split_once('/')?;
        let source = (!source.is_empty()).then(|| source.into());
        (!provider.is_empty()).then(|| Self { provider: provider.into(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_found_again_by_its_key() {
        for (provider, source) in [("web.de", None), ("a/b", Some("v4-1"))] {
            let name = LaneName { provider: provider.into(), source: source.map(Box::from) };
            assert_eq!(LaneName::of_key(CAP, &name.key(CAP).0), Some(name));
        }
        assert_eq!(LaneName::of_key(LANE, "lane/x"), None);
        assert_eq!(LaneName::of_key(LANE, "lane//"), None);
        assert_eq!(LaneName::of_key(LANE, "cap//web.de"), None);
    }
}
