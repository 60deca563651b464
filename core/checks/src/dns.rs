//! The DNS as checks see it: questions, answers, and what is known so far.

mod answer;
mod authority;
mod known;
mod name;

pub use answer::{Answer, Failure, Found, Record};
pub use authority::{Authority, Served};
pub use known::{Known, Question};
pub use name::{Name, NameError};

/// A type of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An IPv4 address (RFC 1035 §3.4.1).
    A,
    /// An IPv6 address (RFC 3596 §2.1).
    Aaaa,
    /// A mail exchanger (RFC 1035 §3.3.9).
    Mx,
    /// A name for an address (RFC 1035 §3.3.12).
    Ptr,
    /// Text (RFC 1035 §3.3.14).
    Txt,
    /// Another name for it (RFC 1035 §3.3.1), itself and not what it leads to.
    Cname,
    /// A name server (RFC 1035 §3.3.11).
    Ns,
    /// How a zone is kept (RFC 1035 §3.3.13).
    Soa,
    /// The same without having signatures checked (the CD bit, RFC 4035 §3.2.2): what is known
    /// of it though they are bogus.
    UncheckedSoa,
    /// Certificates of a host (RFC 6698 §2).
    Tlsa,
    /// What SPF once had a type of its own for (RFC 7208 §3.1: obsolete).
    Spf,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 11] = [
        Self::A,
        Self::Aaaa,
        Self::Mx,
        Self::Ptr,
        Self::Txt,
        Self::Cname,
        Self::Ns,
        Self::Soa,
        Self::UncheckedSoa,
        Self::Tlsa,
        Self::Spf,
    ];

    /// As the DNS writes it: `A`, `AAAA`, `MX`…
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Ptr => "PTR",
            Self::Txt => "TXT",
            Self::Cname => "CNAME",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::UncheckedSoa => "SOA+CD",
            Self::Tlsa => "TLSA",
            Self::Spf => "SPF",
        }
    }
}
