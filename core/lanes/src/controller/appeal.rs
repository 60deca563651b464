//! Words that were taken for a limit are heard again.
//!
//! A limit that was full a second ago is full now; what is refused by chance, or for a recipient's sake, is
//! not what comes next. So where a slow lane is refused in words that were convicted of being a limit, another
//! message goes at once, and not after a rest: taken some times in a row, the
//! words had nothing to do with the pace, and what was learned from them is forgotten.

use postlane_mail::{Instant, Span};

use super::doubt::Kind;
use super::{Controller, FIRST_RATE, Heard, State};
use crate::decision::Decision;
use crate::rest::Rest;
use crate::signal::Hint;

/// What was heard since words were convicted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Appeal {
    /// Messages in a row that were taken at once after such a refusal.
    taken: u8,
    /// Refusals that are believed before the next is doubted,
    believes: u8,
    /// and so many after the next appeal that is lost.
    patience: u8,
    /// Appeals that were granted: each makes the next one harder.
    granted: u8,
}

/// The message goes so soon.
const AT_ONCE: Span = Span::from_s(1);

/// Whose rate is higher, messages a second, learns little by having one taken: so much may have left the
/// limit in that second. Chosen, not measured.
const SLOW: f64 = 0.2;

/// So many in a row: where two in three are taken by chance they come once in four times, and where a limit has
/// room again by one in five, once in a hundred times. Chosen, not measured.
const TAKEN: u8 = 3;

/// Refusals that are believed after appeals that were lost, at most: twice as many each time.
const PATIENCE_MAX: u8 = 64;

impl Controller {
    /// A refusal in words that were convicted, while the lane did not rest.
    pub(super) fn refused_as_convicted(&mut self, now: Instant, heard: &Heard, kind: Kind) {
        let (failed, credits) = (self.failed, self.credits);
        self.refused(now, heard, Hint::default());
        let Some(rest) = self.rest else { return };
        let is_doubtful = kind.may_be_chance()
            && !rest.was_asked
            && self.pace.rate() <= SLOW
            && self.backoff == Span::ZERO;
        if !is_doubtful {
            return;
        }
        if self.appeal.believes > 0 {
            self.appeal.believes -= 1;
            return;
        }
        self.rest = Some(Rest { appeal: Some(kind), asks: None, ..rest });
        (self.failed, self.credits) = (failed, credits);
        self.state = State::Cooling { until: now + AT_ONCE };
    }

    /// Whether such words are being heard again.
    pub(super) fn is_on_appeal(&self, kind: Kind) -> bool {
        self.rest.is_some_and(|rest| rest.appeal == Some(kind))
    }

    /// What went at once was refused, too: that is no chance. Whether it was that.
    pub(super) fn lost_appeal(&mut self) -> bool {
        let Some(rest) = self.rest.as_mut().filter(|rest| rest.appeal.is_some()) else {
            return false;
        };
        rest.appeal = None;
        self.credits.refused();
        if let Some(pace) = rest.pace.filter(|_| rest.explained.is_none()) {
            let pace = pace.min(self.pace.learned());
            self.failed = Some(self.failed.map_or(pace, |failed| failed.min(pace)));
        }
        let patience = self.appeal.patience.saturating_mul(2).clamp(1, PATIENCE_MAX);
        self.appeal = Appeal { taken: 0, believes: patience, patience, ..self.appeal };
        true
    }

    /// What went at once was taken: the lane goes on as if nothing had been said, and some times
    /// later the words are no limit any more.
    pub(super) fn won_appeal(&mut self, now: Instant, kind: Kind) {
        self.state = State::Normal;
        let Appeal { taken, granted, patience, .. } = self.appeal;
        self.appeal.taken = taken.saturating_add(1);
        self.appeal.patience = patience / 2;
        if self.appeal.taken < TAKEN.saturating_mul(granted.saturating_add(1)) {
            return;
        }
        self.appeal =
            Appeal { taken: 0, believes: 0, patience, granted: granted.saturating_add(1) };
        self.doubt.acquit(kind);
        self.failed = None;
        self.quotas.clear();
        self.suspects.clear();
        self.waves.forget();
        self.quick.clear();
        self.shut_out = None;
        self.first_gap = None;
        self.asked = None;
        self.state = State::Probing;
        self.pace.keep_to(self.pace.learned().max(FIRST_RATE), now);
        self.decide(now, Decision::Acquits);
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Stream;

    use super::*;
    use crate::signal::Signal;

    const NOW: Instant = Instant::from_unix_s(1_000_000);

    fn lane() -> Controller {
        let mut lane = Controller::new(FIRST_RATE, 1);
        lane.state = State::Normal;
        lane.pace.keep_to(0.1, NOW);
        lane.doubt.prove(Kind::Temp);
        lane
    }

    /// One message goes, a minute after another, and is told that.
    fn is_told(lane: &mut Controller, minute: u64, signal: Signal) {
        let sent = NOW + Span::from_min(minute);
        if let State::Cooling { .. } = lane.state {
            lane.state = State::Canary;
        }
        let stream = Stream::Engaged;
        lane.hear(sent, &Heard { signal, sent, stream, attempts: 0, carried: 0, open: 1 });
    }

    #[test]
    fn words_are_no_limit_where_what_goes_at_once_after_them_is_taken_three_times() {
        let mut lane = lane();
        for time in 0..3 {
            assert!(lane.takes_for_rate(Signal::Temp), "{time}");
            is_told(&mut lane, 10 * time, Signal::Temp);
            let until = NOW + Span::from_min(10 * time) + AT_ONCE;
            assert_eq!(lane.state, State::Cooling { until });
            assert!(!lane.takes_for_rate(Signal::Temp), "what was refused waits by itself");
            is_told(&mut lane, 10 * time + 1, Signal::Accepted);
        }
        assert!(!lane.takes_for_rate(Signal::Temp));
        assert_eq!(lane.state, State::Probing);
    }

    #[test]
    fn words_stay_a_limit_where_what_goes_at_once_is_refused_and_are_believed_longer_each_time() {
        let mut lane = lane();
        is_told(&mut lane, 0, Signal::Temp);
        is_told(&mut lane, 1, Signal::Temp);
        assert_eq!((lane.appeal.believes, lane.appeal.patience), (1, 1));
        is_told(&mut lane, 70, Signal::Accepted);
        is_told(&mut lane, 80, Signal::Temp);
        assert!(!lane.is_on_appeal(Kind::Temp), "this one is believed");
        is_told(&mut lane, 150, Signal::Accepted);
        is_told(&mut lane, 160, Signal::Temp);
        assert!(lane.is_on_appeal(Kind::Temp));
        is_told(&mut lane, 161, Signal::Temp);
        assert_eq!((lane.appeal.believes, lane.appeal.patience), (2, 2));
        assert!(lane.doubt.is_limit(Kind::Temp));
    }

    #[test]
    fn a_fast_lane_learns_nothing_by_asking_at_once() {
        let mut lane = lane();
        lane.pace.keep_to(5.0, NOW);
        is_told(&mut lane, 0, Signal::Temp);
        assert!(!lane.is_on_appeal(Kind::Temp));
    }
}
