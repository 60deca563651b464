//! Pauses: no burst follows one, and what waits for one to end is not an attempt.

use std::collections::BTreeMap;

use crate::runs::{SEEDS, events, hold};
use crate::scenarios::{MIXED, OPEN, all, scenario};
use crate::trace::{Event, What};

#[test]
fn at_most_one_message_goes_within_the_first_gap_after_a_rest() {
    hold(&all(), |events| {
        let mut rests: BTreeMap<String, bool> = BTreeMap::new();
        for (place, Event { t_ms, what }) in events.iter().enumerate() {
            let What::Lane { source, state, rate, .. } = what else { continue };
            let rested = rests.insert(source.clone(), state == "resting") == Some(true);
            if !rested || state == "resting" || *rate <= 0.0 {
                continue;
            }
            // Gaps are drawn within five percent of their mean.
            let until = t_ms + (900.0 / rate) as u64;
            let behind = events[place..].iter().take_while(|event| event.t_ms < until);
            let goes = |event: &&Event| matches!(&event.what, What::Dispatch { source: from, .. } if from == source);
            let many = behind.filter(goes).count();
            assert!(many <= 1, "{many} within a gap after {t_ms} ms at {rate}/s");
        }
    });
}

fn paused() -> String {
    let receiver = format!(
        "{OPEN}\n[[operator]]\nat = \"10m\"\ncommand = \"pause open.example\"\n\
         [[operator]]\nat = \"3h\"\ncommand = \"resume open.example\"\n"
    );
    scenario("paused", "10h", r#"ips = ["ip1"]"#, MIXED, &receiver)
}

#[test]
fn what_an_order_holds_is_tried_when_that_ends_and_has_lost_no_attempt() {
    for seed in 0..SEEDS {
        let mut tried: BTreeMap<u64, u32> = BTreeMap::new();
        let mut arrived = 0;
        for Event { t_ms, what } in events(&paused(), seed) {
            match what {
                What::Arrival { .. } => arrived += 1,
                What::Dispatch { msg, .. } => {
                    let under_way = 10 * 60_000 + 2_000;
                    assert!(!(under_way..3 * 3_600_000).contains(&t_ms), "sent at {t_ms} ms");
                    *tried.entry(msg).or_default() += 1;
                }
                What::Ended { msg } => panic!("{msg} was given up"),
                _ => {}
            }
        }
        assert_eq!(tried.len(), arrived);
        assert!(tried.values().all(|times| *times == 1));
    }
}
