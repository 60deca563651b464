//! From the spool to the engine: what has become durable, in the engine's numbers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use postlane_engine::{Input, PoolId, Submission, SubmittedRecipient, Together};
use postlane_mail::{Envelope, Instant, Place, Progress, QueueId};
use postlane_spool::{Changes, Commits, Inserted, Recovered, Seq, Store, StoreError};
use postlane_suppression::Asked;
use tokio::sync::oneshot;

use crate::engine::names::{Flow, Names};
use crate::engine::sections;
use crate::engine::world::EngineMailbox;
use crate::outbound::routing::Destination;
use crate::outcome::suppression::Suppressions;
use crate::setup::{Live, TenantSetup};

/// Puts messages into the engine's numbers.
#[derive(Clone)]
pub(crate) struct Submitting {
    pub(crate) live: Live,
    pub(crate) names: Arc<Names>,
    pub(crate) mailbox: EngineMailbox,
    pub(crate) suppressions: Suppressions,
}

/// Hears what the spool has made durable.
pub(crate) struct Ear {
    pub(crate) submitting: Submitting,
    pub(crate) awaited: Awaited,
    pub(crate) failed: Arc<AtomicBool>,
    pub(crate) filling: Filling,
}

/// What was last said of a disk that is full. One on which mail comes and goes is full and has room
/// again every few seconds: that is told once a minute.
#[derive(Default)]
pub(crate) struct Filling {
    said: Option<std::time::Instant>,
    is_said: bool,
}

impl Filling {
    /// What there is to say, if anything is.
    fn heard(&mut self, now: std::time::Instant, is_full: bool) -> Option<&'static str> {
        const EVERY: std::time::Duration = std::time::Duration::from_secs(60);
        if !is_full {
            return std::mem::take(&mut self.is_said)
                .then_some("the disk of the spool has room again: new mail is taken");
        }
        if self.said.is_some_and(|said| now.saturating_duration_since(said) < EVERY) {
            return None;
        }
        (self.said, self.is_said) = (Some(now), true);
        Some(
            "the disk of the spool is full, or has no room for one more file, or no more files may be \
             open: new mail is answered 452 4.3.1 until there is room, and what waits is delivered. Make \
             room there; spool.free_min says how much must be free",
        )
    }
}

/// What is to be done when which batch is durable.
#[derive(Clone, Default)]
pub(crate) struct Awaited(Arc<Mutex<Batches>>);

#[derive(Default)]
struct Batches {
    last: u64,
    waiting: BTreeMap<Seq, Then>,
}

/// Done when a batch is durable; dropped where nobody knows whether it is.
struct Then(Box<dyn FnOnce() + Send>);

impl Awaited {
    /// Has a batch committed that nobody waits for. Its number is given here: in the order in
    /// which batches reach the store, or one would be called durable by the next.
    pub(crate) fn commit(&self, store: &dyn Store, changes: Changes) {
        self.hand_over(store, changes, None);
    }

    /// Has a batch committed, and something done when it is durable: quickly, for the committer
    /// waits for it.
    pub(crate) fn commit_then(
        &self,
        store: &dyn Store,
        changes: Changes,
        then: impl FnOnce() + Send + 'static,
    ) {
        self.hand_over(store, changes, Some(Then(Box::new(then))));
    }

    /// Has a batch committed; where it is said that it is durable.
    pub(crate) fn commit_and_tell(
        &self,
        store: &dyn Store,
        changes: Changes,
    ) -> oneshot::Receiver<()> {
        let (done, wait) = oneshot::channel();
        self.commit_then(store, changes, move || {
            // Who asked may have gone away.
            let _ = done.send(());
        });
        wait
    }

    fn hand_over(&self, store: &dyn Store, changes: Changes, then: Option<Then>) {
        let mut batches = self.0.lock();
        batches.last += 1;
        let seq = Seq(batches.last);
        if let Some(then) = then {
            batches.waiting.insert(seq, then);
        }
        store.commit(Changes { seq, ..changes });
    }
}

impl Submitting {
    pub(crate) fn tell(&self, messages: impl Iterator<Item = Submission>) {
        self.mailbox.tell(Input::Submitted(messages.collect()));
    }

    /// A message that was in the spool at the start.
    pub(crate) fn recovered(&self, recovered: &Recovered) -> Submission {
        let Recovered { id, place, envelope, recipients } = recovered;
        self.submission(*id, *place, envelope, recipients.iter().copied())
    }

