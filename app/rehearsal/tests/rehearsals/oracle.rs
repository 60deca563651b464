//! The oracle: what its figures are by arithmetic.

use postlane_rehearsal::{Measures, Policy};

use crate::rehearse;

/// One source, one batch, one limit; instant connections would make the times exact, so the bounds
/// leave a second for them.
fn batch(count: u32, limit: &str) -> String {
    format!(
        "[meta]\nid = \"o\"\nhorizon = \"3d\"\n[sender]\nips = [\"ip1\"]\n[[mail]]\n\
         class = \"engaged\"\ncount = {count}\n[receiver]\nsite = \"mx.o.example\"\n\
         [[receiver.limit]]\nid = \"l\"\nkey = [\"ip\"]\nreply = \"421 no\"\n{limit}\n"
    )
}

fn t99_s(text: &str) -> f64 {
    let outcomes = rehearse(text, &[Policy::Oracle], 1, 1);
    let measures = Measures::of(&outcomes[0].runs[0].run);
    assert_eq!(measures.r4xx, Some(0.0), "the oracle is never refused");
    measures.t99.unwrap().as_s_f64()
}

fn assert_about(is: f64, wanted: f64) {
    assert!((wanted..wanted + 2.0).contains(&is), "{is} is not just after {wanted}");
}

#[test]
fn a_sliding_window_is_filled_the_moment_it_has_room() {
    // 100 at once, the next when they leave the window; the 248th in the third lot.
    let limit = "kind = \"sliding\"\nquota = 100\nwindow = \"1h\"";
    let t99 = t99_s(&batch(250, limit));
    assert!((7_200.0..7_220.0).contains(&t99), "{t99}");
}

#[test]
fn a_fixed_window_is_filled_when_its_clock_says() {
    let limit = "kind = \"fixed\"\nquota = 10\nwindow = \"1h\"\nphase = \"20m\"";
    assert_about(t99_s(&batch(25, limit)), 1_200.0 + 3_600.0);
}

#[test]
fn a_bucket_is_emptied_as_it_is_filled() {
    // The 99th of 100: ten at once, then one a minute.
    let limit = "kind = \"bucket\"\nquota = 10\nrate = \"1/m\"";
    assert_about(t99_s(&batch(100, limit)), 89.0 * 60.0);
}

#[test]
fn a_window_keeps_room_for_transactional_mail_that_is_foreseen() {
    let text = batch(50, "kind = \"sliding\"\nquota = 10\nwindow = \"1h\"").replace(
        "[receiver]",
        "[[mail]]\nclass = \"transactional\"\nrate = \"4/h\"\nto = \"4h\"\n[receiver]",
    );
    let outcomes = rehearse(&text, &[Policy::Oracle], 3, 2);
    for left in &outcomes[0].runs {
        let measures = Measures::of(&left.run);
        assert!(measures.tx_p99.unwrap().as_s_f64() < 2.0, "{measures:?}");
    }
}

#[test]
fn a_greylisted_message_comes_again_when_it_may() {
    let text =
        batch(3, "kind = \"greylist\"\nmin_delay = \"5m\"").replace("\"ip\"]", "\"ip\", \"rcpt\"]");
    let outcomes = rehearse(&text, &[Policy::Oracle], 1, 1);
    let measures = Measures::of(&outcomes[0].runs[0].run);
    assert_about(measures.t99.unwrap().as_s_f64(), 300.0);
    assert_eq!((measures.attempts, measures.r4xx), (6, Some(0.0)));
}
