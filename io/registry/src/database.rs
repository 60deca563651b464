//! The open file: how it is opened, and how durable what is written to it is.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use postlane_mail::Instant;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

use crate::error::RegistryError;
use crate::schema;

/// The open file. Its verbs stand with what they are about: tokens, webhooks, views, audit.
pub struct Database {
    pub(crate) connection: Connection,
    path: PathBuf,
    /// The file that was opened: its device and its number there.
    file: Option<(u64, u64)>,
}

/// How long another program may keep the file locked before it is an error. A command that makes a
/// token beside a running server takes milliseconds. Chosen, not measured.
const LOCKED_MAX: Duration = Duration::from_secs(2);

impl Database {
    /// Opens the file, or makes it for its owner alone, and brings it to the newest schema.
    pub fn open(path: &Path) -> Result<Self, RegistryError> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match made {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                return Err(RegistryError::File { path: path.to_owned(), says: e.to_string() });
            }
            _ => {}
        }
        let failed = |e: rusqlite::Error| RegistryError::of(path, &e);
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(LOCKED_MAX).map_err(failed)?;
        // Readers and the writer do not wait for each other, and a crash leaves a whole file.
        connection.pragma_update(None, "journal_mode", "wal").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
        schema::migrate(path, &mut connection)?;
        let database = Self { connection, path: path.to_owned(), file: file_at(path) };
        database.check()?;
        Ok(database)
    }

    /// Some milliseconds for a file of some megabytes, so that damage is told when the server
    /// starts and not when a token is looked for.
    fn check(&self) -> Result<(), RegistryError> {
        let query = "PRAGMA quick_check(1)";
        let says: String =
            self.connection.query_row(query, [], |row| row.get(0)).map_err(|e| self.failed(&e))?;
        match says == "ok" {
            true => Ok(()),
            false => Err(RegistryError::Broken { path: self.path.clone(), says }),
        }
    }

    /// Writes something that is on disk when this says so.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, RegistryError> {
        let path = self.path.clone();
        let failed = |e: rusqlite::Error| RegistryError::of(&path, &e);
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior).map_err(failed)?;
        // After the wait for the lock, in which much can happen.
        if file_at(&path) != self.file {
            return Err(RegistryError::Replaced { path });
        }
        let done = work(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    /// Writes something that a power cut may undo, and a crash of the program may not: that a
    /// token was used, how far a webhook was told. Undone, a webhook hears something twice.
    pub(crate) fn write_loosely<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, RegistryError> {
        self.sync("normal")?;
        let done = self.write(work);
        self.sync("full")?;
        done
    }

    /// Whether the file that is open still stands where it was opened. SQLite goes on with a file that
    /// has no name any more: whoever was given a token would have it until the next start, and one that
    /// was taken back in the new file would hold. One look at a folder that is in memory: about a
    /// microsecond.
    ///
    /// # Errors
    /// [`RegistryError::Replaced`]
    pub(crate) fn stands(&self) -> Result<(), RegistryError> {
        match file_at(&self.path) == self.file {
            true => Ok(()),
            false => Err(RegistryError::Replaced { path: self.path.clone() }),
        }
    }

    fn sync(&self, how: &str) -> Result<(), RegistryError> {
        self.connection.pragma_update(None, "synchronous", how).map_err(|e| self.failed(&e))
    }

    pub(crate) fn failed(&self, error: &rusqlite::Error) -> RegistryError {
        RegistryError::of(&self.path, error)
    }
}

