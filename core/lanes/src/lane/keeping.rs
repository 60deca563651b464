//! What operators do to a lane, and what of it outlives the program.

use postlane_mail::{Instant, Rate, Span};

use super::Lane;
use crate::controller::FIRST_RATE;
use crate::memory::Learned;

impl Lane {
    /// Keeps to this rate until it is told otherwise; ceilings, rests and quotas hold. A lane
    /// that learns nothing keeps to it as to a ceiling.
    pub fn pin(&mut self, rate: Option<Rate>) {
        self.pinned = rate;
        self.controller.pin(rate);
        self.budget.keep_to(self.slowest());
        self.wire.keep_to(self.slowest());
    }

    /// How long the provider shuts it out when it goes too far, where that was seen.
    pub fn shut_out(&self) -> Option<Span> {
        self.controller.shut_out()
    }

    /// The rate it is pinned to.
    pub fn pinned(&self) -> Option<Rate> {
        self.pinned
    }

    /// Goes back to the rate that held before it was raised last; whether there is one.
    pub fn roll_back(&mut self, now: Instant) -> bool {
        self.learns() && self.controller.roll_back(now)
    }

    /// The next canary goes at once; whether it was waiting for its time.
    pub fn ask_now(&mut self, now: Instant) -> bool {
        self.learns() && self.controller.ask_now(now)
    }

    /// A message that waits for it expires soon: its canary goes now if none would go before then.
    /// Whether it does.
    pub fn ask_before(&mut self, now: Instant, expires: Instant) -> bool {
        self.learns() && self.controller.ask_before(now, expires)
    }

    /// What is worth keeping of what it has learned.
    pub fn learned(&self, now: Instant) -> Option<Learned> {
        let (accepted, refused) = self.tally();
        self.controller.has_learned().then(|| Learned {
            accepted,
            refused,
            ..self.controller.learned(now)
        })
    }

    /// Whether a new lane in its place would know less: what the provider refused, what it takes,
    /// or a rate above the first.
    pub fn is_worth_keeping(&self, now: Instant) -> bool {
        let paced = self.budget.next().max(self.wire.next()) > now;
        let learned = || self.learned(now).filter(|_| self.learns());
        paced
            || self.rate() > 3.0 * FIRST_RATE && self.learns()
            || learned().is_some_and(|learned| {
                learned.gap_bad.is_some()
                    || learned.last_refused.is_some()
                    || learned.rest.is_some()
                    || !learned.quotas.is_empty()
                    || !learned.suspects.is_empty()
                    || learned.connections.is_some()
                    || learned.session_messages.is_some()
            })
    }

    /// Takes up what was kept.
    pub fn recall(&mut self, now: Instant, learned: &Learned) {
        self.controller.recall(now, learned);
        (self.accepted, self.refused) = (learned.accepted, learned.refused);
    }

    /// The slower of what the ceilings allow and what it is pinned to.
    pub(super) fn slowest(&self) -> Option<Rate> {
        let rates = [self.ceilings.rate, self.pinned];
        rates.into_iter().flatten().max_by_key(|rate| rate.gap())
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Chance, Stream};
    use proptest::prelude::*;

    use super::*;
    use crate::ceilings::Ceilings;
    use crate::controller::{Heard, State};
    use crate::lane::{Ask, Learning, Permit};
    use crate::memory::Memory;
    use crate::rules::{Bands, Share};
    use crate::signal::{Hint, Signal};
    use crate::waiting::Waiting;

    const START: Instant = Instant::from_unix_s(1_000_000);

    fn lane() -> Lane {
        let ceilings = Ceilings { connections: 50, rate: None, session_messages: 100 };
        Lane::new(ceilings, Learning::On, 7)
    }

    fn send(lane: &mut Lane, now: Instant, signal: Signal) {
        lane.sending(now, Stream::Engaged, Ask::Message);
        lane.over(Stream::Engaged);
        let (stream, attempts) = (Stream::Engaged, 0);
        lane.observe(now, &Heard { signal, sent: now, stream, attempts, carried: 0, open: 1 });
    }

    /// Sends one after the other as soon as the lane lets it, all accepted; until when.
    fn run(lane: &mut Lane, mut now: Instant, messages: usize) -> Instant {
        for _ in 0..messages {
            now = next(lane, now);
            send(lane, now, Signal::Accepted);
        }
        now
    }

