//! Looking for incidents, again and again.

use postlane_mail::Instant;
use postlane_registry::{Endpoint, IncidentStep};
use postlane_triage::{Assessment, Impact, IncidentChange, Incidents, PausedWebhook};
use tokio::sync::{MappedMutexGuard, MutexGuard};

use super::impact::Counting;
use super::{Writing, restore, step_of};
use crate::handle::{Handle, NoIncident};
use crate::telling::journal::alarm;
use crate::trouble::triage::{Look, diagnose};

impl Handle {
    /// Looks for incidents, as often as it is set up, until the server closes.
    pub(crate) async fn look_for_incidents(self) {
        let mut stop = self.0.stop.subscribe();
        loop {
            // Without the registry nothing is known, and that was told; the next look asks again.
            let _ = self.look_for_incidents_once().await;
            let next = self.0.clock.now() + self.0.live.borrow().incidents.every;
            let next = tokio::time::Instant::from_std(self.0.clock.monotonic(next));
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// One look; what is untold from before is told first.
    pub(crate) async fn look_for_incidents_once(&self) -> Result<(), NoIncident> {
        drop(self.incidents_held().await?);
        self.tell_of_incidents().await;
        let setup = self.0.live.borrow().incidents;
        let Some(past) = self.past().filter(|_| setup.on) else { return Ok(()) };
        let now = self.now();
        let look = Look::back(now, setup.window);
        let seen = {
            let past = past.clone();
            tokio::task::spawn_blocking(move || diagnose(past.ledger(), &look)).await
        };
        // A ledger that cannot be read says so itself.
        let Ok(Ok(seen)) = seen else { return Ok(()) };
        let paused: Vec<PausedWebhook> =
            self.registry(|db| db.endpoints()).await?.into_iter().filter_map(paused).collect();
        let mut held = self.incidents_held().await?;
        let mut next = held.clone();
        let mut changes = take_in(&mut next, now, &seen, &paused);
        for change in &changes {
            if let IncidentChange::Opened(id) = change {
                // What made it open was before.
                next.count_from(*id, now - setup.window);
            }
        }
        let counting: Vec<Counting> =
            next.iter().filter_map(|incident| Counting::of(incident, now)).collect();
        let count = move || -> Vec<(Counting, Impact)> {
            let count = |of: Counting| of.count(past.ledger()).ok().map(|impact| (of, impact));
            counting.into_iter().filter_map(count).collect()
        };
        let counted = tokio::task::spawn_blocking(count).await.unwrap_or_default();
        for (of, impact) in counted {
            changes.extend(next.count(of.id, impact, of.upto));
        }
        let steps = changes.iter().filter_map(|change| step_of(*change, &next, now)).collect();
        self.keep_incidents(&mut held, next, steps).await?;
        drop(held);
        self.tell_of_incidents().await;
        Ok(())
    }

    /// Incidents, for whoever changes them: one after the other.
    pub(crate) async fn incidents_held(
        &self,
    ) -> Result<MappedMutexGuard<'_, Incidents>, NoIncident> {
        let mut held = self.0.incidents.held.lock().await;
        if held.is_none() {
            let (restored, unread) = restore(self.registry(|db| db.incidents()).await?);
            if unread > 0 {
                alarm(&format!(
                    "{unread} incidents that were kept cannot be read and are left as they are: was a \
                     later version running here?"
                ));
            }
            *held = Some(restored);
        }
        Ok(MutexGuard::map(held, |held| held.get_or_insert_default()))
    }

    /// Writes down what has changed. What cannot be written has not changed.
    pub(crate) async fn keep_incidents(
        &self,
        held: &mut Incidents,
        next: Incidents,
        steps: Vec<IncidentStep>,
    ) -> Result<(), NoIncident> {
        let writing = Writing::of(held, &next, steps);
        if !writing.is_empty() {
            let Writing { incidents, steps, gone } = writing;
            self.registry(move |db| db.keep_incidents(&incidents, &steps, &gone)).await?;
        }
        *held = next;
        Ok(())
    }
}

fn take_in(
    incidents: &mut Incidents,
    now: Instant,
    seen: &[Assessment],
    paused: &[PausedWebhook],
) -> Vec<IncidentChange> {
    let mut changes = incidents.look(now, seen);
    changes.extend(incidents.look_at_webhooks(now, paused));
    changes
}

/// A webhook that was paused while it took nothing; whoever pauses one that is well means to.
fn paused(endpoint: Endpoint) -> Option<PausedWebhook> {
    let webhook = endpoint.webhook;
    let (at, why) = webhook.standing.paused?;
    Some(PausedWebhook {
        name: webhook.name.as_str().into(),
        tenant: webhook.tenant,
        at,
        failing_since: webhook.standing.failing_since?,
        why,
    })
}
