//! A lane beside others from our sources to the same provider.

use postlane_mail::{Instant, Span};

use super::Lane;
use crate::controller::Asking;
use crate::quota::Quota;

impl Lane {
    /// The rest that it is in, where nothing that is known says how long it lasts.
    pub fn asking(&self) -> Option<Asking> {
        self.controller.asking().filter(|_| self.is_resting())
    }

    /// A lane that is like this one was refused once more, so long after its first refusal.
    pub fn follow_no(&mut self, now: Instant, waited: Span) {
        self.controller.follow_no(now, waited);
    }

    /// A lane that is like this one was let in so long after its first refusal.
    pub fn follow_yes(&mut self, now: Instant, waited: Span) {
        self.controller.follow_yes(now, waited);
    }

    /// Another lane has confirmed a limit; whether this one has it, too.
    pub fn follow_quota(&mut self, now: Instant, quota: &Quota) -> bool {
        self.learns() && self.controller.follow_quota(now, quota)
    }

    /// Words that another lane has found to be a limit are one here.
    pub fn follow_words(&mut self, of: &Self) {
        self.controller.follow_words(&of.controller);
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Stream;

    use super::*;
    use crate::ceilings::Ceilings;
    use crate::controller::{Heard, State};
    use crate::decision::Decision;
    use crate::lane::{Ask, Learning, Permit};
    use crate::signal::{Hint, Signal};

    const START: Instant = Instant::from_unix_s(1_000_000);

    const REFUSED: Signal =
        Signal::Rate { hint: Hint { wait: None, window: None, quota: None, closes: false } };

    fn send(lane: &mut Lane, now: Instant, signal: Signal) {
        let stream = Stream::Engaged;
        lane.sending(now, stream, Ask::Message);
        lane.over(stream);
        lane.observe(now, &Heard { signal, sent: now, stream, attempts: 0, carried: 0, open: 1 });
    }

    /// A lane that was refused after so many messages, one in a second.
    fn refused_after(many: u64, seed: u64) -> (Lane, Instant) {
        let ceilings = Ceilings { connections: 50, rate: None, session_messages: 100 };
        let mut lane = Lane::new(ceilings, Learning::On, seed);
        for n in 0..many {
            send(&mut lane, START + Span::from_s(n), Signal::Accepted);
        }
        let now = START + Span::from_s(many);
        send(&mut lane, now, REFUSED);
        (lane, now)
    }

    fn asks_at(lane: &Lane) -> Instant {
        match lane.state() {
            State::Cooling { until } => until,
            state => panic!("{state:?}"),
        }
    }

    fn minutes_until(lane: &Lane, now: Instant) -> u64 {
        asks_at(lane).since(now).0 / Span::from_min(1).0
    }

    #[test]
    fn what_others_are_told_counts_three_times_in_a_row_and_then_a_lane_asks_itself() {
        let (mut lane, now) = refused_after(100, 1);
        let asking = lane.asking().expect("nothing explains it");
        assert!(asking.is_like(&refused_after(85, 2).0.asking().expect("nor here")));
        assert!(!asking.is_like(&refused_after(70, 2).0.asking().expect("nor here")));
        assert_eq!(minutes_until(&lane, now), 1);
        for (waited, next) in [(1, 10), (10, 60), (61, 120), (180, 120)] {
            lane.follow_no(now, Span::from_min(waited));
            assert!(minutes_until(&lane, now) >= next, "{waited} {}", minutes_until(&lane, now));
        }
        // The fourth was not listened to: it asks before three hours have passed again.
        let at = asks_at(&lane);
        assert!(at < now + Span::from_h(4), "{at:?}");
        assert_eq!(lane.permit(at, Stream::Engaged, Ask::Message), Permit::Now);
    }

    #[test]
    fn a_lane_asks_when_another_was_let_in_that_was_refused_after_as_many() {
        let (mut lane, now) = refused_after(100, 1);
        lane.follow_no(now, Span::from_min(1));
        lane.follow_yes(now + Span::from_min(4), Span::from_min(4));
        assert_eq!(asks_at(&lane), now + Span::from_min(4));
        // It was let in late, and this one was refused just now: it waits for as long.
        let (mut lane, now) = refused_after(100, 1);
        lane.follow_no(now, Span::from_min(10));
        lane.follow_yes(now, Span::from_min(30));
        assert_eq!(asks_at(&lane), now + Span::from_min(30));
    }

    #[test]
    fn a_limit_of_another_lane_is_this_ones_where_it_was_refused_at_it() {
        let quota = Quota::new(Span::from_h(1), 104, 2);
        let (mut lane, now) = refused_after(100, 1);
        assert!(lane.follow_quota(now, &quota));
        let [known] = lane.quotas() else { panic!("{:?}", lane.quotas()) };
        assert_eq!((known.window, known.messages), (Span::from_h(1), 100));
        let confirmed = |(_, of): &(Instant, Decision)| matches!(of, Decision::Confirmed { .. });
        assert!(lane.decisions().any(confirmed));
        let (mut few, now) = refused_after(50, 1);
        assert!(!few.follow_quota(now, &quota));
        // What its own canary was told counts for more.
        let (mut told, now) = refused_after(100, 1);
        let at = asks_at(&told);
        send(&mut told, at, REFUSED);
        assert!(!told.follow_quota(now + Span::from_min(2), &quota));
    }
}
