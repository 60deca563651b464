//! What webhooks are told: what happened, in order, from a place on.

use postlane_mail::{Instant, Label};

/// What happened, in order, for whoever comes back and asks from where they were. Two things are
/// it: the ledger, and a list in memory for tests.
pub trait Feed: Send + Sync + 'static {
    /// The next things behind a place that are wanted, oldest first, so many at most. Reads files:
    /// not for a thread that must not wait.
    fn after(&self, place: Place, wanted: &Wanted, most: usize) -> Result<Heard, FeedError>;

    /// The place of the last thing that happened.
    fn newest(&self) -> Place;

    /// The place just before a moment.
    fn before(&self, at: Instant) -> Place;

    /// The kinds of things there are.
    fn kinds(&self) -> Vec<&'static str>;
}

/// A place in what happened: things that came later have larger numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place(pub u64);

/// Which things are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Of these kinds; of all where there is none.
    pub events: Vec<String>,
    /// In this tenant's mail; in everybody's for [`Label::NONE`].
    pub tenant: Label,
}

/// Things that happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Each with its place, as JSON.
    pub events: Vec<(Place, Box<[u8]>)>,
    /// Everything up to here was looked at.
    pub upto: Place,
}

/// What happened cannot be read now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what happened cannot be read: {0}")]
pub struct FeedError(pub String);

impl Place {
    /// As the registry keeps it.
    pub(crate) fn kept(self) -> String {
        self.0.to_string()
    }

    /// As the registry has kept it; what cannot be read is the beginning, so that nothing is lost.
    pub(super) fn read(kept: &str) -> Self {
        Self(kept.parse().unwrap_or_default())
    }
}
