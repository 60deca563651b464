//! Incidents: what is wrong for a while is seen, told, and kept over restarts.
//!
//! What an incident is, when it opens and when it closes is `core/triage`'s. Here it is looked for in
//! the ledger, kept in the registry, and told: what became of an incident is written to the registry
//! first, and stays there as untold until the ledger has it on disk. From there webhooks are told.

mod impact;
mod kept;
mod looking;
mod telling;

use postlane_registry::{IncidentStep, KeptIncident};
use postlane_triage::{Incident, IncidentChange, Incidents};
use tokio::sync::Mutex;

pub(crate) use kept::{keep, restore};

/// Where incidents are looked after.
#[derive(Default)]
pub(crate) struct Desk {
    /// All of them; none before the registry could be read.
    held: Mutex<Option<Incidents>>,
    /// One at a time tells of them, in order.
    telling: Mutex<()>,
}

/// What is to be written of a change to incidents.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Writing {
    /// Those that are not as they were.
    pub(crate) incidents: Vec<KeptIncident>,
    /// What became of them.
    pub(crate) steps: Vec<IncidentStep>,
    /// Those that are forgotten.
    pub(crate) gone: Vec<u64>,
}

impl Writing {
    /// What has changed between two states.
    pub(crate) fn of(before: &Incidents, after: &Incidents, steps: Vec<IncidentStep>) -> Self {
        let changed = after.iter().filter(|now| before.find(now.id) != Some(now));
        let gone = before.iter().filter(|was| after.find(was.id).is_none());
        Self {
            incidents: changed.map(keep).collect(),
            gone: gone.map(|was| was.id).collect(),
            steps,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.incidents.is_empty() && self.steps.is_empty() && self.gone.is_empty()
    }
}

/// What became of an incident by itself, for whoever is told.
pub(crate) fn step_of(
    change: IncidentChange,
    incidents: &Incidents,
    now: postlane_mail::Instant,
) -> Option<IncidentStep> {
    use IncidentChange::{Closed, Grown, Opened, Reopened, Steps};
    let (Opened(id) | Reopened(id) | Steps(id) | Grown(id) | Closed(id)) = change;
    let incident: &Incident = incidents.find(id)?;
    let (what, says) = match change {
        Opened(_) => ("opened", incident.says.clone()),
        Reopened(_) => ("reopened", incident.says.clone()),
        Steps(_) => ("steps", format!("There is more to do. {}", incident.says)),
        Grown(_) => ("grown", grown(incident)),
        Closed(_) => {
            let closed = incident.closed.as_ref();
            ("closed", closed.map(|closed| closed.why.clone()).unwrap_or_default())
        }
    };
    Some(IncidentStep { incident: id, at: now, what: what.to_owned(), who: String::new(), says })
}

fn grown(incident: &Incident) -> String {
    let impact = incident.impact;
    format!(
        "So far {} recipients were deferred at their first attempt, {} refused for good and {} expired.",
        impact.delayed, impact.bounced, impact.expired
    )
}
