//! What a receiver answers, and what only the model knows of it: who said it.

use std::sync::Arc;

use postlane_mail::{Reply, Stage};

use crate::ms::Ms;
use crate::scenario::Kind;

/// A source: its place in the sender's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(pub u16);

/// A connection to the receiver. Numbers are never used twice in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// What the receiver did with a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Greeting {
    /// It is open.
    Open {
        /// Its number.
        conn: ConnId,
        /// The MX host it landed on, from 0.
        shard: u16,
        /// When the banner is seen, from the moment of connecting.
        latency: Ms,
    },
    /// It never opened.
    Refused(Answer),
}

/// What the receiver answered to a message, or to a connection it refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was said.
    pub reply: Arc<Reply>,
    /// What it answered.
    pub stage: Stage,
    /// Who said it: hidden from whoever sends.
    pub cause: Cause,
    /// The connection it was said on; `None` if it never opened.
    pub conn: Option<ConnId>,
    /// The MX host that said it, from 0.
    pub shard: u16,
    /// Whether the connection ends with it (421). It is open until the caller has seen the
    /// reply and says [`crate::Receiver::close`].
    pub closes: bool,
    /// When it is seen, from the moment of dispatch.
    pub latency: Ms,
}

/// What the receiver says of a command of a dialogue.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Go on.
    Ok,
    /// No, for this reason, in these words.
    Refused(Cause, Arc<Reply>),
}

/// Who said it. Numbers are places in the scenario's lists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cause {
    /// The message was taken.
    Accepted,
    /// An outage.
    Outage(usize),
    /// A limit.
    Limit {
        /// Which.
        index: usize,
        /// Of which kind.
        kind: Kind,
        /// Whether the key was in the limit's box already.
        boxed: bool,
    },
    /// A random refusal.
    Temp(usize),
    /// There is no such recipient.
    UnknownRecipient,
}

impl Cause {
    /// Whether it is a refusal of the rate (`r4xx`): by a limit that counts, or in a box.
    /// Greylisting, random refusals, outages and unknown recipients are not.
    pub fn is_of_rate(self) -> bool {
        match self {
            Self::Limit { kind, boxed, .. } => boxed || !matches!(kind, Kind::Greylist { .. }),
            Self::Accepted | Self::Outage(_) | Self::Temp(_) | Self::UnknownRecipient => false,
        }
    }

    /// The limit that said it, if one did.
    pub fn limit(self) -> Option<usize> {
        match self {
            Self::Limit { index, .. } => Some(index),
            Self::Accepted | Self::Outage(_) | Self::Temp(_) | Self::UnknownRecipient => None,
        }
    }
}

impl Answer {
    /// Whether the message was taken.
    pub fn is_accepted(&self) -> bool {
        self.cause == Cause::Accepted
    }
}
