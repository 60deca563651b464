//! Sessions as the engine sees them: slots with a depth.

use std::net::SocketAddr;

use postlane_mail::Instant;
use smallvec::SmallVec;

use crate::names::{AttemptId, ExchangeId, HostId, SlotId, SourceId};

/// The way from one source to one exchange: its sessions and its troubles.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) exchange: ExchangeId,
    pub(crate) source: SourceId,
    pub(crate) lane: u32,
    /// Hosts' addresses of the source's family, in the order to be tried.
    pub(crate) candidates: Vec<(HostId, SocketAddr)>,
    /// The next candidate.
    pub(crate) next_candidate: usize,
    /// Candidates that failed since one did not.
    pub(crate) failed: usize,
    /// Times that all candidates had failed since one did not.
    pub(crate) rests: u32,
    pub(crate) resting_until: Instant,
    pub(crate) opening: u16,
    pub(crate) open: u16,
    /// Open sessions with nothing to do, and with room for one more. May name sessions that
    /// are so no longer.
    pub(crate) idle: Vec<u32>,
    pub(crate) chainable: Vec<u32>,
    /// Whether it stands in its lane's ring of each stream.
    pub(crate) in_ring: [bool; 3],
    /// The wake in which it let another source go first.
    pub(crate) yielded: u64,
    /// Where among the exchange's lines it looks first.
    pub(crate) next_line: usize,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) id: SlotId,
    pub(crate) path: u32,
    pub(crate) host: HostId,
    pub(crate) state: SlotState,
    pub(crate) in_flight: SmallVec<[Flight; 2]>,
    /// Transactions given to it.
    pub(crate) given: u32,
    /// Transactions that came to an end on it.
    pub(crate) finished: u32,
    /// Its opening has paid for a transaction.
    pub(crate) prepaid: bool,
    /// The entry it was opened for, which cannot go by other hosts.
    pub(crate) particular: Option<u32>,
    pub(crate) idle_since: Instant,
    pub(crate) listed: Listed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotState {
    /// Nobody.
    Free,
    Opening,
    Open,
    /// Nothing more is given to it.
    Closing,
}

/// On which of its path's lists a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    No,
    Idle,
    Chainable,
}

/// A transaction under way.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) attempt: AttemptId,
    pub(crate) entry: u32,
}

/// A slot's number holds its place in the low bits and a serial above, so that it is found
/// without a table and never used again.
pub(crate) const PLACE_BITS: u32 = 20;

impl SlotId {
    pub(crate) fn new(serial: u64, place: u32) -> Self {
        Self(serial << PLACE_BITS | u64::from(place))
    }

    pub(crate) fn place(self) -> u32 {
        (self.0 & ((1 << PLACE_BITS) - 1)) as u32
    }
}
