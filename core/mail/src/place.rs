//! Where the spool keeps a message.

/// A message's place in the spool: which segment, and which message in it.
///
/// Opaque to everyone but the spool, which finds a message by it without a table of all
/// queue ids. A place may change when the spool copies a straggler forward; the old one
/// goes on working for as long as the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The segment's number, from 1, counted within the shard that the queue id names.
    pub segment: u32,
    /// The message's number in that segment, from 0.
    pub ordinal: u32,
}
