//! What other sources of ours are told by the same provider.
//!
//! A provider treats its clients alike, mostly: who limits one of our sources limits the others as
//! much and for as long. So sources that were refused after as many messages need not ask one by
//! one: what one is told counts for all of them. Whoever is refused after fewer, or more, goes by
//! what it is told itself.

use postlane_mail::{Instant, Span};

use super::{Controller, Kind, State};
use crate::decision::Decision;
use crate::quota::Quota;
use crate::rest::Rest;

/// A rest whose length nothing that is known explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// When the message went out that was refused first.
    pub refused: Instant,
    /// From then to the last canary that was refused.
    pub waited: Span,
    /// Canaries that were refused, here or elsewhere.
    pub canaries: u32,
    /// Accepted in the day before the first refusal.
    accepted: u64,
    /// A canary is under way.
    pub is_under_way: bool,
}

/// Counts are alike that differ by a fifth at most,
const ALIKE: f64 = 0.2;
/// or by so many. Chosen, not measured.
const FEW: u64 = 2;

/// What others are told counts so often in a row: then a lane asks itself, so that a source that has
/// trouble of its own does not speak for all.
const FOLLOWS_MAX: u32 = 3;

const DAY: Span = Span::from_h(24);

impl Asking {
    /// Whether another lane was refused after as many messages.
    pub fn is_like(&self, other: &Self) -> bool {
        let (few, many) = (self.accepted.min(other.accepted), self.accepted.max(other.accepted));
        (many - few) as f64 <= (ALIKE * many as f64).max(FEW as f64)
    }
}

impl Controller {
    /// The rest that it is in, where nothing that is known says how long it lasts.
    pub(crate) fn asking(&self) -> Option<Asking> {
        let is_unexplained =
            |rest: &Rest| rest.explained.is_none() && !rest.hint.is_some_and(|hint| hint.exact);
        let rest = self.rest.filter(is_unexplained)?;
        Some(Asking {
            refused: rest.refused,
            waited: rest.tried.since(rest.refused),
            canaries: rest.canaries,
            accepted: self.counted.accepted.within(DAY, rest.refused),
            is_under_way: self.state == State::Canary,
        })
    }

    /// Another lane, which was refused after as many messages, was refused once more so long after
    /// its first refusal.
    pub(crate) fn follow_no(&mut self, now: Instant, waited: Span) {
        let (State::Cooling { .. }, Some(mut rest)) = (self.state, self.rest) else { return };
        let tried = rest.refused + waited;
        if rest.followed >= FOLLOWS_MAX || tried <= rest.tried {
            return;
        }
        rest.followed += 1;
        rest.canaries += 1;
        rest.tried = tried;
        self.rest = Some(rest);
        self.first_gap = None;
        let until = self.next_canary(now).max(rest.refused + self.backoff);
        self.state = State::Cooling { until };
    }

    /// Another lane, which was refused after as many messages, was let in so long after its first
    /// refusal: this one asks as soon.
    pub(crate) fn follow_yes(&mut self, now: Instant, waited: Span) {
        let (State::Cooling { until }, Some(rest)) = (self.state, self.rest) else { return };
        let soon = now.max(rest.refused + waited.max(self.backoff));
        self.state = State::Cooling { until: until.min(soon) };
    }

    /// Another lane has confirmed a limit: where this one was refused after as many, it is that limit.
    /// Whether it is.
    pub(crate) fn follow_quota(&mut self, now: Instant, quota: &Quota) -> bool {
        if self.quotas.iter().any(|known| known.window == quota.window) {
            return false;
        }
        let same = Quota { support: 2, question: Default::default(), ..*quota };
        let is_suspected = self
            .suspects
            .iter()
            .find(|suspect| {
                suspect.window == quota.window && quota.is_about(suspect.messages.into())
            })
            .map(|suspect| suspect.messages);
        if let Some(messages) = is_suspected.filter(|_| !self.rests()) {
            self.suspects.clear();
            self.rely_on(Quota { messages: messages.min(quota.messages), ..same });
            self.decide(now, Decision::Confirmed { window: quota.window, messages });
            return true;
        }
        let (State::Cooling { .. }, Some(rest)) = (self.state, self.rest) else { return false };
        let counted = quota.used(&self.counted.accepted, rest.refused);
        let has_asked = rest.tried > rest.refused;
        if has_asked || rest.explained.is_some() || rest.was_asked || !quota.is_about(counted) {
            return false;
        }
        let messages = u32::try_from(counted).unwrap_or(u32::MAX).min(quota.messages);
        self.suspects.clear();
        let place = self.rely_on(Quota { messages, ..same });
        self.decide(now, Decision::Confirmed { window: quota.window, messages });
        self.rest = Some(Rest { explained: Some(place), canaries: 0, ..rest });
        let until = self.next_canary(now).max(rest.refused + self.backoff);
        self.state = State::Cooling { until };
        true
    }

    /// Another lane has found words to be a limit. Not where they may be true of this source alone:
    /// greylisting, and what somebody has to mend.
    pub(crate) fn follow_words(&mut self, of: &Self) {
        for kind in [Kind::Temp, Kind::Mailbox, Kind::Ambiguous] {
            if of.doubt.is_limit(kind) {
                self.doubt.prove(kind);
            }
        }
    }
}
