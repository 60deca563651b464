//! Incidents: what is wrong for a while, and what became of it, kept over restarts.
//!
//! A change is written together with the incident it is of, and stays marked until whoever is to
//! be told has been: a program that dies in between tells it again.

use postlane_mail::{Instant, Label};
use rusqlite::{Row, Transaction, params};

use crate::database::{Database, kept, moment, moment_if_any};
use crate::error::RegistryError;

/// An incident as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptIncident {
    /// Its number, from 1.
    pub id: u64,
    /// What kind: `throttle`, `block`, `webhook_paused` …
    pub kind: String,
    /// The provider's id; empty for none.
    pub provider: String,
    /// The source's name; empty for all or none.
    pub source: String,
    /// Whose mail alone it is about; [`Label::NONE`] for several tenants' or nobody's.
    pub tenant: Label,
    /// When it was opened.
    pub opened: Instant,
    /// When it was closed; `None` while it is open.
    pub closed: Option<Instant>,
    /// All of it, as JSON.
    pub story: String,
}

/// What became of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentStep {
    /// Which.
    pub incident: u64,
    /// When.
    pub at: Instant,
    /// What: `opened`, `reopened`, `grown`, `step-done`, `closed` …
    pub what: String,
    /// Who; empty where it came about by itself.
    pub who: String,
    /// In words.
    pub says: String,
}

/// What became of an incident, with its place among all that became of incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentStepRow {
    /// Its number, in order.
    pub id: i64,
    /// What it says.
    pub step: IncidentStep,
}

/// What became of an incident and is still to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntoldStep {
    /// What became of it.
    pub row: IncidentStepRow,
    /// The incident, as it is now.
    pub incident: KeptIncident,
}

/// What became of one incident that is kept; the oldest of it goes first. Chosen, not measured.
const STEPS_MAX: i64 = 1_000;

/// Octets of what somebody says that are kept.
const SAYS_OCTETS_MAX: usize = 8_192;

impl KeptIncident {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let tenant: String = row.get("tenant")?;
        Ok(Self {
            id: number(row, "id")?,
            kind: row.get("kind")?,
            provider: row.get("provider")?,
            source: row.get("source")?,
            tenant: Label::parse(&tenant).unwrap_or_default(),
            opened: moment(row, "opened")?,
            closed: moment_if_any(row, "closed")?,
            story: row.get("story")?,
        })
    }

    fn write(&self, t: &Transaction<'_>) -> rusqlite::Result<usize> {
        let write = "INSERT INTO incident
                         (id, kind, provider, source, tenant, opened, closed, story)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                     ON CONFLICT (id) DO UPDATE SET tenant = ?5, closed = ?7, story = ?8";
        t.prepare_cached(write)?.execute(params![
            signed(self.id),
            self.kind,
            self.provider,
            self.source,
            self.tenant.as_str(),
            kept(self.opened),
            self.closed.map(kept),
            self.story,
        ])
    }
}

impl IncidentStepRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let step = IncidentStep {
            incident: number(row, "incident")?,
            at: moment(row, "at")?,
            what: row.get("what")?,
            who: row.get("who")?,
            says: row.get("says")?,
        };
        Ok(Self { id: row.get("step")?, step })
    }
}

impl IncidentStep {
    fn write(&self, t: &Transaction<'_>) -> rusqlite::Result<()> {
        let says = self.says.get(..self.says.floor_char_boundary(SAYS_OCTETS_MAX));
        let write = "INSERT INTO incident_change (incident, at, what, who, says)
                     VALUES (?1, ?2, ?3, ?4, ?5)";
        let incident = signed(self.incident);
        let values = params![incident, kept(self.at), self.what, self.who, says];
        t.prepare_cached(write)?.execute(values)?;
        let forget = "DELETE FROM incident_change WHERE incident = ?1 AND told = 1 AND id <=
                          (SELECT id FROM incident_change WHERE incident = ?1
                           ORDER BY id DESC LIMIT 1 OFFSET ?2)";
        t.prepare_cached(forget)?.execute(params![incident, STEPS_MAX]).map(|_| ())
    }
}

impl Database {
    /// All incidents, the oldest first.
    pub fn incidents(&mut self) -> Result<Vec<KeptIncident>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM incident ORDER BY id";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let rows = query.query_map([], KeptIncident::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Keeps incidents as they are now, with what became of them, and forgets others: all of it or
    /// nothing.
    pub fn keep_incidents(
        &mut self,
        incidents: &[KeptIncident],
        steps: &[IncidentStep],
        gone: &[u64],
    ) -> Result<(), RegistryError> {
        self.write(|t| {
            incidents.iter().try_for_each(|incident| incident.write(t).map(|_| ()))?;
            steps.iter().try_for_each(|step| step.write(t))?;
            let mut forget = t.prepare_cached("DELETE FROM incident WHERE id = ?1")?;
            gone.iter().try_for_each(|id| forget.execute([signed(*id)]).map(|_| ()))
        })
    }

