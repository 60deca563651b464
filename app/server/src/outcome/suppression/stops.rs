//! What is asked of the list before each attempt: who of a message's recipients is written to.

use std::sync::Arc;

use postlane_engine::{Outcome, RecipientOutcome};
use postlane_mail::{Envelope, Instant};
use postlane_suppression::Asked;
use smallvec::SmallVec;

use super::{Stopped, Suppressions};
use crate::ground::clock::Clock;
use crate::identity::preflight::Waits;
use crate::intake::cache::Letter;
use crate::outbound::evidence::Unsent;
use crate::setup::Live;
use crate::telling::counters::Counters;

/// Asks before each attempt: mail may have been queued before its recipient came on the list,
/// and the tenant that a message names is not known at RCPT.
#[derive(Clone)]
pub(crate) struct Stops {
    pub(crate) list: Suppressions,
    pub(crate) live: Live,
    pub(crate) clock: Clock,
    pub(crate) counters: Arc<Counters>,
}

/// An attempt's recipients: those that are written to, and what becomes of the others.
pub(crate) struct Parted {
    pub(crate) go: SmallVec<[u16; 4]>,
    pub(crate) outcomes: SmallVec<[RecipientOutcome; 1]>,
    pub(crate) unsent: Option<Box<Unsent>>,
}

impl Parted {
    /// Nobody is written to: those that would have been wait, all for the same reason.
    pub(crate) fn with_all_waiting(mut self, letter: &Letter, waits: &Waits) -> Self {
        let go = std::mem::take(&mut self.go);
        self.outcomes.extend(go.iter().map(|index| waits.outcome(*index)));
        let envelope =
            || Unsent { envelope: Some(letter.envelope.clone()), replies: SmallVec::new() };
        let unsent = self.unsent.get_or_insert_with(|| Box::new(envelope()));
        unsent.replies.extend(waits.replies(&go));
        self
    }
}

impl Stops {
    /// Who of these is written to.
    pub(crate) fn part(&self, envelope: &Arc<Envelope>, recipients: SmallVec<[u16; 4]>) -> Parted {
        let mut parted = Parted { go: recipients, outcomes: SmallVec::new(), unsent: None };
        if self.list.is_empty() {
            return parted;
        }
        let now = self.clock.now();
        let stopped = |index: &u16| Some((*index, self.ask(now, envelope, *index)?));
        let stopped: SmallVec<[(u16, Stopped); 1]> = parted.go.iter().filter_map(stopped).collect();
        if stopped.is_empty() {
            return parted;
        }
        self.counters.suppressed.add(stopped.len() as u64);
        parted.go.retain(|index| !stopped.iter().any(|(of, _)| of == index));
        parted.outcomes = stopped.iter().map(|(index, stopped)| outcome(*index, stopped)).collect();
        let replies = stopped.iter().map(|(index, stopped)| (*index, stopped.reply(now)));
        let (envelope, replies) = (Some(envelope.clone()), replies.collect());
        parted.unsent = Some(Box::new(Unsent { envelope, replies }));
        parted
    }

    fn ask(&self, now: Instant, envelope: &Envelope, index: u16) -> Option<Stopped> {
        let to = &envelope.recipients.get(usize::from(index))?.mailbox;
        let asked = Asked { tenant: &envelope.tenant, from: &envelope.reverse_path, to };
        let stopped = self.list.ask(now, &asked)?;
        // What people write to our desks is not thrown away because of a list of ours.
        let is_desk = self.live.borrow().role_mailbox.as_ref() == Some(to);
        (!is_desk).then_some(stopped)
    }
}

fn outcome(index: u16, stopped: &Stopped) -> RecipientOutcome {
    let status = stopped.status();
    let outcome = match stopped.waits_until() {
        Some(until) => Outcome::Waits { status, until },
        None => Outcome::Ours(status),
    };
    RecipientOutcome { index, outcome }
}
