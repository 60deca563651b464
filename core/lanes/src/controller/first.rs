//! The first contact: how fast a lane begins that nothing is known of, and what bulk leaves to
//! transactional mail meanwhile.
//!
//! What a first wave costs is what is under way when it breaks, not how fast the mail before it went.
//! So few are under way, and the rate doubles by evidence and hardly by time.
//!
//! A limit that nobody knows is used up by bulk in a moment, and nothing goes for the rest of its
//! window. Where somebody waits for some of the mail, bulk sends a part, listens for some minutes and
//! goes on then: what it sent first has nearly left a window of ten minutes when the limit is met,
//! and the wait is what is left of it.

use postlane_mail::{Instant, Span, Stream};

use super::{Controller, State};

/// How a lane begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// Messages a second.
    pub(super) rate: f64,
    /// It doubles after so many accepted messages
    pub(super) doubles_after: u32,
    /// and this long.
    pub(super) held: Span,
    /// One message is under way, and one more for so many that were accepted.
    pub(super) probed: u32,
}

/// A source by itself: what was sent at the rate before has been answered, by most, and what the first
/// wave refuses is a hundredth of what was taken. Chosen by rehearsals (decision 037).
pub(super) const ALONE: Start =
    Start { rate: 0.4, doubles_after: 4, held: Span::from_s(2), probed: 100 };

/// One of several that find out at the same time (LANES §4): one limit may count them all.
const AMONG: Start = Start { rate: 0.1, doubles_after: 8, held: Span::from_s(15), probed: 25 };

/// What a lane does where the provider is new.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct First {
    /// Other sources send there as well.
    is_among: bool,
    /// Transactional mail is to be expected, and no other source can carry it.
    expects_urgent: bool,
    /// When the first message went out that was accepted, where none had been before.
    welcomed: Option<Instant>,
}

/// So many are sent before bulk listens: most lanes never have more, and greylisting is over by then.
/// Chosen by rehearsals (decision 037).
const HEARD: u64 = 100;

/// It listens so long from the first that was accepted: of a window of ten minutes four are left.
/// Chosen by rehearsals (decision 037).
const LISTENS: Span = Span::from_min(6);

/// What is under way when a limit is met is refused all at once, which looks like hammering to the provider:
/// who shuts its door after some refusals shuts it then, for longer with each that follows. So no more
/// than this are under way before any limit is known,
const WAVE: u32 = 4;
/// and twice as many for each such number that was accepted: who has taken thousands may limit nothing, or
/// count connections only. Chosen by rehearsals (decision 045).
const WAVE_DOUBLES_AFTER: u32 = 1000;

impl Start {
    /// Messages under way at once, at most, where so many were accepted.
    pub(super) fn under_way(self, accepted: u32) -> u32 {
        (1 + accepted / self.probed).min(WAVE << (accepted / WAVE_DOUBLES_AFTER).min(16))
    }
}

impl First {
    pub(super) fn start(self) -> Start {
        if self.is_among { AMONG } else { ALONE }
    }
}

impl Controller {
    /// Whether other sources send there as well; what has begun goes on as fast as it was.
    pub(crate) fn is_among(&mut self, others: bool) {
        self.first.is_among = others;
        if self.state == State::Probing && !self.has_learned() && self.began == Instant::default() {
            self.pace.keep_to(self.first.start().rate, Instant::default());
        }
    }

    /// Whether transactional mail is to be expected that no other source can carry.
    pub(crate) fn expect_urgent(&mut self, expects: bool) {
        self.first.expects_urgent = expects;
    }

    /// A message that was sent then is accepted, and is not counted yet.
    pub(super) fn welcome(&mut self, sent: Instant) {
        if self.counted.accepted.total() == 0 {
            self.first.welcomed = Some(sent);
        }
    }

    /// Until when bulk listens, if it does.
    pub(super) fn listens_until(&self, stream: Stream) -> Option<Instant> {
        if stream == Stream::Transactional || self.state != State::Probing {
            return None;
        }
        let begins = self.first.welcomed.filter(|_| self.first.expects_urgent)?;
        let under_way = u64::from(self.in_flight() + self.sessions_opening);
        (self.counted.all.total() + under_way >= HEARD).then(|| begins + LISTENS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_wave_is_a_few_messages_until_thousands_were_accepted() {
        for start in [ALONE, AMONG] {
            assert_eq!(start.under_way(0), 1);
            assert_eq!(start.under_way(start.probed), 2);
            for accepted in 0..10_000 {
                let under_way = start.under_way(accepted);
                let wave = f64::from(WAVE) * 2_f64.powi((accepted / WAVE_DOUBLES_AFTER) as i32);
                assert!(f64::from(under_way) <= wave, "{accepted}");
                assert!(under_way <= 1 + accepted / start.probed, "{accepted}");
                assert!(under_way <= start.under_way(accepted + 1), "{accepted}");
            }
        }
    }
}
