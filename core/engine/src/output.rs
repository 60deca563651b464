//! Everything that can be asked for.

use std::net::SocketAddr;

use postlane_lanes::{Decision, Judgement, Memory, Reservation};
use postlane_mail::{Place, Progress, QueueId, Status};
use smallvec::SmallVec;

use crate::input::Scope;
use crate::names::{AttemptId, DomainId, HostId, Name, ProviderId, SlotId, SourceId};

/// What the engine asks of the world.
#[derive(Debug, Clone)]
pub enum Output<E> {
    /// Say where this domain's mail goes: [`crate::Input::Resolved`]. Asked once at a time.
    Resolve {
        /// The domain.
        domain: DomainId,
    },
    /// Open a session: [`crate::Input::Opened`] or [`crate::Input::ConnectFailed`].
    Open {
        /// The session's number from now on.
        slot: SlotId,
        /// From there.
        source: SourceId,
        /// To that host,
        host: HostId,
        /// at that address.
        address: SocketAddr,
    },
    /// Try a message on an open session, behind what it was given before:
    /// [`crate::Input::Finished`].
    Attempt {
        /// The session.
        slot: SlotId,
        /// The attempt's number.
        attempt: AttemptId,
        /// The message.
        message: QueueId,
        /// Where the spool keeps it.
        place: Place,
        /// Its recipients in this transaction.
        recipients: SmallVec<[u16; 4]>,
    },
    /// Close a session when what it was given is done: [`crate::Input::Closed`].
    Close {
        /// The session.
        slot: SlotId,
    },
    /// Something has become of recipients: to be written down, reported where it says so,
    /// and recorded. All of one value belongs in one batch.
    Settled(Settled<E>),
    /// Something happened that is no recipient's: to be recorded.
    Record(Event<E>),
    /// A budget that must not be granted twice is to be reserved before use:
    /// [`crate::Input::Committed`].
    Reserve {
        /// The batch's number, growing.
        seq: u64,
        /// Whose budget.
        scope: Scope,
        /// How much of which day.
        reservation: Reservation,
    },
    /// What is to be kept of a lane or a provider, in the place of what was kept before.
    Keep(Box<Kept>),
    /// An operator's command is done.
    Answered {
        /// Which.
        request: u64,
        /// Recipients it was done to.
        recipients: u64,
    },
    /// Nothing has been heard of this for long. Whoever speaks of it from now on gives it a new
    /// number; the old one still says what it stands for, since some may be on their way with it.
    Unused(Name),
    /// This number stands for nothing any more: nobody came with it, and nobody will.
    Forgotten(Name),
    /// After [`crate::Input::Shutdown`]: nothing is under way any more.
    Stopped,
}

/// What is to be kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Of which.
    pub scope: Scope,
    /// What; an empty one need not be kept.
    pub memory: Memory,
    /// The command that changed it: answered when this is durable.
    pub request: Option<u64>,
}

/// What became of recipients of one message.
#[derive(Debug, Clone)]
pub struct Settled<E> {
    /// The message.
    pub message: QueueId,
    /// Where the spool keeps it.
    pub place: Place,
    /// Each recipient and where it stands now. Never empty.
    pub recipients: SmallVec<[(u16, Fate); 1]>,
    /// The attempt it comes from, and what happened on the wire; none when no attempt did it
    /// (expiry while waiting, an operator, a route that failed).
    pub attempt: Option<(AttemptId, SlotId, E)>,
    /// Transactions of these recipients that had ended in a deferral before: 0 at a first attempt.
    /// Stays at its largest value.
    pub attempts_before: u16,
    /// Whose hosts their mail goes to, where that is known.
    pub provider: Option<ProviderId>,
}

/// Where a recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is over.
    Ended(End),
    /// It waits for another attempt.
    Deferred {
        /// How far it has come and when it is due.
        progress: Progress,
        /// The sender is to be told that it is late, once; `progress.notified` is set already.
        notice: bool,
        /// Why, when no host said so (a route that failed); in numbers of RFC 3463.
        status: Option<Status>,
    },
    /// An operator holds it.
    Held(Progress),
    /// An operator has let it go on, or moved it.
    Released(Progress),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The next host has it.
    Delivered,
    /// It was refused for good, with this status of ours where no host gave one; a report is owed.
    Bounced(Option<Status>),
    /// It waited too long; a report is owed.
    Expired,
    /// An operator gave it up; a report is owed.
    BouncedByOperator,
    /// An operator gave it up, and nobody is told.
    Deleted,
}

/// Whether something begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It begins.
    Begins,
    /// It ends.
    Ends,
}

/// What happened that is no recipient's.
#[derive(Debug, Clone)]
pub enum Event<E> {
    /// A session could not be opened.
    ConnectFailed {
        /// Which.
        slot: SlotId,
        /// From where.
        source: SourceId,
        /// To whom.
        host: HostId,
        /// What happened on the wire.
        evidence: E,
    },
    /// A lane has decided something.
    Decided {
        /// The lane's provider.
        provider: ProviderId,
        /// Its source.
        source: SourceId,
        /// What, and why.
        decision: Decision,
    },
    /// A day of a restart plan was judged, or the plan was rolled back.
    Judged {
        /// Whose plan.
        scope: Scope,
        /// What was seen, and what follows.
        judgement: Judgement,
    },
    /// A source of several was quarantined with a provider, or is no more.
    Quarantine {
        /// The provider.
        provider: ProviderId,
        /// The source that it refuses.
        source: SourceId,
        /// Whether it begins or ends.
        turn: Turn,
    },
    /// A session broke off in the middle of a transaction, before its end was sent.
    SessionLost {
        /// Which.
        slot: SlotId,
        /// From where.
        source: SourceId,
        /// To whom.
        host: HostId,
        /// What happened on the wire.
        evidence: E,
    },
}
