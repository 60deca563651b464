//! What a lane hears of what a provider said.

use postlane_mail::Span;

pub use crate::rest::Hinted;

/// One thing a lane hears. The engine makes it of a diagnosis; no text reaches a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A message was accepted.
    Accepted,
    /// The provider wants less, or later.
    Rate {
        /// What it said of how much and how long.
        hint: Hint,
    },
    /// It wants fewer connections at once.
    Conn,
    /// It wants fewer messages on one connection.
    PerConn,
    /// A message waits for its first contact to be old enough: nothing of the lane's.
    Greylist,
    /// A mailbox takes nothing for now: nothing of the lane's.
    Mailbox,
    /// The host is not there, or does not serve.
    Outage {
        /// What it said of how long.
        hint: Hint,
    },
    /// It may be rate, an outage or nothing of the lane's.
    Ambiguous,
    /// A message was refused for now, for reasons of its own or the host's.
    Temp,
    /// What the mail comes from, or goes by, is refused: a source, a sending domain, a route.
    Policy,
    /// A message was refused for good, for reasons of its own.
    Perm,
    /// The connection was refused, lost, or turned away before a message was tried.
    ConnectFailed,
    /// A session is open.
    Connected,
}

/// What a provider said of its limit, in figures where it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hint {
    /// How long to stay away.
    pub wait: Option<Hinted>,
    /// The span it counts in ("per hour", "daily").
    pub window: Option<Span>,
    /// How many messages it takes in that span.
    pub quota: Option<u32>,
    /// It said 421, and closed the connection.
    pub closes: bool,
}
