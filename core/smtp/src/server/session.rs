//! What we know of the client and of ourselves while it talks.

use std::net::IpAddr;
use std::sync::Arc;

use postlane_mail::{Domain, Label};

use super::limits::Limits;
use super::rights::Rights;
use super::tls::TlsFacts;
use crate::auth::Decoy;
use crate::data::BareNewlines;

/// What is the same for all sessions of a listener.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name we give ourselves, in the greeting and in Received fields.
    pub hostname: Domain,
    /// What is said about STARTTLS.
    pub starttls: StartTls,
    /// How users may authenticate, if they may.
    pub auth: Option<Auth>,
    /// Who may send mail to whom.
    pub rights: Arc<dyn Rights>,
    /// Whose mail comes by this listener, unless a user has a tenant.
    pub tenant: Label,
    /// What is done with a CR or LF that stands alone in a message.
    pub bare_newlines: BareNewlines,
    /// What a client may take of us.
    pub limits: Limits,
    /// Octets of what was said that are handed on with a message; 0 where nobody wants to know.
    pub transcript_octets: usize,
}

/// Whether STARTTLS is offered (RFC 3207). It never is where TLS is spoken already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartTls {
    /// It is not: there is no certificate, or TLS is spoken from the start.
    #[default]
    Absent,
    /// It is.
    Offered,
    /// It is, and no mail is taken without it.
    Required,
}

/// How users may authenticate (RFC 4954).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Whether they may without TLS: for clients on the same machine, by name.
    pub without_tls: bool,
    /// Whether mail is taken from nobody who has not authenticated.
    pub required: bool,
    /// SCRAM-SHA-256, where verifiers of users' passwords are kept; without, PLAIN and LOGIN
    /// alone.
    pub scram: Option<Decoy>,
}

/// The other end of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub ip: IpAddr,
    /// Whether its network may relay.
    pub neighbour: bool,
    /// The TLS it came with, where the listener speaks TLS from the start.
    pub tls: Option<TlsFacts>,
}

/// Whether new mail can be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Pressure {
    /// It can.
    #[default]
    None,
    /// There is more to do than can be done: MAIL is put off with 451.
    Busy,
    /// The disk is at its watermark: MAIL is put off with 452 (RFC 3463 §3.4, X.3.1).
    DiskFull,
    /// There is no memory: MAIL is put off with 452, and a message on its way is let go, heard
    /// to its end and put off as well.
    NoMemory,
    /// We are closing: sessions end with 421, each behind its message.
    Closing,
}
