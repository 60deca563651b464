//! A message that a client has handed over and that is not ours yet.

use std::fmt;
use std::net::IpAddr;

use postlane_mail::{Code, Envelope, Label, QueueId, Status};

use super::session::TlsFacts;

/// A message, complete, with everything about how it came.
#[derive(Debug)]
pub struct Submission {
    /// Who it is from and for. Stream and campaign are as the defaults have them.
    pub envelope: Envelope,
    /// The message as it came, dots taken away.
    pub message: Vec<u8>,
    /// Whether the postmaster without a domain is among its recipients.
    pub postmaster: bool,
    /// The name the client gave itself.
    pub helo: Box<str>,
    /// How it came, as a Received field has it: `ESMTP`, `ESMTPS`, `ESMTPSA`… (RFC 3848, RFC 6531 §3.7.3).
    pub protocol: &'static str,
    /// The client's address.
    pub ip: IpAddr,
    /// The TLS it came by.
    pub tls: Option<TlsFacts>,
    /// Who the client is, if it has authenticated.
    pub identity: Option<Identity>,
    /// Whether the client may send to anybody.
    pub may_relay: bool,
}

/// Who a client has shown to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: Box<str>,
    /// Whose mail it sends.
    pub tenant: Label,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is durable and ours: 250 may be said.
    Accepted(QueueId),
    /// It is not ours.
    Refused {
        /// 4yz or 5yz.
        code: Code,
        /// The enhanced status of the same class.
        status: Status,
        /// One line.
        text: Box<str>,
    },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(id) => write!(f, "250 2.0.0 Ok: queued as {id}"),
            Self::Refused { code, status, text } => write!(f, "{code} {status} {text}"),
        }
    }
}
