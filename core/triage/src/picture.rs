//! What is known of a span of time: counts, samples of replies, lanes and what was changed.
//!
//! Nothing in it must be complete. What a log does not say (a stream, a queue's age) is left
//! out, and a verdict says that it was not seen.

use std::net::IpAddr;
use std::sync::Arc;

use postlane_mail::{Instant, Label as Name, Span, Stream};
use postlane_replies::Label;

/// What is known of a span of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Picture {
    /// The first moment counted.
    pub from: Instant,
    /// The first moment not counted any more.
    pub to: Instant,
    /// How long a slot of the tallies is; a minute or more.
    pub slot: Span,
    /// The counts, in any order; several for one slot add up.
    pub tallies: Vec<Tally>,
    /// Counts of the span before, for comparison; may be empty.
    pub before: Vec<Tally>,
    /// How long the span before was; zero where nothing is known of it.
    pub before_span: Span,
    /// Replies that differ, each with how often it came.
    pub samples: Vec<Sample>,
    /// The lanes at the end of the span.
    pub lanes: Vec<LaneSeen>,
    /// How much waits and how long, in order of time.
    pub backlogs: Vec<Backlog>,
    /// The addresses we send from, as far as they were looked at.
    pub sources: Vec<SourceSeen>,
    /// Mail that lacked what its provider asks for when it was looked at before it left.
    pub gates: Vec<GateSeen>,
    /// What was changed by people, the DNS or lanes, in or shortly before the span.
    pub changes: Vec<Change>,
}

/// A count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tally {
    /// Where its slot begins.
    pub at: Instant,
    /// The mailbox provider's id.
    pub provider: Arc<str>,
    /// The source we sent from: its name in the configuration or its address; empty if unknown.
    pub source: Arc<str>,
    /// What kind of mail it was; `None` if unknown.
    pub stream: Option<Stream>,
    /// Whose mail it was.
    pub tenant: Name,
    /// What became of it.
    pub kind: Kind,
    /// Whether it was the first attempt.
    pub turn: Turn,
    /// What the reply meant.
    pub label: Label,
    /// How many recipients, or connections for [`Kind::Unreached`].
    pub count: u64,
}

/// What became of an attempt for a recipient, or of a recipient that waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The host took it over.
    Accepted,
    /// The host refused for now, and it waits.
    Deferred,
    /// The host refused for good, or we gave up because of what it said.
    Bounced,
    /// It waited for as long as it may; no attempt is counted with it.
    Expired,
    /// No session came about: no route, refused, a timeout, TLS.
    Unreached,
}

/// Whether something was tried for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// The first attempt for this recipient.
    Fresh,
    /// A later one.
    Retry,
}

/// A reply, and how often its like came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Who said it.
    pub provider: Arc<str>,
    /// To which source of ours.
    pub source: Arc<str>,
    /// When it was said last.
    pub at: Instant,
    /// How often; 1 if that is not known.
    pub count: u64,
    /// The reply as it was said, with its code.
    pub reply: Arc<str>,
    /// What it means.
    pub label: Label,
    /// The rule that said so; empty if none did.
    pub rule: Arc<str>,
    /// A link to the provider's page on this very case.
    pub case_url: Option<Arc<str>>,
    /// Addresses that stand in it.
    pub ips: Vec<IpAddr>,
    /// Block lists that it names.
    pub lists: Vec<Arc<str>>,
    /// Codes that the provider's own pages explain (`S3140`, `TSS04`).
    pub codes: Vec<Arc<str>>,
}

/// A lane at the end of the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneSeen {
    /// Its provider.
    pub provider: Arc<str>,
    /// Its source.
    pub source: Arc<str>,
    /// What it does, in the words of `postlane lanes`.
    pub state: Arc<str>,
}

/// How much waits for a provider at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// When it was looked at.
    pub at: Instant,
    /// For whom it waits.
    pub provider: Arc<str>,
    /// Recipients that wait.
    pub recipients: u64,
    /// How long the longest waiting twentieth has waited at least (the 95th percentile).
    pub age: Span,
}

/// A source of ours as the world sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSeen {
    /// Its name in the tallies.
    pub source: Arc<str>,
    /// Its address, where it is known.
    pub address: Option<IpAddr>,
    /// The names it greeted with; more than one is a fault.
    pub ehlo: Vec<Arc<str>>,
    /// Whether its reverse DNS leads back to it.
    pub ptr: Ptr,
}

/// Mail that lacks what its provider asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateSeen {
    /// Whose gate it is.
    pub provider: Arc<str>,
    /// By which source it goes.
    pub source: Arc<str>,
    /// When that was seen.
    pub at: Instant,
    /// Which mail: `cold mail of shop.example`.
    pub mail: Arc<str>,
    /// The checks that fail: `IDN-05`.
    pub checks: Vec<Arc<str>>,
    /// What was seen.
    pub says: Arc<str>,
}

/// Whether a name in the reverse DNS leads back to its address (RFC 8601 §2.7.3, "iprev").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ptr {
    /// Nobody has asked.
    #[default]
    Unasked,
    /// The name leads back.
    Confirmed,
    /// There is no name.
    Missing,
    /// The name leads elsewhere or nowhere.
    Unconfirmed,
    /// It was asked, and the DNS did not say.
    Undetermined,
}

/// Something that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Instant,
    /// What kind of thing.
    pub kind: ChangeKind,
    /// For which provider; `None` for all.
    pub provider: Option<Arc<str>>,
    /// In words: `cap 20/m by ops`.
    pub says: Arc<str>,
}

/// What kind of thing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// How much is sent.
    Volume,
    /// The addresses we send from.
    Source,
    /// Whose mail, or which mailing.
    Campaign,
    /// A record in the DNS.
    Dns,
    /// A lane, by itself or by an operator.
    Lane,
    /// The configuration.
    Configuration,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Accepted, Self::Deferred, Self::Bounced, Self::Expired, Self::Unreached];

    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::Unreached => "unreached",
        }
    }
}

impl ChangeKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Volume, Self::Source, Self::Campaign, Self::Dns, Self::Lane, Self::Configuration];

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Source => "source",
            Self::Campaign => "campaign",
            Self::Dns => "dns",
            Self::Lane => "lane",
            Self::Configuration => "configuration",
        }
    }
}

impl Ptr {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Confirmed => "confirmed",
            Self::Missing => "missing",
            Self::Unconfirmed => "unconfirmed",
            Self::Undetermined => "undetermined",
        }
    }
}
