//! `n[⌊(t−phase)/W⌋] + 1 ≤ Q(t)`.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::bench::{Bench, limit, moments};

#[test]
fn the_clock_turns_at_its_phase_and_windows_before_the_first_phase_count_too() {
    let keys = "kind = \"fixed\"\nquota = 2\nwindow = \"10s\"\nphase = \"4s\"";
    let mut bench = Bench::new(&limit("f", keys));
    assert_eq!(
        bench.taken(&[0, 3_999, 3_999, 4_000, 4_000, 13_999, 14_000]),
        [true, true, false, true, true, false, true]
    );
}

proptest! {
    #![proptest_config(crate::bench::law())]

    #[test]
    fn it_is_the_count_in_the_window_of_the_clock(
        gaps in prop::collection::vec(0_u64..4_000, 1..80),
        quota in 1_u64..6,
        window in 1_u64..15,
        phase in 0_u64..40,
        strict in any::<bool>(),
    ) {
        let charge = if strict { "attempted" } else { "accepted" };
        let keys = format!(
            "kind = \"fixed\"\nquota = {quota}\nwindow = \"{window}s\"\nphase = \"{phase}s\"\ncharge = \"{charge}\""
        );
        let mut bench = Bench::new(&limit("f", &keys));
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        for at in moments(&gaps) {
            let number = ((at as f64 - phase as f64 * 1e3) / (window as f64 * 1e3)).floor() as i64;
            let count = counts.entry(number).or_default();
            let fits = *count < quota;
            prop_assert_eq!(bench.send(at).is_accepted(), fits);
            if fits || strict {
                *count += 1;
            }
        }
    }
}
