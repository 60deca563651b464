//! The registry beside the queue: where it is, and how it ends.

use std::path::{Path, PathBuf};
use std::time::Duration;

use postlane_registry::Registry;

use crate::telling::journal::alarm;

/// Where the registry is, in a data directory.
pub fn registry_path(data: &Path) -> PathBuf {
    data.join("registry.db")
}

/// How long the end of a program waits for the registry's disk. Chosen, not measured.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits until all of it is in the one file, but not for ever.
pub(crate) async fn finish(registry: &Registry) {
    let registry = registry.clone();
    let closed = tokio::task::spawn_blocking(move || registry.close());
    if tokio::time::timeout(PATIENCE, closed).await.is_err() {
        alarm(
            "the registry was not closed: its disk takes too long. Nothing is lost; a copy of \
             registry.db needs registry.db-wal beside it",
        );
    }
}
