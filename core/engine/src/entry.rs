//! One waiting message, as far as one exchange is concerned.

use postlane_mail::{Instant, Place, Progress, QueueId, Span, Stream};

use crate::engagement::Tier;
use crate::input::Together;
use crate::names::{DomainId, FlowId, PoolId};

/// Recipients of one message that go the same way, waiting together. 56 octets: there may be
/// millions of them.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: QueueId,
    pub(crate) place: Place,
    pub(crate) flow: FlowId,
    /// The first recipient's.
    pub(crate) domain: DomainId,
    /// The line it stands in; [`NO_LINE`] before it has a route.
    pub(crate) line: u32,
    pub(crate) recipients: Recipients,
    /// When it is due: seconds since the epoch, rounded up. Since when it is held, while it is.
    pub(crate) due_s: u32,
    /// Seconds since the epoch, rounded up.
    pub(crate) expires_s: u32,
    /// The one behind it in its list. While it is active: the place of its session.
    pub(crate) next: u32,
    /// The one before it in its list.
    pub(crate) previous: u32,
    pub(crate) attempts: u16,
    pub(crate) pool: PoolId,
    pub(crate) stream: Stream,
    pub(crate) state: State,
    pub(crate) rank: Rank,
    pub(crate) marks: Marks,
}

const _: () = assert!(size_of::<Entry>() == 56);

/// What else is known of an entry, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    const NOTIFIED: u8 = 1;
    const APART: u8 = 2;
    /// From this bit on: three of them.
    const TIER: u8 = 2;
    const CUT_OFF: u8 = 1 << 5;

    pub(crate) fn new(progress: &Progress, together: Together, tier: Tier) -> Self {
        let notified = if progress.notified { Self::NOTIFIED } else { 0 };
        let apart = if together == Together::Never { Self::APART } else { 0 };
        Self(notified | apart | tier.bits() << Self::TIER)
    }

    /// Whether the sender has been told that it is late.
    pub(crate) fn notified(self) -> bool {
        self.0 & Self::NOTIFIED != 0
    }

    pub(crate) fn notify(&mut self) {
        self.0 |= Self::NOTIFIED;
    }

    /// Whether the last session that tried it ended at its commands without an answer.
    pub(crate) fn cut_off(self) -> bool {
        self.0 & Self::CUT_OFF != 0
    }

    pub(crate) fn set_cut_off(&mut self, is_cut_off: bool) {
        self.0 = if is_cut_off { self.0 | Self::CUT_OFF } else { self.0 & !Self::CUT_OFF };
    }

    /// How long its recipients had been quiet.
    pub(crate) fn tier(self) -> Tier {
        Tier::from_bits(self.0 >> Self::TIER)
    }

    /// Whether its recipients share a transaction with no others.
    pub(crate) fn apart(self) -> bool {
        self.0 & Self::APART != 0
    }
}

/// An entry without a line.
pub(crate) const NO_LINE: u32 = u32::MAX;

/// No entry: the end of a list.
pub(crate) const NONE: u32 = u32::MAX;

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody: the slot is free.
    Free,
    /// On its way from one state to another; in no list.
    Moving,
    /// Waiting for its domain's route.
    Routing,
    /// In its line, due.
    Ready,
    /// In a calendar, not due yet.
    Deferred,
    /// In a transaction, or a session is being opened for it alone.
    Active,
    /// Held by an operator; in no list.
    Held,
    /// Waiting for a verdict; in no list.
    Verdict,
}

/// In which of its line's lists an entry stands while it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rank {
    /// For its first attempt.
    Fresh,
    /// For another attempt.
    Returned,
    /// An operator put it in front.
    Urgent,
    /// Not every host can take it.
    Particular,
}

/// One recipient's number, or the number of a crowd of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recipients(u32);

const CROWD: u32 = 1 << 31;

impl Recipients {
    pub(crate) fn one(index: u16) -> Self {
        Self(u32::from(index))
    }

    pub(crate) fn crowd(number: u32) -> Self {
        Self(number | CROWD)
    }

    pub(crate) fn as_crowd(self) -> Option<u32> {
        (self.0 & CROWD != 0).then_some(self.0 & !CROWD)
    }

    /// The only recipient, if it is no crowd.
    pub(crate) fn as_one(self) -> Option<u16> {
        u16::try_from(self.0).ok()
    }
}

/// Seconds since the epoch, rounded up: nothing is due before its time.
pub(crate) fn seconds_up(at: Instant) -> u32 {
    u32::try_from(at.0.div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

/// The moment of a number of seconds.
pub(crate) fn moment(seconds: u32) -> Instant {
    Instant::default() + Span::from_s(u64::from(seconds))
}
