//! What the spool has kept of lanes, at a start.

use std::collections::BTreeMap;

use postlane_engine::{ProviderId, Recalled, Scope, SourceId};
use postlane_lanes::{Memory, Reservation};
use postlane_mail::{Instant, Span};
use postlane_spool::{Changes, Disk, Key};

use super::audit;
use super::{ANY_SOURCE, AUDIT, CAP, LANE, LaneName, Lanes};
use crate::engine::names::Names;
use crate::engine::submitting::Awaited;
use crate::setup::Setup;

/// What was found at a start.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// For the engine.
    pub(crate) recalled: Vec<Recalled>,
    /// Pieces that are there and cannot be read.
    pub(crate) unread: u64,
}

/// A lane that has learned nothing for so long is forgotten, unless an order or a plan holds: what a
/// provider took a month ago says little. Chosen, not measured.
const FORGOTTEN_AFTER: Span = Span::from_h(30 * 24);

impl Lanes {
    /// Reads what was kept. Lanes by sources that are gone stay in the spool: they may come back.
    pub(crate) fn load(
        &self,
        (store, awaited): (&Disk, &Awaited),
        now: Instant,
        (names, setup): (&Names, &Setup),
    ) -> Found {
        let mut found = Found::default();
        let mut caps: BTreeMap<LaneName, Reservation> = BTreeMap::new();
        let mut book = self.0.lock();
        for (key, value) in store.keyed(CAP) {
            let named = LaneName::of_key(CAP, &key.0);
            match named.zip(Reservation::recall(&value)) {
                Some((name, reservation)) => drop(caps.insert(name, reservation)),
                None => found.unread += 1,
            }
            book.kept.insert(key);
        }
        for (key, value) in store.keyed(AUDIT) {
            match LaneName::of_key(AUDIT, &key.0).zip(audit::of_octets(&value)) {
                Some((name, audits)) => drop(book.audits.insert(name, audits)),
                None => found.unread += 1,
            }
        }
        let mut forgotten: Vec<(Key, Option<bytes::Bytes>)> = Vec::new();
        for (key, value) in store.keyed(LANE) {
            let recalled = Memory::recall(&value);
            found.unread += u64::from(recalled.unread);
            let Some(name) = LaneName::of_key(LANE, &key.0) else { continue };
            if is_forgotten(now, &recalled.memory) && recalled.unread == 0 {
                forgotten.push((key, None));
                continue;
            }
            book.kept.insert(key);
            let Some(scope) = scope_of(&name, names, setup) else { continue };
            let reserved = caps.get(&name).copied();
            found.recalled.push(Recalled { scope, memory: recalled.memory, reserved });
        }
        if !forgotten.is_empty() {
            awaited.commit(store, Changes { keyed: forgotten, ..Changes::default() });
        }
        found
    }
}

fn is_forgotten(now: Instant, memory: &Memory) -> bool {
    let old = |learned: &postlane_lanes::Learned| now.since(learned.at) > FORGOTTEN_AFTER;
    memory.orders.is_empty() && memory.restart.is_none() && memory.learned.as_ref().is_none_or(old)
}

fn scope_of(name: &LaneName, names: &Names, setup: &Setup) -> Option<Scope> {
    let source = match &name.source {
        Some(source) => Some(source_of(source, setup)?),
        None => None,
    };
    let provider: ProviderId = names.provider(&name.provider);
    Some(Scope { provider, source })
}

/// The number of a source.
pub(crate) fn source_of(name: &str, setup: &Setup) -> Option<SourceId> {
    if name == ANY_SOURCE {
        return Some(SourceId::ANY);
    }
    let place = setup.sources.iter().position(|source| source.name.as_str() == name)?;
    u16::try_from(place).ok().map(SourceId)
}
