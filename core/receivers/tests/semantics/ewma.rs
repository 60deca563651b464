//! `r' = (1−e^{−i/W})·W/i + e^{−i/W}·r ≤ Q`, as of Exim's `ratelimit`.

use proptest::prelude::*;

use super::bench::{Bench, limit, moments};

#[test]
fn the_first_is_one_and_a_burst_adds_about_one_each() {
    let mut bench = Bench::new(&limit("e", "kind = \"ewma\"\nquota = 3.5\nwindow = \"1h\""));
    // 1, then just below 2 and 3 after a millisecond each, and the fourth would be just below 4.
    assert_eq!(bench.taken(&[0, 1, 2, 3]), [true, true, true, false]);
}

#[test]
fn a_quota_below_one_takes_nothing_at_first_and_two_in_the_same_millisecond_are_a_millisecond_apart()
 {
    let mut bench = Bench::new(&limit("e", "kind = \"ewma\"\nquota = 0.9\nwindow = \"1h\""));
    assert_eq!(bench.taken(&[0, 3_600_000]), [false, false]);
    let mut bench = Bench::new(&limit("e", "kind = \"ewma\"\nquota = 2\nwindow = \"1h\""));
    assert_eq!(bench.taken(&[5, 5, 5]), [true, true, false]);
}

proptest! {
    #![proptest_config(crate::bench::law())]

    #[test]
    fn it_is_the_smoothed_rate(
        gaps in prop::collection::vec(0_u64..5_000, 1..80),
        quota in 2_u32..8,
        window in 1_u64..30,
        strict in any::<bool>(),
    ) {
        let charge = if strict { "attempted" } else { "accepted" };
        let keys = format!(
            "kind = \"ewma\"\nquota = {quota}\nwindow = \"{window}s\"\ncharge = \"{charge}\""
        );
        let mut bench = Bench::new(&limit("e", &keys));
        let mut rate: Option<(f64, u64)> = None;
        for at in moments(&gaps) {
            let with_it = match rate {
                None => 1.0,
                Some((rate, last)) => {
                    let i = (at - last).max(1) as f64;
                    let w = window as f64 * 1_000.0;
                    (1.0 - (-i / w).exp()) * w / i + (-i / w).exp() * rate
                }
            };
            if (with_it - f64::from(quota)).abs() < 1e-6 {
                return Ok(());
            }
            let fits = with_it <= f64::from(quota);
            prop_assert_eq!(bench.send(at).is_accepted(), fits);
            if fits || strict {
                rate = Some((with_it, at));
            }
        }
    }
}
