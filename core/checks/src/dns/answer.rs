//! What a question is answered with.

use std::net::{Ipv4Addr, Ipv6Addr};

use postlane_mail::Span;

use super::Name;
use crate::tlsa::TlsaRecord;

/// What the DNS says, with the aliases (CNAME) on the way followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records.
    Found(Found),
    /// The name exists and has no record of this type (NODATA, RFC 2308 §2.2).
    NoData,
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// There is no answer: that says nothing about the name.
    Failed(Failure),
}

/// Records, and what is known about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The records, in the order of the answer; at least one.
    pub records: Vec<Record>,
    /// How long they are good for.
    pub ttl: Span,
    /// Whether the resolver says that it has checked the signatures (the AD bit, RFC 4035 §3.2.3).
    pub authentic: bool,
}

/// A record's value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail exchanger.
    Mx {
        /// Lower is tried first.
        preference: u16,
        /// Who takes the mail; none for the root, which says that nobody does (RFC 7505 §3), and
        /// for what is no name.
        exchange: Option<Name>,
    },
    /// A name.
    Ptr(Name),
    /// The strings of one text record, joined without anything between (RFC 7208 §3.3); any
    /// octets.
    Txt(Box<[u8]>),
    /// Another name for it.
    Cname(Name),
    /// A name server.
    Ns(Name),
    /// How a zone is kept.
    Soa {
        /// The number of its state.
        serial: u32,
        /// How long servers that cannot ask the first one go on answering.
        expire: Span,
        /// How long it may be remembered that something is not there (RFC 2308 §4).
        minimum: Span,
    },
    /// A certificate of a host.
    Tlsa(TlsaRecord),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The name server could not find out (SERVFAIL), or its signatures are bogus.
    #[error("the name server could not find out (SERVFAIL)")]
    ServFail,
    /// It will not answer us (REFUSED).
    #[error("the name server refused to answer (REFUSED)")]
    Refused,
    /// Nobody answered in time.
    #[error("no name server answered in time")]
    TimedOut,
    /// The answer makes no sense, as said here.
    #[error("{0}")]
    Malformed(Box<str>),
}

impl Failure {
    /// Reads back what was printed of it.
    pub fn read(text: &str) -> Self {
        let plain = [Self::ServFail, Self::Refused, Self::TimedOut];
        let found = plain.into_iter().find(|failure| failure.to_string() == text);
        found.unwrap_or_else(|| Self::Malformed(text.into()))
    }
}

impl Answer {
    /// The records; none where there are none for whatever reason.
    pub fn records(&self) -> &[Record] {
        match self {
            Self::Found(found) => &found.records,
            _ => &[],
        }
    }

    /// Whether the DNS has answered, and there is nothing (a void lookup, RFC 7208 §4.6.4).
    pub fn is_void(&self) -> bool {
        match self {
            Self::Found(found) => found.records.is_empty(),
            Self::NoData | Self::NoName => true,
            Self::Failed(_) => false,
        }
    }
}
