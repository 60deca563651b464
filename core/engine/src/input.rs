//! Everything that can reach a decision.

use std::net::SocketAddr;
use std::sync::Arc;

use postlane_lanes::{Instruction, Ladder, Memory, OrderKind, Reservation, Sign, Told, Who};
use postlane_mail::{Instant, Place, Progress, QueueId, Status, Stream};
use postlane_replies::Diagnosis;
use smallvec::SmallVec;

use crate::names::{
    AttemptId, DomainId, ExchangeId, FlowId, HostId, PoolId, ProviderId, SlotId, SourceId,
};
use crate::sections::{Passes, Sections};
use crate::settings::Settings;

/// What the engine hears. `E` is the evidence of an attempt (verbatim reply, transcript,
/// headers): the engine hands it on in [`crate::Settled`] and never opens it.
#[derive(Debug, Clone)]
pub enum Input<E> {
    /// These messages are durable and ours to deliver: new ones, reports of our own, and
    /// after a start everything the spool still holds.
    Submitted(Vec<Submission>),
    /// What was kept of providers and lanes when the last engine ended: before anything is
    /// submitted.
    Recalled(Vec<Recalled>),
    /// An operator's command to a lane or a provider.
    Lane(LaneCommand),
    /// Every batch of changes up to this number is durable.
    Committed {
        /// The number given in [`crate::Output::Reserve`].
        upto: u64,
    },
    /// Where a domain's mail goes, or why nowhere.
    Resolved {
        /// The domain that was asked for.
        domain: DomainId,
        /// The answer; good until it says.
        answer: Resolved,
    },
    /// An operator's sections: ceilings over several lanes, and inside one.
    Sections(Box<Sections>),
    /// Whose mail passes which of their gates; told before such mail is.
    Passes(Vec<Passes>),
    /// A session is open and has said its EHLO: it takes transactions.
    Opened {
        /// Which.
        slot: SlotId,
    },
    /// A session could not be opened. The slot is gone.
    ConnectFailed {
        /// Which.
        slot: SlotId,
        /// Why, and what it means.
        why: Unreached,
        /// What happened on the wire.
        evidence: E,
    },
    /// A session that was open is closed, by us or by them. Attempts on it that have not
    /// finished before this never will: the world finishes them first. The slot is gone.
    Closed {
        /// Which.
        slot: SlotId,
        /// What the host said when it closed the door (a 421 between transactions), if it did.
        said: Option<Diagnosis>,
        /// What happened on the wire, where it broke off in the middle of a transaction and no
        /// recipient's outcome tells it.
        evidence: Option<E>,
    },
    /// An attempt is over.
    Finished {
        /// On which session.
        slot: SlotId,
        /// Which.
        attempt: AttemptId,
        /// One for each recipient of the attempt, in the attempt's order.
        outcomes: SmallVec<[RecipientOutcome; 1]>,
        /// What happened on the wire.
        evidence: E,
    },
    /// What preflight or suppression say about a message that [`Submission::awaits_verdict`].
    Verdict {
        /// The message.
        message: QueueId,
        /// Go on, hold it, or refuse it.
        verdict: Verdict,
    },
    /// An operator's command.
    Operator(Operator),
    /// New settings; sessions that are open go on.
    Settings(Arc<Settings>),
    /// Routes are other ones from now on: each domain's is asked for again before the next of
    /// its messages is tried, those that are ready too.
    Reroute,
    /// The spool failed: begin nothing more, finish what is under way.
    StoreFailed,
    /// Begin nothing more; when no attempt is under way, close every session and say
    /// [`crate::Output::Stopped`].
    Shutdown,
}

