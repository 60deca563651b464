//! What lanes believed and did over time: a row for as long as nothing of it changed.
//!
//! It is for people who look back, and decides nothing: what a lane goes by is in the spool. A power cut
//! may cost the last minutes of it.

use postlane_mail::{Instant, Span};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::database::{Database, kept, moment};
use crate::error::RegistryError;

/// What a lane believed and did for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptBelief {
    /// The provider's id.
    pub provider: String,
    /// The source's name; empty where the lane has none.
    pub source: String,
    /// Since when.
    pub since: Instant,
    /// When it was last seen to be so.
    pub seen: Instant,
    /// What it did, in one word, as the API says it: `healthy`, `resting`…
    pub state: String,
    /// The step of a restart plan's ladder, from 1.
    pub restart_day: Option<u16>,
    /// Messages a second that it kept to; none where nothing bound it.
    pub rate_per_s: Option<f64>,
    /// Limits that it relied on or suspected; eight at most are kept.
    pub limits: Vec<KeptLimit>,
    /// How long it expected to be shut out when it goes too far.
    pub shut_out: Option<Span>,
}

/// So many messages in so long, as a lane believed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptLimit {
    /// Messages in the window.
    pub messages: u32,
    /// The window.
    pub window: Span,
    /// How often it was seen to hold.
    pub support: u32,
    /// Whether it was relied on, or suspected alone.
    pub is_confirmed: bool,
}

/// Limits of one lane that are kept.
const LIMITS_MAX: usize = 8;

/// Rows of all lanes. Chosen, not measured: some 40 MB; the oldest go first.
pub const BELIEFS_MAX: usize = 300_000;

/// Rows that are read at once: a week of minutes, and a little more.
const READ_MAX: usize = 12_000;

impl KeptBelief {
    /// Whether another tells of the same lane the same, whenever that was.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let times = Self { since: other.since, seen: other.seen, ..self.clone() };
        times == *other
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (limits, shut_out): (String, Option<i64>) = (row.get("limits")?, row.get("box_s")?);
        Ok(Self {
            provider: row.get("provider")?,
            source: row.get("source")?,
            since: moment(row, "since")?,
            seen: moment(row, "seen")?,
            state: row.get("state")?,
            restart_day: row.get("day")?,
            rate_per_s: row.get("rate")?,
            limits: limits.split(' ').filter_map(KeptLimit::read).collect(),
            shut_out: shut_out.and_then(|s| u64::try_from(s).ok()).map(seconds),
        })
    }
}

impl KeptLimit {
    fn word(&self) -> String {
        let how = if self.is_confirmed { "confirmed" } else { "suspected" };
        format!("{}/{}/{}/{how}", self.messages, self.window.as_s(), self.support)
    }

    /// A word of ours; what a later version has written otherwise is passed over.
    fn read(word: &str) -> Option<Self> {
        let mut parts = word.split('/');
        Some(Self {
            messages: parts.next()?.parse().ok()?,
            window: seconds(parts.next()?.parse().ok()?),
            support: parts.next()?.parse().ok()?,
            is_confirmed: parts.next()? == "confirmed",
        })
    }
}

/// A span of so many seconds, however large a damaged file says it is.
fn seconds(s: u64) -> Span {
    Span(s.saturating_mul(1_000_000))
}

