//! Whole rehearsals: the same bytes every time, and what they look like.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod boxes;
mod contact;
mod first;
mod golden;
mod in_turn;
mod learned;
mod oracle;
mod outcomes;
mod peers;
mod strangers;

use std::sync::{Arc, LazyLock};

use postlane_receivers::Scenario;
use postlane_rehearsal::{Engine, Outcome, Policy, Rehearsal, Tracing};

/// Ten messages, of which a receiver takes two a minute and says so from the third on.
const TINY: &str = r#"
[meta]
id = "tiny"
title = "two a minute"
horizon = "1h"
seed = 7
[sender]
ips = ["ip1"]
[[mail]]
class = "engaged"
count = 8
max_age = "50m"
[[mail]]
class = "transactional"
rate = "20/h"
to = "6m"
[receiver]
site = "mx.tiny.example"
[[receiver.limit]]
id = "minute"
kind = "sliding"
key = ["ip"]
quota = 2
window = "1m"
stage = "connect"
reply = "421 4.7.0 Too many messages, slow down"
penalty = { after = 4, within = "1m", hold = "5m" }
"#;

/// Reading the rules takes longer than the runs.
static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| Arc::new(Engine::built_in()));

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text).unwrap()
}

fn rehearse(text: &str, policies: &[Policy], seeds: u64, threads: usize) -> Vec<Outcome> {
    Rehearsal {
        scenarios: vec![scenario(text)],
        policies: policies.to_vec(),
        engine: Arc::clone(&ENGINE),
        seeds,
        tracing: Tracing::On,
        threads,
    }
    .perform(&|| {})
    .unwrap()
}

/// Everything an outcome prints and writes.
fn bytes(outcomes: &[Outcome]) -> String {
    let mut all = String::new();
    for outcome in outcomes {
        all.push_str(&serde_json::to_string_pretty(&outcome.summary).unwrap());
        for left in &outcome.runs {
            all.push_str(std::str::from_utf8(left.trace.as_ref().unwrap()).unwrap());
        }
    }
    all
}

#[test]
fn the_same_file_and_seed_give_the_same_bytes_on_any_number_of_threads() {
    let policies = [
        Policy::Lane,
        Policy::Postfix,
        Policy::KumoTsa,
        Policy::Pmta,
        Policy::Aimd,
        Policy::Oracle,
    ];
    let once = bytes(&rehearse(TINY, &policies, 3, 1));
    assert_eq!(once, bytes(&rehearse(TINY, &policies, 3, 4)));
    assert_eq!(once, bytes(&rehearse(TINY, &policies, 3, 4)));
}

#[test]
fn another_seed_is_another_run() {
    let outcomes = rehearse(TINY, &[Policy::Static], 2, 2);
    let traces: Vec<_> = outcomes[0].runs.iter().map(|left| left.trace.as_ref().unwrap()).collect();
    assert_eq!(outcomes[0].runs[0].run.seed, 7_000);
    assert_ne!(traces[0], traces[1]);
}
