//! What a question is answered with.

use std::sync::Arc;

use postlane_mail::{Domain, Span};

/// Records, and what is known about them. Never without a record: that is
/// [`DnsError::NoData`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The records.
    pub records: Arc<[T]>,
    /// How long they are good for from now on: the least of the records' and the aliases' TTLs.
    pub ttl: Span,
    /// Whether the resolver says it has checked the signatures (the AD bit, RFC 4035 §3.2.3),
    /// of every step when aliases were followed. Worth as much as the resolver and the way to
    /// it can be trusted; for one on the loopback that is much.
    pub authentic: bool,
}

/// A mail exchanger record (RFC 1035 §3.3.9).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mx {
    /// Lower is tried first.
    pub preference: u16,
    /// Who takes the mail.
    pub exchange: Exchange,
}

/// The right side of a mail exchanger record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exchange {
    /// A host.
    Host(Domain),
    /// The root, written `.`: the domain takes no mail (RFC 7505 §3).
    Root,
    /// Something that is no host name, as the DNS writes it.
    Unusable(Box<str>),
}

/// Why there is no answer. The first two are answers of a kind: the DNS has been asked, and
/// there is nothing. All others say nothing about the name and may be otherwise next time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DnsError {
    /// The name does not exist, for any type of record (NXDOMAIN).
    #[error("the name does not exist")]
    NxDomain {
        /// How long that is good for (RFC 2308 §5).
        ttl: Span,
    },
    /// The name exists and has no record of this type (NODATA, RFC 2308 §2.2).
    #[error("the name has no such record")]
    NoData {
        /// How long that is good for (RFC 2308 §5).
        ttl: Span,
    },
    /// The name server could not find out (SERVFAIL). A validating resolver says so of bogus
    /// signatures, too (RFC 4035 §5.5).
    #[error("the name server could not find out (SERVFAIL)")]
    ServFail,
    /// The name server will not answer us (REFUSED).
    #[error("the name server refused to answer (REFUSED)")]
    Refused,
    /// The name server said something else than an answer.
    #[error("the name server answered with response code {0}")]
    ResponseCode(u16),
    /// The name server did not answer in time.
    #[error("the name server did not answer in time")]
    TimedOut,
    /// The name server could not be reached.
    #[error("the name server could not be reached: {0}")]
    Unreachable(Box<str>),
    /// What the name server sent is no answer to the question: no DNS message, truncated over
    /// TCP, records of other names, or a referral to someone else (a lame server).
    #[error("the name server's answer makes no sense: {0}")]
    Malformed(Box<str>),
    /// The name is an alias of an alias of an alias…
    #[error("the aliases (CNAME) of the name do not end")]
    AliasLoop,
}

impl<T> Answer<T> {
    /// The answer with another time to live.
    pub(super) fn with_ttl(&self, ttl: Span) -> Self {
        Self { records: self.records.clone(), ttl, authentic: self.authentic }
    }
}

impl DnsError {
    /// Whether the DNS has answered, and there is nothing.
    pub fn is_negative(&self) -> bool {
        matches!(self, Self::NxDomain { .. } | Self::NoData { .. })
    }

    /// The error with another time to live, where it has one.
    pub(super) fn with_ttl(&self, ttl: Span) -> Self {
        match self {
            Self::NxDomain { .. } => Self::NxDomain { ttl },
            Self::NoData { .. } => Self::NoData { ttl },
            other => other.clone(),
        }
    }
}
