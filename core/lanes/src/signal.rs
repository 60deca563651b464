//! What a lane hears of what a provider said.

use postlane_mail::Span;

/// One thing a lane hears. The engine makes it of a diagnosis; no text reaches a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A message was accepted.
    Accepted,
    /// A message was refused for reasons of its own: recipient, content, mailbox.
    Refused,
    /// The provider wants less, or later.
    SlowDown {
        /// For how long, where it said so.
        wait: Option<Span>,
    },
    /// The connection was refused, lost, or turned away before a message was tried.
    ConnectFailed,
    /// A session is open.
    Connected,
}
