use super::*;
use crate::controller::FIRST_RATE;
pub(in crate::controller) use crate::rest::tests::rest;

/// A lane without mail asks late: the quota's window is long over when its canary is refused.
#[test]
fn a_canary_that_is_refused_after_its_quotas_window_is_followed_by_a_later_one() {
    let mut controller = Controller::new(FIRST_RATE, 1);
    let refused = Instant::from_unix_s(1_000_000);
    for s in 0..20 {
        controller.counted.accepted.record(refused - Span::from_s(20 - s));
    }
    let window = Span::from_min(10);
    controller.quotas.push(Quota::new(window, 20, 2));
    let tried = refused + window.times(3);
    controller.rest = Some(Rest { explained: Some(0), tried, ..rest(refused) });
    assert!(controller.next_canary(tried) >= tried);
}

/// Ten were accepted, one each second, and two more refused, which the provider may count.
#[test]
fn as_much_more_leaves_a_window_before_the_canary_as_was_refused_where_that_counts() {
    let mut controller = Controller::new(FIRST_RATE, 1);
    let at = |s| Instant::from_unix_s(1_000_000) + Span::from_s(s);
    for s in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10] {
        controller.counted.all.record(at(s));
    }
    (0..10).for_each(|s| controller.counted.accepted.record(at(s)));
    let quota = Quota::new(Span::from_min(10), 10, 2);
    controller.quotas.push(quota);
    let opens = |left| at(left) + with_margin(quota.window);
    let rested = Rest { explained: Some(0), ..rest(at(10)) };
    assert_eq!(controller.canary_of(&quota, &rested).0, opens(2));
    controller.transactional.record(at(9));
    assert_eq!(controller.canary_of(&quota, &rested).0, opens(0));
    // One had left, and its canary was refused: what was refused before it counts.
    controller.rest = Some(rested);
    controller.counted.all.record(opens(0));
    controller.canary_refused(opens(0), opens(0));
    assert_eq!(controller.counts_refused, Some(true));
    let tried = controller.rest.expect("it rests on");
    assert_eq!((tried.canaries, controller.canary_of(&quota, &tried).0), (0, opens(3)));
    // Four had, and still: that was not why.
    controller.counted.all.record(opens(3));
    controller.canary_refused(opens(3), opens(3));
    assert_eq!(controller.counts_refused, None);
}

/// Half of a day's quota was used: that it fell is one explanation, a limit of minutes is another.
#[test]
fn minutes_are_asked_for_before_a_part_of_a_days_window_is_waited_for() {
    let mut controller = Controller::new(FIRST_RATE, 1);
    let refused = Instant::from_unix_s(1_000_000);
    for min in 0..50 {
        controller.counted.accepted.record(refused - Span::from_min(50 - min));
    }
    controller.quotas.push(Quota::new(Span::from_h(24), 100, 2));
    let mut next = |canaries| {
        let tried = refused + Span::from_min(1);
        controller.rest = Some(Rest { canaries, tried, ..rest(refused) });
        controller.next_canary(tried).since(refused)
    };
    assert!((1..=SHORT_FIRST).all(|canaries| next(canaries) < Span::from_h(4)));
    assert!(next(1) < Span::from_min(15));
    assert!(next(SHORT_FIRST + 1) > Span::from_h(23));
}

/// Whoever is greylisted has not been told whether the quota takes more.
#[test]
fn what_asked_and_was_told_something_else_leaves_the_question_open_to_be_asked_again() {
    let mut controller = Controller::new(FIRST_RATE, 1);
    let now = Instant::from_unix_s(1_000_000);
    let window = Span::from_h(1);
    let asked = Some(Asked::Quota { window, at: now, question: Question::More });
    let mut heard = Heard {
        signal: Signal::Connected,
        sent: now,
        stream: Stream::Engaged,
        attempts: 0,
        carried: 0,
        open: 1,
    };
    (controller.state, controller.asked) = (State::Normal, asked);
    controller.hear(now, &heard);
    assert_eq!(controller.asked, asked);
    heard.signal = Signal::Greylist;
    controller.hear(now, &Heard { sent: now - Span::from_s(1), ..heard });
    assert_eq!(controller.asked, asked);
    controller.hear(now, &heard);
    assert_eq!(controller.asked, None);
}

/// What a lane with half of its quota used hears, once before and once after a canary: the quota then, and
/// the rate by the one before.
fn after_a_rest(signal: Signal, served: Span) -> (Option<u32>, f64) {
    let mut controller = Controller::new(FIRST_RATE, 1);
    let began = Instant::from_unix_s(1_000_000);
    let window = Span::from_min(30);
    let mut heard = Heard {
        signal: Signal::Accepted,
        sent: began,
        stream: Stream::Engaged,
        attempts: 0,
        carried: 0,
        open: 1,
    };
    (controller.state, controller.began) = (State::Normal, began);
    controller.quotas.push(Quota::new(window, 20, 2));
    controller.pace.keep_to(0.01, began);
    let refused = began + served;
    for min in 0..10 {
        heard.sent = refused - Span::from_min(10 - min);
        controller.hear(heard.sent, &heard);
    }
    let before = controller.rate();
    (heard.signal, heard.sent) = (signal, refused);
    controller.hear(refused, &heard);
    controller.state = State::Canary;
    heard.sent = refused + Span::from_min(1);
    controller.hear(heard.sent, &heard);
    controller.state = State::Canary;
    (heard.signal, heard.sent) = (Signal::Accepted, refused + Span::from_min(40));
    controller.hear(heard.sent, &heard);
    assert_eq!(controller.state, State::Normal);
    (controller.quotas.first().map(|quota| quota.messages), controller.rate() / before)
}

