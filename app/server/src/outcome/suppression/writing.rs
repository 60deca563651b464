//! Entries on their way to the disk: they hold, and are told, when they are there.

use std::sync::Arc;

use postlane_spool::{Changes, Store};

use super::{Noticed, Suppressions, Teller};
use crate::engine::submitting::Awaited;
use crate::setup::Live;
use crate::telling::counters::Counters;

/// What writing needs. Whoever learns has one.
#[derive(Clone)]
pub(crate) struct Writing {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) awaited: Awaited,
    pub(crate) list: Suppressions,
    pub(crate) teller: Teller,
    pub(crate) live: Live,
    pub(crate) counters: Arc<Counters>,
}

impl Writing {
    /// Writes entries down, together with what else is to be written.
    pub(crate) fn write_down(&self, noticed: Noticed, changes: Changes) {
        let Noticed { keyed, updates, entries } = noticed;
        let Self { list, teller, live, counters, .. } = self.clone();
        self.awaited.commit_then(&*self.store, Changes { keyed, ..changes }, move || {
            list.apply(&updates);
            counters.suppressions_learned.add(entries.len() as u64);
            let setup = live.borrow();
            let told = |entry| teller.suppressed(setup.clock.now(), setup.log.addresses, entry);
            entries.iter().for_each(told);
        });
    }
}
