//! What a rest says, case by case.

use super::*;
use crate::controller::FIRST_RATE;
use crate::controller::hearing::tests::rest;

/// Sixty a minute: a lane that had climbed to that from forty was refused, and the minutes since the
/// wave before average fifty.
#[test]
fn a_lane_that_climbed_to_a_limit_goes_back_to_what_held() {
    let at = |s: f64| Instant::from_unix_s(1_000_000) + Span((s * 1e6) as u64);
    let after_climb_of = |minutes: u32, first: f64| {
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.quick.push(at(0.0));
        let (mut rate, mut now) = (first, 40.0);
        for _ in 0..minutes {
            let end = now + 60.0;
            while now < end {
                controller.counted.accepted.record(at(now));
                now += 1.0 / rate;
            }
            rate *= 1.05;
            controller.raise(at(now), rate);
        }
        let rest = Rest { began: at(40.0), refused: at(now), ..rest(at(now)) };
        controller.fast_limit(at(now + 30.0), &rest);
        controller.pace.learned() / rate
    };
    let long = after_climb_of(9, 42.0 / 60.0);
    assert!((long - 0.95 / 1.05).abs() < 0.001, "{long}");
    // Refused soon again, or too slow for a minute to tell: the average since the wave before.
    for average in [after_climb_of(3, 1.0), after_climb_of(9, 10.0 / 60.0)] {
        assert!(average < 0.8, "{average}");
    }
}

fn sends(controller: &mut Controller, from: f64, many: u32, rate: f64) -> f64 {
    (0..many).fold(from, |now, _| {
        controller.counted.accepted.record(second(now));
        now + 1.0 / rate
    })
}

fn second(s: f64) -> Instant {
    Instant::from_unix_s(1_000_000) + Span((s * 1e6) as u64)
}

/// Sixty a minute: refused at first, and again when it had gone for a minute at 66 after a rest of 80
/// seconds. By the average it would go on with 28 a minute, by the last minute with 64.
#[test]
fn of_two_waves_the_rest_between_them_counts_half() {
    let mut controller = Controller::new(FIRST_RATE, 1);
    controller.pace.keep_to(1.1, second(80.0));
    controller.quick.push(second(0.0));
    let refused = second(sends(&mut controller, 80.0, 66, 1.1));
    controller.fast_limit(second(200.0), &Rest { began: second(80.0), refused, ..rest(refused) });
    let minute = 60.0 * controller.pace.learned();
    assert!((40.0..44.0).contains(&minute), "{minute}");
    // A third wave like it, and the average of both rests is what a bucket would give.
    let refused = second(sends(&mut controller, 280.0, 42, 0.7));
    controller.fast_limit(second(400.0), &Rest { began: second(280.0), refused, ..rest(refused) });
    let minute = 60.0 * controller.pace.learned();
    assert!((18.0..20.0).contains(&minute), "{minute}");
}

/// Sixty went, nothing was left for eight minutes, and then more came than the provider takes.
#[test]
fn time_without_mail_says_nothing_of_a_limit() {
    let wave_after = |idled: Instant| {
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.pace.keep_to(1.2, second(80.0));
        controller.quick.push(second(0.0));
        sends(&mut controller, 80.0, 60, 1.0);
        let refused = second(sends(&mut controller, 620.0, 66, 1.2));
        controller.idled = idled;
        let rest = Rest { began: second(80.0), refused, pace: Some(1.1), ..rest(refused) };
        controller.fast_limit(second(700.0), &rest);
        60.0 * controller.pace.learned()
    };
    let minute = wave_after(second(620.0));
    assert!((46.0..47.0).contains(&minute), "{minute}");
    let minute = wave_after(Instant::default());
    assert!(minute < 15.0, "{minute}");
}

/// Told that a minute is enough to say yes, a lane asked for a tenth more, was accepted for a minute, and
/// refused in the next: the rate before the question held.
#[test]
fn a_yes_that_did_not_last_leaves_the_rate_before_the_question() {
    for (shut_out, share) in [(None, 0.95), (Some(Span::from_min(30)), 0.7)] {
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.pace.keep_to(1.0, second(0.0));
        controller.faster.doubted = Some(1.0 / 1.1);
        controller.shut_out = shut_out;
        let rest = Rest { pace: Some(1.0 / 1.1), ..rest(second(80.0)) };
        controller.fast_limit(second(140.0), &rest);
        let kept = 1.1 * controller.pace.learned();
        assert!((kept - share).abs() < 0.001, "{kept} for {share}");
    }
}

/// It was restarted after eight minutes of climbing, and refused a minute later.
#[test]
fn a_short_restart_does_not_end_a_climb() {
    let after = |idled: Instant| {
        let mut controller = Controller::new(FIRST_RATE, 1);
        controller.last_refused = Some(second(0.0));
        controller.accepted_since_reopening = 60;
        controller.pace.keep_to(0.95, second(500.0));
        controller.raise(second(560.0), 1.0);
        controller.idled = idled;
        let rest = Rest { began: second(500.0), pace: Some(1.0), ..rest(second(570.0)) };
        controller.fast_limit(second(600.0), &rest);
        controller.pace.learned()
    };
    assert!((after(Instant::default()) - 0.95 * 0.95).abs() < 0.001);
    assert!((after(second(500.0)) - 0.7).abs() < 0.001);
}

