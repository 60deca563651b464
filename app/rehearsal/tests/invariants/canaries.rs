//! A lane that rests sends one message at a time, and no two lanes ask at the same moment.

use std::collections::{BTreeMap, BTreeSet};

use crate::runs::{SEEDS, events, hold};
use crate::scenarios::all;
use crate::trace::{Event, What};

/// What is known of a lane while a trace is read.
#[derive(Debug, Default)]
struct Lane {
    rests: bool,
    in_flight: BTreeSet<u64>,
}

/// Follows lanes; says of each dispatch whether its lane rests and what else is in flight.
fn follow(events: &[Event], mut each: impl FnMut(u64, &str, bool, usize)) {
    let mut lanes: BTreeMap<String, Lane> = BTreeMap::new();
    for Event { t_ms, what } in events {
        match what {
            What::Lane { source, state, .. } => {
                lanes.entry(source.clone()).or_default().rests = state == "resting";
            }
            What::Dispatch { source, msg, .. } => {
                let lane = lanes.entry(source.clone()).or_default();
                each(*t_ms, source, lane.rests, lane.in_flight.len());
                lane.in_flight.insert(*msg);
            }
            What::Reply { source, msg: Some(msg), code, .. } => {
                let lane = lanes.entry(source.clone()).or_default();
                lane.in_flight.remove(msg);
                // A canary that is accepted reopens the lane before that is written down.
                if *code == 250 {
                    lane.rests = false;
                }
            }
            _ => {}
        }
    }
}

#[test]
fn a_resting_lane_has_at_most_one_message_in_flight() {
    hold(&all(), |events| {
        let mut canaries = 0;
        follow(events, |t_ms, source, rests, in_flight| {
            if rests {
                canaries += 1;
                assert_eq!(in_flight, 0, "{source} rests at {t_ms} ms");
            }
        });
        eprintln!("{canaries} canaries");
    });
}

#[test]
fn no_two_lanes_send_their_canaries_at_one_moment() {
    let outage: Vec<String> = all().into_iter().filter(|text| text.contains("outage")).collect();
    for text in outage {
        let mut first: BTreeSet<u64> = BTreeSet::new();
        let mut seen = 0;
        for seed in 0..SEEDS {
            let mut of_run: BTreeMap<String, u64> = BTreeMap::new();
            follow(&events(&text, seed), |t_ms, source, rests, _| {
                if rests {
                    of_run.entry(source.to_owned()).or_insert(t_ms);
                }
            });
            seen += of_run.len();
            first.extend(of_run.into_values());
        }
        assert!(seen > 0, "nobody sent a canary");
        assert_eq!(first.len(), seen, "{first:?}");
    }
}
