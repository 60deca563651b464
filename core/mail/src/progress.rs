//! How far the delivery to one recipient has come.

use crate::reply::Reply;
use crate::stage::Stage;
use crate::time::Instant;

/// What must be remembered of a recipient that is still waiting, to go on after a restart
/// exactly where delivery stood. A recipient without any is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Transactions that ended in a deferral so far; stays at its largest value.
    pub attempts: u16,
    /// Not to be tried before; the epoch for "at once".
    pub due: Instant,
    /// Given up when it is still waiting then. The epoch means "as the stream's setting says,
    /// counted from acceptance"; a hold that ended has moved it on by as long as it lasted.
    pub expires: Instant,
    /// Held by an operator since then; age stands still meanwhile.
    pub held: Option<Instant>,
    /// The sender has been told that it is late.
    pub notified: bool,
}

/// The last thing that was said about a recipient, for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastReply {
    /// What it answered.
    pub stage: Stage,
    /// Verbatim, all lines; a reply of our own when no host said anything.
    pub reply: Reply,
    /// The host that said it; empty when it was us.
    pub host: Box<str>,
    /// When.
    pub at: Instant,
}
