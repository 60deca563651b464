//! Incidents, for whoever looks at them and does something about them.

use postlane_mail::{Instant, Label};
use postlane_registry::{IncidentStep, IncidentStepRow, RegistryError};
use postlane_triage::{Incident, IncidentError, Incidents};

use super::Handle;

/// Why something could not be done with incidents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoIncident {
    /// What was asked cannot be done to it.
    #[error("{0}")]
    Refused(#[from] IncidentError),
    /// The registry could not do it.
    #[error("{0}")]
    Registry(#[from] RegistryError),
}

/// What somebody does about an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentOrder {
    /// Takes it on.
    Acknowledge,
    /// Has done a step.
    Tick(String),
    /// Has not done a step after all.
    Untick(String),
    /// Writes something to it.
    Note(String),
    /// Says that it is over, and why.
    Close(String),
}

/// An incident, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldIncident {
    /// The incident.
    pub incident: Incident,
    /// What became of it, the oldest first.
    pub steps: Vec<IncidentStepRow>,
}

impl IncidentOrder {
    fn apply(
        &self,
        incidents: &mut Incidents,
        id: u64,
        who: (Instant, &str),
    ) -> Result<(), IncidentError> {
        match self {
            Self::Acknowledge => incidents.acknowledge(id, who),
            Self::Tick(step) => incidents.check(id, step, Some(who)),
            Self::Untick(step) => incidents.check(id, step, None),
            Self::Note(says) => incidents.note(id, says, who),
            Self::Close(why) => incidents.close(id, why, who),
        }
        .map(|_| ())
    }

    fn told(&self, incident: &Incident) -> (&'static str, String) {
        let step = |id: &str| {
            let known = incident.steps.iter().find(|step| *step.id == *id);
            known.map_or_else(|| id.to_owned(), |step| format!("{id}: {}", step.says))
        };
        match self {
            Self::Acknowledge => ("acknowledged", String::new()),
            Self::Tick(id) => ("step-done", step(id)),
            Self::Untick(id) => ("step-undone", step(id)),
            Self::Note(says) => ("noted", says.trim().to_owned()),
            Self::Close(why) => ("closed", why.trim().to_owned()),
        }
    }
}

/// Whether whoever may see only this tenant's sees an incident; [`Label::NONE`] sees all.
fn is_seen(incident: &Incident, tenant: &Label) -> bool {
    tenant.is_none() || incident.tenant == *tenant
}

impl Handle {
    /// All incidents that a tenant sees, the youngest first; all of them for [`Label::NONE`].
    pub async fn incidents(&self, tenant: &Label) -> Result<Vec<Incident>, NoIncident> {
        let held = self.incidents_held().await?;
        Ok(held.iter().filter(|incident| is_seen(incident, tenant)).cloned().collect())
    }

    /// One incident, and what became of it. One that the tenant does not see is not there.
    pub async fn incident(&self, id: u64, tenant: &Label) -> Result<ToldIncident, NoIncident> {
        let held = self.incidents_held().await?;
        let found = held.find(id).filter(|incident| is_seen(incident, tenant)).cloned();
        drop(held);
        let incident = found.ok_or(IncidentError::Unknown(id))?;
        let steps = self.registry(move |db| db.incident_steps(id)).await?;
        Ok(ToldIncident { incident, steps })
    }

    /// Does something about an incident; it is durable when this says so.
    pub async fn order_of_incident(
        &self,
        (id, tenant): (u64, &Label),
        order: &IncidentOrder,
        by: &str,
    ) -> Result<ToldIncident, NoIncident> {
        let now = self.now();
        let mut held = self.incidents_held().await?;
        let known = held.find(id).filter(|incident| is_seen(incident, tenant));
        let known = known.ok_or(IncidentError::Unknown(id))?;
        let (what, says) = order.told(known);
        let mut next = held.clone();
        order.apply(&mut next, id, (now, by))?;
        let step =
            IncidentStep { incident: id, at: now, what: what.to_owned(), who: by.to_owned(), says };
        self.keep_incidents(&mut held, next, vec![step]).await?;
        drop(held);
        self.tell_of_incidents().await;
        self.incident(id, tenant).await
    }
}
