//! What the file looks like, version by version.
//!
//! A version is never changed once it was released: what comes later is a further step. The file's
//! `user_version` says which step it has reached; a file from a later program is not touched.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::RegistryError;

/// The steps, each from the version before: the first makes an empty file version 1.
const STEPS: [&str; 9] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
];

/// The newest version that this program knows.
pub const SCHEMA_VERSION: u32 = STEPS.len() as u32;

/// Says in the file's header what it is (`file` shows it): "PLRG".
const APPLICATION_ID: i32 = 0x504c_5247;

/// Brings the file to the newest version, all steps or none.
pub(crate) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), RegistryError> {
    let failed = |e: rusqlite::Error| RegistryError::of(path, &e);
    let found = version(connection).map_err(failed)?;
    if found > SCHEMA_VERSION {
        return Err(RegistryError::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    if found == SCHEMA_VERSION {
        return whose(path, connection);
    }
    let migration =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another program may have come first.
    let found = version(&migration).map_err(failed)?;
    if found == 0 && has_tables(&migration).map_err(failed)? {
        return Err(foreign(path));
    }
    for step in STEPS.iter().skip(found as usize) {
        migration.execute_batch(step).map_err(failed)?;
    }
    migration.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    migration.pragma_update(None, "user_version", SCHEMA_VERSION.max(found)).map_err(failed)?;
    migration.commit().map_err(failed)
}

fn whose(path: &Path, connection: &Connection) -> Result<(), RegistryError> {
    let id: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(|e| RegistryError::of(path, &e))?;
    if id == APPLICATION_ID { Ok(()) } else { Err(foreign(path)) }
}

fn foreign(path: &Path) -> RegistryError {
    let says = "it is another program's SQLite database".to_owned();
    RegistryError::Broken { path: path.to_owned(), says }
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use crate::Database;

    use super::*;

    #[test]
    fn a_file_of_every_earlier_version_is_brought_forward_with_what_is_in_it() {
        for found in 1..STEPS.len() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("registry.db");
            let raw = Connection::open(&path).unwrap();
            STEPS[..found].iter().for_each(|step| raw.execute_batch(step).unwrap());
            raw.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            raw.pragma_update(None, "user_version", u32::try_from(found).unwrap()).unwrap();
            let view = "INSERT INTO saved_view VALUES ('', 'mine', 'log', 'code=421', 7, 'jo')";
            raw.execute_batch(view).unwrap();
            drop(raw);
            let mut database = Database::open(&path).unwrap();
            assert_eq!(version(&database.connection).unwrap(), SCHEMA_VERSION);
            let views = database.views(&postlane_mail::Label::NONE).unwrap();
            assert_eq!((views.len(), &*views[0].query), (1, "code=421"), "from version {found}");
            assert!(database.incidents().unwrap().is_empty());
        }
    }
}
