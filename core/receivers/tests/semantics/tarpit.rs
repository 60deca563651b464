//! Near the quota, answers come later.

use super::bench::{Bench, limit, with};

fn slow(id: &str, more: &str) -> String {
    limit(
        id,
        &format!(
            "kind = \"sliding\"\nquota = 10\ntarpit = {{ from = 0.5, max_delay = \"100s\" }}\n{more}"
        ),
    )
}

/// Seconds a message took, the usual latency of less than a second cut off.
fn seconds(bench: &mut Bench) -> u64 {
    bench.send(0).latency.0 / 1_000
}

#[test]
fn the_delay_grows_from_the_share_to_the_quota_and_refusals_wait_it_out() {
    let mut bench = Bench::new(&slow("t", ""));
    let delays: Vec<_> = (0..12).map(|_| seconds(&mut bench)).collect();
    assert_eq!(delays, [0, 0, 0, 0, 0, 0, 20, 40, 60, 80, 100, 100]);
}

#[test]
fn delays_add_and_a_refused_connect_has_none() {
    let mut bench = Bench::new(&format!("{}{}", slow("t", ""), slow("u", "stage = \"dot\"")));
    let delays: Vec<_> = (0..8).map(|_| seconds(&mut bench)).collect();
    assert_eq!(delays[6..], [40, 80]);
    let mut bench = Bench::new(&slow("t", "stage = \"connect\""));
    let delays: Vec<_> = (0..12).map(|_| seconds(&mut bench)).collect();
    assert_eq!(delays[8..], [60, 80, 0, 0]);
}

#[test]
fn a_bucket_is_used_as_far_as_tokens_are_missing_and_an_attempt_counts_after_its_delay() {
    let bucket = "kind = \"bucket\"\nquota = 10\nrate = \"1/d\"\ncharge = \"attempted\"\ntarpit = { from = 0.5, max_delay = \"100s\" }";
    let site = "connect = \"0s\"\ntxn = \"0s\"";
    let mut bench = Bench::of(with("ips = [\"a\"]", site, &limit("b", bucket)), 1);
    let delays: Vec<_> = (0..11).map(|_| bench.send(0).latency.0).collect();
    assert_eq!(delays[5..], [0, 20_000, 40_000, 60_000, 80_000, 100_000]);
}
