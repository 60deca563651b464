//! How the ledger is kept.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postlane_mail::{Instant, Span};

use crate::error::Trouble;

/// How the ledger is kept.
pub struct Settings {
    /// How often what happened is written and synced. A crash loses at most this much.
    pub sync_every: Duration,
    /// Octets of entries that may wait in memory for the writer; what comes on top is dropped. As many
    /// are kept there while the disk fails; then the oldest is dropped.
    pub waiting_octets_max: usize,
    /// Entries in a part, after which it is sealed before its hour is over.
    pub part_entries_max: usize,
    /// How long entries are kept.
    pub keep: Span,
    /// How long counts by the minute are kept.
    pub keep_tallies: Span,
    /// Octets on disk that sealed parts may take, samples included; the oldest go first.
    pub octets_max: u64,
    /// Entries looked through for one page of a search that nothing helps with, before it is broken
    /// off with [`crate::Page::searched_until`].
    pub search_entries_max: u64,
    /// Told of what goes wrong, on the ledger's own threads.
    pub on_trouble: Box<dyn Fn(&Trouble) + Send + Sync>,
    /// What time it is.
    pub clock: fn() -> Instant,
}

impl Default for Settings {
    /// Half a second, 64 MiB, an hour or 131,072 entries, 90 days, two years of counts, 20 GiB.
    /// All chosen, not measured.
    fn default() -> Self {
        Self {
            sync_every: Duration::from_millis(500),
            waiting_octets_max: 64 << 20,
            part_entries_max: 131_072,
            keep: Span::from_h(90 * 24),
            keep_tallies: Span::from_h(730 * 24),
            octets_max: 20 << 30,
            search_entries_max: 2_000_000,
            on_trouble: Box::new(|_| {}),
            clock: wall_clock,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("sync_every", &self.sync_every)
            .field("waiting_octets_max", &self.waiting_octets_max)
            .field("part_entries_max", &self.part_entries_max)
            .field("keep", &self.keep)
            .field("keep_tallies", &self.keep_tallies)
            .field("octets_max", &self.octets_max)
            .finish_non_exhaustive()
    }
}

fn wall_clock() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
