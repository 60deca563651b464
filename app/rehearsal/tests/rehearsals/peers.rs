//! The peers: what their documentation says, seen from outside.

use postlane_rehearsal::{Policy, Run};

use crate::rehearse;

/// A batch for a receiver with that limit, or none.
fn scenario(count: u32, receiver: &str) -> String {
    format!(
        "[meta]\nid = \"p\"\nhorizon = \"2h\"\n[sender]\nips = [\"ip1\"]\n[[mail]]\n\
         class = \"engaged\"\ncount = {count}\n[receiver]\nsite = \"mx.p.example\"\n{receiver}\n"
    )
}

/// A receiver that is full after the first few, and says so at that stage in these words.
fn full(quota: u32, stage: &str, reply: &str) -> String {
    format!(
        "[[receiver.limit]]\nid = \"l\"\nkind = \"sliding\"\nkey = [\"ip\"]\nquota = {quota}\n\
         window = \"1d\"\nstage = \"{stage}\"\nreply = \"{reply}\""
    )
}

fn run(policy: Policy, text: &str) -> Run {
    let mut outcomes = rehearse(text, &[policy], 1, 1);
    outcomes.remove(0).runs.remove(0).run
}

/// Dispatches from one minute to before another.
fn attempts(run: &Run, from: u64, to: u64) -> u32 {
    run.minutes.range(from..to).map(|(_, minute)| minute.attempts).sum()
}

#[test]
fn a_static_lane_sends_two_a_minute_whatever_happens() {
    let open = run(Policy::Static, &scenario(200, ""));
    let shut = run(Policy::Static, &scenario(200, &full(10, "rcpt", "450 4.7.1 too much")));
    for run in [open, shut] {
        assert_eq!(attempts(&run, 0, 60), 120);
    }
}

#[test]
fn postfix_leaves_a_destination_alone_whose_door_is_shut() {
    let shut = run(Policy::Postfix, &scenario(500, &full(1, "connect", "421 4.7.0 no")));
    // One is taken; then as many fail as make a failed cohort, and what was open besides.
    let first = attempts(&shut, 0, 5);
    assert!((5..=20).contains(&first), "{first}");
    assert!(shut.attempts < 500, "{}", shut.attempts);
}

#[test]
fn to_postfix_a_refusal_at_rcpt_says_nothing_of_the_destination() {
    let full = run(Policy::Postfix, &scenario(500, &full(1, "rcpt", "450 4.7.1 too much")));
    assert!(attempts(&full, 0, 5) >= 500, "every message is tried at once");
    assert!(attempts(&full, 5, 11) >= 499, "and again when it has waited 300 seconds");
}

#[test]
fn kumomta_crawls_for_ninety_minutes_after_certain_words() {
    let words = "421 4.7.0 Messages from 203.0.113.7 temporarily deferred";
    let run = run(Policy::KumoTsa, &scenario(500, &full(50, "rcpt", words)));
    let while_it_holds = attempts(&run, 2, 62);
    assert!((55..=61).contains(&while_it_holds), "{while_it_holds}");
}

#[test]
fn powermta_sends_ten_a_minute_in_backoff_mode() {
    let words = "421 4.7.0 too many messages";
    let run = run(Policy::Pmta, &scenario(2_000, &full(50, "rcpt", words)));
    let while_it_holds = attempts(&run, 2, 62);
    assert!((590..=601).contains(&while_it_holds), "{while_it_holds}");
}
