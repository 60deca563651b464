//! What an attempt came to: what was said is understood, written down, told to the sender where that
//! is owed, and remembered of the recipient.

pub(crate) mod diagnosing;
pub(crate) mod meaning;
pub(crate) mod reports;
pub(crate) mod settling;
pub(crate) mod suppression;
