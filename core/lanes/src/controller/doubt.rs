//! What speaks of one message and is said to all of them: it may be a limit all the same.
//!
//! Providers word their limits as they like. A refusal that seems to be a message's own affair
//! slows nothing; where several in a row are all that is heard, the lane rests as after a refusal
//! for rate, and when mail is accepted after the rest, that wording is taken for what it was.

use postlane_mail::{Instant, Span};

use super::{Controller, Heard, State};
use crate::decision::Decision;
use crate::signal::{Hint, Signal};

/// What has been said in a row, and what has turned out to be a limit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Doubt {
    in_a_row: u32,
    /// First attempts accepted in a row: whoever takes them does not greylist.
    welcomed: u32,
    /// A bit for each kind that was a limit on this lane.
    limits: u8,
    /// A bit for each kind that may be somebody's to mend, and was over once by itself.
    passed: u8,
}

/// What somebody has to mend is probed so seldom (LANES §2, Policy).
const MENDING: Span = Span::from_min(30);

/// Nor is a canary later than this after one that was put off.
const LONGEST: Span = Span::from_min(1);

/// The kinds that are doubted. Their order is kept in memories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Greylist,
    Temp,
    Mailbox,
    Policy,
    Ambiguous,
    Outage,
}

impl Kind {
    pub(crate) fn of(signal: Signal) -> Option<Self> {
        match signal {
            Signal::Greylist => Some(Self::Greylist),
            Signal::Temp => Some(Self::Temp),
            Signal::Mailbox => Some(Self::Mailbox),
            Signal::Policy => Some(Self::Policy),
            Signal::Ambiguous => Some(Self::Ambiguous),
            _ => None,
        }
    }

    /// So many in a row, with nothing accepted between them, are no chance. Chosen, not measured.
    fn most(self) -> u32 {
        match self {
            Self::Ambiguous | Self::Outage => 2,
            Self::Greylist | Self::Policy => 3,
            Self::Temp => 6,
            Self::Mailbox => 10,
        }
    }

    /// Whether it may be chance, or a host that puts off whom it does not know: not what somebody has to
    /// mend, nor what says itself that it greylists.
    pub(super) fn may_be_chance(self) -> bool {
        !matches!(self, Self::Policy | Self::Greylist)
    }

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Doubt {
    pub(crate) fn welcome(&mut self) {
        self.welcomed = self.welcomed.saturating_add(1);
    }

    /// What has turned out to be a limit, as it is kept: a bit for each kind, in their order.
    pub(crate) fn limits(self) -> u8 {
        self.limits
    }

    /// It was said, and nothing has been accepted since: how often in a row.
    pub(super) fn once_more(&mut self) -> u32 {
        self.in_a_row += 1;
        self.in_a_row
    }

    /// As it was kept.
    pub(crate) fn of_limits(limits: u8) -> Self {
        Self { limits, ..Self::default() }
    }

    /// It has been proved to be a limit.
    pub(crate) fn prove(&mut self, kind: Kind) {
        self.limits |= kind.bit();
    }

    /// It was no limit.
    pub(super) fn acquit(&mut self, kind: Kind) {
        self.limits &= !kind.bit();
    }

    pub(crate) fn is_limit(self, kind: Kind) -> bool {
        self.limits & kind.bit() != 0
    }
}

impl Controller {
    /// Whether a refusal of this kind has turned out to be the lane's limit.
    pub(crate) fn takes_for_rate(&self, signal: Signal) -> bool {
        let is_limit = |kind| self.doubt.is_limit(kind) && !self.is_on_appeal(kind);
        Kind::of(signal).is_some_and(is_limit)
    }

