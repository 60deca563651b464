//! What the engine wants kept of lanes, on its way to the spool.

use std::mem;
use std::sync::Arc;

use postlane_engine::{Input, Kept, Scope};
use postlane_lanes::Reservation;
use postlane_mail::Instant;
use postlane_spool::{Changes, Key, Store, Urgency};

use super::audit::{self, Audit};
use super::{AUDIT, CAP, LANE, LaneName, Lanes, Teller};
use crate::engine::names::Names;
use crate::engine::submitting::Awaited;
use crate::engine::world::{Answers, EngineMailbox};
use crate::setup::Live;

/// Gathers what is to be kept until the next flush.
pub(crate) struct Keeping {
    pub(crate) lanes: Lanes,
    pub(crate) names: Arc<Names>,
    pub(crate) live: Live,
    pub(crate) mailbox: EngineMailbox,
    pub(crate) answers: Answers,
    pub(crate) teller: Teller,
    pub(crate) gathered: Gathered,
}

/// What goes out as one batch.
#[derive(Default)]
pub(crate) struct Gathered {
    keyed: Vec<(Key, Option<bytes::Bytes>)>,
    /// Commands that hold when it is durable.
    done: Vec<(u64, Option<(LaneName, Audit)>)>,
    /// The last reservation in it.
    granted: Option<u64>,
}

impl Keeping {
    /// Keeps this of a lane or a provider.
    pub(crate) fn keep(&mut self, kept: Kept) {
        let Kept { scope, memory, request } = kept;
        let name = LaneName::of(scope, &self.names, &self.live.borrow());
        let mut book = self.lanes.0.lock();
        let key = name.key(LANE);
        if !memory.is_empty() {
            book.kept.insert(key.clone());
            self.gathered.keyed.push((key, Some(memory.to_octets().into())));
        } else if book.kept.remove(&key) {
            self.gathered.keyed.push((key, None));
        }
        if memory.restart.is_none() && book.kept.remove(&name.key(CAP)) {
            self.gathered.keyed.push((name.key(CAP), None));
        }
        let Some(request) = request else { return };
        let commanded = book.commanded.remove(&request).map(|audit| {
            let audits = book.audits.entry(name.clone()).or_default();
            audit::record(audits, audit.clone());
            self.gathered.keyed.push((name.key(AUDIT), Some(audit::to_octets(audits).into())));
            (name, audit)
        });
        self.gathered.done.push((request, commanded));
    }

    /// Makes a reservation durable; the engine hears of it then.
    pub(crate) fn reserve(&mut self, seq: u64, scope: Scope, reservation: Reservation) {
        let key = LaneName::of(scope, &self.names, &self.live.borrow()).key(CAP);
        self.lanes.0.lock().kept.insert(key.clone());
        self.gathered.keyed.push((key, Some(reservation.to_octets().into())));
        self.gathered.granted = Some(seq);
    }

    /// Everything since the last time goes out as one batch. What somebody waits for is synced
    /// now; what lanes have learned may wait for the next message.
    pub(crate) fn flush(&mut self, now: Instant, store: &dyn Store, awaited: &Awaited) {
        let Gathered { keyed, done, granted } = mem::take(&mut self.gathered);
        if keyed.is_empty() && done.is_empty() {
            return;
        }
        let waited_for = granted.is_some() || !done.is_empty();
        let urgency = if waited_for { Urgency::Now } else { Urgency::Soon };
        let (mailbox, answers) = (self.mailbox.clone(), self.answers.clone());
        let teller = self.teller.clone();
        awaited.commit_then(store, Changes { urgency, keyed, ..Changes::default() }, move || {
            if let Some(upto) = granted {
                mailbox.tell(Input::Committed { upto });
            }
            for (request, commanded) in done {
                if let Some((name, audit)) = commanded {
                    teller.ordered(now, &name, &audit);
                }
                answers.answer(request, 1);
            }
        });
    }
}
