//! One limit of a receiver, as it was written.

use std::collections::BTreeMap;

use postlane_mail::Reply;

use crate::ms::{Frequency, Ms};

/// One limit: what it counts, how much it allows, and what it says when that is used up.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Its name in traces.
    pub id: String,
    /// How it counts.
    pub kind: Kind,
    /// What has a counter of its own.
    pub key: Key,
    /// What is counted.
    pub unit: Unit,
    /// Which attempts are counted.
    pub charge: Charge,
    /// How much is allowed; not used by greylist and ratio.
    pub quota: f64,
    /// In how long.
    pub window: Ms,
    /// Where windows of fixed and grow begin.
    pub phase: Ms,
    /// When it is asked.
    pub stage: LimitStage,
    /// What it says.
    pub reply: Reply,
    /// Each MX host counts for itself.
    pub per_shard: bool,
    /// The place of the one source it is for, in the sender's list; `None`: for all.
    pub only_ip: Option<u16>,
    /// Quotas of single sources, instead of any other.
    pub overrides: Vec<Override>,
    /// What the quota is multiplied by when the sender lacks that.
    pub identity: BTreeMap<String, f64>,
    /// Quotas from a moment on, in the order of time.
    pub changes: Vec<Change>,
    /// What the quota is multiplied by at times of the day.
    pub tod: Vec<TimeOfDay>,
    /// Other senders on the same counter.
    pub background: Option<Background>,
    /// What happens to those who do not listen.
    pub penalty: Option<Penalty>,
    /// How it slows down those who come near the quota.
    pub tarpit: Option<Tarpit>,
}

/// How a limit counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// So many in any window.
    Sliding,
    /// So many in each window of a clock.
    Fixed,
    /// A bucket of tokens that is filled at a rate.
    Bucket {
        /// How fast it is filled.
        rate: Frequency,
    },
    /// A smoothed rate per window, as of Exim's `ratelimit`.
    Ewma,
    /// A cap that grows on clean days and shrinks on dirty ones.
    Grow(Grow),
    /// Connections open at once.
    Conns,
    /// Messages on one connection.
    PerConn,
    /// Come again later.
    Greylist {
        /// How much later.
        min_delay: Ms,
        /// After how many accepted messages of a source it no longer has to; `None`: never.
        whitelist_after: Option<u32>,
    },
    /// Too many unknown recipients.
    Ratio {
        /// The share that is too much.
        ratio: f64,
        /// Of at least so many.
        min_n: u32,
        /// How long nothing is taken then.
        min_delay: Ms,
    },
}

/// How a cap grows and shrinks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grow {
    /// What a clean day multiplies it by.
    pub up: f64,
    /// What a dirty day multiplies it by.
    pub down: f64,
    /// It never grows above.
    pub max: f64,
    /// A day with at most this share of refusals is clean.
    pub clean: f64,
    /// A day with more than this share is dirty.
    pub dirty: f64,
    /// A clean day counts only if this share of the cap was used.
    pub min_use: f64,
}

/// What has a counter of its own. Without any, there is one for the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Key {
    /// Each source.
    pub ip: bool,
    /// Each recipient.
    pub rcpt: bool,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// Messages.
    #[default]
    Message,
    /// Connections.
    Connection,
}

/// Which attempts a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charge {
    /// Those that were accepted.
    #[default]
    Accepted,
    /// All that reached its stage, refused ones too.
    Attempted,
}

/// When a limit is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LimitStage {
    /// In the banner; on an open connection again at MAIL.
    Connect,
    /// At RCPT.
    #[default]
    Rcpt,
    /// At the final dot.
    Dot,
}

/// The quota of one source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Override {
    /// The source's place in the sender's list.
    pub ip: u16,
    /// Its quota.
    pub quota: f64,
}

/// A quota from a moment on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// From then on.
    pub at: Ms,
    /// The quota.
    pub quota: f64,
}

/// What a quota is multiplied by at a time of the day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeOfDay {
    /// From that time of day.
    pub from: Ms,
    /// Until before that one; if it is earlier, of the next day.
    pub to: Ms,
    /// The factor.
    pub factor: f64,
}

/// Other senders on the same counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Background {
    /// How often they come on average.
    pub rate: Frequency,
    /// From that time of day.
    pub from: Ms,
    /// Until before that one; if it is earlier, of the next day.
    pub to: Ms,
}

/// What happens to those who do not listen: everything is refused for a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Penalty {
    /// After so many refusals…
    pub after: u32,
    /// …in so long…
    pub within: Ms,
    /// …for so long.
    pub hold: Ms,
    /// What coming in the meantime does.
    pub extend: Extend,
    /// Doubling ends there.
    pub max: Ms,
    /// What is said; `None`: what the limit says.
    pub reply: Option<Reply>,
}

/// What coming while everything is refused does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extend {
    /// Nothing.
    #[default]
    None,
    /// The time starts again.
    Reset,
    /// The time doubles and starts again.
    Double,
}

/// How a limit slows down those who come near the quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tarpit {
    /// From this share of the quota on.
    pub from: f64,
    /// The delay when all of it is used.
    pub max_delay: Ms,
}

impl Limit {
    /// Whether a sender who knows the limit keeps room in it for urgent mail: it counts
    /// messages of the sender in a window.
    pub fn keeps_reserve(&self) -> bool {
        matches!(self.kind, Kind::Sliding | Kind::Fixed | Kind::Grow(_)) && !self.key.rcpt
    }

    /// Whether it is asked about connections only, when they open.
    pub fn is_of_connections(&self) -> bool {
        self.unit == Unit::Connection || self.kind == Kind::Conns
    }
}

impl Kind {
    /// Its name, as in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sliding => "sliding",
            Self::Fixed => "fixed",
            Self::Bucket { .. } => "bucket",
            Self::Ewma => "ewma",
            Self::Grow(_) => "grow",
            Self::Conns => "conns",
            Self::PerConn => "perconn",
            Self::Greylist { .. } => "greylist",
            Self::Ratio { .. } => "ratio",
        }
    }
}

impl LimitStage {
    /// Its name, as in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Rcpt => "rcpt",
            Self::Dot => "dot",
        }
    }
}
