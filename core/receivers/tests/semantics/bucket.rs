//! `tokens(t) ≥ 1`, filled at a rate times factors up to Q(t), full at the start.

use proptest::prelude::*;

use super::bench::{Bench, limit, moments, with};

#[test]
fn a_full_bucket_takes_its_quota_and_then_its_rate() {
    let mut bench = Bench::new(&limit("b", "kind = \"bucket\"\nquota = 2\nrate = \"1/s\""));
    assert_eq!(
        bench.taken(&[0, 0, 0, 999, 1_000, 1_001, 2_000, 9_000, 9_000, 9_000]),
        [true, true, false, false, true, false, true, true, true, false]
    );
}

#[test]
fn a_strict_bucket_is_never_below_empty() {
    let keys = "kind = \"bucket\"\nquota = 1\nrate = \"1/s\"\ncharge = \"attempted\"";
    let mut bench = Bench::new(&limit("b", keys));
    // The try at 900 takes the 0.9 that were there, not a whole token.
    assert_eq!(bench.taken(&[0, 900, 1_899, 2_899]), [true, false, false, true]);
}

#[test]
fn the_time_of_day_changes_how_fast_it_is_filled_from_that_moment_on() {
    let keys = "kind = \"bucket\"\nquota = 8\nrate = \"1/s\"\ntod = [{ from = \"10s\", to = \"20s\", factor = 0.25 }]";
    let mut bench = Bench::new(&limit("b", keys));
    assert_eq!(bench.taken(&[8_000; 9]), [[true; 8].as_slice(), &[false]].concat());
    // Two from 8 s to 10 s, then one in four seconds; the capacity is 2 by then.
    assert_eq!(bench.taken(&[14_000, 14_000, 14_000]), [true, true, false]);
    assert_eq!(bench.taken(&[17_999, 18_000]), [false, true]);
    // Half a one until 20 s, then one a second.
    assert_eq!(bench.taken(&[20_499, 20_500]), [false, true]);
}

#[test]
fn a_change_is_of_the_capacity_alone_and_what_is_missing_of_the_refill_too() {
    let keys =
        "kind = \"bucket\"\nquota = 4\nrate = \"1/s\"\nchange = [{ at = \"1m\", quota = 2 }]";
    let mut bench = Bench::new(&limit("b", keys));
    assert_eq!(bench.taken(&[60_000, 60_000, 60_000, 61_000]), [true, true, false, true]);
    let keys = "kind = \"bucket\"\nquota = 4\nrate = \"1/s\"\nidentity = { aligned = 0.5 }";
    let sender = "ips = [\"a\"]\nidentity = { aligned = false }";
    let mut bench = Bench::of(with(sender, "", &limit("b", keys)), 1);
    assert_eq!(bench.taken(&[0, 0, 0, 1_999, 2_000]), [true, true, false, false, true]);
}

proptest! {
    #![proptest_config(crate::bench::law())]

    #[test]
    fn it_is_filled_millisecond_by_millisecond(
        gaps in prop::collection::vec(0_u64..700, 1..60),
        quota in 1_u32..6,
        rate in 1_u32..20,
        factor in prop::sample::select(vec![0.0, 0.25, 0.5, 1.5]),
        strict in any::<bool>(),
    ) {
        let charge = if strict { "attempted" } else { "accepted" };
        let keys = format!(
            "kind = \"bucket\"\nquota = {quota}\nrate = \"{rate}/10s\"\ncharge = \"{charge}\"\ntod = [{{ from = \"3s\", to = \"8s\", factor = {factor:?} }}]"
        );
        let mut bench = Bench::new(&limit("b", &keys));
        let factor_at = |ms: u64| if (3_000..8_000).contains(&ms) { factor } else { 1.0 };
        let mut tokens = f64::from(quota);
        let mut now = 0;
        for at in moments(&gaps) {
            while now < at {
                let cap = f64::from(quota) * factor_at(now);
                tokens = (tokens + f64::from(rate) / 1e4 * factor_at(now)).min(cap);
                now += 1;
            }
            tokens = tokens.min(f64::from(quota) * factor_at(at));
            let fits = tokens >= 1.0 - 1e-9;
            // Added up in another order, a token may be there within a few units of rounding.
            if (tokens - 1.0).abs() < 1e-7 && !fits {
                return Ok(());
            }
            prop_assert_eq!(bench.send(at).is_accepted(), fits, "at {}", at);
            if fits || strict {
                tokens = (tokens - 1.0).max(0.0);
            }
        }
    }
}
