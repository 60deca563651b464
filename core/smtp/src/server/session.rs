//! What we know of the client and of ourselves while it talks.

use std::net::IpAddr;

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

/// What was agreed in a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite's name.
    pub cipher: Box<str>,
}

/// Whether new mail can be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pressure {
    /// It can.
    #[default]
    None,
    /// The disk is at its watermark (RFC 3463 §3.4, X.3.1).
    DiskFull,
    /// Memory is, or the queue to the disk.
    Busy,
    /// We are closing.
    Closing,
}
