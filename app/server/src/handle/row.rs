//! One waiting recipient, as people see it.

use postlane_mail::{Instant, LastReply, QueueId, Stream};

use super::filter::Status;

/// One recipient that still waits.
#[derive(Debug, Clone)]
pub struct Row {
    /// The message.
    pub id: QueueId,
    /// The recipient's number within its envelope.
    pub index: u16,
    /// The recipient's address.
    pub recipient: String,
    /// The reverse-path, empty for the null one.
    pub sender: String,
    /// The provider's id, once the route is known.
    pub provider: Option<String>,
    /// The source it is going by, while it is active.
    pub source: Option<String>,
    /// What kind of mail.
    pub stream: Stream,
    /// Whose; empty for nobody's.
    pub tenant: String,
    /// Of which mailing; empty for none.
    pub campaign: String,
    /// Where it stands.
    pub status: Status,
    /// Attempts that ended in a deferral.
    pub attempts: u16,
    /// When it was accepted.
    pub arrived_at: Instant,
    /// When it is tried next, if that is known: it is due then, and its lane does not rest.
    pub next_attempt_at: Option<Instant>,
    /// When it is given up; none while it is held.
    pub expires_at: Option<Instant>,
    /// Why it is not moving, and until when.
    pub waiting: Option<Waiting>,
    /// What was last said about it.
    pub last_reply: Option<LastReply>,
}

/// Why something is not moving, in one sentence, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// One sentence; the same everywhere.
    pub reason: String,
    /// Until when, where that is known.
    pub until: Option<Instant>,
}

/// Part of a listing.
#[derive(Debug, Clone)]
pub struct Page {
    /// The recipients, by message and number.
    pub rows: Vec<Row>,
    /// Ask with this for what comes next; none at the end.
    pub next: Option<Cursor>,
}

/// A place in a listing; stays good while mail comes and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub u64);

/// How much waits, by provider and age (in minutes, as Postfix's `qshape` has it).
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// One line for each provider (or domain) that mail waits for, most first.
    pub lines: Vec<SummaryLine>,
}

/// Upper bounds of the age buckets, in minutes; the last bucket has none.
pub const AGE_BUCKETS_MIN: [u32; 9] = [5, 10, 20, 40, 80, 160, 320, 640, 1280];

/// One line of a summary.
#[derive(Debug, Clone, Default)]
pub struct SummaryLine {
    /// Provider id, or domain where the route is not known yet.
    pub name: String,
    /// Recipients waiting, by age.
    pub by_age: [u64; 10],
    /// Of them, in a transaction right now.
    pub active: u64,
    /// Due, and waiting for the lane.
    pub ready: u64,
    /// Waiting for the next attempt.
    pub deferred: u64,
    /// Held by an operator.
    pub held: u64,
}
