//! A cap that grows after clean days that used it, and shrinks after dirty ones.

use postlane_receivers::Ms;
use proptest::prelude::*;

use super::bench::{Bench, limit};

const DAY: u64 = Ms::DAY.0;

fn growing(more: &str) -> String {
    let keys = "kind = \"grow\"\nquota = 20\nup = 2.0\ndown = 0.5\nmax = 70\nclean = 0.1\ndirty = 0.3\nmin_use = 0.5";
    limit("g", &format!("{keys}\n{more}"))
}

/// How many of so many a day takes.
fn day(bench: &mut Bench, number: u64, tries: usize) -> usize {
    bench.taken(&vec![number * DAY; tries]).iter().filter(|taken| **taken).count()
}

#[test]
fn it_grows_after_a_clean_day_that_used_half_of_it_and_never_above_its_maximum() {
    let mut bench = Bench::new(&growing(""));
    let days: Vec<_> =
        [10, 40, 70, 75].iter().zip(0..).map(|(tries, n)| day(&mut bench, n, *tries)).collect();
    // The last day has 5 refusals of 75: it is clean.
    assert_eq!(days, [10, 40, 70, 70]);
    assert_eq!(day(&mut bench, 4, 80), 70);
}

#[test]
fn a_day_that_used_less_than_its_share_leaves_it_as_it_is_and_so_does_an_empty_one() {
    let mut bench = Bench::new(&growing(""));
    assert_eq!(day(&mut bench, 0, 9), 9);
    assert_eq!(day(&mut bench, 1, 22), 20);
    assert_eq!(day(&mut bench, 9, 41), 40);
}

#[test]
fn it_shrinks_after_a_dirty_day_but_not_below_ten() {
    let mut bench = Bench::new(&growing(""));
    assert_eq!(day(&mut bench, 0, 40), 20);
    assert_eq!(day(&mut bench, 1, 20), 10);
    assert_eq!(day(&mut bench, 2, 20), 10);
}

#[test]
fn between_clean_and_dirty_it_stays() {
    let mut bench = Bench::new(&growing(""));
    assert_eq!(day(&mut bench, 0, 25), 20);
    assert_eq!(day(&mut bench, 1, 25), 20);
}

#[test]
fn the_day_begins_at_the_phase_and_the_first_with_the_first_message() {
    let mut bench = Bench::new(&growing("phase = \"3h\""));
    let three = 3 * 3_600_000;
    assert_eq!(bench.taken(&[three - 1; 20]).iter().filter(|taken| **taken).count(), 20);
    assert_eq!(bench.taken(&[three; 41]).iter().filter(|taken| **taken).count(), 40);
}

#[test]
fn the_cap_is_of_the_first_message_and_later_changes_are_not_heard() {
    let keys = "change = [{ at = \"1h\", quota = 30 }, { at = \"2h\", quota = 5 }]";
    let mut bench = Bench::new(&growing(keys));
    let hour = 3_600_000;
    assert_eq!(bench.taken(&[hour; 20]).iter().filter(|taken| **taken).count(), 20);
    assert_eq!(bench.taken(&[3 * hour; 20]).iter().filter(|taken| **taken).count(), 10);
}

#[test]
fn refusals_of_other_limits_are_not_its_own_and_do_not_reach_it() {
    let two = limit("two", "kind = \"fixed\"\nquota = 12\nwindow = \"24h\"");
    let mut bench = Bench::new(&format!("{two}{}", growing("")));
    assert_eq!(day(&mut bench, 0, 100), 12);
    let usage = bench.receiver.usage(Ms(DAY), 1, postlane_receivers::Source(0), 0).unwrap();
    assert_eq!((usage.used, usage.quota), (0.0, 40.0));
}

proptest! {
    #![proptest_config(crate::bench::law())]

    #[test]
    fn it_is_the_rule_from_day_to_day(days in prop::collection::vec(0_u32..60, 1..12)) {
        let mut bench = Bench::new(&growing(""));
        let mut cap: f64 = 20.0;
        for (tries, number) in days.iter().zip(0_u64..) {
            let used = (*tries).min(cap.floor() as u32);
            prop_assert_eq!(day(&mut bench, number, *tries as usize), used as usize);
            let refused = if *tries == 0 { 0.0 } else { f64::from(tries - used) / f64::from(*tries) };
            if f64::from(used) >= 0.5 * cap && refused <= 0.1 {
                cap = (cap * 2.0).min(70.0);
            } else if *tries > 5 && refused > 0.3 {
                cap = (cap * 0.5).max(10.0);
            }
        }
    }
}
