//! A message that is held, or may be.

use postlane_mail::Place;

/// What it takes to find a message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) place: Place,
    /// One of its recipients, by number.
    pub(super) recipient: u16,
}
