//! What is held is looked at again, and let go when nothing is missing any more.

use std::time::Duration;

use postlane_mail::{Instant, QueueId};
use postlane_spool::Store as _;
use tokio::sync::watch;

use super::book::Again;
use super::departing::author_of;
use super::look::Sample;
use super::signs::Signs;
use super::{Aim, Departing};
use crate::handle::{Action, Filter, Handle};
use crate::intake::cache::Letter;
use crate::outbound::signing::sign;

/// From one round to the next, unless a look comes to an end before. Chosen, not measured: shorter
/// than the shortest `preflight.recheck` makes sense for.
const EVERY: Duration = Duration::from_secs(1);

/// Restart plans are told each so many rounds: nothing of theirs is in a hurry.
const PLANS_EVERY: u32 = 10;

impl Handle {
    /// Goes round until the server closes.
    pub(crate) async fn look_at_what_is_held(self) {
        let (mut signs, mut round) = (Signs::default(), 0_u32);
        let mut stop: watch::Receiver<bool> = self.0.stop.subscribe();
        loop {
            let preflight = &self.0.preflight;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = preflight.0.found.notified() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            self.let_go().await;
            round = round.wrapping_add(1);
            if round.is_multiple_of(PLANS_EVERY) {
                self.sign_plans(&mut signs).await;
            }
            let now = self.0.clock.now();
            for again in preflight.0.book.lock().again(now) {
                let (handle, store) = (self.clone(), self.0.store.clone());
                // Signing takes time, and a disk any.
                drop(tokio::task::spawn_blocking(move || {
                    let letter = store.read(again.held.place).map(Letter::from);
                    let preflight = &handle.0.preflight;
                    let is_it = letter.ok().and_then(|letter| handle.sample(&again, letter, now));
                    match is_it {
                        Some(sample) => preflight.look(sample),
                        None => preflight.0.book.lock().gone(&again.subject, again.id),
                    }
                }));
            }
        }
    }

    /// Mail that need not be held any more is due now; each lane keeps to its pace.
    async fn let_go(&self) {
        let setup = self.0.live.borrow().clone();
        let free = self.0.preflight.0.book.lock().let_go(&setup.preflight);
        let ids: Vec<QueueId> = free.into_iter().flat_map(|(_, ids)| ids).collect();
        if !ids.is_empty() {
            let filter = Filter { ids, ..Filter::default() };
            // A server that is closing lets nothing go: it comes back by itself.
            let _ = self.act(Action::Retry, filter).await;
        }
    }

    /// A message that is held, as it would leave by what is set up now.
    fn sample(&self, again: &Again, letter: Letter, now: Instant) -> Option<Sample> {
        let setup = self.0.live.borrow().clone();
        let (id, subject) = (again.id, again.subject.clone());
        let (place, recipients) = (again.held.place, [again.held.recipient]);
        let envelope = &letter.envelope;
        let is_its = author_of(&letter) == subject.author
            && (envelope.stream, &envelope.tenant) == (subject.stream, &subject.tenant);
        // Where it was before a restart another one may be.
        if !is_its {
            return None;
        }
        let letter = sign(&setup.signing, letter, id, &recipients, now).ok()?;
        let source = setup.sources.iter().find(|source| *source.name == *subject.source)?;
        let aim = Aim::of(&subject.provider, source)?;
        let rights = self.0.intake.rights.borrow().clone();
        let reverse_path = rights.reverse_path(&letter.envelope, id, &recipients);
        let departing = Departing {
            letter: &letter,
            id,
            place,
            recipients: &recipients,
            reverse_path: reverse_path.as_ref(),
        };
        Some(Sample::of(&departing, (subject, again.trust), (aim, now)))
    }
}
