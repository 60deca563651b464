//! How mail stood before the gates of providers, and which messages were held: a restart knows it.
//!
//! A power cut may cost the last seconds of it: what is held then comes back by itself.

use postlane_mail::Instant;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use crate::database::{Database, kept, moment};
use crate::error::RegistryError;

/// How the mail of one subject stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptGate {
    /// Whose mail, and which way, as JSON.
    pub subject: String,
    /// What was seen, as JSON.
    pub state: String,
    /// When.
    pub at: Instant,
}

/// A message that was held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptHeld {
    /// Whose mail, and which way, as JSON.
    pub subject: String,
    /// Its queue id, as a number.
    pub message: u64,
    /// The spool's segment that it is in.
    pub segment: u32,
    /// The message's number in that segment.
    pub ordinal: u32,
    /// One of its recipients, by number.
    pub recipient: u16,
}

/// Something that is known of a gate now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateStep {
    /// A look has ended: what was kept of the subject gives way.
    Seen(KeptGate),
    /// A message is held.
    Held(KeptHeld),
    /// A message of a subject is held no more: the subject, and the queue id as a number.
    Gone(String, u64),
    /// No message of a subject is.
    Free(String),
}

/// Subjects that are kept; the oldest go first. Chosen, not measured: some 50 MB.
pub const GATES_MAX: u32 = 100_000;

/// Messages that are kept as held, of all subjects; more come back by themselves. Chosen, not
/// measured: some 20 MB.
pub const HELD_MAX: u32 = 100_000;

impl KeptGate {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (subject, state) = (row.get("subject")?, row.get("state")?);
        Ok(Self { subject, state, at: moment(row, "at")? })
    }
}

impl KeptHeld {
    /// A number that a damaged file has made too large names no message.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let message: i64 = row.get("message")?;
        Ok(Self {
            subject: row.get("subject")?,
            message: message.cast_unsigned(),
            segment: row.get("segment").unwrap_or(u32::MAX),
            ordinal: row.get("ordinal").unwrap_or(u32::MAX),
            recipient: row.get("recipient").unwrap_or(u16::MAX),
        })
    }
}

impl GateStep {
    /// Whether a message is held by this that may be one more.
    fn write(&self, t: &Transaction<'_>, has_room: bool) -> rusqlite::Result<bool> {
        let free = "DELETE FROM gate_held WHERE subject = ?1";
        match self {
            Self::Seen(KeptGate { subject, state, at }) => {
                let keep = "INSERT OR REPLACE INTO gate_seen VALUES (?1, ?2, ?3)";
                t.prepare_cached(keep)?.execute(params![subject, state, kept(*at)])?;
            }
            Self::Held(of) if has_room => {
                let keep = "INSERT OR REPLACE INTO gate_held VALUES (?1, ?2, ?3, ?4, ?5)";
                let KeptHeld { subject, message, segment, ordinal, recipient } = of;
                let message = message.cast_signed();
                let values = params![subject, message, segment, ordinal, recipient];
                t.prepare_cached(keep)?.execute(values)?;
                return Ok(true);
            }
            Self::Held(_) => {}
            Self::Gone(subject, message) => {
                let gone = format!("{free} AND message = ?2");
                t.prepare_cached(&gone)?.execute(params![subject, message.cast_signed()])?;
            }
            Self::Free(subject) => drop(t.prepare_cached(free)?.execute([subject])?),
        }
        Ok(false)
    }
}

impl Database {
    /// Keeps what is known now, in the order in which it came to be; what was seen before `oldest`
    /// and holds nothing is forgotten.
    pub fn keep_gates(&mut self, steps: &[GateStep], oldest: Instant) -> Result<(), RegistryError> {
        self.write_loosely(|t| {
            let held: u32 = t.query_row("SELECT count(*) FROM gate_held", [], |row| row.get(0))?;
            let mut room = HELD_MAX.saturating_sub(held);
            for step in steps {
                room -= u32::from(step.write(t, room > 0)?);
            }
            let old = "DELETE FROM gate_seen WHERE at < ?1
                       AND subject NOT IN (SELECT subject FROM gate_held)";
            t.prepare_cached(old)?.execute([kept(oldest)])?;
            let last = "SELECT at FROM gate_seen ORDER BY at DESC LIMIT 1 OFFSET ?1";
            let last: Option<i64> =
                t.prepare_cached(last)?.query_row([GATES_MAX], |row| row.get(0)).optional()?;
            if let Some(last) = last {
                t.execute("DELETE FROM gate_seen WHERE at <= ?1", [last])?;
            }
            Ok(())
        })
    }

