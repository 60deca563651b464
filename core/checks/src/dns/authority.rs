//! One name server of a zone, asked itself and not through a resolver.

use std::net::IpAddr;

use postlane_mail::Span;

use super::Name;

/// A name server and the zone that it should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority {
    /// The zone.
    pub zone: Name,
    /// The server.
    pub server: IpAddr,
}

/// What a name server says when it is asked for the zone's SOA record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// It knows the zone.
    Serial {
        /// The number of the zone's state (RFC 1035 §3.3.13).
        serial: u32,
        /// How long it took.
        took: Span,
    },
    /// It answers and does not know the zone (a lame server).
    Lame,
    /// It could not be asked, for this reason.
    Failed(Box<str>),
}
