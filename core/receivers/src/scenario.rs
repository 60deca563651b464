//! A scenario: who sends, what there is to send, and what one receiver does.

mod check;
mod error;
mod file;
mod limit;

use std::collections::BTreeMap;

use postlane_mail::{Label, Reply, Stream};

use crate::ms::{Frequency, Ms};

pub use error::{Fault, ScenarioError};
pub use limit::{
    Background, Change, Charge, Extend, Grow, Key, Kind, Limit, LimitStage, Override, Penalty,
    Tarpit, TimeOfDay, Unit,
};

/// One file of the rehearsal, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What the file says of itself.
    pub meta: Meta,
    /// Who sends.
    pub sender: Sender,
    /// What there is to send, by block.
    pub mail: Vec<Mail>,
    /// The receiver: hidden from whoever sends.
    pub receiver: Site,
    /// What an operator types, in the order of time.
    pub operator: Vec<OperatorCommand>,
    /// When the program stops and starts again, in the order of time.
    pub restart: Vec<Restart>,
}

/// What a scenario says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its name, 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub id: String,
    /// What it is about, in a line.
    pub title: String,
    /// When a run ends.
    pub horizon: Ms,
    /// Where the seeds of its runs begin: run `s` has the seed `seed·1000 + s`.
    pub seed: u64,
    /// The time of day at the start of a run.
    pub start_tod: Ms,
    /// Anything else worth saying.
    pub notes: String,
}

/// Who sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Sender {
    /// The sources' names, 1 to 256; a [`crate::Source`] is a place in this list.
    pub ips: Vec<String>,
    /// What receivers check (aligned, ptr, date…), and whether it holds; what is missing holds.
    pub identity: BTreeMap<String, bool>,
    /// What the operator never wants to be exceeded.
    pub ceiling: Ceiling,
}

/// What the operator never wants to be exceeded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceiling {
    /// Connections open at once from one source.
    pub conns_per_ip: u32,
    /// Messages over all sources.
    pub rate: Frequency,
    /// Messages on one connection.
    pub per_conn: Option<u32>,
}

/// A block of mail to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// How urgent it is.
    pub stream: Stream,
    /// How much there is, and when it comes.
    pub quantity: Quantity,
    /// How long after its arrival a message is still wanted; `None`: to the end of the run.
    pub max_age: Option<Ms>,
    /// The share of recipients the receiver does not know, 0 to 1.
    pub unknown: f64,
    /// Recipients to draw from; `None`: every message has one of its own.
    pub unique_rcpts: Option<u32>,
    /// Whose mail it is.
    pub tenant: Label,
    /// Which campaign it belongs to.
    pub campaign: Label,
}

/// How much mail there is, and when it comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// So many at once.
    Batch {
        /// How many.
        count: u32,
        /// When.
        at: Ms,
    },
    /// A Poisson process.
    Stream {
        /// How often on average.
        rate: Frequency,
        /// From then on.
        from: Ms,
        /// Until before then.
        to: Ms,
    },
}

impl Quantity {
    /// How many messages are to be expected of it.
    pub fn expected(self) -> f64 {
        match self {
            Self::Batch { count, .. } => f64::from(count),
            Self::Stream { rate, from, to } => rate.per_ms() * to.since(from).0 as f64,
        }
    }
}

/// The receiver: one group of MX hosts.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The name of its MX host, by which a sender looks up the provider.
    pub site: String,
    /// How long connecting takes on average.
    pub connect: Ms,
    /// How long a message takes on average.
    pub txn: Ms,
    /// MX hosts with counters of their own, 1 to 64.
    pub shards: u16,
    /// What it allows, in the order in which it asks; at most 64.
    pub limits: Vec<Limit>,
    /// Refusals of single messages for no reason of rate.
    pub temps: Vec<Temp>,
    /// When nothing is taken at all.
    pub outages: Vec<Outage>,
}

/// A refusal of single messages at random.
#[derive(Debug, Clone, PartialEq)]
pub struct Temp {
    /// How likely, 0 to 1.
    pub p: f64,
    /// What is said.
    pub reply: Reply,
}

/// A time when every connection is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// From then on.
    pub from: Ms,
    /// Until before then.
    pub to: Ms,
    /// What is said.
    pub reply: Reply,
}

/// A command an operator types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorCommand {
    /// When.
    pub at: Ms,
    /// What, as after `postlane lanes`.
    pub command: String,
}

/// The program stops and starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// When.
    pub at: Ms,
    /// How.
    pub kind: RestartKind,
}

/// How the program stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartKind {
    /// It was asked to, and wrote down what it knew.
    Clean,
    /// What was not durable is lost.
    Crash,
}

impl Scenario {
    /// Reads a scenario. All that is wrong with it is told, each with its line and the cure.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        check::read(text)
    }

    /// The time of day at a moment of the run, from midnight.
    pub fn time_of_day(&self, at: Ms) -> Ms {
        Ms((self.meta.start_tod.0 + at.0) % Ms::DAY.0)
    }

    /// The longest window of limits that count messages of a sender (sliding, fixed and grow,
    /// without a counter for each recipient); 0 if there is none.
    pub fn longest_window(&self) -> Ms {
        let counted = self.receiver.limits.iter().filter(|limit| limit.keeps_reserve());
        counted.map(|limit| limit.window).max().unwrap_or_default()
    }

    /// How many messages are to be expected in a run.
    pub fn messages_expected(&self) -> f64 {
        self.mail.iter().map(|mail| mail.quantity.expected()).sum()
    }

    /// The seed of the run with this number.
    pub fn run_seed(&self, run: u64) -> u64 {
        self.meta.seed.wrapping_mul(1_000).wrapping_add(run)
    }
}
