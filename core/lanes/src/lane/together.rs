//! A lane among others that one limit counts together.

use postlane_mail::Instant;

use super::Lane;
use crate::controller::{Controller, Doing, Onset};

/// What several lanes know together.
#[derive(Debug, Clone)]
pub struct Shared(Controller);

impl Shared {
    /// What the first of them has learned, of the mail of all of them; nothing of none.
    pub fn of(lanes: &[&Lane]) -> Option<Self> {
        let controllers: Vec<&Controller> = lanes.iter().map(|lane| &lane.controller).collect();
        Controller::of_all(&controllers).map(Self)
    }
}

impl Lane {
    /// Knows what all of them know, and is told from now on what the others do.
    pub fn know(&mut self, now: Instant, together: &Shared) {
        self.controller.know(now, &together.0);
    }

    /// Goes its own way again: only these messages, bulk and transactional, and sessions that are
    /// being opened are its own.
    pub fn part(&mut self, bulk: u32, urgent: u32, opening: u32) {
        self.controller.part(bulk, urgent, opening);
    }

    /// One of them has parted: these are under way, of those that are left.
    pub fn have_under_way(&mut self, bulk: u32, urgent: u32, opening: u32) {
        self.controller.have_under_way(bulk, urgent, opening);
    }

    /// Another lane of the same limit does something.
    pub fn beside(&mut self, now: Instant, doing: &Doing) {
        if !matches!(doing, Doing::Hears(_)) || self.learns() {
            self.controller.beside(now, doing);
        }
    }

    /// The wave of refusals for which it rests, where no limit that is known explains it.
    pub fn wave(&self) -> Option<Onset> {
        self.controller.wave().filter(|_| self.is_resting())
    }

    /// Messages accepted that were sent after `since`, until `until`.
    pub fn accepted_between(&self, since: Instant, until: Instant) -> u64 {
        self.controller.accepted_between(since, until)
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Span, Stream};

    use super::*;
    use crate::ceilings::Ceilings;
    use crate::controller::Heard;
    use crate::lane::{Ask, Learning, Permit};
    use crate::signal::{Hint, Signal};

    const START: Instant = Instant::from_unix_s(1_000_000);

    fn lane(seed: u64) -> Lane {
        let ceilings = Ceilings { connections: 50, rate: None, session_messages: 100 };
        Lane::new(ceilings, Learning::On, seed)
    }

    fn heard(now: Instant, signal: Signal) -> Heard {
        Heard { signal, sent: now, stream: Stream::Engaged, attempts: 0, carried: 0, open: 1 }
    }

    fn send(lane: &mut Lane, now: Instant, signal: Signal) {
        lane.sending(now, Stream::Engaged, Ask::Message);
        lane.over(Stream::Engaged);
        lane.observe(now, &heard(now, signal));
    }

    const REFUSED: Signal =
        Signal::Rate { hint: Hint { wait: None, window: None, quota: None, closes: false } };

    /// Two lanes of which one took `many`, the other half as many, and both were refused.
    fn refused_together(many: u64) -> (Lane, Lane, Instant) {
        let (mut one, mut other) = (lane(1), lane(2));
        for n in 0..many {
            let now = START + Span::from_s(n);
            send(&mut one, now, Signal::Accepted);
            if n % 2 == 0 {
                send(&mut other, now + Span(1), Signal::Accepted);
            }
        }
        let now = START + Span::from_s(many);
        send(&mut one, now, REFUSED);
        send(&mut other, now + Span(1), REFUSED);
        let shared = Shared::of(&[&one, &other]).unwrap();
        one.know(now + Span(2), &shared);
        other.know(now + Span(2), &shared);
        (one, other, now + Span(2))
    }

    #[test]
    fn lanes_that_share_a_limit_count_each_others_mail_from_the_first_on() {
        let (one, other, now) = refused_together(60);
        for lane in [&one, &other] {
            assert_eq!(lane.accepted_within(Span::from_h(1), now), 90);
            assert!(lane.is_resting());
        }
        assert!(Shared::of(&[]).is_none());
    }

    #[test]
    fn a_canary_of_one_is_everybodys() {
        let (mut one, mut other, mut now) = refused_together(60);
        while one.permit(now, Stream::Engaged, Ask::Message) != Permit::Now {
            now = now + Span::from_s(1);
        }
        one.sending(now, Stream::Engaged, Ask::Message);
        other.beside(now, &Doing::Sends(Stream::Engaged));
        let later = now + Span::from_h(1);
        assert_eq!(other.permit(later, Stream::Engaged, Ask::Message), Permit::Busy);
        one.over(Stream::Engaged);
        other.beside(now, &Doing::Over(Stream::Engaged));
        one.observe(now, &heard(now, Signal::Accepted));
        other.beside(now, &Doing::Hears(heard(now, Signal::Accepted)));
        assert!(!one.is_resting() && !other.is_resting());
        assert!((one.rate() - other.rate()).abs() < 1e-9);
    }

    #[test]
    fn what_a_lane_shares_is_kept_over_a_restart() {
        let (one, _, now) = refused_together(60);
        let learned = one.learned(now).unwrap();
        assert!(learned.is_shared);
        let mut again = lane(3);
        again.recall(now, &learned);
        assert!(again.learned(now).unwrap().is_shared);
        again.part(0, 0, 0);
        assert!(!again.learned(now).unwrap().is_shared);
    }

    /// A lane that took so many in four minutes, was refused, and whose first canary was refused:
    /// when the next goes, of bulk and of transactional mail.
    fn next_canaries(many: u64) -> [Instant; 2] {
        let mut lane = lane(4);
        for n in 0..many {
            send(&mut lane, START + Span(240_000_000 / many * n), Signal::Accepted);
        }
        let refused = START + Span::from_min(4);
        send(&mut lane, refused, REFUSED);
        let permit = lane.permit(refused, Stream::Engaged, Ask::Message);
        let Permit::After(waiting) = permit else { panic!("{permit:?}") };
        let canary = waiting.until().unwrap();
        send(&mut lane, canary, REFUSED);
        [Stream::Engaged, Stream::Transactional].map(|stream| {
            let permit = lane.permit(canary, stream, Ask::Message);
            let Permit::After(waiting) = permit else { panic!("{permit:?}") };
            waiting.until().unwrap()
        })
    }

    #[test]
    fn transactional_mail_asks_once_when_something_leaves_a_window_where_much_was_accepted() {
        let [bulk, urgent] = next_canaries(500);
        let window = START + Span::from_min(10);
        assert!(urgent >= window && urgent < window + Span::from_s(30), "{urgent:?}");
        assert!(urgent + Span::from_min(2) < bulk);
        let [bulk, urgent] = next_canaries(100);
        assert_eq!(urgent, bulk);
    }
}