impl Database {
    /// Writes down what lanes believe, over what is there of the same lane since the same moment;
    /// what was last seen before `oldest` is forgotten.
    pub fn keep_beliefs(
        &mut self,
        beliefs: &[KeptBelief],
        oldest: Instant,
    ) -> Result<(), RegistryError> {
        self.write_loosely(|t| {
            let mut keep = t.prepare_cached(
                "INSERT OR REPLACE INTO lane_belief
                 (provider, source, since, seen, state, day, rate, limits, box_s)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            for belief in beliefs {
                let words: Vec<String> =
                    belief.limits.iter().take(LIMITS_MAX).map(KeptLimit::word).collect();
                let shut_out =
                    belief.shut_out.map(|span| i64::try_from(span.as_s()).unwrap_or(i64::MAX));
                keep.execute(params![
                    belief.provider,
                    belief.source,
                    kept(belief.since),
                    kept(belief.seen),
                    belief.state,
                    belief.restart_day,
                    belief.rate_per_s,
                    words.join(" "),
                    shut_out
                ])?;
            }
            t.execute("DELETE FROM lane_belief WHERE seen < ?1", [kept(oldest)])?;
            let last = "SELECT seen FROM lane_belief ORDER BY seen DESC LIMIT 1 OFFSET ?1";
            let last: Option<i64> = t
                .prepare_cached(last)?
                .query_row([i64::try_from(BELIEFS_MAX).unwrap_or(i64::MAX)], |row| row.get(0))
                .optional()?;
            if let Some(last) = last {
                t.execute("DELETE FROM lane_belief WHERE seen <= ?1", [last])?;
            }
            Ok(())
        })
    }

    /// What a lane believed between two moments, the oldest first; of very many rows the latest.
    pub fn beliefs(
        &mut self,
        (provider, source): (&str, &str),
        (from, to): (Instant, Instant),
    ) -> Result<Vec<KeptBelief>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM lane_belief
                     WHERE provider = ?1 AND source = ?2 AND since < ?4 AND seen >= ?3
                     ORDER BY since DESC LIMIT ?5";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let most = i64::try_from(READ_MAX).unwrap_or(i64::MAX);
        let asked = params![provider, source, kept(from), kept(to), most];
        let rows = query.query_map(asked, KeptBelief::read).map_err(failed)?;
        let mut beliefs: Vec<_> = rows.collect::<Result<_, _>>().map_err(failed)?;
        beliefs.reverse();
        Ok(beliefs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u64) -> Instant {
        Instant::from_unix_s(1_795_239_540) + Span::from_min(minute)
    }

    fn belief(source: &str, since: u64, seen: u64, rate: f64) -> KeptBelief {
        KeptBelief {
            provider: "google".to_owned(),
            source: source.to_owned(),
            since: at(since),
            seen: at(seen),
            state: "restart".to_owned(),
            restart_day: Some(3),
            rate_per_s: Some(rate),
            limits: vec![
                KeptLimit {
                    messages: 100,
                    window: Span::from_h(1),
                    support: 2,
                    is_confirmed: true,
                },
                KeptLimit {
                    messages: 5,
                    window: Span::from_min(1),
                    support: 1,
                    is_confirmed: false,
                },
            ],
            shut_out: Some(Span::from_min(30)),
        }
    }

    fn database() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("registry.db")).unwrap();
        (dir, database)
    }

    #[test]
    fn what_a_lane_believed_is_found_again_by_its_time() {
        let (dir, mut database) = database();
        let rows = [belief("ip1", 0, 9, 0.5), belief("ip1", 10, 12, 1.5), belief("ip2", 0, 9, 9.0)];
        database.keep_beliefs(&rows, at(0)).unwrap();
        let longer = belief("ip1", 10, 30, 1.5);
        database.keep_beliefs(std::slice::from_ref(&longer), at(0)).unwrap();
        drop(database);
        let mut database = Database::open(&dir.path().join("registry.db")).unwrap();
        let mut of = |from, to| database.beliefs(("google", "ip1"), (at(from), at(to))).unwrap();
        assert_eq!(of(0, 60), [rows[0].clone(), longer.clone()]);
        assert_eq!(of(9, 10), [rows[0].clone()]);
        assert_eq!(
            of(20, 60),
            std::slice::from_ref(&longer),
            "what began before and lasted is there"
        );
        assert_eq!(of(31, 60), []);
        assert!(longer.is_same_as(&rows[1]) && !longer.is_same_as(&rows[0]));
    }

    #[test]
    fn what_is_old_is_forgotten_and_there_are_only_so_many_rows() {
        let (_dir, mut database) = database();
        database
            .keep_beliefs(&[belief("ip1", 0, 9, 0.5), belief("ip1", 10, 40, 1.0)], at(0))
            .unwrap();
        database.keep_beliefs(&[], at(20)).unwrap();
        assert_eq!(database.beliefs(("google", "ip1"), (at(0), at(99))).unwrap().len(), 1);
        let fill = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
             INSERT INTO lane_belief SELECT 'p', 's', i, {} + i, 'healthy', NULL, NULL, '', NULL FROM n",
            BELIEFS_MAX + 10,
            kept(at(50))
        );
        database.write(|t| t.execute(&fill, [])).unwrap();
        database.keep_beliefs(&[belief("ip1", 60, 61, 1.0)], at(20)).unwrap();
        let count = "SELECT count(*) FROM lane_belief";
        let many: i64 = database.connection.query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(usize::try_from(many).unwrap(), BELIEFS_MAX);
        assert!(
            database.beliefs(("google", "ip1"), (at(0), at(49))).unwrap().is_empty(),
            "oldest first"
        );
    }

    #[test]
    fn a_limit_that_cannot_be_read_is_passed_over() {
        let words = ["100/3600/2/confirmed", "", "x", "1/2", "9/99999999999999999999/1/suspected"];
        let read: Vec<_> = words.into_iter().filter_map(KeptLimit::read).collect();
        assert_eq!(read.len(), 1);
        assert_eq!(KeptLimit::read(&read[0].word()), Some(read[0]));
        let far = KeptLimit::read("1/18446744073709551615/1/suspected").unwrap();
        assert_eq!(far.window, Span(u64::MAX));
    }
}