    pub(super) fn doubt(&mut self, now: Instant, heard: &Heard, kind: Kind) {
        match kind {
            Kind::Greylist => self.contact.said(),
            Kind::Policy => {}
            Kind::Temp | Kind::Mailbox | Kind::Ambiguous | Kind::Outage => {
                self.contact.refused(heard);
            }
        }
        if self.is_first_contact_of(kind) && self.state != State::Canary {
            self.doubt.acquit(kind);
            return self.greylisted(now, heard);
        }
        if kind == Kind::Greylist && !self.doubt.is_limit(kind) && self.is_first_contact(heard) {
            return self.greylisted(now, heard);
        }
        if self.state == State::Canary {
            let same = self.rest.is_some_and(|rest| rest.doubt == Some(kind));
            let is_limit = self.doubt.is_limit(kind) || self.trial.is_on(kind);
            if same || is_limit || kind == Kind::Ambiguous {
                return self.refused(now, heard, Hint::default());
            }
        }
        if self.doubt.is_limit(kind) {
            return self.refused_as_convicted(now, heard, kind);
        }
        if self.are_a_limits(heard.sent, kind) {
            self.doubt.prove(kind);
            return self.refused(now, heard, Hint::default());
        }
        if self.tries(now, heard, kind) {
            return;
        }
        self.doubt.in_a_row += 1;
        let by_chance = if kind.may_be_chance() { self.contact.no_chance() } else { 0 };
        let most = kind.most().max(by_chance);
        if self.doubt.in_a_row < most || self.is_resting() {
            self.count(heard);
            if kind == Kind::Ambiguous && heard.attempts == 0 {
                self.outcomes.record(now, true);
            }
            return self.heard_of_something_else(now, heard);
        }
        self.refused(now, heard, Hint::default());
        if let Some(rest) = &mut self.rest {
            rest.doubt = Some(kind);
            if kind == Kind::Policy {
                rest.first = MENDING;
            }
        }
        let until = self.next_canary(now).max(heard.sent + self.backoff);
        self.state = State::Cooling { until };
        self.decide(now, Decision::Doubts { until });
    }

    /// What takes retries alone is no limit, whatever it says.
    pub(super) fn is_first_contact_of(&self, kind: Kind) -> bool {
        kind.may_be_chance() && self.contact.puts_off()
    }

    /// Mail goes again.
    pub(super) fn settle_doubt(&mut self, doubt: Option<Kind>) {
        self.doubt.in_a_row = 0;
        let Some(kind) = doubt.filter(|kind| !self.is_first_contact_of(*kind)) else { return };
        // Somebody may have mended it once; nobody mends it again and again.
        let is_mended = matches!(kind, Kind::Policy | Kind::Mailbox);
        if is_mended && self.doubt.passed & kind.bit() == 0 {
            self.doubt.passed |= kind.bit();
        } else {
            self.doubt.limits |= kind.bit();
        }
    }

    pub(super) fn nothing_in_doubt(&mut self) {
        self.doubt.in_a_row = 0;
    }

    /// First contact is what greylisting is about. Who took twenty unknown messages at once does not
    /// greylist, nor who puts off a message for the fourth time, after more than half an hour.
    fn is_first_contact(&self, heard: &Heard) -> bool {
        if heard.attempts == 0 { self.doubt.welcomed < 20 } else { heard.attempts < 4 }
    }

    /// A canary that is put off for being unknown says nothing of the limit, which may be looked at after
    /// that: the next goes when its time has come at the lane's pace.
    pub(super) fn greylisted(&mut self, now: Instant, heard: &Heard) {
        self.doubt.welcomed = 0;
        if self.state == State::Canary && self.rest.is_some_and(|rest| rest.doubt.is_none()) {
            self.latency.observe(now.since(heard.sent));
            self.state = State::Cooling { until: now + self.pace.time_for(1).min(LONGEST) };
            return;
        }
        self.pace.accepted += 1;
        self.heard_of_something_else(now, heard);
        if self.state == State::Probing {
            self.grow(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Stream;

    use super::super::FIRST_RATE;
    use super::super::hearing::tests::rest;
    use super::*;
    use crate::rest::Rest;

    const REFUSED: Instant = Instant::from_unix_s(1_000_000);

    /// A lane whose canary, a message nobody had seen before, was put off for that.
    fn canary_greylisted(doubt: Option<Kind>, rate: f64) -> Controller {
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.pace.keep_to(rate, REFUSED);
        controller.state = State::Canary;
        controller.rest = Some(Rest { doubt, ..rest(REFUSED) });
        let sent = REFUSED + Span::from_min(1);
        let (signal, stream) = (Signal::Greylist, Stream::Engaged);
        let heard = Heard { signal, sent, stream, attempts: 0, carried: 0, open: 1 };
        controller.hear(sent, &heard);
        controller
    }

    #[test]
    fn a_canary_that_is_put_off_for_being_unknown_says_nothing_of_the_limit() {
        for (rate, wait) in [(0.5, Span::from_s(2)), (0.001, Span::from_min(1))] {
            let controller = canary_greylisted(None, rate);
            let until = REFUSED + Span::from_min(1) + wait;
            assert_eq!(controller.state, State::Cooling { until }, "at the lane's pace");
            assert_eq!(controller.rest.map(|rest| rest.canaries), Some(0), "it was not refused");
        }
    }

    #[test]
    fn where_the_rest_was_for_doubtful_words_it_says_that_mail_goes_again() {
        assert_eq!(canary_greylisted(Some(Kind::Temp), 0.5).state, State::Normal);
    }
}