/// A durable message, in the numbers the engine needs.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Its name; says when it was accepted, too.
    pub id: QueueId,
    /// Where the spool keeps it.
    pub place: Place,
    /// What kind of mail.
    pub stream: Stream,
    /// Whose.
    pub flow: FlowId,
    /// When its recipients last showed that they read such mail, where the sender says so.
    pub engaged: Option<Instant>,
    /// Sources that may carry it.
    pub pool: PoolId,
    /// Whether it waits for [`Input::Verdict`] before its first attempt.
    pub awaits_verdict: bool,
    /// Whether recipients of it may share a transaction.
    pub together: Together,
    /// Those of its recipients that are not done.
    pub recipients: SmallVec<[SubmittedRecipient; 1]>,
}

/// Whether recipients of a message may share a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Together {
    /// Those that go the same way do, up to [`crate::Settings::transaction_recipients_max`].
    #[default]
    WhereTheyCan,
    /// Each has one to itself, since each has a reverse-path of its own.
    Never,
}

/// A recipient, in the numbers the engine needs.
#[derive(Debug, Clone, Copy)]
pub struct SubmittedRecipient {
    /// Its number within the envelope.
    pub index: u16,
    /// Its domain (or, with a route by sender, whatever else is resolved alike).
    pub domain: DomainId,
    /// How far it has come; the default for a fresh one.
    pub progress: Progress,
}

/// Where a domain's mail goes.
#[derive(Debug, Clone)]
pub enum Resolved {
    /// To these hosts.
    Route(Route),
    /// Nowhere, now or ever.
    Failed {
        /// 4.x.x: try again; 5.x.x: bounce.
        status: Status,
        /// Ask again then, not before.
        until: Instant,
    },
}

/// A route.
#[derive(Debug, Clone)]
pub struct Route {
    /// Whose limits count.
    pub provider: ProviderId,
    /// Whether they count for each of our sources apart. The same for all routes of a provider.
    pub limits: Limits,
    /// Domains with the same hosts and policy have the same.
    pub exchange: ExchangeId,
    /// The hosts, lowest preference first; equal ones are shuffled here. Never empty.
    pub hosts: Arc<[RouteHost]>,
    /// Ask again after that; what is under way goes on.
    pub until: Instant,
}

/// For what of ours a provider's limits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Limits {
    /// For each address we send from, which has a lane of its own.
    #[default]
    OfSource,
    /// For whoever we are: all our sources share the one lane of [`SourceId::ANY`]. So does a smart
    /// host count, whose own address the receivers see.
    OfAll,
}

/// A host of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteHost {
    /// Its name.
    pub host: HostId,
    /// The MX preference; 0 without MX.
    pub preference: u16,
    /// Its addresses with the port, in the order to be tried within a family.
    pub addresses: Arc<[SocketAddr]>,
}

/// What became of one recipient in an attempt.
#[derive(Debug, Clone)]
pub struct RecipientOutcome {
    /// Its number within the envelope.
    pub index: u16,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a recipient.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The host has taken it.
    Delivered(Diagnosis),
    /// The host has refused it, now (4xx) or for good (5xx), at MAIL, RCPT, DATA or the dot;
    /// the diagnosis says whom that concerns.
    Refused(Diagnosis),
    /// The connection was lost after the final dot, and it may have been delivered, or amid the
    /// message. Tried again.
    Unknown,
    /// Its turn did not come: the session ended before. Costs it no attempt.
    NotTried,
    /// The session ended without an answer at this message's own commands. Once that costs no attempt, for it says
    /// nothing of the message; twice running it does.
    CutOff,
    /// This host lacks an extension the message needs (8BITMIME, SMTPUTF8): the next host is
    /// tried, and with none left it is bounced with this status (5.6.3, 5.6.7, 5.6.9).
    HostUnable(Status),
    /// We could not send it (the spool could not be read, over the host's SIZE): 4.x.x is
    /// tried again, 5.x.x bounced. Says nothing about the host.
    Ours(Status),
    /// We would not send it before then: its domain is on hold. Says nothing about the host.
    Waits {
        /// Why, 4.x.x.
        status: Status,
        /// When it is tried again, unless its next attempt is due later.
        until: Instant,
    },
}

