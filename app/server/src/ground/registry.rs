//! The registry beside the queue: opened at the start, and never in the way of mail.

use std::io;
use std::path::{Path, PathBuf};

use postlane_registry::Registry;

use crate::telling::journal::alarm;

/// Where the registry is, in a data directory.
pub fn registry_path(data: &Path) -> PathBuf {
    data.join("registry.db")
}

/// Begins to keep the registry. Where its file cannot be used that is said, and mail goes on.
pub(crate) fn begin(data: &Path) -> io::Result<Registry> {
    let registry = Registry::begin(&registry_path(data))?;
    let tell = |opened: Result<(), _>| {
        if let Err(why) = opened {
            alarm(&format!("{why}. Mail goes on; tokens, webhooks and saved views do not work"));
        }
    };
    // The first question of all, so that there is room for it.
    let _ = registry.ask(|_| Ok(()), tell);
    Ok(registry)
}
