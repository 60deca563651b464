use super::*;
use crate::controller::FIRST_RATE;

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

fn rest(refused: Instant) -> Rest {
    Rest {
        refused,
        began: refused - Span::from_min(1),
        pace: None,
        hint: None,
        first: Span::from_s(60),
        canaries: 0,
        urgent: 0,
        followed: 0,
        tried: refused,
        window: None,
        asks: None,
        doubt: None,
        was_asked: false,
        explained: None,
    }
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