    /// What was kept of gates, the latest first and so many at most, and what was held.
    pub fn gates(&mut self, most: u32) -> Result<(Vec<KeptGate>, Vec<KeptHeld>), RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let gates = "SELECT * FROM gate_seen ORDER BY at DESC LIMIT ?1";
        let mut gates = self.connection.prepare_cached(gates).map_err(failed)?;
        let gates = gates.query_map([most.min(GATES_MAX)], KeptGate::read).map_err(failed)?;
        let gates = gates.collect::<Result<_, _>>().map_err(failed)?;
        let held = "SELECT * FROM gate_held ORDER BY subject, message LIMIT ?1";
        let mut held = self.connection.prepare_cached(held).map_err(failed)?;
        let held = held.query_map([HELD_MAX], KeptHeld::read).map_err(failed)?;
        Ok((gates, held.collect::<Result<_, _>>().map_err(failed)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(subject: &str, at: u64) -> KeptGate {
        let state = format!("{{\"at\":{at}}}");
        KeptGate { subject: subject.to_owned(), state, at: Instant(at) }
    }

    fn held(subject: &str, message: u64) -> KeptHeld {
        let subject = subject.to_owned();
        KeptHeld { subject, message, segment: 1, ordinal: u32::MAX, recipient: 7 }
    }

    fn database(dir: &tempfile::TempDir) -> Database {
        Database::open(&dir.path().join("registry.db")).unwrap()
    }

    #[test]
    fn what_was_seen_and_what_is_held_is_there_when_the_file_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = database(&dir);
        let (a, b) = (seen("a", 5), seen("b", 9));
        let steps = [
            GateStep::Seen(seen("a", 1)),
            GateStep::Seen(b.clone()),
            GateStep::Held(held("a", u64::MAX)),
            GateStep::Held(held("a", 3)),
            GateStep::Held(held("b", 4)),
            GateStep::Gone("a".to_owned(), 3),
            GateStep::Free("b".to_owned()),
            GateStep::Seen(a.clone()),
        ];
        file.keep_gates(&steps, Instant(0)).unwrap();
        drop(file);
        let mut file = database(&dir);
        let (gates, kept) = file.gates(9).unwrap();
        assert_eq!((gates, kept), (vec![b.clone(), a.clone()], vec![held("a", u64::MAX)]));
        assert_eq!(file.gates(1).unwrap().0, [b]);
        // What holds mail is remembered, however long ago it was seen.
        file.keep_gates(&[], Instant(100)).unwrap();
        assert_eq!(file.gates(9).unwrap().0, [a]);
        file.keep_gates(&[GateStep::Free("a".to_owned())], Instant(100)).unwrap();
        assert_eq!(file.gates(9).unwrap(), (vec![], vec![]));
    }

    #[test]
    fn only_so_many_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = database(&dir);
        let many = u64::from(HELD_MAX) + 5;
        let mut steps: Vec<GateStep> = (0..many).map(|n| GateStep::Held(held("a", n))).collect();
        steps.extend(
            (1..=u64::from(GATES_MAX) + 9).map(|n| GateStep::Seen(seen(&n.to_string(), n))),
        );
        file.keep_gates(&steps, Instant(0)).unwrap();
        let (gates, kept) = file.gates(u32::MAX).unwrap();
        assert_eq!((gates.len(), kept.len()), (GATES_MAX as usize, HELD_MAX as usize));
        assert_eq!(gates.last().unwrap().at, Instant(10), "the oldest have gone");
    }
}