/// A minute with nothing to send is idle; a minute of rest is not.
#[test]
fn a_lane_is_idle_when_its_rate_had_room_for_a_minute() {
    let mut controller = Controller::new(1.0, 1);
    for s in [0.0, 1.1, 2.2, 3.3] {
        controller.spend(second(s));
    }
    assert_eq!(controller.idled, second(0.0));
    controller.spend(second(70.0));
    assert_eq!(controller.idled, second(70.0));
    controller.state = State::Cooling { until: second(200.0) };
    controller.spend(second(200.0));
    assert_eq!(controller.idled, second(70.0));
}

/// Twenty in ten minutes, of which what is refused counts: four were refused at first, so that two
/// that had left were not enough for the canary.
#[test]
fn a_window_that_counts_what_is_refused_is_suspected() {
    let mut controller = Controller::new(FIRST_RATE, 1);
    let at = |s| Instant::from_unix_s(1_000_000) + Span::from_s(s);
    for s in 0..20 {
        controller.counted.accepted.record(at(s));
        controller.counted.all.record(at(s));
    }
    for s in [20, 20, 21, 21, 602, 640] {
        controller.counted.all.record(at(s));
    }
    controller.counted.accepted.record(at(640));
    let rest = Rest { tried: at(602), canaries: 1, ..rest(at(20)) };
    let windows = controller.windows_of(at(640), &rest);
    assert!(windows.iter().any(|quota| quota.window == Span::from_min(10)), "{windows:?}");
}

/// Twenty in as many seconds, then nothing for most of a day: four canaries were refused meanwhile.
#[test]
fn a_long_rest_in_which_a_box_was_fed_does_not_rule_out_shorter_windows() {
    let at = |s| Instant::from_unix_s(1_000_000) + Span::from_s(s);
    for (canaries, least) in [(2, Span::from_h(24)), (4, Span::from_min(1))] {
        let mut controller = Controller::new(FIRST_RATE, 1);
        (0..20).for_each(|s| controller.counted.accepted.record(at(s)));
        let rest = Rest { tried: at(12 * 3600), canaries, ..rest(at(20)) };
        let sent = at(24 * 3600 + 60);
        controller.counted.accepted.record(sent);
        controller.suspect(sent, sent, &rest);
        let longest = controller.suspects.last().map(|suspect| (suspect.window, suspect.least));
        assert_eq!(longest, Some((Span::from_h(24), least)), "{canaries}");
    }
}

/// A hundred fill an hour, and a canary after half an hour is accepted; two that were refused before the wave
/// have left the hour, or there were none.
#[test]
fn a_canarys_yes_forgets_the_longer_window_where_it_is_sure() {
    for (canaries, is_sure) in [(0, true), (2, false)] {
        let mut controller = Controller::new(FIRST_RATE, 1);
        (0..canaries).for_each(|s| controller.counted.all.record(second(f64::from(s))));
        for s in 0..100 {
            controller.counted.accepted.record(second(3000.0 + f64::from(s)));
            controller.counted.all.record(second(3000.0 + f64::from(s)));
        }
        let (refused, sent) = (second(3100.0), second(4900.0));
        controller.counted.all.record(refused);
        controller.counted.all.record(sent);
        let hour = Quota { least: Span::from_min(20), ..Quota::new(Span::from_h(1), 100, 2) };
        controller.quotas.push(hour);
        let asks = Some(Question::Shorter);
        let rest = Rest { explained: Some(0), asks, tried: refused, ..rest(refused) };
        controller.explained(sent, 0, sent, &rest);
        assert_eq!(controller.quotas[0].window, Span::from_min(30));
        assert_eq!(controller.quotas[0].longer.is_none(), is_sure, "{canaries}");
    }
}

/// A day's limit that is in truth an hour's: it seems to fall each time that something is refused.
#[test]
fn what_falls_again_and_again_and_opens_soon_is_not_the_limit() {
    let mut controller = Controller::new(FIRST_RATE, 1);
    let day = Span::from_h(24);
    controller.quotas.push(Quota::new(day, 1_000, 3));
    let mut now = sends(&mut controller, 0.0, 500, 1.0);
    for wave in 1..=4 {
        let refused = second(now);
        controller.state = State::Canary;
        controller.rest =
            Some(Rest { canaries: 1, tried: second(now + 60.0), pace: Some(1.0), ..rest(refused) });
        controller.reopen(second(now + 600.0), second(now + 600.0));
        let is_disproved = |(_, of): &(Instant, Decision)| matches!(of, Decision::Disproved { .. });
        assert_eq!(controller.decisions.iter().any(is_disproved), wave == 4, "{wave}");
        assert_eq!(controller.quotas.iter().any(|quota| quota.window == day), wave < 4, "{wave}");
        now = sends(&mut controller, now + 600.0, 300, 1.0);
    }
}
