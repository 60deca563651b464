//! Everything one run leaves behind.

use std::collections::BTreeMap;

use postlane_mail::{Span, Stream};
use postlane_receivers::Ms;

/// What a run leaves: everything for figures and charts, and its trace if one was wanted.
#[derive(Debug)]
pub struct Left {
    /// What happened.
    pub run: Run,
    /// The same, as JSON lines.
    pub trace: Option<Vec<u8>>,
}

/// A message of a run: its number in order of arrival, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNo(pub u32);

/// A connection of a run: its number in the order of connecting, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionNo(pub u32);

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is queued, or has been sent and not answered.
    Unfinished,
    /// A 250 was heard at that moment.
    Delivered(Ms),
    /// It was refused for good.
    Bounced,
    /// It grew older than its `max_age` and was not in flight.
    Expired,
}

/// A message and what has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// When it entered the queue.
    pub arrived: Ms,
    /// What kind of mail it is.
    pub stream: Stream,
    /// Whether its recipient exists; what the receiver answers 550 to is no delivery to be measured.
    pub is_known: bool,
    /// What has become of it.
    pub fate: Fate,
}

/// What happened within one minute of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Minute {
    /// 250s heard.
    pub accepted: u32,
    /// 4xx heard.
    pub deferred: u32,
    /// Dispatches.
    pub attempts: u32,
}

/// A lane's state and pace from a moment on.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneMark {
    /// Since when.
    pub at: Ms,
    /// The source's place in the scenario's `sender.ips`.
    pub source: u16,
    /// The state in an operator's words: `healthy`, `steady`, `resting`, `held`, `restart day 3`.
    pub state: String,
    /// Messages a second; `None` where the lane has no pace of its own.
    pub rate: Option<f64>,
    /// Why, in the lane's words.
    pub reason: String,
}

/// What a source's lane believes of its provider at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    /// The source's place in the scenario's `sender.ips`.
    pub source: u16,
    /// Limits that it relies on, the surest first.
    pub quotas: Vec<BelievedQuota>,
    /// Connections at once that the provider takes, where it has refused more.
    pub connections: Option<u32>,
    /// Messages on one connection, where it has refused more.
    pub session_messages: Option<u32>,
    /// How long the provider shuts out who goes too far, where that was seen.
    pub penalty: Option<Span>,
}

/// So many messages in any such time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BelievedQuota {
    /// How many; at least 1.
    pub messages: u32,
    /// In how long.
    pub window: Span,
}

/// Everything one run leaves behind: enough for every figure and chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The seed of the run.
    pub seed: u64,
    /// When the run ended: at the horizon, or when nothing was left.
    pub ended: Ms,
    /// The messages that arrived, in order of arrival.
    pub messages: Vec<Sent>,
    /// Dispatches: a message offered to the receiver, on an open connection or with a new one.
    pub attempts: u64,
    /// Connections tried, refused ones too.
    pub connections: u64,
    /// 250s heard for messages.
    pub accepted: u64,
    /// Refusals heard, 5xx too, of limits of rate, number and reputation, and of penalty boxes.
    pub refused_for_rate: u64,
    /// All 4xx heard.
    pub refused: u64,
    /// The longest time a key was in a penalty box without a break.
    pub longest_penalty: Ms,
    /// The most dispatches in any one second (half-open, sliding).
    pub most_in_a_second: u64,
    /// How often the operator's ceilings were exceeded; must be 0.
    pub ceiling_violations: u64,
    /// Minute by minute; those in which nothing happened are missing.
    pub minutes: BTreeMap<u64, Minute>,
    /// Every change of a lane's state or pace.
    pub lanes: Vec<LaneMark>,
    /// What the lanes believe at the end, by source; empty for policies that learn nothing.
    pub believed: Vec<Believed>,
}

impl Run {
    /// A run in which nothing has happened yet.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            ended: Ms(0),
            messages: Vec::new(),
            attempts: 0,
            connections: 0,
            accepted: 0,
            refused_for_rate: 0,
            refused: 0,
            longest_penalty: Ms(0),
            most_in_a_second: 0,
            ceiling_violations: 0,
            minutes: BTreeMap::new(),
            lanes: Vec::new(),
            believed: Vec::new(),
        }
    }
}
