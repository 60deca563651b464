//! Why the registry could not do what was asked of it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the registry could not do what was asked. Mail is sent all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The file cannot be read or written: a permission, a full disk, a folder that is not there.
    #[error(
        "the registry {path} cannot be used: {says}; let the relay's user read and write it, and see that the disk has room"
    )]
    File {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        says: String,
    },
    /// The file is no registry, or damaged.
    #[error(
        "the registry {path} is damaged or no registry: {says}; restore it from a backup, or move it and the files {path}-wal and {path}-shm away: then an empty one is made, and tokens and webhooks must be made again"
    )]
    Broken {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        says: String,
    },
    /// Another file stands in its place, or none: what is written to the open one would be gone at the
    /// next start.
    #[error(
        "another file was put in the place of the registry {path} while it was open, and neither is used any more: restart the relay, which then goes by the one that is there"
    )]
    Replaced {
        /// Where it was.
        path: PathBuf,
    },
    /// Another program keeps the file locked.
    #[error(
        "the registry {path} is locked by another program: end whatever has it open (a backup, an SQLite shell), and ask again"
    )]
    Locked {
        /// Where it is.
        path: PathBuf,
    },
    /// A newer program has written the file.
    #[error(
        "the registry {path} has schema {found}, and this program knows {known}: run the newer Postlane that wrote it, or restore a backup from before"
    )]
    Newer {
        /// Where it is.
        path: PathBuf,
        /// The schema in the file.
        found: u32,
        /// The newest schema that this program knows.
        known: u32,
    },
    /// There is something of that name already.
    #[error("there is already a {what} called {name}: choose another name")]
    Taken {
        /// A token, a webhook.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There is nothing of that name.
    #[error("there is no {what} called {name}; `postlane {what} list` shows them")]
    Unknown {
        /// A token, a webhook, a view.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There are as many as there can be.
    #[error("there are {max} {what}s already, as many as there can be: remove one first")]
    Full {
        /// Webhooks, views.
        what: &'static str,
        /// As many.
        max: usize,
    },
    /// What was asked cannot be: a token without a scope.
    #[error("{0}")]
    Refused(&'static str),
    /// Too much is asked of it at once, or the program is ending.
    #[error("the registry has too much to do or is closing: ask again")]
    Busy,
}

impl RegistryError {
    /// What SQLite says of the file at `path`, with what can be done about it.
    pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, says) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Broken { path, says }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            _ => Self::File { path, says },
        }
    }

    /// Whether the file itself is in the way, and not what was asked.
    pub fn is_of_the_file(&self) -> bool {
        matches!(
            self,
            Self::File { .. }
                | Self::Broken { .. }
                | Self::Replaced { .. }
                | Self::Locked { .. }
                | Self::Newer { .. }
        )
    }
}
