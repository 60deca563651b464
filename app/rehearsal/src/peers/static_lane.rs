//! What postmasters configure by hand for a provider that says 421: a transport of its own with one
//! connection, two messages a minute, and a retry after half an hour (as in Postfix
//! `default_destination_concurrency_limit = 1`, `default_destination_rate_delay = 30s`,
//! `minimal_backoff_time = maximal_backoff_time = 30m`).

use postlane_receivers::{Ms, Sender};

use super::backlog::Backlog;
use super::gates::{Gate, Gates};
use crate::floor::{Floor, Habits, Heard, Script};
use crate::run::MessageNo;

const CONNECTIONS: u32 = 1;
const GAP: Ms = Ms::from_s(30);
const RETRY: Ms = Ms::from_min(30);
/// A connection is kept for the next message: Postfix `smtp_connection_cache_time_limit`.
const IDLE: Ms = Ms::from_s(2);

pub(crate) struct Static {
    backlog: Backlog,
    gates: Gates,
    per_connection: u32,
}

impl Static {
    pub(crate) fn new(sender: &Sender) -> Self {
        Self {
            backlog: Backlog::default(),
            gates: Gates::new(sender, Gate::paced(CONNECTIONS, GAP)),
            per_connection: sender.ceiling.per_conn.unwrap_or(u32::MAX),
        }
    }
}

impl Script for Static {
    fn habits(&self) -> Habits {
        Habits { per_connection: self.per_connection, idle: IDLE }
    }

    fn arrived(&mut self, floor: &Floor<'_>, message: MessageNo) {
        self.backlog.arrived(message, floor.now());
    }

    fn heard(&mut self, floor: &mut Floor<'_>, heard: &Heard) {
        if heard.is_queued {
            self.backlog.put(heard.message, floor.now() + RETRY);
        }
    }

    fn expired(&mut self, message: MessageNo) {
        self.backlog.remove(message);
    }

    fn decide(&mut self, floor: &mut Floor<'_>) -> Option<Ms> {
        self.gates.drain(&mut self.backlog, floor)
    }
}
