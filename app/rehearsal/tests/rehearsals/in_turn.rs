//! Runs one after another, with somebody who looks on.

use std::sync::{Arc, Mutex};

use postlane_rehearsal::{
    Going, Look, Picture, Policy, Rehearsal, RunError, Sight, Suggestion, Tracing,
};

use crate::{ENGINE, TINY, rehearse, scenario};

const POLICIES: [Policy; 4] = [Policy::Lane, Policy::LaneWarm, Policy::Oracle, Policy::Static];

fn planned(text: &str, seeds: u64) -> Rehearsal {
    Rehearsal {
        scenarios: vec![scenario(text)],
        policies: POLICIES.to_vec(),
        engine: Arc::clone(&ENGINE),
        seeds,
        tracing: Tracing::Off,
        threads: 1,
    }
}

#[test]
fn runs_in_turn_come_to_what_runs_at_once_come_to_to_the_byte() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&seen);
    let look = Look::new(move |sight| {
        match sight {
            Sight::Run { policy, is_over: true, run, .. } => {
                let picture = Picture::of(&scenario(TINY), run, 60);
                assert_eq!(picture.accepted.len(), picture.refused.len());
                told.lock().unwrap().push(policy.to_string());
            }
            Sight::Run { .. } => {}
            Sight::Sums(sums) => told.lock().unwrap().push(format!("{} sums", sums.len())),
        }
        Going::On
    });
    let in_turn = planned(TINY, 2).in_turn(&look).unwrap();
    let at_once = rehearse(TINY, &POLICIES, 2, 4);
    let bytes = |sum| serde_json::to_string(sum).unwrap();
    let in_turn: Vec<String> = in_turn.iter().map(bytes).collect();
    let at_once: Vec<String> = at_once.iter().map(|outcome| bytes(&outcome.summary)).collect();
    assert_eq!(in_turn, at_once);
    let round = ["oracle", "lane", "lane-warm", "static", "4 sums"];
    assert_eq!(*seen.lock().unwrap(), [round, round].concat());
}

#[test]
fn whoever_looks_on_may_stop_it_in_the_middle_of_a_run() {
    let (_, long) = postlane_receivers::builtin()[0];
    let look = Look::new(|sight| match sight {
        Sight::Run { policy: Policy::Oracle, .. } => Going::On,
        Sight::Run { is_over, run, .. } => {
            assert!(!is_over && run.ended < scenario(long).meta.horizon);
            Going::Stop
        }
        Sight::Sums(_) => panic!("it was stopped"),
    });
    assert!(matches!(planned(long, 1).in_turn(&look), Err(RunError::Stopped)));
}

#[test]
fn what_the_lanes_learned_is_suggested_and_holds_when_it_is_told() {
    let found = Arc::new(Mutex::new(None));
    let told = Arc::clone(&found);
    let (_, strict) = postlane_receivers::builtin()[0];
    let look = Look::new(move |sight| {
        if let Sight::Run { policy: Policy::Lane, is_over: true, run, .. } = sight {
            let suggestion = Suggestion::of(&scenario(strict), &ENGINE.knowledge, &run.believed);
            *told.lock().unwrap() = Some(suggestion);
        }
        Going::On
    });
    let plan = planned(strict, 1);
    let before = plan.in_turn(&look).unwrap();
    let suggestion = found.lock().unwrap().take().unwrap();
    // The scenario allows 250 an hour, and 40 % of that without an aligned identity.
    let rate = suggestion.rate.unwrap();
    assert_eq!(rate.per(), postlane_mail::Span::from_h(1));
    assert!((95..=100).contains(&rate.messages()), "{suggestion:?}");
    assert!(suggestion.to_toml(&[]).starts_with("[lane.\"united-internet\"]"));
    let engine = Arc::new(suggestion.engine(&ENGINE));
    let told = Rehearsal { engine, ..plan }.in_turn(&Look::new(|_| Going::On)).unwrap();
    let refused = |sums: &[postlane_rehearsal::Summary]| sums[0].r4xx_per_delivered().unwrap();
    assert!(refused(&told) <= refused(&before), "{} {}", refused(&told), refused(&before));
}