impl Drop for Database {
    /// SQLite leaves the log beside a file that was moved away as it is, and whoever opens the file that
    /// stands there now reads the old one's pages into it. What is in that log is brought where it
    /// belongs, and the log left empty.
    fn drop(&mut self) {
        if self.stands().is_err() {
            // While another program is in the middle of it nothing can be done about it.
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}

/// Which file stands there; none where there is none.
fn file_at(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// A moment as SQLite keeps it; the far end of time is kept as the last that it can.
pub(crate) fn kept(at: Instant) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// A moment in a column.
pub(crate) fn moment(row: &Row<'_>, column: &str) -> rusqlite::Result<Instant> {
    row.get(column).map(read)
}

/// A moment in a column, where there is one.
pub(crate) fn moment_if_any(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Instant>> {
    row.get::<_, Option<i64>>(column).map(|at| at.map(read))
}

fn read(micros: i64) -> Instant {
    Instant(u64::try_from(micros).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::schema::SCHEMA_VERSION;

    fn path(dir: &tempfile::TempDir) -> PathBuf {
        dir.path().join("registry.db")
    }

    #[test]
    fn it_is_made_for_its_owner_alone_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        drop(Database::open(&path(&dir)).unwrap());
        assert_eq!(fs::metadata(path(&dir)).unwrap().permissions().mode() & 0o777, 0o600);
        drop(Database::open(&path(&dir)).unwrap());
    }

    #[test]
    fn a_schema_from_a_later_program_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let later = SCHEMA_VERSION + 1;
        let database = Database::open(&path(&dir)).unwrap();
        database.connection.pragma_update(None, "user_version", later).unwrap();
        drop(database);
        let refused = Database::open(&path(&dir)).err().unwrap();
        assert!(matches!(refused, RegistryError::Newer { found, .. } if found == later));
        assert!(refused.to_string().contains("run the newer Postlane"), "{refused}");
        let raw = Connection::open(path(&dir)).unwrap();
        let version: u32 = raw.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, later);
    }

    #[test]
    fn what_is_no_registry_is_told_with_its_cure() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(path(&dir), "hello, this is no database, and it is longer than a header has it")
            .unwrap();
        let refused = Database::open(&path(&dir)).err().unwrap();
        assert!(matches!(refused, RegistryError::Broken { .. }), "{refused:?}");
        assert!(refused.to_string().contains("restore it from a backup"), "{refused}");
        let other = dir.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
        let refused = Database::open(&other).err().unwrap();
        assert!(matches!(refused, RegistryError::Broken { .. }), "{refused:?}");
    }

    #[test]
    fn a_damaged_page_is_told_at_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&path(&dir)).unwrap();
        let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
            INSERT INTO audit (at, who, origin, tenant, what, detail, status)
            SELECT i, 'a', 'b', '', 'c', 'd', 200 FROM n";
        database.write(|t| t.execute(fill, [])).unwrap();
        drop(database);
        let mut octets = fs::read(path(&dir)).unwrap();
        let middle = octets.len() / 2;
        octets[middle..middle + 8192].fill(0xff);
        fs::write(path(&dir), octets).unwrap();
        let refused = Database::open(&path(&dir)).err().unwrap();
        assert!(matches!(refused, RegistryError::Broken { .. }), "{refused:?}");
    }

    #[test]
    fn a_file_that_somebody_keeps_locked_is_told_with_its_cure() {
        let dir = tempfile::tempdir().unwrap();
        drop(Database::open(&path(&dir)).unwrap());
        let raw = Connection::open(path(&dir)).unwrap();
        raw.execute_batch("PRAGMA locking_mode = exclusive; BEGIN EXCLUSIVE").unwrap();
        let refused = Database::open(&path(&dir)).err().unwrap();
        assert!(matches!(refused, RegistryError::Locked { .. }), "{refused:?}");
    }

    const ADD: &str = "INSERT INTO audit (at, who, origin, tenant, what, detail, status)
        VALUES (1, 'a', 'b', '', 'c', 'd', 200)";

    /// Something was written to it, and then an empty one was put in its place.
    fn replaced_in(dir: &tempfile::TempDir) -> Database {
        let backup = dir.path().join("backup.db");
        drop(Database::open(&backup).unwrap());
        let mut database = Database::open(&path(dir)).unwrap();
        database.write(|t| t.execute(ADD, [])).unwrap();
        fs::rename(&backup, path(dir)).unwrap();
        database
    }

    #[test]
    fn nothing_is_written_to_a_file_that_was_replaced_or_removed() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = replaced_in(&dir);
        let refused = database.write(|t| t.execute(ADD, [])).unwrap_err();
        assert!(matches!(refused, RegistryError::Replaced { .. }), "{refused:?}");
        assert!(refused.to_string().contains("restart the relay") && refused.is_of_the_file());
        fs::remove_file(path(&dir)).unwrap();
        let refused = database.write_loosely(|t| t.execute(ADD, [])).unwrap_err();
        assert!(matches!(refused, RegistryError::Replaced { .. }), "{refused:?}");
    }

    #[test]
    fn what_was_logged_for_the_old_file_does_not_get_into_the_one_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let database = replaced_in(&dir);
        drop(database);
        let restored = Database::open(&path(&dir)).unwrap();
        let count = "SELECT count(*) FROM audit";
        let audited: u32 = restored.connection.query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(audited, 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let refused = Database::open(&dir.path().join("nowhere/registry.db")).err().unwrap();
        assert!(matches!(refused, RegistryError::File { .. }), "{refused:?}");
        assert!(refused.to_string().contains("nowhere"), "{refused}");
    }
}
