//! Too many unknown recipients: nothing is taken for a time.

use postlane_receivers::{Addressee, Cause};

use super::bench::{Bench, limit};

fn a_third_of_four(more: &str) -> String {
    limit("u", &format!("kind = \"ratio\"\nratio = 0.34\nmin_n = 4\nwindow = \"1h\"\n{more}"))
}

const HOUR: u64 = 3_600_000;

fn send(bench: &mut Bench, at: u64, known: bool) -> Cause {
    bench.send_to(0, at, Addressee { number: 1, known }).cause
}

fn is_blocked(cause: Cause) -> bool {
    matches!(cause, Cause::Limit { .. })
}

#[test]
fn above_the_share_nothing_is_taken_for_an_hour_and_then_the_record_is_empty() {
    let mut bench = Bench::new(&a_third_of_four(""));
    for known in [true, true, false] {
        assert!(!is_blocked(send(&mut bench, 0, known)));
    }
    // Two of four are more than the share: this one was judged before it was written down.
    assert_eq!(send(&mut bench, 0, false), Cause::UnknownRecipient);
    assert!(is_blocked(send(&mut bench, 1, true)));
    assert!(is_blocked(send(&mut bench, HOUR - 1, true)));
    assert_eq!(send(&mut bench, HOUR, true), Cause::Accepted);
}

#[test]
fn too_few_are_no_share_and_the_share_itself_is_not_too_much() {
    let mut bench = Bench::new(&a_third_of_four(""));
    for known in [false, false, false] {
        assert!(!is_blocked(send(&mut bench, 0, known)));
    }
    let mut bench = Bench::new(&a_third_of_four("").replace("0.34", "0.25"));
    for known in [false, true, true, true, true] {
        assert!(!is_blocked(send(&mut bench, 0, known)));
    }
}

#[test]
fn who_was_written_to_a_window_ago_no_longer_counts() {
    let mut bench = Bench::new(&a_third_of_four(""));
    send(&mut bench, 0, false);
    send(&mut bench, 0, false);
    for _ in 0..4 {
        assert_eq!(send(&mut bench, HOUR, true), Cause::Accepted);
    }
    assert_eq!(send(&mut bench, HOUR, false), Cause::UnknownRecipient);
    assert_eq!(send(&mut bench, HOUR, true), Cause::Accepted);
}

#[test]
fn blocked_messages_are_written_down_too() {
    let mut bench = Bench::new(&a_third_of_four("min_delay = \"10m\""));
    for _ in 0..4 {
        send(&mut bench, 0, false);
    }
    // Blocked until 10 min. These are refused, and four unknown of five at its end are too many.
    for _ in 0..4 {
        assert!(is_blocked(send(&mut bench, 1, false)));
    }
    assert_eq!(send(&mut bench, 600_000, true), Cause::Accepted);
    assert!(is_blocked(send(&mut bench, 600_001, true)));
}
