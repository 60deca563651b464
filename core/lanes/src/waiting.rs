//! Why something is not moving, as a value.

use std::fmt;

use postlane_mail::{Instant, Span, Status};

use crate::order::OrderKind;

/// Why a recipient or a lane is not moving, and until when. Command line, API and dashboard
/// print the same sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The lane's budget: the next message may go then.
    Pace {
        /// When.
        until: Instant,
    },
    /// The provider takes so many in so long, and has had them.
    Quota {
        /// How many.
        messages: u32,
        /// In how long.
        window: Span,
        /// When the next may go.
        until: Instant,
    },
    /// The provider refused: a canary asks then whether it takes mail again.
    Refused {
        /// When.
        until: Instant,
    },
    /// The canary is under way.
    Canary,
    /// As many sessions as the lane may have are open, and all are busy.
    Window {
        /// Sessions open or opening.
        open: u16,
        /// As many as may be.
        limit: u16,
    },
    /// No host could be reached; one connection will try then.
    Resting {
        /// When.
        until: Instant,
    },
    /// The last host that was asked answered, and would have no mail from us; one connection will
    /// try then.
    TurnedAway {
        /// When.
        until: Instant,
    },
    /// A session is being opened.
    Opening,
    /// Behind others of its lane.
    Turn,
    /// The DNS is being asked for its hosts.
    Routing,
    /// The DNS gave no way to its domain; asked again then.
    NoRoute {
        /// What was wrong.
        status: Status,
        /// When.
        until: Instant,
    },
    /// It was deferred; the next attempt is due then.
    Deferred {
        /// When.
        until: Instant,
    },
    /// An operator holds it.
    Held,
    /// An operator's order for its lane or provider.
    Ordered {
        /// Which.
        kind: OrderKind,
        /// When it ends by itself, if it does.
        until: Option<Instant>,
    },
    /// A restart plan's cap for the day is used up.
    Day {
        /// When the day turns.
        until: Instant,
    },
    /// Preflight or suppression have not spoken yet.
    Verdict,
    /// The relay is closing, or its spool has failed: nothing new is begun.
    Closing,
}

impl Waiting {
    /// Until when, where that is known.
    pub fn until(&self) -> Option<Instant> {
        match self {
            Self::Pace { until }
            | Self::Quota { until, .. }
            | Self::Refused { until }
            | Self::Resting { until }
            | Self::TurnedAway { until }
            | Self::NoRoute { until, .. }
            | Self::Day { until }
            | Self::Deferred { until } => Some(*until),
            Self::Ordered { until, .. } => *until,
            _ => None,
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pace { .. } => f.write_str("the lane keeps its pace"),
            Self::Quota { messages, window, .. } => {
                write!(f, "the provider takes {messages} messages in {window}, and has had them")
            }
            Self::Refused { .. } => f.write_str("the provider refused; the lane rests"),
            Self::Canary => f.write_str("one message asks whether the provider takes mail again"),
            Self::Window { open, limit } => {
                write!(f, "{open} of {limit} sessions are open and busy")
            }
            Self::Resting { .. } => f.write_str("no host can be reached; the lane rests"),
            Self::TurnedAway { .. } => f.write_str("the host turns us away; the lane rests"),
            Self::Opening => f.write_str("a session is being opened"),
            Self::Turn => f.write_str("others of its lane come first"),
            Self::Routing => f.write_str("the DNS is being asked for its hosts"),
            Self::NoRoute { status, .. } => {
                write!(f, "the DNS gives no way to its domain ({status})")
            }
            Self::Deferred { .. } => f.write_str("deferred until its next attempt"),
            Self::Held => f.write_str("held by an operator"),
            Self::Ordered { kind, .. } => f.write_str(match kind {
                OrderKind::Pause => "an operator has paused it",
                OrderKind::HoldNew => "an operator holds new mail while the old goes",
                OrderKind::Drain => "an operator lets it run dry",
                OrderKind::Exclude => "an operator has left its source out",
                OrderKind::Pin => "an operator has pinned its rate",
            }),
            Self::Day { .. } => f.write_str("the restart plan's cap for the day is used up"),
            Self::Verdict => f.write_str("waiting for a verdict before its first attempt"),
            Self::Closing => f.write_str("the relay begins nothing new"),
        }
    }
}
