//! Block lists over time: what is held of each subject on each list, and who was on which from
//! when to when.

use postlane_mail::Instant;
use rusqlite::{Row, Transaction, params};

use crate::database::{Database, kept, moment, moment_if_any};
use crate::error::RegistryError;

/// What is held of one subject on one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCell {
    /// The list's id.
    pub list: String,
    /// An address or a domain.
    pub subject: String,
    /// All of it, as JSON.
    pub state: String,
}

/// Somebody comes on a list, is on it otherwise, or comes off it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingStep {
    /// On it, or on it otherwise: the interval that is open goes on as it is now.
    On(ListingSpan),
    /// Off it.
    Off {
        /// The list's id.
        list: String,
        /// Who.
        subject: String,
        /// When.
        at: Instant,
        /// Why it ended, in words.
        why: String,
    },
}

/// Somebody on a list, from when to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingSpan {
    /// The list's id.
    pub list: String,
    /// Who.
    pub subject: String,
    /// When it was seen first.
    pub since: Instant,
    /// When it ended; `None` while it is so.
    pub until: Option<Instant>,
    /// How bad it is: `info`, `warn` or `fail`.
    pub outcome: String,
    /// What the list answered.
    pub answers: String,
    /// What that means.
    pub means: String,
    /// Why it ended, in words; empty while it has not.
    pub ended: String,
}

/// Which listings are asked for: those that agree with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListingFilter {
    /// On this list.
    pub list: Option<String>,
    /// Of this subject.
    pub subject: Option<String>,
    /// Not ended before that.
    pub since: Option<Instant>,
}

/// Listings that are remembered; the oldest that has ended goes first. Chosen, not measured: one
/// takes some 200 octets.
pub const LISTINGS_MAX: u32 = 10_000;

impl ListingSpan {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            list: row.get("list")?,
            subject: row.get("subject")?,
            since: moment(row, "since")?,
            until: moment_if_any(row, "until")?,
            outcome: row.get("outcome")?,
            answers: row.get("answers")?,
            means: row.get("means")?,
            ended: row.get("ended")?,
        })
    }

    fn write(&self, t: &Transaction<'_>) -> rusqlite::Result<()> {
        let goes_on = "UPDATE listing SET outcome = ?3, answers = ?4, means = ?5
                       WHERE list = ?1 AND subject = ?2 AND until IS NULL";
        let values = params![self.list, self.subject, self.outcome, self.answers, self.means];
        if t.prepare_cached(goes_on)?.execute(values)? > 0 {
            return Ok(());
        }
        let begins = "INSERT INTO listing (list, subject, outcome, answers, means, since)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (list, subject, since) = (&self.list, &self.subject, kept(self.since));
        let values = params![list, subject, self.outcome, self.answers, self.means, since];
        t.prepare_cached(begins)?.execute(values).map(|_| ())
    }
}

impl ListingStep {
    fn write(&self, t: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            Self::On(span) => span.write(t),
            Self::Off { list, subject, at, why } => {
                let ends = "UPDATE listing SET until = ?3, ended = ?4
                            WHERE list = ?1 AND subject = ?2 AND until IS NULL";
                let values = params![list, subject, kept(*at), why];
                t.prepare_cached(ends)?.execute(values).map(|_| ())
            }
        }
    }
}

