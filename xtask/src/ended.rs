//! How a chore ended: what its exit status is made of.

/// How a chore ended.
pub(crate) enum Ended {
    Well,
    /// Something was checked and is not as it must be.
    Badly,
    /// Somebody must do something first; what, has been printed.
    NotYet,
}
