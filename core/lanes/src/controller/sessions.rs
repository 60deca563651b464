//! How many messages a provider takes on one session, told by when it refuses, whatever it says.
//!
//! Who refuses after as many on one session as on the one before, and takes the next session at once, counts
//! the messages of a session. A limit of a minute may look the same to a lane that has one session: so the
//! first refusal is answered with a new session, and where that is refused as well it was a limit.

use postlane_mail::Instant;

use super::{Controller, Heard};
use crate::caps::Caps;
use crate::decision::Decision;
use crate::rest::FAST;

/// After how many messages sessions were refused.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sessions {
    /// The last that was refused had carried so many,
    carried: u32,
    /// and so many in a row had.
    alike: u32,
    trial: Trial,
}

#[derive(Debug, Clone, Copy, Default)]
enum Trial {
    #[default]
    Never,
    /// Sessions end sooner since so many messages were accepted; what was known before.
    Since { accepted: u32, known: Caps },
    /// They end, but the limit is another.
    Failed,
}

/// So many in a row are no chance. Chosen, not measured.
const ALIKE: u32 = 3;

/// Nobody writes down fewer messages for a session than this; chance makes such counts alike. Chosen, not
/// measured.
const CARRIED_MIN: u32 = 5;

/// A session refused before it has carried so many more was not refused for its messages.
const SOON: u32 = 3;

impl Controller {
    /// Whether a refusal is that of a session which has carried as many as the provider takes on one: then
    /// the next session may go on at once.
    pub(super) fn ends_a_session(&mut self, now: Instant, heard: &Heard) -> bool {
        let accepted = self.accepted_in_all();
        let sessions = &mut self.sessions;
        if let Trial::Since { accepted: before, known } = sessions.trial
            && heard.carried < SOON
            && accepted - before < SOON
        {
            self.caps = known;
            sessions.trial = Trial::Failed;
        }
        let is_alike = heard.carried == sessions.carried && self.rested <= FAST;
        sessions.alike = if is_alike { sessions.alike + 1 } else { 1 };
        sessions.carried = heard.carried;
        let may_try = matches!(sessions.trial, Trial::Never) && heard.carried >= CARRIED_MIN;
        if !may_try || sessions.alike < ALIKE {
            return false;
        }
        sessions.trial = Trial::Since { accepted, known: self.caps };
        if self.caps.refuse_message(heard.carried) {
            self.decide(now, Decision::PerConnection(heard.carried));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Span, Stream};

    use super::*;
    use crate::controller::{FIRST_RATE, State, Wants};
    use crate::signal::{Hint, Signal};

    struct Told {
        controller: Controller,
        now: Instant,
    }

    impl Told {
        fn new() -> Self {
            Self {
                controller: Controller::new(FIRST_RATE, 1),
                now: Instant::from_unix_s(1_000_000),
            }
        }

        /// A message goes when it may, on a session that has carried so many.
        fn send(&mut self, carried: u32, signal: Signal) {
            let stream = Stream::Engaged;
            let due = match self.controller.state {
                State::Cooling { until } => until,
                _ => self.now,
            };
            self.now = due.max(self.now) + Span::from_s(1);
            self.controller.sending(self.now, stream, Wants::Unit);
            self.controller.over(stream);
            let heard = Heard { signal, sent: self.now, stream, attempts: 0, carried, open: 1 };
            self.controller.hear(self.now, &heard);
        }

        /// A session that carries so many, and is refused then.
        fn session(&mut self, carries: u32) {
            (0..carries).for_each(|n| self.send(n, Signal::Accepted));
            self.send(carries, REFUSED);
        }
    }

    const REFUSED: Signal =
        Signal::Rate { hint: Hint { wait: None, window: None, quota: None, closes: true } };

    #[test]
    fn sessions_that_are_refused_after_as_many_messages_end_sooner_whatever_was_said() {
        for carries in [5, 30, 90] {
            let mut told = Told::new();
            (0..2).for_each(|_| told.session(carries));
            assert!(told.controller.rests());
            told.session(carries);
            assert!(!told.controller.rests(), "the next session goes on at once");
            assert_eq!(told.controller.caps.messages(), Some(carries));
            (0..2 * carries).for_each(|n| told.send(n % carries, Signal::Accepted));
            assert_eq!(told.controller.caps.messages(), Some(carries));
        }
    }

    #[test]
    fn where_the_next_session_is_refused_as_well_it_was_a_limit() {
        let mut told = Told::new();
        (0..3).for_each(|_| told.session(30));
        told.session(0);
        assert!(told.controller.rests());
        assert_eq!(told.controller.caps.messages(), None);
        (0..5).for_each(|_| told.session(30));
        assert!(told.controller.rests(), "it is tried once");
        assert_eq!(told.controller.caps.messages(), None);
    }

    #[test]
    fn other_counts_few_messages_and_long_rests_say_nothing() {
        let mut told = Told::new();
        [30, 29, 30, 31, 30].into_iter().for_each(|carries| told.session(carries));
        assert!(told.controller.rests());
        let mut told = Told::new();
        (0..5).for_each(|_| told.session(4));
        assert!(told.controller.rests());
        let mut told = Told::new();
        for _ in 0..4 {
            told.session(30);
            (0..3).for_each(|_| told.send(0, REFUSED));
        }
        assert_eq!(told.controller.caps.messages(), None);
    }
}
