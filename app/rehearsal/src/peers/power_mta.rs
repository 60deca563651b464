//! PowerMTA's backoff mode: a reply with certain words slows a virtual MTA down for a domain; time
//! or a delivery ends that.
//!
//! Directives and defaults from the PowerMTA directive reference; where it leaves the choice, what
//! nearly every public configuration says.

use postlane_receivers::{Ms, Sender};

use super::backlog::Backlog;
use super::gates::{Gate, Gates};
use crate::floor::{Floor, Habits, Heard, Script};
use crate::run::MessageNo;

/// `max-smtp-out`, the documented default.
const CONNECTIONS: u32 = 20;
/// `max-msg-per-connection` of public configurations.
const PER_CONNECTION: u32 = 100;
/// `idle-timeout` of public configurations.
const IDLE: Ms = Ms::from_s(5);
/// `retry-after 10m`, public configurations.
const RETRY: Ms = Ms::from_min(10);
/// `backoff-retry-after 30m`, public configurations.
const BACKOFF_RETRY: Ms = Ms::from_min(30);
/// `backoff-max-msg-rate 10/m`, public configurations.
const BACKOFF_GAP: Ms = Ms::from_s(6);
/// `backoff-to-normal-after 2h`, public configurations; the documented default is never.
const BACKOFF: Ms = Ms::from_h(2);

/// What the `<smtp-pattern-list>` of public configurations makes `mode=backoff` of, in lower case.
const PATTERNS: &[&str] = &[
    "421",
    "too many",
    "too much",
    "rate limit",
    "rate exceeds",
    "quota",
    "temporarily deferred",
    "server busy",
];

/// What ends backoff mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Back {
    /// The first delivery, or time: `backoff-to-normal-after-delivery true`.
    FirstDelivery,
    /// Time alone: the documented default, `false`.
    Time,
}

pub(crate) struct PowerMta {
    backlog: Backlog,
    gates: Gates,
    back: Back,
    /// By source: until when it is in backoff mode.
    backoff: Vec<Option<Ms>>,
    per_connection: u32,
}

impl PowerMta {
    pub(crate) fn new(sender: &Sender, back: Back) -> Self {
        let per_connection = sender.ceiling.per_conn.unwrap_or(PER_CONNECTION).min(PER_CONNECTION);
        Self {
            backlog: Backlog::default(),
            gates: Gates::new(sender, Gate::wide(CONNECTIONS)),
            back,
            backoff: vec![None; sender.ips.len()],
            per_connection,
        }
    }

    /// Backoff modes whose time is over.
    fn wake_up(&mut self, floor: &Floor<'_>) {
        for source in floor.sources() {
            let backoff = &mut self.backoff[usize::from(source.0)];
            if backoff.is_some_and(|until| until <= floor.now()) {
                *backoff = None;
                self.gates.of(source).gap = Ms(0);
            }
        }
    }
}

impl Script for PowerMta {
    fn habits(&self) -> Habits {
        Habits { per_connection: self.per_connection, idle: IDLE }
    }

    fn arrived(&mut self, floor: &Floor<'_>, message: MessageNo) {
        self.backlog.arrived(message, floor.now());
    }

    fn heard(&mut self, floor: &mut Floor<'_>, heard: &Heard) {
        self.wake_up(floor);
        let now = floor.now();
        let backoff = &mut self.backoff[usize::from(heard.source.0)];
        if heard.reply.code().is_success() && self.back == Back::FirstDelivery {
            *backoff = None;
            self.gates.of(heard.source).gap = Ms(0);
        } else if heard.reply.code().is_transient() && is_pattern(heard) && backoff.is_none() {
            *backoff = Some(now + BACKOFF);
            self.gates.of(heard.source).gap = BACKOFF_GAP;
        }
        if heard.is_queued {
            let is_slow = self.backoff[usize::from(heard.source.0)].is_some();
            let retry = if is_slow { BACKOFF_RETRY } else { RETRY };
            self.backlog.put(heard.message, now + retry);
        }
    }

    fn expired(&mut self, message: MessageNo) {
        self.backlog.remove(message);
    }

    fn decide(&mut self, floor: &mut Floor<'_>) -> Option<Ms> {
        self.wake_up(floor);
        let drained = self.gates.drain(&mut self.backlog, floor);
        let over = self.backoff.iter().flatten().min().copied();
        drained.into_iter().chain(over).min()
    }
}

fn is_pattern(heard: &Heard) -> bool {
    let line = heard.reply.to_string().to_ascii_lowercase();
    PATTERNS.iter().any(|pattern| line.contains(pattern))
}
