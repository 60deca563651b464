//! The seam: what any durable queue must do, on a disk, in memory, or elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use postlane_mail::{Envelope, LastReply, Place, Progress, QueueId};

use crate::error::StoreError;
use crate::ticket::Ticket;

/// A durable queue.
///
/// No caller may take an error for "not done" ([`StoreError::Unknown`] exists), believe that
/// places have no gaps, or that a read sees what was not acknowledged yet.
pub trait Store: Send + Sync + 'static {
    /// Queues a message to be made durable with everything else that is waiting. The ticket
    /// comes true when it is, and not before: only then may a 250 be said (RFC 5321 §6.1).
    /// The message's place then goes to [`Commits::inserted`] as well.
    ///
    /// Called from many threads; the record is encoded and summed up on the caller's.
    fn insert(&self, insertion: Insertion) -> Ticket;

    /// Queues a batch of changes that becomes durable wholly or not at all, in the order of
    /// the calls. When it has, [`Commits::committed`] hears its number.
    fn commit(&self, changes: Changes);

    /// The envelope and the message at a place. Reads the disk: not for the engine's thread.
    fn read(&self, place: Place) -> Result<Stored, StoreError>;

    /// The same without the message's octets, which may be damaged: who it is from and for has a
    /// checksum of its own. The message is left empty.
    fn read_head(&self, place: Place) -> Result<Stored, StoreError>;

    /// What was last written about the recipients of a message, by recipient index; a fresh
    /// recipient is left out, and so is one whose fate is final.
    fn progress(&self, place: Place)
    -> Result<Vec<(u16, Progress, Option<LastReply>)>, StoreError>;

    /// How much room it takes and how much there is.
    fn usage(&self) -> Usage;

    /// Whether intake must answer 452 now. Cheap: asked before every message.
    fn is_full(&self) -> bool;
}

/// Who hears that something has become durable. Called by the committer's own thread, once
/// per batch; must not block.
pub trait Commits: Send + 'static {
    /// These messages are durable, in the order of their commit; those inserted by
    /// [`Changes`] too.
    fn inserted(&mut self, messages: Vec<Inserted>);

    /// Every batch up to and including this number is durable.
    fn committed(&mut self, upto: Seq);

    /// From now on new mail is refused, since there is no room, or taken again.
    fn filled(&mut self, _is_full: bool) {}

    /// The store can no longer promise anything (a failed fsync, an unwritable disk): intake
    /// must stop, loudly, and nothing is to be tried as if nothing had happened.
    fn failed(&mut self, error: StoreError);
}

/// A message to be kept.
#[derive(Debug, Clone)]
pub struct Insertion {
    /// Its name: never used before. Not in order: sessions race to the spool with theirs.
    pub id: QueueId,
    /// Who it is from and for.
    pub envelope: Arc<Envelope>,
    /// What intake learned of the message's octets, as it wants it back; opaque here, ≤ 255 octets.
    pub facts: Box<[u8]>,
    /// The message in pieces, to be joined: what the relay put in front, then what came.
    pub message: Vec<Bytes>,
    /// Handed to [`Commits::inserted`] as it is; for what the inserter wants to find again.
    pub tag: u64,
}

/// A message that has become durable.
#[derive(Debug, Clone)]
pub struct Inserted {
    /// Its name.
    pub id: QueueId,
    /// Where it is kept.
    pub place: Place,
    /// Who it is from and for.
    pub envelope: Arc<Envelope>,
    /// As it was inserted.
    pub tag: u64,
}

/// A message as it was kept.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its name.
    pub id: QueueId,
    /// Who it is from and for.
    pub envelope: Envelope,
    /// What intake learned of its octets.
    pub facts: Box<[u8]>,
    /// The message, octet for octet.
    pub message: Bytes,
}

/// The number of a batch of changes, counted by the caller, growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub u64);

/// Changes that belong together.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The batch's number.
    pub seq: Seq,
    /// When it must be on disk.
    pub urgency: Urgency,
    /// What became of recipients.
    pub recipients: Vec<Change>,
    /// Keyed state to be written, or removed where there is no value.
    pub keyed: Vec<(Key, Option<Bytes>)>,
    /// Messages of our own that are owed because of it: reports.
    pub insertions: Vec<Insertion>,
}

/// When a batch must be on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Urgency {
    /// Written at once, synced with the next insertion or after 20 ms: what is lost with it
    /// is known to be harmless (a delivery may happen a second time).
    #[default]
    Soon,
    /// Synced now: something waits for it.
    Now,
}

/// What became of one recipient of one message. Idempotent: the same change twice is one.
#[derive(Debug, Clone)]
pub struct Change {
    /// The message.
    pub id: QueueId,
    /// Where it is kept.
    pub place: Place,
    /// Which of its recipients.
    pub recipient: u16,
    /// What became of it.
    pub fate: Fate,
}

/// Where a recipient stands.
#[derive(Debug, Clone)]
pub enum Fate {
    /// Nothing more to do: delivered, bounced, expired or removed. A message whose
    /// recipients are all done is gone.
    Done,
    /// It waits on, for what the progress says.
    Waiting(Progress, Option<LastReply>),
}

/// The name of a piece of keyed state: a space and a name within it, `lane/…`, `cap/…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub Box<str>);

/// Room taken and left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Octets in segment and index files.
    pub used: u64,
    /// Octets still free for us on the file system.
    pub free: u64,
    /// Octets that may still be taken of it before the watermark is passed.
    pub headroom: u64,
    /// Segments on disk.
    pub segments: u32,
    /// Messages that live.
    pub messages: u64,
    /// Whether the watermark is passed and intake must answer 452.
    pub full: bool,
}
