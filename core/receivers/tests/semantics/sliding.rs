//! `#{charged in (t−W, t]} + 1 ≤ Q(t)`.

use proptest::prelude::*;

use super::bench::{Bench, limit, moments};

fn three_in_ten_seconds(more: &str) -> String {
    limit("s", &format!("kind = \"sliding\"\nquota = 3\nwindow = \"10s\"\n{more}"))
}

#[test]
fn what_was_counted_leaves_exactly_a_window_later() {
    let mut bench = Bench::new(&three_in_ten_seconds(""));
    assert_eq!(
        bench.taken(&[0, 1, 2, 3, 9_999, 10_000, 10_000, 10_001]),
        [true, true, true, false, false, true, false, true]
    );
}

#[test]
fn the_refusal_is_the_limits() {
    let mut bench = Bench::new(&three_in_ten_seconds(""));
    bench.taken(&[0, 0, 0]);
    let answer = bench.send(0);
    assert_eq!(answer.cause.limit(), Some(0));
    assert!(answer.cause.is_of_rate() && !answer.closes);
    assert_eq!(answer.reply.to_string(), "450 s");
}

proptest! {
    #![proptest_config(crate::bench::law())]

    #[test]
    fn it_is_the_count_in_any_window(
        gaps in prop::collection::vec(0_u64..4_000, 1..80),
        quota in 1_usize..6,
        window in 1_u64..15,
        strict in any::<bool>(),
    ) {
        let charge = if strict { "attempted" } else { "accepted" };
        let keys = format!(
            "kind = \"sliding\"\nquota = {quota}\nwindow = \"{window}s\"\ncharge = \"{charge}\""
        );
        let mut bench = Bench::new(&limit("s", &keys));
        let mut charged: Vec<u64> = Vec::new();
        for at in moments(&gaps) {
            let counted = charged.iter().filter(|past| **past + window * 1_000 > at).count();
            let fits = counted < quota;
            prop_assert_eq!(bench.send(at).is_accepted(), fits);
            if fits || strict {
                charged.push(at);
            }
        }
    }
}
