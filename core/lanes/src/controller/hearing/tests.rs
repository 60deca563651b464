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
    controller.rest = Some(Rest {
        refused,
        began: refused - Span::from_min(1),
        pace: None,
        hint: None,
        first: Span::from_s(60),
        canaries: 0,
        urgent: 0,
        followed: 0,
        tried,
        window: None,
        asks: None,
        doubt: None,
        was_asked: false,
        explained: Some(0),
    });
    assert!(controller.next_canary(tried) >= tried);
}
