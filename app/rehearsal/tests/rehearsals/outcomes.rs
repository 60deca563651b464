//! What is counted, and who passes.

use postlane_rehearsal::{Measures, Policy, Summary, Tracing, run};

use crate::{ENGINE, TINY, rehearse, scenario};

fn figure(summary: &Summary, name: &str) -> serde_json::Value {
    serde_json::to_value(summary).unwrap()[name].clone()
}

#[test]
fn the_oracle_is_its_own_measure() {
    let outcomes = rehearse(TINY, &[Policy::Oracle], 2, 2);
    let summary = &outcomes[0].summary;
    assert_eq!(figure(summary, "ratio"), 1.0);
    assert_eq!(figure(summary, "t99_s"), figure(summary, "oracle_t99_s"));
    assert!(summary.pass && summary.finished);
}

#[test]
fn what_hammers_a_receiver_is_counted_and_does_not_pass() {
    let outcomes = rehearse(TINY, &[Policy::Postfix], 2, 2);
    let summary = &outcomes[0].summary;
    assert!(figure(summary, "r4xx_per_delivered").as_f64().unwrap() > 0.01);
    assert!(figure(summary, "longest_penalty_s").as_f64().unwrap() >= 300.0);
    assert!(!summary.pass);
    assert!(summary.verdicts().iter().any(|verdict| !verdict.holds));
}

#[test]
fn a_limit_that_refuses_for_good_refuses_for_the_rate_too() {
    let text = TINY.replace("reply = \"421", "reply = \"554");
    assert_ne!(text, TINY);
    let outcomes = rehearse(&text, &[Policy::Postfix], 1, 1);
    let summary = &outcomes[0].summary;
    assert!(figure(summary, "r4xx_per_delivered").as_f64().unwrap() > 0.0);
    assert_eq!(figure(summary, "all4xx_per_delivered"), 0.0);
}

/// A provider's day turns while its lane waits for a canary, and mail lives for a day.
#[test]
fn no_transactional_message_expires_that_its_lane_could_have_sent() {
    const WARM_UP: &str = include_str!("../../../../examples/receivers/p07-warmup.toml");
    let scenario = scenario(WARM_UP);
    let seed = scenario.run_seed(0);
    let left = run(&scenario, Policy::Lane, &ENGINE, seed, Tracing::Off).unwrap();
    assert_eq!(Measures::of(&left.run).tx_lost, 0);
}

#[test]
fn no_policy_exceeds_the_operators_ceilings() {
    const CEILING: &str = "ceiling = { conns_per_ip = 1, rate = \"1/s\", per_conn = 2 }";
    let two = TINY.replace("ips = [\"ip1\"]", &format!("ips = [\"ip1\", \"ip2\"]\n{CEILING}"));
    let policies = [
        Policy::Lane,
        Policy::LaneWarm,
        Policy::Postfix,
        Policy::Static,
        Policy::KumoTsa,
        Policy::Pmta,
        Policy::Pmta2h,
        Policy::Aimd,
    ];
    for outcome in rehearse(&two, &policies, 3, 2) {
        let violations = figure(&outcome.summary, "ceiling_violations");
        assert_eq!(violations, 0.0, "{}", outcome.policy);
    }
}
