//! What preflight counts of itself.

use crate::telling::counters::Count;

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Looks that came to an end.
    pub(crate) looks: Count,
    /// Messages that should have been looked at, and for which there was no room.
    pub(crate) dropped: Count,
    /// Attempts that were not made because something was missing.
    pub(crate) held: Count,
}
