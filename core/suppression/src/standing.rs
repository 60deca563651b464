//! What must be known of an entry to decide by it: sixteen octets, for there may be millions.

use postlane_mail::{Instant, QueueId, Span};

use crate::reason::Reason;
use crate::subject::Whom;

/// What must be known of an entry to decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Why.
    pub reason: Reason,
    /// Refusals that have led to it, of different messages.
    pub refusals: u8,
    /// Whether there were enough of them. Until then it stops no mail.
    pub counts: Counts,
    /// Where the last refusal was heard; in a session where it was none.
    pub(crate) heard: Heard,
    /// Tells the message of the last refusal from the next.
    pub(crate) message: u32,
    since_s: u32,
    /// 0 for ever.
    until_s: u32,
}

const _: () = assert!(size_of::<Standing>() <= 16);

/// Whether an entry stops mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// It does, until it ends.
    Yes,
    /// More refusals are needed.
    NotYet,
}

/// Where a refusal was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A host said it in a session of the relay's.
    InSession,
    /// It came back by mail, from behind a host that had taken the message.
    ByMail,
}

/// What becomes of mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is refused, or given up with a report.
    Refused,
    /// It waits until the entry ends, and is tried again then.
    Waits,
}

impl Heard {
    /// Who is said to have made an entry that was heard of so, in JSON, CSV, logs and on disk.
    pub fn made_by(self) -> &'static str {
        match self {
            Self::InSession => "relay",
            Self::ByMail => "bounce",
        }
    }
}

impl Standing {
    /// A standing from `since` on; without an end it is for ever.
    pub fn new(reason: Reason, since: Instant, until: Option<Instant>) -> Self {
        Self {
            reason,
            refusals: 0,
            counts: Counts::Yes,
            heard: Heard::InSession,
            message: 0,
            since_s: seconds(since.0 / SECOND),
            until_s: until.map_or(0, |until| seconds(until.0.div_ceil(SECOND)).max(1)),
        }
    }

    /// Since when, to the second.
    pub fn since(&self) -> Instant {
        Instant::from_unix_s(u64::from(self.since_s))
    }

    /// Until when, to the second; none for ever.
    pub fn until(&self) -> Option<Instant> {
        (self.until_s != 0).then(|| Instant::from_unix_s(u64::from(self.until_s)))
    }

    /// Whether it is over.
    pub fn is_over(&self, now: Instant) -> bool {
        self.until().is_some_and(|until| until <= now)
    }

    /// Whether it stops mail now.
    pub fn holds(&self, now: Instant) -> bool {
        self.counts == Counts::Yes && !self.is_over(now)
    }

    /// What becomes of mail. A domain of which a host says that it takes no mail, or that it is
    /// not known, may be on its way from one host to another: its mail waits.
    pub fn effect(&self, whom: Whom) -> Effect {
        match whom {
            Whom::Domain if self.reason.is_learned() => Effect::Waits,
            _ => Effect::Refused,
        }
    }

    pub(crate) fn refused_by(mut self, refusals: u8, message: Option<QueueId>) -> Self {
        (self.refusals, self.message) = (refusals, message.map_or(0, mark));
        self
    }

    /// Whether a delivery of a later message makes it void: its refusals were said in sessions,
    /// and are too few to stop mail. One that came back by mail had been taken, too, so that
    /// another is taken says nothing against it.
    pub fn is_cleared_by_delivery(&self) -> bool {
        let is_open = self.reason.is_learned() && self.counts == Counts::NotYet;
        is_open && self.heard == Heard::InSession
    }

    pub(crate) fn lasts(mut self, now: Instant, span: Span) -> Self {
        self.until_s = seconds((now + span).0.div_ceil(SECOND)).max(1);
        self
    }
}

const SECOND: u64 = 1_000_000;

fn seconds(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// Ids differ in their microsecond; 32 bits of it tell messages of an hour apart, and two that
/// agree by chance cost one refusal more.
pub(crate) fn mark(id: QueueId) -> u32 {
    (id.bits() >> 8) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_holds_until_it_ends_and_not_a_moment_longer() {
        let (since, until) = (Instant(5_500_000), Instant(9_000_001));
        let standing = Standing::new(Reason::Manual, since, Some(until));
        assert_eq!(standing.since(), Instant(5_000_000));
        assert_eq!(standing.until(), Some(Instant(10_000_000)));
        assert!(standing.holds(Instant(9_999_999)) && !standing.holds(Instant(10_000_000)));
        let for_ever = Standing::new(Reason::Manual, since, None);
        assert!(for_ever.holds(Instant(u64::MAX)) && for_ever.until().is_none());
        let far = Standing::new(Reason::Manual, since, Some(Instant::MAX));
        assert!(far.holds(Instant::from_unix_s(4_000_000_000)));
    }

    #[test]
    fn mail_to_a_whole_domain_waits_where_a_host_said_so_and_is_refused_where_people_did() {
        for reason in Reason::ALL {
            let standing = Standing::new(reason, Instant(0), None);
            let said_by_a_host = matches!(reason, Reason::Said(_));
            let of_domain = if said_by_a_host { Effect::Waits } else { Effect::Refused };
            assert_eq!(standing.effect(Whom::Domain), of_domain, "{reason}");
            assert_eq!(standing.effect(Whom::Recipient), Effect::Refused, "{reason}");
        }
    }

    #[test]
    fn messages_of_one_hour_are_told_apart_however_far_apart_they_are() {
        let id = |microsecond: u64| QueueId::from_bits((1_790_000_000_000_000 + microsecond) << 8);
        for apart in (0..32).map(|bit| 1_u64 << bit) {
            assert_ne!(mark(id(0)), mark(id(apart)), "{apart} µs");
        }
    }
}