    fn next(lane: &Lane, now: Instant) -> Instant {
        match lane.permit(now, Stream::Engaged, Ask::Message) {
            Permit::Now => now,
            Permit::After(waiting) => waiting.until().unwrap().max(now),
            other => panic!("{other:?}"),
        }
    }

    /// The same lane after a restart of the program.
    fn restarted(lane: &Lane, written: Instant, begun: Instant, is_last: bool) -> Lane {
        let learned = lane.learned(written).map(|learned| Learned { is_last, ..learned });
        let memory = Memory { learned, ..Memory::default() };
        let recalled = Memory::recall(&memory.to_octets()).memory;
        let mut lane = self::lane();
        lane.recall(begun, &recalled.learned.unwrap());
        lane
    }

    #[test]
    fn a_restart_goes_on_at_the_rate_that_was_learned() {
        let mut lane = lane();
        let now = run(&mut lane, START, 200);
        let again = restarted(&lane, now, now + Span::from_s(3), true);
        assert!((again.rate() - lane.rate()).abs() < 0.01 * lane.rate());
        assert_eq!((again.tally(), again.state()), (lane.tally(), lane.state()));
    }

    #[test]
    fn a_rest_goes_on_where_it_was() {
        let mut lane = lane();
        let now = run(&mut lane, START, 50);
        send(&mut lane, now, Signal::Rate { hint: Hint::default() });
        let State::Cooling { until } = lane.state() else { panic!("it rests") };
        let again = restarted(&lane, now, now + Span::from_s(1), false);
        assert_eq!(again.state(), State::Cooling { until });
        let permit = again.permit(now + Span::from_s(1), Stream::Engaged, Ask::Message);
        assert_eq!(permit, Permit::After(Waiting::Refused { until }));
    }

    #[test]
    fn nothing_bursts_after_a_restart() {
        let mut lane = lane();
        let now = run(&mut lane, START, 9);
        let gap = Span((1e6 / lane.rate()) as u64);
        let again = restarted(&lane, now, now, true);
        assert!(next(&again, now) >= now + gap);
    }

    #[test]
    fn a_quota_is_as_full_after_a_restart_as_before() {
        let mut lane = lane();
        let hint = Hint { window: Some(Span::from_h(1)), quota: Some(40), ..Hint::default() };
        let now = run(&mut lane, START, 40);
        send(&mut lane, now, Signal::Rate { hint });
        let quotas = lane.quotas().to_vec();
        assert_eq!(quotas.len(), 1, "{quotas:?}");
        for is_last in [true, false] {
            let again = restarted(&lane, now, now, is_last);
            assert_eq!(again.quotas().len(), 1);
            let (before, after) = (&lane.quotas()[0], &again.quotas()[0]);
            assert_eq!((before.window, before.messages), (after.window, after.messages));
        }
    }

    #[test]
    fn a_pinned_lane_keeps_to_its_rate_and_goes_back_to_its_own() {
        let mut lane = lane();
        let now = run(&mut lane, START, 100);
        let own = lane.rate();
        lane.pin(Rate::parse("2/m").ok());
        assert!((lane.rate() - 2.0 / 60.0).abs() < 1e-6);
        let then = run(&mut lane, now, 20);
        assert!(then.since(now) > Span::from_min(9), "{}", then.since(now));
        lane.pin(None);
        assert!((lane.rate() - own).abs() < 1e-9);
    }

    #[test]
    fn to_roll_back_takes_the_last_raise_back() {
        let mut lane = lane();
        assert!(!lane.roll_back(START));
        let now = run(&mut lane, START, 100);
        let before = lane.rate();
        assert!(lane.roll_back(now));
        assert!(lane.rate() < before);
        assert!(!lane.roll_back(now));
    }

    /// All that is sent is refused in these words until the lane rests; then its canary is accepted.
    fn wave(lane: &mut Lane, mut now: Instant, signal: Signal) -> (Instant, u32) {
        let mut refused = 0;
        while !matches!(lane.state(), State::Cooling { .. }) {
            now = next(lane, now);
            send(lane, now, signal);
            refused += 1;
        }
        now = next(lane, now);
        send(lane, now, Signal::Accepted);
        (now, refused)
    }

    #[test]
    fn what_nobody_mends_again_and_again_is_a_limit_also_after_a_restart() {
        let mut lane = lane();
        let mut now = run(&mut lane, START, 30);
        for most in [3, 3, 1] {
            let refused;
            (now, refused) = wave(&mut lane, now, Signal::Policy);
            assert_eq!(refused, most);
            now = run(&mut lane, now, 20);
        }
        let mut again = restarted(&lane, now, now, true);
        assert_eq!(wave(&mut again, now, Signal::Policy).1, 1);
        assert_eq!(wave(&mut again, now + Span::from_h(9), Signal::Mailbox).1, 10);
    }

