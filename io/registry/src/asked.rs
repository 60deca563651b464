//! How many questions block lists were asked in a day: a restart grants no more of them.

use rusqlite::{Row, params};

use crate::database::Database;
use crate::error::RegistryError;

/// What one list was asked in one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDay {
    /// The list's id.
    pub list: String,
    /// The day, in days since 1970 (UTC).
    pub day: u64,
    /// Questions, so far.
    pub questions: u32,
}

impl KeptDay {
    /// What a damaged row says is as much as nothing.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (day, questions): (i64, i64) = (row.get("day")?, row.get("questions")?);
        Ok(Self {
            list: row.get("list")?,
            day: u64::try_from(day).unwrap_or_default(),
            questions: u32::try_from(questions).unwrap_or_default(),
        })
    }
}

impl Database {
    /// What lists were asked in their latest days.
    pub fn list_days(&mut self) -> Result<Vec<KeptDay>, RegistryError> {
        let failed = |e: rusqlite::Error| self.failed(&e);
        let query = "SELECT * FROM list_day ORDER BY list";
        let mut query = self.connection.prepare_cached(query).map_err(failed)?;
        let rows = query.query_map([], KeptDay::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Keeps these days, one of each list, in the place of all that were kept before. They are on
    /// disk when this says so: lists may be asked then.
    pub fn keep_list_days(&mut self, days: &[KeptDay]) -> Result<(), RegistryError> {
        self.write(|t| {
            t.execute("DELETE FROM list_day", [])?;
            let mut keep =
                t.prepare_cached("INSERT OR REPLACE INTO list_day VALUES (?1, ?2, ?3)")?;
            days.iter().try_for_each(|of| {
                let day = i64::try_from(of.day).unwrap_or(i64::MAX);
                keep.execute(params![of.list, day, of.questions]).map(|_| ())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lists_were_asked_is_there_when_the_file_is_opened_again_and_old_days_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("registry.db");
        let day = |list: &str, day, questions| KeptDay { list: list.to_owned(), day, questions };
        let mut database = Database::open(&path).unwrap();
        assert!(database.list_days().unwrap().is_empty());
        database.keep_list_days(&[day("psbl", 7, 2), day("zen", 7, 20)]).unwrap();
        let latest = [day("surbl", 8, u32::MAX), day("zen", 8, 3)];
        database.keep_list_days(&latest).unwrap();
        drop(database);
        let mut database = Database::open(&path).unwrap();
        assert_eq!(database.list_days().unwrap(), latest);
        database.write(|t| t.execute("UPDATE list_day SET questions = -1, day = -1", [])).unwrap();
        assert_eq!(database.list_days().unwrap()[1], day("zen", 0, 0));
    }
}