    fn inserted(&self, inserted: &Inserted) -> Submission {
        let Inserted { id, place, envelope, .. } = inserted;
        let fresh = (0..).take(envelope.recipients.len()).map(|index| (index, Progress::default()));
        self.submission(*id, *place, envelope, fresh)
    }

    fn submission(
        &self,
        id: QueueId,
        place: Place,
        envelope: &Envelope,
        recipients: impl Iterator<Item = (u16, Progress)>,
    ) -> Submission {
        let setup = self.live.borrow();
        let by_sender = setup.routes.asks_for_sender();
        let longest = setup.expires_after[envelope.stream as usize];
        let recipients = recipients.filter_map(|(index, progress)| {
            let recipient = envelope.recipients.get(usize::from(index))?;
            let host = recipient.mailbox.host().clone();
            let sender = by_sender.then(|| envelope.reverse_path.clone());
            let domain = self.names.destination(&Destination { host, sender });
            let asked = Asked {
                tenant: &envelope.tenant,
                from: &envelope.reverse_path,
                to: &recipient.mailbox,
            };
            // Neither a session nor a lane's budget is spent to hear that it waits.
            let progress = match self.suppressions.hold(setup.clock, &asked) {
                Some(until) => wait(progress, until, id.moment() + longest),
                None => progress,
            };
            Some(SubmittedRecipient { index, domain, progress })
        });
        let flow = Flow { tenant: envelope.tenant.clone(), campaign: envelope.campaign.clone() };
        // Nearly all mail is nobody's: no look into the table for it.
        let tenant = match envelope.tenant.is_none() {
            true => TenantSetup::default(),
            false => setup.tenant(&envelope.tenant),
        };
        let flow = self.names.flow(&flow);
        let passes = sections::of_flow(&setup.lanes, &self.names, flow, &envelope.tenant);
        if let Some(passes) = passes {
            self.mailbox.tell(Input::Passes(vec![passes]));
        }
        Submission {
            id,
            place,
            stream: envelope.stream,
            flow,
            engaged: envelope.engaged,
            pool: PoolId(u16::try_from(tenant.pool).unwrap_or_default()),
            awaits_verdict: false,
            together: if tenant.verp { Together::Never } else { Together::default() },
            recipients: recipients.collect(),
        }
    }
}

/// Not due before its domain's hold ends; but when it expires, for its last attempt.
fn wait(progress: Progress, until: Instant, expires: Instant) -> Progress {
    let is_set = progress.expires != Instant::default();
    let expires = if is_set { progress.expires } else { expires };
    Progress { due: progress.due.max(until).min(expires), ..progress }
}

impl Commits for Ear {
    fn inserted(&mut self, messages: Vec<Inserted>) {
        self.submitting.tell(messages.iter().map(|message| self.submitting.inserted(message)));
    }

    fn committed(&mut self, upto: Seq) {
        let mut batches = self.awaited.0.lock();
        let later = batches.waiting.split_off(&Seq(upto.0 + 1));
        let durable = std::mem::replace(&mut batches.waiting, later);
        drop(batches);
        durable.into_values().for_each(|then| then.0());
    }

    fn filled(&mut self, is_full: bool) {
        let says = self.filling.heard(std::time::Instant::now(), is_full);
        says.into_iter().for_each(crate::telling::journal::alarm);
    }

    fn failed(&mut self, error: StoreError) {
        self.failed.store(true, Ordering::Release);
        crate::telling::journal::alarm(&format!(
            "the spool has failed and takes no more mail until it is restarted: {error}"
        ));
        // Dropping the senders tells those who wait that it is not known.
        self.awaited.0.lock().waiting.clear();
        self.submitting.mailbox.tell(Input::StoreFailed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_disk_that_is_full_again_and_again_is_told_once_a_minute() {
        let (mut filling, start) = (Filling::default(), std::time::Instant::now());
        let mut says =
            |s, is_full| filling.heard(start + Duration::from_secs(s), is_full).is_some();
        let heard = [(0, true), (1, false), (2, true), (3, false), (61, true), (62, false)];
        let said = heard.map(|(s, is_full)| says(s, is_full));
        assert_eq!(said, [true, true, false, false, true, true]);
    }
}