    /// A lane whose canaries are refused for so many hours, and until when it would rest.
    fn shut_out_for(lane: &mut Lane, now: Instant, hours: u64) -> (Instant, Instant) {
        let end = now + Span::from_h(hours);
        let mut now = now;
        send(lane, now, Signal::Rate { hint: Hint::default() });
        loop {
            let State::Cooling { until } = lane.state() else { panic!("it rests") };
            if until > end {
                return (now, until);
            }
            now = until;
            send(lane, now, Signal::Rate { hint: Hint::default() });
        }
    }

    #[test]
    fn no_rest_outlasts_the_life_of_a_message_unasked() {
        let mut lane = lane();
        let now = run(&mut lane, START, 50);
        let (_, until) = shut_out_for(&mut lane, now, 9);
        let expires = until - Span::from_min(10);
        let asked = expires - Span::from_min(3);
        assert!(!lane.ask_before(asked, until + Span::from_s(1)), "a canary goes in time");
        assert!(lane.ask_before(asked, expires));
        assert_eq!(next(&lane, asked), asked);
        send(&mut lane, asked, Signal::Rate { hint: Hint::default() });
        // Another one expires, so soon after the provider said no.
        assert!(!lane.ask_before(asked + Span::from_min(2), asked + Span::from_min(4)));
    }

    #[test]
    fn no_message_that_expires_goes_before_an_operators_backoff() {
        let mut lane = lane();
        lane.heed(Bands::DEFAULT, Span::from_h(4));
        let now = run(&mut lane, START, 50);
        send(&mut lane, now, Signal::Rate { hint: Hint::default() });
        let later = now + Span::from_h(3);
        assert!(!lane.ask_before(later, later + Span::from_min(1)));
    }

    #[test]
    fn a_restarted_lane_expects_the_transactional_mail_that_came_before() {
        let mut lane = lane();
        let mut now = START;
        for n in 0..60 {
            now = next(&lane, now);
            let stream = if n % 2 == 0 { Stream::Transactional } else { Stream::Engaged };
            lane.sending(now, stream, Ask::Message);
            lane.over(stream);
            let (signal, attempts) = (Signal::Accepted, 0);
            lane.observe(now, &Heard { signal, sent: now, stream, attempts, carried: 0, open: 1 });
        }
        let morning = now + Span::from_h(30);
        let again = restarted(&lane, morning, morning, true);
        let expected = |hours| {
            let mail = again.transactional_lately(morning + Span::from_h(hours));
            mail.at_most(Span::from_h(1), 100)
        };
        assert!(expected(0) >= 30, "{}", expected(0));
        assert!((1..expected(0)).contains(&expected(5)));
        assert_eq!(expected(7), 0);
    }

    #[test]
    fn a_limit_in_a_messages_words_is_found_though_mail_is_accepted_between_refusals() {
        let mut lane = lane();
        let mut now = run(&mut lane, START, 30);
        let mut refused = 0;
        while !lane.is_resting() {
            now = run(&mut lane, now, 2);
            send(&mut lane, now, Signal::Temp);
            refused += 1;
            assert!(refused < 40);
        }
        now = run(&mut lane, now, 30);
        send(&mut lane, now, Signal::Temp);
        assert!(lane.is_resting());
    }

    /// So many messages at an even pace, of which those are refused, in words about recipients, that
    /// `is_full` says of how many were accepted in the minute before.
    fn said_of_recipients(messages: u32, is_full: impl Fn(u32, u64) -> bool) -> (Lane, u32) {
        let (mut lane, mut now, mut refused) = (lane(), START, 0);
        for n in 0..messages {
            now = next(&lane, now + Span::from_ms(5_500));
            let many = lane.accepted_within(Span::from_min(1), now);
            let signal = if is_full(n, many) { Signal::Mailbox } else { Signal::Accepted };
            refused += u32::from(signal == Signal::Mailbox);
            send(&mut lane, now, signal);
        }
        (lane, refused)
    }

    #[test]
    fn a_limit_in_words_about_recipients_is_told_by_when_it_is_said() {
        let (lane, refused) = said_of_recipients(2_000, |_, many| many >= 10);
        assert!(lane.takes_for_rate(Signal::Mailbox));
        assert!(refused <= 30, "{refused}");
    }

