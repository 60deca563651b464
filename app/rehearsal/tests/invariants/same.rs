//! The same file and seed: the same bytes.

use postlane_rehearsal::Policy;

use crate::restarts::crashing;
use crate::runs::left;
use crate::scenarios::all;

#[test]
fn the_same_file_and_seed_leave_the_same_bytes() {
    let mut scenarios = all();
    scenarios.push(crashing());
    for text in scenarios {
        for policy in [Policy::Lane, Policy::LaneWarm] {
            let [first, second] = [1, 1].map(|seed| left(&text, seed, policy));
            assert_eq!(first.run, second.run);
            assert!(first.trace == second.trace, "traces differ");
        }
    }
}

#[test]
fn another_seed_is_another_run() {
    let text = &all()[0];
    let [first, second] = [1, 2].map(|seed| left(text, seed, Policy::Lane));
    assert!(first.trace != second.trace);
}
