//! Why a store could not do what was asked.

/// Why the store could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk is at its watermark; nothing was written. Make room or raise the limit.
    #[error("the spool's disk is full: {0}")]
    Full(String),
    /// It may or may not be durable; it must not be called done, nor be forgotten.
    #[error("the spool cannot say whether the write is on disk: {0}")]
    Unknown(String),
    /// It is larger than the spool takes, in octets, recipients or facts: this many.
    #[error("the spool does not take so much: {0}")]
    TooLarge(u64),
    /// It is for nobody: a message without recipients would never be done.
    #[error("the spool takes no message without recipients")]
    Nobody,
    /// There is no such message (any more).
    #[error("the spool has no message at this place")]
    Gone,
    /// The record is there and does not agree with its checksum.
    #[error("the spool's record is damaged: {0}")]
    Damaged(String),
    /// The disk did not do what it was asked.
    #[error("the spool's disk failed: {0}")]
    Io(String),
    /// The store is shut, or has failed before.
    #[error("the spool is closed")]
    Closed,
}