    #[test]
    fn mailboxes_that_are_full_are_no_limit_however_many_they_are() {
        // Strewn, not in turns: two of every three would be what a limit takes.
        let strewn = |n: u32| n.wrapping_mul(2_654_435_761) >> 16;
        for one_in in [3, 7, 20] {
            let is_full = |n, _| strewn(n) % one_in == 2;
            let (lane, refused) = said_of_recipients(4_000, is_full);
            assert!(refused >= 150, "{refused}");
            assert!(!lane.takes_for_rate(Signal::Mailbox), "one in {one_in}");
        }
    }

    #[test]
    fn what_happens_to_one_message_in_ten_is_no_limit() {
        let mut lane = lane();
        let mut now = START;
        for n in 0..2_000 {
            now = next(&lane, now);
            send(&mut lane, now, if n % 10 == 9 { Signal::Temp } else { Signal::Accepted });
            assert!(!lane.is_resting());
        }
    }

    #[test]
    fn a_tenants_bad_mail_is_refused_at_any_pace_and_slows_nobody_for_long() {
        // Strewn over the mail, as tenants send it: every third message exactly is what a limit takes.
        for seed in 0..20 {
            let (mut lane, mut chance) = (lane(), Chance::new(seed));
            let (mut now, mut rests) = (START, 0);
            for _ in 0..2_000 {
                now = next(&lane, now);
                let rested = lane.is_resting();
                let is_bad = chance.between(0.0, 1.0) < 1.0 / 3.0;
                send(&mut lane, now, if is_bad { Signal::Temp } else { Signal::Accepted });
                rests += u32::from(lane.is_resting() && !rested);
            }
            assert!(rests <= 2, "seed {seed}: {rests}");
            assert!(!lane.takes_for_rate(Signal::Temp), "seed {seed}");
        }
    }

    #[test]
    fn a_lane_that_knows_nothing_has_few_under_way() {
        let mut lane = lane();
        let mut now = run(&mut lane, START, 60);
        let mut under_way = 0;
        while let Permit::After(_) | Permit::Now = lane.permit(now, Stream::Engaged, Ask::Message) {
            now = next(&lane, now);
            lane.sending(now, Stream::Engaged, Ask::Message);
            under_way += 1;
        }
        assert!(under_way <= 3, "{under_way} of 60 accepted");
    }

    #[test]
    fn no_first_canary_goes_before_an_operators_backoff() {
        let mut lane = lane();
        lane.heed(Bands::DEFAULT, Span::from_min(30));
        let now = run(&mut lane, START, 50);
        send(&mut lane, now, Signal::Rate { hint: Hint::default() });
        let State::Cooling { until } = lane.state() else { panic!("it rests") };
        assert!(until >= now + Span::from_min(30));
    }

    #[test]
    fn no_rate_grows_above_an_operators_band() {
        let bands = |healthy| {
            let (healthy, stop) = (Share::of(healthy).unwrap(), Share::of(0.9).unwrap());
            Bands::new(healthy, stop).unwrap()
        };
        let grown = |healthy| {
            let mut lane = lane();
            lane.heed(bands(healthy), Span::ZERO);
            let mut now = START;
            for n in 0..200 {
                now = next(&lane, now);
                send(
                    &mut lane,
                    now,
                    if n % 20 == 3 { Signal::Ambiguous } else { Signal::Accepted },
                );
            }
            lane.rate()
        };
        assert!(grown(0.20) > 2.0 * grown(0.02));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn what_was_sent_is_never_forgotten_within_a_day(
            gaps_s in prop::collection::vec(0_u64..300, 1..400), window_min in 1_u64..1440,
        ) {
            let mut lane = lane();
            let (mut now, mut sent) = (START, Vec::new());
            for gap in gaps_s {
                now = now + Span::from_s(gap);
                send(&mut lane, now, Signal::Accepted);
                sent.push(now);
            }
            let learned = lane.learned(now).unwrap();
            prop_assert!(learned.past.len() <= Learned::PAST_MAX, "{}", learned.past.len());
            let since = now - Span::from_min(window_min);
            let truth = sent.iter().filter(|at| **at > since).count() as u64;
            let kept = learned.past.iter().filter(|past| past.at > since);
            let kept: u64 = kept.map(|past| u64::from(past.all)).sum();
            prop_assert!(kept >= truth, "{kept} of {truth}");
        }
    }
}
