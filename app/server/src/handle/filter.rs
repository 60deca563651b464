//! Which waiting mail is meant.

use postlane_mail::{Host, Label, QueueId, Span, Stream};

/// All recipients that agree with everything given; nothing given means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of these messages.
    pub ids: Vec<QueueId>,
    /// To this domain or address literal.
    pub domain: Option<Host>,
    /// At this provider, by id.
    pub provider: Option<String>,
    /// Of this stream.
    pub stream: Option<Stream>,
    /// Of this tenant.
    pub tenant: Option<Label>,
    /// Of this campaign.
    pub campaign: Option<Label>,
    /// Accepted longer ago than this.
    pub older_than: Option<Span>,
    /// Accepted less long ago than this.
    pub younger_than: Option<Span>,
    /// Only in this status.
    pub status: Option<Status>,
}

/// Where a waiting recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// In a transaction right now.
    Active,
    /// Due, and waiting for its lane.
    Ready,
    /// Waiting for its next attempt.
    Deferred,
    /// Held by an operator.
    Held,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Active, Self::Ready, Self::Deferred, Self::Held];

    /// The name, as in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Ready => "ready",
            Self::Deferred => "deferred",
            Self::Held => "held",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl Filter {
    /// Whether nothing is given, so that everything is meant.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}
