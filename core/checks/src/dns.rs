//! The DNS as checks see it: questions, answers, and what is known so far.

mod answer;
mod known;
mod name;

pub use answer::{Answer, Failure, Found, Record};
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
}

impl Kind {
    /// As the DNS writes it: `A`, `AAAA`, `MX`…
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Ptr => "PTR",
            Self::Txt => "TXT",
        }
    }
}