/// Why a session could not be opened.
#[derive(Debug, Clone)]
pub enum Unreached {
    /// No connection: refused, timed out, unreachable, TLS failed. Try the next address.
    Network,
    /// The same address may do another way, at once: without TLS, after a handshake that failed.
    TryAgain,
    /// The source address cannot be used on this machine: the source's fault, not the host's.
    Source,
    /// The host answered and would not have us (greeting, EHLO, STARTTLS, AUTH).
    TurnedAway(Diagnosis),
    /// It is ourselves (RFC 5321 §6.3). Its mail goes the same way again: bounce with 5.4.6.
    Loop,
}

/// What preflight or suppression say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send it.
    Go,
    /// Keep it until an operator says otherwise.
    Hold,
    /// Bounce it with this status.
    Refuse(Status),
}

/// A command and what it is for.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Given back in [`crate::Output::Answered`].
    pub request: u64,
    /// What to do.
    pub action: Action,
    /// With which recipients.
    pub selection: Selection,
}

/// What an operator can do with waiting mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make it due now, and try hosts that rest because they could not be reached; pace and
    /// ceilings hold.
    Retry,
    /// The same, in front of its stream.
    DeliverNow,
    /// Keep it, and stop its clock.
    Hold,
    /// Let a held one go on, its clock moved on by the hold.
    Release,
    /// Give it up, with a report to the sender.
    Bounce,
    /// Give it up, without one.
    Delete,
}

/// Which recipients: all that agree with everything that is given.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Of these messages.
    pub ids: Option<Vec<QueueId>>,
    /// Of these domains.
    pub domains: Option<Vec<DomainId>>,
    /// Of this provider.
    pub provider: Option<ProviderId>,
    /// Of this stream.
    pub stream: Option<Stream>,
    /// Of these flows (a tenant is all its flows).
    pub flows: Option<Vec<FlowId>>,
    /// Accepted before.
    pub before: Option<Instant>,
    /// Accepted after.
    pub after: Option<Instant>,
}

/// A provider with all its lanes, or one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// The provider.
    pub provider: ProviderId,
    /// The lane's source; none for all of them.
    pub source: Option<SourceId>,
}

/// What was kept of a provider or a lane.
#[derive(Debug, Clone)]
pub struct Recalled {
    /// Which.
    pub scope: Scope,
    /// What was kept.
    pub memory: Memory,
    /// What was granted of a restart plan's day.
    pub reserved: Option<Reservation>,
}

/// A command to a lane or a provider.
#[derive(Debug, Clone)]
pub struct LaneCommand {
    /// Given back in [`crate::Output::Keep`] when it changes something, and in
    /// [`crate::Output::Answered`] with 0 when it does not.
    pub request: u64,
    /// To which.
    pub scope: Scope,
    /// Who commands it.
    pub by: Who,
    /// What to do.
    pub action: LaneAction,
}

/// What an operator can do to a lane or a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneAction {
    /// Give an order that holds until it is taken back.
    Give {
        /// What is ordered.
        what: Instruction,
        /// When it ends by itself, if it does.
        until: Option<Instant>,
    },
    /// Take back what makes mail wait.
    Resume,
    /// Take back an order of this kind.
    TakeBack(OrderKind),
    /// Go back to the last stable level of the restart plan; without one, each lane to the rate
    /// that held before it was raised last.
    RollBack,
    /// Begin a restart plan, in the place of one that is under way.
    Begin(Ladder),
    /// End the restart plan, as if its ladder were climbed.
    EndPlan,
    /// Say how one of the signs is that only people can see.
    Tell(Told, Sign),
}

impl Scope {
    /// The provider as a whole, and the lane.
    pub(crate) fn both(provider: ProviderId, source: SourceId) -> [Self; 2] {
        [Self { provider, source: None }, Self { provider, source: Some(source) }]
    }
}