impl Database {
    /// All cells, list by list.
    pub fn watched_cells(&mut self) -> Result<Vec<KeptCell>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT list, subject, state FROM watched_cell ORDER BY list, subject";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let read = |row: &Row<'_>| {
            Ok(KeptCell { list: row.get(0)?, subject: row.get(1)?, state: row.get(2)? })
        };
        let rows = query.query_map([], read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Keeps cells as they are now with what became of listings, and forgets others: all of it or
    /// nothing.
    pub fn keep_cells(
        &mut self,
        cells: &[KeptCell],
        steps: &[ListingStep],
        gone: &[(String, String)],
    ) -> Result<(), RegistryError> {
        self.write(|t| {
            let mut keep = t.prepare_cached(
                "INSERT INTO watched_cell VALUES (?1, ?2, ?3)
                 ON CONFLICT (list, subject) DO UPDATE SET state = ?3",
            )?;
            cells.iter().try_for_each(|cell| {
                keep.execute([&cell.list, &cell.subject, &cell.state]).map(|_| ())
            })?;
            steps.iter().try_for_each(|step| step.write(t))?;
            let mut forget =
                t.prepare_cached("DELETE FROM watched_cell WHERE list = ?1 AND subject = ?2")?;
            gone.iter()
                .try_for_each(|(list, subject)| forget.execute([list, subject]).map(|_| ()))?;
            let oldest = "DELETE FROM listing WHERE until IS NOT NULL AND id <=
                              (SELECT id FROM listing ORDER BY id DESC LIMIT 1 OFFSET ?1)";
            t.prepare_cached(oldest)?.execute([LISTINGS_MAX]).map(|_| ())
        })
    }

    /// Listings, the youngest first, so many at most.
    pub fn listings(
        &mut self,
        filter: &ListingFilter,
        most: u32,
    ) -> Result<Vec<ListingSpan>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM listing
                     WHERE (?1 IS NULL OR list = ?1) AND (?2 IS NULL OR subject = ?2)
                       AND (?3 IS NULL OR until IS NULL OR until >= ?3)
                     ORDER BY id DESC LIMIT ?4";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let values = params![filter.list, filter.subject, filter.since.map(kept), most];
        let rows = query.query_map(values, ListingSpan::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("registry.db")).unwrap();
        (dir, database)
    }

    fn span(subject: &str, since: u64, answers: &str) -> ListingSpan {
        ListingSpan {
            list: "zen".to_owned(),
            subject: subject.to_owned(),
            since: Instant(since),
            until: None,
            outcome: "fail".to_owned(),
            answers: answers.to_owned(),
            means: "it sends spam".to_owned(),
            ended: String::new(),
        }
    }

    fn off(subject: &str, at: u64) -> ListingStep {
        ListingStep::Off {
            list: "zen".to_owned(),
            subject: subject.to_owned(),
            at: Instant(at),
            why: "said so twice".to_owned(),
        }
    }

    #[test]
    fn a_listing_is_one_interval_however_often_it_is_seen() {
        let (_dir, mut database) = database();
        let on = |since, answers| ListingStep::On(span("192.0.2.1", since, answers));
        database.keep_cells(&[], &[on(5, "127.0.0.2")], &[]).unwrap();
        database.keep_cells(&[], &[on(5, "127.0.0.3")], &[]).unwrap();
        let all = database.listings(&ListingFilter::default(), 9).unwrap();
        assert_eq!(all, [span("192.0.2.1", 5, "127.0.0.3")]);
        database.keep_cells(&[], &[off("192.0.2.1", 9)], &[]).unwrap();
        database.keep_cells(&[], &[on(20, "127.0.0.2")], &[]).unwrap();
        let all = database.listings(&ListingFilter::default(), 9).unwrap();
        assert_eq!(all.iter().map(|of| of.until).collect::<Vec<_>>(), [None, Some(Instant(9))]);
        assert_eq!(all[1].ended, "said so twice");
        let since = ListingFilter { since: Some(Instant(10)), ..ListingFilter::default() };
        assert_eq!(database.listings(&since, 9).unwrap().len(), 1);
        let other = ListingFilter { list: Some("psbl".to_owned()), ..ListingFilter::default() };
        assert!(database.listings(&other, 9).unwrap().is_empty());
    }

    #[test]
    fn cells_come_back_as_they_were_kept_and_go_when_they_are_watched_no_more() {
        let (_dir, mut database) = database();
        let cell = |state: &str| KeptCell {
            list: "zen".to_owned(),
            subject: "192.0.2.1".to_owned(),
            state: state.to_owned(),
        };
        database.keep_cells(&[cell("{}")], &[], &[]).unwrap();
        database.keep_cells(&[cell("{\"a\":1}")], &[], &[]).unwrap();
        assert_eq!(database.watched_cells().unwrap(), [cell("{\"a\":1}")]);
        let gone = ("zen".to_owned(), "192.0.2.1".to_owned());
        database.keep_cells(&[], &[], &[gone]).unwrap();
        assert!(database.watched_cells().unwrap().is_empty());
    }

    #[test]
    fn only_so_many_listings_are_remembered_and_none_that_goes_on_is_forgotten() {
        let (_dir, mut database) = database();
        let mut steps = vec![ListingStep::On(span("192.0.2.1", 1, "127.0.0.2"))];
        for _ in 0..LISTINGS_MAX + 5 {
            steps.push(ListingStep::On(span("192.0.2.2", 2, "127.0.0.2")));
            steps.push(off("192.0.2.2", 3));
        }
        database.keep_cells(&[], &steps, &[]).unwrap();
        let all = database.listings(&ListingFilter::default(), u32::MAX).unwrap();
        assert_eq!(all.len(), LISTINGS_MAX as usize + 1);
        assert_eq!(all.last().unwrap().subject, "192.0.2.1");
    }
}
