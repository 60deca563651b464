//! A look counts nothing, and tells the exact millisecond when something first fits.

use postlane_receivers::{Ms, Room};
use proptest::prelude::*;

use super::bench::{Bench, limit, moments};

/// Sends at these moments, then looks, and tries every later millisecond on a copy of itself.
fn first_fit_after(limits: &str, gaps: &[u64], look_for: u64) -> (Room, Option<u64>) {
    let mut bench = Bench::new(limits);
    let moments = moments(gaps);
    for at in &moments {
        bench.send(*at);
    }
    let now = moments.last().copied().unwrap_or_default() + 1;
    let room = bench.look(now);
    let fits = (now..now + look_for).find(|at| {
        let scenario = bench.scenario.clone();
        let receiver = bench.receiver.clone();
        let mut copy = Bench::of(scenario, 1);
        copy.receiver = receiver;
        copy.send(*at).is_accepted()
    });
    (room, fits.map(|at| if at == now { 0 } else { at }))
}

fn check(limits: &str, gaps: &[u64], look_for: u64) -> Result<(), TestCaseError> {
    let (room, fits) = first_fit_after(limits, gaps, look_for);
    match (room, fits) {
        (Room::Now, Some(0)) => {}
        (Room::From(at), Some(fits)) => prop_assert_eq!(at, Ms(fits)),
        (Room::From(at), None) => {
            let end = moments(gaps).last().copied().unwrap_or_default() + 1 + look_for;
            prop_assert!(at >= Ms(end));
        }
        (room, fits) => prop_assert!(false, "{room:?} but {fits:?}"),
    }
    Ok(())
}

#[test]
fn looking_changes_nothing() {
    let limits = format!(
        "{}{}",
        limit(
            "a",
            "kind = \"sliding\"\nquota = 4\nwindow = \"10s\"\ncharge = \"attempted\"\nstage = \"connect\""
        ),
        limit(
            "g",
            "kind = \"grow\"\nquota = 20\nup = 2.0\ndown = 0.5\nmax = 70\nclean = 0.1\ndirty = 0.3\nmin_use = 0.5"
        ),
    );
    let (mut looked, mut not) = (Bench::new(&limits), Bench::new(&limits));
    for at in (0..90_000).step_by(700) {
        for _ in 0..3 {
            looked.look(at);
        }
        assert_eq!(looked.send(at), not.send(at));
    }
}

#[test]
fn a_reserve_is_kept_in_windows_and_not_in_buckets_or_by_recipient() {
    let sliding = limit("s", "kind = \"sliding\"\nquota = 5\nwindow = \"10s\"");
    let mut bench = Bench::new(&sliding);
    bench.taken(&[0, 1_000, 2_000]);
    assert_eq!(bench.look_with(3_000, 1), Room::Now);
    assert_eq!(bench.look_with(3_000, 2), Room::From(Ms(10_000)));
    assert_eq!(bench.look_with(3_000, 4), Room::From(Ms(12_000)));
    assert_eq!(bench.look_with(3_000, 5), Room::Unknown);
    for keys in [
        "kind = \"bucket\"\nquota = 5\nrate = \"1/d\"",
        "kind = \"sliding\"\nkey = [\"rcpt\"]\nquota = 1",
    ] {
        assert_eq!(Bench::new(&limit("b", keys)).look_with(0, 4), Room::Now);
    }
    assert_eq!(Bench::new(&sliding).scenario.longest_window(), Ms(10_000));
}

#[test]
fn a_look_waits_for_outages_and_boxes_and_not_for_what_only_a_close_can_end() {
    let outage = "[[receiver.outage]]\nfrom = \"0s\"\nto = \"20s\"\nreply = \"421 outage\"\n";
    assert_eq!(Bench::new(outage).look(5), Room::From(Ms(20_000)));
    let conns = limit("c", "kind = \"conns\"\nstage = \"connect\"\nquota = 1");
    let mut bench = Bench::new(&conns);
    bench.open(0);
    assert_eq!(bench.look(1), Room::Unknown);
    let boxed = limit(
        "p",
        "kind = \"sliding\"\nquota = 1\nwindow = \"1s\"\npenalty = { after = 1, within = \"1s\", hold = \"1h\" }",
    );
    let mut bench = Bench::new(&boxed);
    bench.taken(&[0, 0]);
    assert_eq!(bench.look(1), Room::From(Ms(3_600_000)));
}

proptest! {
    #![proptest_config(crate::bench::law())]

    #[test]
    fn of_windows_it_is_the_first_millisecond_that_fits(
        gaps in prop::collection::vec(0_u64..900, 1..12),
        quota in 1_u32..4,
        kind in prop::sample::select(vec!["sliding", "fixed"]),
        change in 0_u32..4,
        factor in prop::sample::select(vec![0.4, 1.0, 2.0]),
        strict in any::<bool>(),
    ) {
        let charge = if strict { "attempted" } else { "accepted" };
        let keys = format!(
            "kind = \"{kind}\"\nquota = {quota}\nwindow = \"2s\"\nphase = \"700ms\"\ncharge = \"{charge}\"\nchange = [{{ at = \"3s\", quota = {change} }}, {{ at = \"6s\", quota = 2 }}]\ntod = [{{ from = \"2s\", to = \"4s\", factor = {factor:?} }}]"
        );
        check(&limit("w", &keys), &gaps, 12_000)?;
    }

    #[test]
    fn of_buckets_it_is_the_first_millisecond_that_fits(
        gaps in prop::collection::vec(0_u64..900, 1..12),
        quota in 1_u32..4,
        rate in 3_u32..30,
        factor in prop::sample::select(vec![0.0, 0.25, 0.5, 2.0]),
    ) {
        let keys = format!(
            "kind = \"bucket\"\nquota = {quota}\nrate = \"{rate}/10s\"\ntod = [{{ from = \"2s\", to = \"4s\", factor = {factor:?} }}]"
        );
        check(&limit("b", &keys), &gaps, 12_000)?;
    }

    #[test]
    fn of_smoothed_rates_it_is_the_first_millisecond_that_fits(
        gaps in prop::collection::vec(0_u64..900, 1..12),
        quota in 1_u32..4,
        window in 1_u32..4,
    ) {
        let keys = format!("kind = \"ewma\"\nquota = {quota}.5\nwindow = \"{window}s\"");
        check(&limit("e", &keys), &gaps, 12_000)?;
    }
}
