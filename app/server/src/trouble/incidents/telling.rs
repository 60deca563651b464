//! What became of incidents is told: in the log, to who listens, and in the ledger, which webhooks
//! are told from.

use postlane_ledger::{Entry, Kind};
use postlane_registry::UntoldStep;

use crate::handle::Handle;
use crate::setup::Setup;
use crate::telling::events::Event;
use crate::telling::journal::Line;

/// So many at once. Chosen, not measured.
const AT_ONCE: u32 = 100;

impl Handle {
    /// Tells what has not been told, oldest first. What the ledger has on disk is told; what fails is
    /// told again with the next look.
    pub(crate) async fn tell_of_incidents(&self) {
        let _turn = self.0.incidents.telling.lock().await;
        while let Ok(untold) = self.registry(|db| db.untold_steps(AT_ONCE)).await {
            let Some(last) = untold.last().map(|of| of.row.id) else { return };
            let setup = self.0.live.borrow().clone();
            if !untold.iter().all(|of| self.tell_of_incident(&setup, of)) || !self.is_kept().await {
                return;
            }
            if self.registry(move |db| db.steps_told(last)).await.is_err() {
                return;
            }
        }
    }

    /// Whether there was room for it, where anything is remembered.
    fn tell_of_incident(&self, setup: &Setup, untold: &UntoldStep) -> bool {
        let history = &self.0.history;
        if history.is_on() && !history.record(setup, || entry(untold)) {
            return false;
        }
        self.0.events.tell(|| event(untold));
        let journal = &self.0.intake.journal;
        // What somebody has written may name people.
        let says = journal.veil(setup.log.addresses).text(&untold.row.step.says);
        journal.write(line(untold, &says));
        true
    }

    /// Waits until the ledger has it on disk.
    async fn is_kept(&self) -> bool {
        let Some(past) = self.past() else { return true };
        let flushed = tokio::task::spawn_blocking(move || past.ledger().flush());
        matches!(flushed.await, Ok(Ok(())))
    }
}

fn kind(what: &str) -> Kind {
    match what {
        "opened" | "reopened" => Kind::IncidentOpened,
        "closed" => Kind::IncidentClosed,
        _ => Kind::IncidentUpdated,
    }
}

fn entry(untold: &UntoldStep) -> Entry {
    let UntoldStep { row, incident } = untold;
    let mut entry = Entry::new(kind(&row.step.what), row.step.at);
    entry.recipient_index = u32::try_from(incident.id).ok();
    entry.tenant = incident.tenant.as_str().into();
    entry.provider = incident.provider.as_str().into();
    entry.source = incident.source.as_str().into();
    entry.label = incident.kind.as_str().into();
    entry.command = row.step.what.as_str().into();
    entry.who = row.step.who.as_str().into();
    entry.detail = row.step.says.as_str().into();
    entry
}

fn event(untold: &UntoldStep) -> Event {
    let UntoldStep { row, incident } = untold;
    let mut event = Event::new(row.step.at, kind(&row.step.what).as_str(), None);
    event.tenant = incident.tenant.to_string();
    event.provider.clone_from(&incident.provider);
    event.source.clone_from(&incident.source);
    event.detail =
        format!("incident {}, {}: {} {}", incident.id, incident.kind, row.step.what, row.step.says);
    event
}

fn line(untold: &UntoldStep, says: &str) -> String {
    let UntoldStep { row, incident } = untold;
    let mut line = Line::new(row.step.at, kind(&row.step.what).as_str());
    line.number("incident", incident.id);
    line.field("kind", &incident.kind);
    for (key, value) in [("provider", &incident.provider), ("source", &incident.source)] {
        if !value.is_empty() {
            line.field(key, value);
        }
    }
    if !incident.tenant.is_none() {
        line.field("tenant", incident.tenant.as_str());
    }
    line.field("command", &row.step.what);
    if !row.step.who.is_empty() {
        line.field("by", &row.step.who);
    }
    line.field("text", says);
    line.end()
}