    /// What became of an incident, the oldest first.
    pub fn incident_steps(&mut self, id: u64) -> Result<Vec<IncidentStepRow>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT *, id AS step FROM incident_change WHERE incident = ?1 ORDER BY id";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let rows = query.query_map([signed(id)], IncidentStepRow::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// What became of incidents and is still to be told, the oldest first, so many at most.
    pub fn untold_steps(&mut self, most: u32) -> Result<Vec<UntoldStep>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT incident.*, incident_change.id AS step, incident, at, what, who, says
                     FROM incident_change JOIN incident ON incident.id = incident
                     WHERE told = 0 ORDER BY step LIMIT ?1";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let read = |row: &Row<'_>| {
            let incident = KeptIncident::read(row)?;
            Ok(UntoldStep { row: IncidentStepRow::read(row)?, incident })
        };
        let rows = query.query_map([most], read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// What became of incidents has been told, up to this number.
    pub fn steps_told(&mut self, upto: i64) -> Result<(), RegistryError> {
        let told = "UPDATE incident_change SET told = 1 WHERE told = 0 AND id <= ?1";
        self.write_loosely(|t| t.execute(told, [upto])).map(|_| ())
    }
}

fn signed(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|id| u64::try_from(id).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(id: u64) -> KeptIncident {
        KeptIncident {
            id,
            kind: "throttle".to_owned(),
            provider: "gmx".to_owned(),
            source: String::new(),
            tenant: Label::parse("acme").unwrap(),
            opened: Instant(7),
            closed: None,
            story: "{}".to_owned(),
        }
    }

    fn step(incident: u64, what: &str) -> IncidentStep {
        IncidentStep {
            incident,
            at: Instant(8),
            what: what.to_owned(),
            who: "jo".to_owned(),
            says: "because".to_owned(),
        }
    }

    fn database() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("registry.db")).unwrap();
        (dir, database)
    }

    #[test]
    fn what_became_of_incidents_is_untold_until_it_was_told_and_kept_after_that() {
        let (_dir, mut database) = database();
        database.keep_incidents(&[incident(1)], &[step(1, "opened")], &[]).unwrap();
        let closed = KeptIncident { closed: Some(Instant(9)), ..incident(1) };
        let steps = [step(1, "closed"), step(2, "opened")];
        database.keep_incidents(&[closed.clone(), incident(2)], &steps, &[]).unwrap();
        let untold = database.untold_steps(2).unwrap();
        let whats: Vec<&str> = untold.iter().map(|of| &*of.row.step.what).collect();
        assert_eq!(whats, ["opened", "closed"]);
        assert_eq!((untold[0].row.step.incident, &untold[0].incident), (1, &closed));
        database.steps_told(untold[1].row.id).unwrap();
        let left = database.untold_steps(9).unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!((&left[0].incident, &left[0].row.step), (&incident(2), &step(2, "opened")));
        let steps: Vec<_> = database.incident_steps(1).unwrap();
        assert_eq!(
            steps.iter().map(|row| &*row.step.what).collect::<Vec<_>>(),
            ["opened", "closed"]
        );
        assert_eq!(database.incidents().unwrap(), [closed, incident(2)]);
    }

    #[test]
    fn an_incident_takes_what_became_of_it_with_it_and_a_step_of_none_is_refused() {
        let (_dir, mut database) = database();
        database.keep_incidents(&[incident(1)], &[step(1, "opened")], &[]).unwrap();
        assert!(database.keep_incidents(&[incident(2)], &[step(3, "opened")], &[]).is_err());
        assert_eq!(database.incidents().unwrap().len(), 1, "all of it or nothing");
        database.keep_incidents(&[], &[], &[1]).unwrap();
        assert!(database.incidents().unwrap().is_empty());
        assert!(database.incident_steps(1).unwrap().is_empty());
        assert!(database.untold_steps(9).unwrap().is_empty());
    }

    #[test]
    fn of_one_incident_only_so_much_is_kept_and_nothing_untold_is_forgotten() {
        let (_dir, mut database) = database();
        let many: Vec<IncidentStep> = (0..STEPS_MAX + 10).map(|_| step(1, "noted")).collect();
        database.keep_incidents(&[incident(1)], &many, &[]).unwrap();
        assert_eq!(database.incident_steps(1).unwrap().len(), many.len());
        database.steps_told(i64::MAX).unwrap();
        database.keep_incidents(&[], &[step(1, "closed")], &[]).unwrap();
        let kept = database.incident_steps(1).unwrap();
        assert_eq!(i64::try_from(kept.len()).unwrap(), STEPS_MAX);
        assert_eq!(kept.last().unwrap().step.what, "closed");
    }
}
