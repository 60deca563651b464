//! Sessions as the engine sees them: slots with a depth.

use std::net::SocketAddr;

use postlane_mail::{Instant, Stream};
use smallvec::SmallVec;

use crate::gates::Of;
use crate::names::{AttemptId, HostId, SlotId};

/// One session.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) id: SlotId,
    pub(crate) path: u32,
    pub(crate) lane: u32,
    pub(crate) host: HostId,
    pub(crate) address: SocketAddr,
    pub(crate) state: SlotState,
    pub(crate) in_flight: SmallVec<[Flight; 2]>,
    /// Transactions given to it.
    pub(crate) given: u32,
    /// Transactions that were tried on it.
    pub(crate) tried: u32,
    /// Messages that were accepted on it.
    pub(crate) carried: u32,
    /// Its opening has paid for a transaction.
    pub(crate) prepaid: bool,
    /// The refusal that ended it was heard with the transaction's outcome.
    pub(crate) told: bool,
    /// Its host has been blamed that it came to nothing.
    pub(crate) blamed: bool,
    /// The entry it was opened for, which cannot go by other hosts.
    pub(crate) particular: Option<u32>,
    /// Sessions of its lane that were open or opening before it.
    pub(crate) others: u16,
    /// When it was asked for.
    pub(crate) began: Instant,
    pub(crate) idle_since: Instant,
    pub(crate) listed: Listed,
    /// The gates that it passes, open as long as it is.
    pub(crate) gates: SmallVec<[Of; 2]>,
    /// In its path's chain.
    of_path: Link,
    /// In the chain of all that are idle.
    of_idle: Link,
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

/// On which of its path's chains a session stands.
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
    /// When it was given out.
    pub(crate) sent: Instant,
    pub(crate) stream: Stream,
    /// Attempts before it.
    pub(crate) attempts: u16,
    /// The gates that it passes by itself, not by its session.
    pub(crate) gates: SmallVec<[Of; 2]>,
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

/// What a session is opened for.
pub(crate) struct Opening {
    /// What kind of mail it is opened for.
    pub(crate) stream: Stream,
    pub(crate) path: u32,
    pub(crate) lane: u32,
    pub(crate) host: HostId,
    pub(crate) address: SocketAddr,
    pub(crate) particular: Option<u32>,
    /// Sessions of its lane that are open or opening.
    pub(crate) others: u16,
}

impl Slot {
    /// Whether one of its transactions under way passes a gate.
    pub(crate) fn carries(&self, of: Of) -> bool {
        self.in_flight.iter().any(|flight| flight.gates.contains(&of))
    }

    pub(crate) fn new(now: Instant, id: SlotId, opening: &Opening) -> Self {
        Self {
            id,
            path: opening.path,
            lane: opening.lane,
            host: opening.host,
            address: opening.address,
            state: SlotState::Opening,
            in_flight: SmallVec::new(),
            given: 0,
            tried: 0,
            carried: 0,
            prepaid: true,
            told: false,
            blamed: false,
            particular: opening.particular,
            others: opening.others,
            began: now,
            idle_since: now,
            listed: Listed::No,
            gates: SmallVec::new(),
            of_path: Link::default(),
            of_idle: Link::default(),
        }
    }
}

/// A chain of sessions, linked through their slots: any of them leaves it at no cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    head: u32,
    tail: u32,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
}

/// Which of its links a chain goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Through {
    Path,
    Idle,
}

const NOBODY: u32 = u32::MAX;

impl Default for Link {
    fn default() -> Self {
        Self { previous: NOBODY, next: NOBODY }
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self { head: NOBODY, tail: NOBODY }
    }
}

impl Chain {
    pub(crate) fn push(&mut self, slots: &mut [Slot], through: Through, place: u32) {
        *link(slots, through, place) = Link { previous: self.tail, next: NOBODY };
        if self.tail == NOBODY {
            self.head = place;
        } else {
            link(slots, through, self.tail).next = place;
        }
        self.tail = place;
    }

    /// Takes out a session that stands in this chain.
    pub(crate) fn remove(&mut self, slots: &mut [Slot], through: Through, place: u32) {
        let Link { previous, next } = *link(slots, through, place);
        if previous == NOBODY {
            self.head = next;
        } else {
            link(slots, through, previous).next = next;
        }
        if next == NOBODY {
            self.tail = previous;
        } else {
            link(slots, through, next).previous = previous;
        }
    }

    pub(crate) fn first(&self) -> Option<u32> {
        (self.head != NOBODY).then_some(self.head)
    }

    pub(crate) fn last(&self) -> Option<u32> {
        (self.tail != NOBODY).then_some(self.tail)
    }

    /// Everybody in it, in order.
    pub(crate) fn iter<'a>(
        &self,
        slots: &'a [Slot],
        through: Through,
    ) -> impl Iterator<Item = u32> + use<'a> {
        let next = move |place: &u32| {
            let slot = &slots[*place as usize];
            let link = if through == Through::Path { slot.of_path } else { slot.of_idle };
            (link.next != NOBODY).then_some(link.next)
        };
        std::iter::successors(self.first(), next)
    }
}

fn link(slots: &mut [Slot], through: Through, place: u32) -> &mut Link {
    let slot = &mut slots[place as usize];
    match through {
        Through::Path => &mut slot.of_path,
        Through::Idle => &mut slot.of_idle,
    }
}
