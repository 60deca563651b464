//! Why a lane did what it did.

use std::collections::VecDeque;
use std::fmt;

use postlane_mail::{Instant, Span};

/// One decision of a lane's, with its reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// A wave of refusals: it rests.
    Rests {
        /// Messages a second before, where there were enough to tell.
        pace: Option<f64>,
        /// When a canary goes.
        until: Instant,
    },
    /// Whatever is sent is refused in words that speak of messages: it rests as for a limit.
    Doubts {
        /// When a canary goes.
        until: Instant,
    },
    /// A canary was refused.
    CanaryRefused {
        /// So many were in this rest; 0 where it asked whether a limit that is known opens sooner.
        canaries: u32,
        /// When the next goes.
        until: Instant,
    },
    /// A canary found the host out of service, which says nothing of the limit that the lane rests for.
    Unserved {
        /// When the next goes.
        until: Instant,
    },
    /// Words that were taken for a limit are none: what went at once after them was accepted.
    Acquits,
    /// Words of an outage are said to single messages, however many are sent.
    ByChance,
    /// A canary was accepted.
    Reopens {
        /// From the first refusal to the canary.
        after: Span,
        /// Messages a second from now on.
        rate: f64,
    },
    /// The limit may be one of several windows'.
    Suspects {
        /// The shortest window that explains it.
        least: Option<Span>,
        /// The longest.
        most: Option<Span>,
    },
    /// A limit has been seen twice, or the provider has named it.
    Confirmed {
        /// The span the provider counts in.
        window: Span,
        /// How many it takes in it.
        messages: u32,
    },
    /// A limit that was relied on is none: the provider refused when nothing was in its window.
    Disproved {
        /// The span it was thought to count in.
        window: Span,
    },
    /// A limit that was known is lower now.
    Fell {
        /// The span the provider counts in.
        window: Span,
        /// How many it takes in it, at least.
        messages: u32,
    },
    /// It took one more than was known.
    TakesMore {
        /// The span the provider counts in.
        window: Span,
        /// How many it takes in it, at least.
        messages: u32,
    },
    /// A window begins anew by a clock.
    Clock {
        /// The span the provider counts in.
        window: Span,
    },
    /// No window explains the rest: the provider shuts out for so long whoever goes too far.
    ShutOut(Span),
    /// All was accepted: a higher rate, in messages a second.
    Raises(f64),
    /// An operator has taken it back to the rate that held before, in messages a second.
    RolledBack(f64),
    /// The provider takes no more sessions at once.
    Connections(u32),
    /// It takes no more messages on one session.
    PerConnection(u32),
    /// Other sources are refused as well, however little they have sent: one limit counts all.
    Shares,
}

/// The last decisions of a lane.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decisions {
    last: VecDeque<(Instant, Decision)>,
    made: u64,
}

/// So many are kept for those who ask.
const KEPT: usize = 32;

impl Decisions {
    pub(crate) fn record(&mut self, at: Instant, decision: Decision) {
        self.made += 1;
        self.last.push_back((at, decision));
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &(Instant, Decision)> {
        self.last.iter()
    }

    /// How many were ever made.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rests { pace: Some(pace), .. } => {
                write!(f, "rests: the provider refuses at {}", PerTime(*pace))
            }
            Self::Rests { pace: None, .. } => f.write_str("rests: the provider refuses"),
            Self::Doubts { .. } => {
                f.write_str("rests: all is refused, in words that speak of messages")
            }
            Self::CanaryRefused { canaries, .. } => {
                // What asks a limit that is known, whether it opens sooner, is not counted.
                match canaries {
                    0 => f.write_str("rests on: the limit that is known opens no sooner"),
                    1 => f.write_str("rests on: 1 canary refused so far"),
                    many => write!(f, "rests on: {many} canaries refused so far"),
                }
            }
            Self::Unserved { .. } => f.write_str("rests on: the host is out of service"),
            Self::Acquits => f.write_str(
                "those words are no limit: what went at once after them was accepted, again and again",
            ),
            Self::ByChance => f.write_str(
                "out of service is said to single messages, however many are sent: it is no limit",
            ),
            Self::Reopens { after, rate } => {
                write!(f, "reopens at {}: a canary was accepted after {after}", PerTime(*rate))
            }
            Self::Suspects { least: Some(least), most: Some(most) } => {
                write!(f, "suspects a limit in a window of {least} to {most}")
            }
            Self::Suspects { .. } => f.write_str("suspects a limit"),
            Self::Confirmed { window, messages } => {
                write!(f, "confirmed: {messages} messages in {window}")
            }
            Self::Disproved { window } => {
                write!(f, "refused with nothing sent in {window}: that was not the limit")
            }
            Self::Fell { window, messages } => {
                write!(f, "the limit fell: {messages} messages in {window}")
            }
            Self::TakesMore { window, messages } => {
                write!(f, "the provider takes more: {messages} messages in {window}")
            }
            Self::Clock { window } => write!(f, "the window of {window} begins by a clock"),
            Self::ShutOut(span) => write!(f, "no window explains the rest: shut out for {span}"),
            Self::Raises(rate) => write!(f, "raises to {}: all is accepted", PerTime(*rate)),
            Self::RolledBack(rate) => {
                write!(f, "rolled back to {} by an operator", PerTime(*rate))
            }
            Self::Connections(most) => write!(f, "the provider takes {most} sessions at once"),
            Self::PerConnection(most) => {
                write!(f, "the provider takes {most} messages on a session")
            }
            Self::Shares => f.write_str(
                "one limit counts several sources: they were refused together, however little they had sent",
            ),
        }
    }
}

/// A rate as people say it: by the second, the minute or the hour, whichever gives one at least.
pub struct PerTime(
    /// Messages a second.
    pub f64,
);

impl fmt::Display for PerTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.0;
        if rate >= 1.0 {
            write!(f, "{rate:.1}/s")
        } else if rate * 60.0 >= 1.0 {
            write!(f, "{:.1}/min", rate * 60.0)
        } else {
            write!(f, "{:.1}/h", rate * 3600.0)
        }
    }
}
