//! What a lane confirms is what the receiver keeps.

use postlane_rehearsal::{Policy, Run, Tracing, run};

use crate::{ENGINE, scenario};

/// A scenario of ours, the window it counts in and how many it takes in it, before it changes.
struct Truth {
    text: &'static str,
    window: &'static str,
    messages: f64,
    until_ms: u64,
}

const HOUR_MS: u64 = 3_600_000;

/// What was confirmed last until then: messages and their window.
fn confirmed(run: &Run, until_ms: u64) -> Option<(f64, String)> {
    let before = run.lanes.iter().rev().filter(|mark| mark.at.0 < until_ms);
    let confirmed = before.filter_map(|mark| mark.reason.strip_prefix("confirmed: "));
    let (messages, window) = confirmed.into_iter().next()?.split_once(" messages in ")?;
    Some((messages.parse().ok()?, window.to_owned()))
}

#[test]
fn what_is_confirmed_is_within_a_twentieth_of_the_truth() {
    let truths = [
        // 250, of which an unaligned sender gets two fifths.
        Truth {
            text: include_str!("../../../../examples/receivers/p01-webde.toml"),
            window: "1h",
            messages: 100.0,
            until_ms: u64::MAX,
        },
        Truth {
            text: include_str!("../../../../examples/receivers/p08-greylist.toml"),
            window: "10m",
            messages: 200.0,
            until_ms: u64::MAX,
        },
        Truth {
            text: include_str!("../../../../examples/receivers/p12-limit-drop.toml"),
            window: "10m",
            messages: 500.0,
            until_ms: 2 * HOUR_MS,
        },
    ];
    for Truth { text, window, messages, until_ms } in truths {
        let scenario = scenario(text);
        let seed = scenario.run_seed(1);
        let left = run(&scenario, Policy::Lane, &ENGINE, seed, Tracing::Off).unwrap();
        let (found, in_window) = confirmed(&left.run, until_ms).unwrap();
        assert_eq!(in_window, window, "{}", scenario.meta.id);
        let off = (found - messages).abs() / messages;
        assert!(off <= 0.05, "{}: {found}", scenario.meta.id);
    }
}
