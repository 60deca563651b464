//! Scenarios as a stranger may write them: whatever can be read can be run, looked at, and suggested
//! of, without a panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use postlane_receivers::{Ms, Scenario, builtin};
use postlane_rehearsal::{
    Going, Look, Picture, Policy, Rehearsal, RunError, Sight, Suggestion, Tracing, decisions,
};

use crate::ENGINE;

/// Numbers that are put in the place of others: limits of words and of time, nothing, and a lot.
const ODD: [&str; 9] = ["0", "1", "2", "7", "64", "255", "1000000", "4294967295", "0.000001"];

/// Looks after which a run is over. The first thousands of steps have met every part of a scenario.
const LOOKS_MAX: u32 = 8;

/// A text in which some numbers are others: which, and by which, hangs on `seed`.
fn changed(text: &str, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        out.push_str(before);
        let is_changed = draw(8) == 0;
        let odd = ODD.get(draw(ODD.len() as u64) as usize).copied().unwrap_or("1");
        out.push_str(if is_changed { odd } else { number.get(..end).unwrap_or_default() });
        rest = number.get(end..).unwrap_or_default();
    }
    out + rest
}

/// Whoever looks on for a while.
fn look(scenario: &Scenario) -> Look {
    let looks = AtomicU32::new(0);
    let seen = scenario.clone();
    Look::new(move |sight| {
        if let Sight::Run { run, policy, .. } = sight {
            let picture = Picture::of(&seen, run, 40);
            assert!(picture.accepted.len() <= 40, "{policy}");
            decisions(&seen, run, 10);
            Suggestion::of(&seen, &ENGINE.knowledge, &run.believed).to_toml(&[]);
        }
        match looks.fetch_add(1, Ordering::Relaxed) < LOOKS_MAX {
            true => Going::On,
            false => Going::Stop,
        }
    })
}

fn run(scenario: &Scenario) {
    for policy in Policy::ALL {
        let rehearsal = Rehearsal {
            scenarios: vec![scenario.clone()],
            policies: vec![policy],
            engine: Arc::clone(&ENGINE),
            seeds: 1,
            tracing: Tracing::Off,
            threads: 1,
        };
        match rehearsal.in_turn(&look(scenario)) {
            Ok(_) | Err(RunError::Stopped | RunError::Command(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn whatever_can_be_read_can_be_run() {
    let seeds = std::env::var("POSTLANE_STRANGERS").ok().and_then(|many| many.parse().ok());
    let mut read = 0;
    for seed in 0..seeds.unwrap_or(4_u64) {
        for (name, text) in builtin() {
            let text = changed(text, seed * 1_000 + name.len() as u64);
            let Ok(scenario) = Scenario::parse(&text) else { continue };
            let is_small =
                scenario.messages_expected() <= 20_000.0 && scenario.sender.ips.len() <= 64;
            if is_small && scenario.meta.horizon <= Ms(31 * Ms::DAY.0) {
                eprintln!("{name} changed by {seed}");
                run(&scenario);
                read += 1;
            }
        }
    }
    assert!(read >= 10, "{read} of them can be read");
}
