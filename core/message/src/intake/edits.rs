//! The settings of intake: what to add, what to take away, when to refuse.

use postlane_mail::{Code, Domain, Status};

/// What to add and what to take away: settings, the same for every message.
#[derive(Debug, Clone)]
pub struct Edits {
    /// Our name in `Received` and in message ids that we make.
    pub our_name: Domain,
    /// Names of fields to take out, in any case, besides `Bcc`, `Resent-Bcc` and our own
    /// `X-Postlane-Stream`, `X-Postlane-Campaign`, `X-Postlane-Tenant` and `X-Postlane-Engaged-At`.
    pub remove: Vec<Box<str>>,
    /// Whether to tell where a message came from.
    pub client: ClientTrace,
    /// What to do with `Received` fields that are there already.
    pub inner_received: InnerReceived,
    /// When to refuse a message.
    pub limits: HeaderLimits,
}

/// Whether the `Received` field tells the client's name, address and encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientTrace {
    /// It does, as RFC 5321 §4.4 asks for.
    #[default]
    Told,
    /// It does not: the sender's own network is nobody's business.
    Hidden,
}

/// What becomes of the `Received` fields of earlier hops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InnerReceived {
    /// They stay, as RFC 5321 §4.4 demands.
    #[default]
    Kept,
    /// They go, so that names and addresses inside the house stay there. A loop through this
    /// relay is then only found by a hop that counts otherwise.
    Removed,
}

/// What a header section may have, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderLimits {
    /// Octets of the section as it came; 256 KiB unless told. Chosen, not measured.
    pub octets_max: usize,
    /// Fields as they came; 1,000 unless told. Chosen, not measured.
    pub fields_max: usize,
    /// `Received` fields that may be there when a message comes to us; more is a loop. 100
    /// unless told (RFC 5321 §6.3: at least 100).
    pub hops_max: usize,
}

/// Why a message cannot be taken because of its header section. The sender is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderRefused {
    /// The section is longer than the limit.
    #[error("the header section has over {octets_max} octets; send fewer or shorter fields")]
    TooLong {
        /// As many as are allowed.
        octets_max: usize,
    },
    /// There are more fields than the limit.
    #[error("the header section has over {fields_max} fields; send fewer")]
    TooManyFields {
        /// As many as are allowed.
        fields_max: usize,
    },
    /// The message has come through more hosts than any real way has.
    #[error("the message has passed {hops} hosts: a mail loop; check where its domain is routed")]
    Loop {
        /// `Received` fields in it.
        hops: usize,
    },
}

impl Edits {
    /// What a relay of that name does when nothing else is asked for.
    pub fn new(our_name: Domain) -> Self {
        Self {
            our_name,
            remove: Vec::new(),
            client: ClientTrace::default(),
            inner_received: InnerReceived::default(),
            limits: HeaderLimits::default(),
        }
    }
}

impl Default for HeaderLimits {
    fn default() -> Self {
        Self { octets_max: 256 * 1024, fields_max: 1_000, hops_max: 100 }
    }
}

impl HeaderRefused {
    /// The code to refuse it with: 552 for too much (RFC 5321 §4.2.3), 554 for a loop.
    pub fn code(self) -> Code {
        let number = match self {
            Self::TooLong { .. } | Self::TooManyFields { .. } => 552,
            Self::Loop { .. } => 554,
        };
        Code::new(number).expect("both numbers lie between 200 and 599")
    }

    /// The enhanced status to refuse it with (RFC 3463 §3.4, §3.5).
    pub fn status(self) -> Status {
        match self {
            Self::TooLong { .. } | Self::TooManyFields { .. } => Status::new(5, 3, 4),
            Self::Loop { .. } => Status::new(5, 4, 6),
        }
    }
}