#[test]
fn a_quota_with_room_stands_and_so_does_the_rate_where_the_host_was_out_of_service() {
    let hint = Hint::default();
    let (quota, rate) = after_a_rest(Signal::Outage { hint }, Span::from_h(1));
    assert_eq!(quota, Some(20));
    assert!((rate - 1.0).abs() < 1e-9, "{rate}");
}

#[test]
fn out_of_service_again_after_a_few_minutes_may_be_a_limit_in_those_words() {
    let hint = Hint::default();
    let fell = after_a_rest(Signal::Rate { hint }, Span::from_h(1));
    assert!(fell.0.is_none_or(|messages| messages < 20), "{fell:?}");
    assert_eq!(after_a_rest(Signal::Outage { hint }, Span::from_min(20)), fell);
}

/// A hundred were accepted in five minutes, and one more was refused.
fn filled(quota: Quota) -> (Controller, Instant) {
    let mut controller = Controller::new(FIRST_RATE, 1);
    let refused = Instant::from_unix_s(1_000_000) + Span::from_min(5);
    for s in (1..=100).rev() {
        controller.counted.accepted.record(refused - Span::from_s(3 * s));
        controller.counted.all.record(refused - Span::from_s(3 * s));
    }
    controller.quotas.push(quota);
    (controller, refused)
}

/// Less than a window's worth waits, and all of it for the window to open.
#[test]
fn what_is_left_asks_for_a_shorter_window_where_the_quota_was_full_to_the_last() {
    let quota = Quota { least: Span::from_min(20), ..Quota::new(Span::from_h(3), 100, 2) };
    let (mut controller, refused) = filled(quota);
    let asked = |controller: &Controller, is_full| {
        let rest = Rest { explained: Some(0), is_full, ..rest(refused) };
        controller.canary_of(&quota, &rest).1
    };
    controller.expect(60);
    assert_eq!(asked(&controller, true), Some(Question::Shorter));
    assert_eq!(asked(&controller, false), None, "another limit may have refused");
    controller.expect(39);
    assert_eq!(asked(&controller, true), None, "a refusal would be too much of what is left");
}

/// Who counts refusals counts those of some minutes: a rest of minutes has one question, one of hours several.
#[test]
fn a_rest_of_minutes_has_one_question() {
    let asks_again = |window, least| {
        let quota = Quota { least, ..Quota::new(window, 100, 2) };
        let (mut controller, refused) = filled(quota);
        controller.expect(10_000);
        let mut rest = Rest { explained: Some(0), is_full: true, ..rest(refused) };
        assert!(controller.canary_of(&quota, &rest).1.is_some(), "{window:?}");
        rest.tried = refused + Span::from_s(1);
        controller.canary_of(&quota, &rest).1.is_some()
    };
    assert!(!asks_again(Span::from_min(15), Span::from_min(5)));
    assert!(asks_again(Span::from_h(3), Span::from_min(20)));
}

/// One canary was accepted in the middle of a day, and what went after it was refused at once.
#[test]
fn a_clock_that_one_canary_told_of_is_none_where_the_next_are_refused() {
    let (to, day) = (Instant::from_unix_s(1_000_000) + Span::from_h(12), Span::from_h(24));
    let reset = Reset::Clock { from: to - Span::from_h(11), to };
    let (mut controller, _) = filled(Quota { reset, ..Quota::new(day, 100, 2) });
    controller.counted.accepted.record(to);
    let cause = |controller: &mut Controller, sent| {
        controller.explanation(sent, sent, Hint::default(), false).map(|cause| cause.place)
    };
    let mut later = controller.clone();
    assert_eq!(cause(&mut controller, to + Span::from_min(2)), Some(0));
    assert_eq!(controller.quotas[0].reset, Reset::Slides);
    // A clock that has held for a window is not doubted for one refusal.
    let much_later = to + day + Span::from_min(2);
    assert_eq!(cause(&mut later, much_later), None);
    assert_eq!(later.quotas[0].reset, reset);
}

/// A hundred in five minutes fill a window of ten; one yes had made two minutes of it, of which forty are
/// forty.
#[test]
fn a_refusal_that_a_shorter_window_does_not_explain_is_the_longer_ones() {
    let ten = Span::from_min(10);
    let mut quota = Quota { least: Span::from_min(1), ..Quota::new(ten, 100, 2) };
    quota.shorten(false);
    for (says_outage, window) in [(false, ten), (true, quota.window)] {
        let (mut controller, refused) = filled(quota);
        let cause = controller.explanation(refused, refused, Hint::default(), says_outage);
        assert_eq!(cause.map(|cause| cause.is_full), (!says_outage).then_some(true));
        assert_eq!(controller.quotas[0].window, window);
    }
}

/// A hundred in an hour, five yeses to more than that in a row, and then a refusal that was no question.
#[test]
fn a_run_of_yeses_ends_with_the_next_refusal() {
    let mut controller = Controller::new(FIRST_RATE, 1);
    let hour = Span::from_h(1);
    let now = Instant::from_unix_s(1_000_000);
    for s in 0..150 {
        controller.counted.accepted.record(now - Span::from_s(150 - s));
    }
    let mut quota = Quota::new(hour, 160, 2);
    (quota.question.run, quota.question.held) = (5, 100);
    controller.quotas.push(quota);
    let cause = controller.explanation(now, now, Hint::default(), false);
    assert_eq!(cause.map(|cause| cause.place), Some(0));
    let question = controller.quotas[0].question;
    assert_eq!((question.run, question.held), (0, 0));
    assert!(question.not_before > now && question.not_before < now + hour);
}
