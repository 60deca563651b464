//! Q(t): base, override or change, times identity and time of day.

use super::bench::{Bench, limit, with};

const HOUR: u64 = 3_600_000;

fn a_minute(keys: &str) -> String {
    limit("q", &format!("kind = \"fixed\"\nwindow = \"1m\"\n{keys}"))
}

/// How many of 20 are taken at that moment.
fn taken(bench: &mut Bench, at: u64) -> usize {
    (0..20).filter(|_| bench.send(at).is_accepted()).count()
}

#[test]
fn a_change_holds_from_its_moment_on_in_whatever_order_they_are_written() {
    let keys = "quota = 8\nchange = [{ at = \"2h\", quota = 3 }, { at = \"1h\", quota = 5.5 }]";
    let mut bench = Bench::new(&a_minute(keys));
    let all: Vec<_> = [0, HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR]
        .into_iter()
        .map(|at| taken(&mut bench, at))
        .collect();
    assert_eq!(all, [8, 8, 5, 5, 3]);
}

#[test]
fn times_of_day_are_half_open_wrap_past_midnight_and_multiply() {
    let keys = "quota = 12\ntod = [{ from = \"22h\", to = \"2h\", factor = 0.5 }, { from = \"1h\", to = \"3h\", factor = 0.5 }]";
    let mut bench = Bench::new(&a_minute(keys));
    let all: Vec<_> = [0, 1, 2, 3, 21, 22, 23, 24, 25, 26, 27]
        .into_iter()
        .map(|hour| taken(&mut bench, hour * HOUR))
        .collect();
    assert_eq!(all, [6, 3, 6, 12, 12, 6, 6, 6, 3, 6, 12]);
}

#[test]
fn the_run_starts_at_its_time_of_day() {
    let text = format!(
        "[meta]\nid = \"t\"\nhorizon = \"30d\"\nstart_tod = \"21h\"\n[sender]\nips = [\"a\"]\n[receiver]\nsite = \"mx.example\"\n{}",
        a_minute("quota = 12\ntod = [{ from = \"22h\", to = \"24h\", factor = 0.5 }]")
    );
    let mut bench = Bench::of(postlane_receivers::Scenario::parse(&text).unwrap(), 1);
    let all: Vec<_> = [0, 1, 2, 3].into_iter().map(|hour| taken(&mut bench, hour * HOUR)).collect();
    assert_eq!(all, [12, 6, 6, 12]);
}

#[test]
fn what_the_sender_lacks_multiplies_and_what_is_not_said_holds() {
    let keys = "quota = 10\nidentity = { aligned = 0.4, ptr = 0.1, date = 0.5 }";
    for (identity, quota) in [
        ("", 10),
        ("identity = { aligned = false, ptr = true }", 4),
        ("identity = { aligned = false, date = false }", 2),
        ("identity = { other = false }", 10),
    ] {
        let sender = format!("ips = [\"a\"]\n{identity}");
        let mut bench = Bench::of(with(&sender, "", &a_minute(keys)), 1);
        assert_eq!(taken(&mut bench, 0), quota, "{identity}");
    }
}

#[test]
fn factors_multiply_overrides_and_changes_too() {
    let keys = "key = [\"ip\"]\nquota = 20\noverride = [{ ip = \"b\", quota = 10 }]\nchange = [{ at = \"1h\", quota = 16 }]\nidentity = { ptr = 0.5 }\ntod = [{ from = \"1h\", to = \"2h\", factor = 0.5 }]";
    let sender = "ips = [\"a\", \"b\"]\nidentity = { ptr = false }";
    let mut bench = Bench::of(with(sender, "", &a_minute(keys)), 1);
    assert_eq!(taken(&mut bench, HOUR), 4);
    let of_b = (0..20).filter(|_| bench.send_from(1, HOUR).is_accepted()).count();
    assert_eq!(of_b, 2);
}

#[test]
fn a_quota_is_never_rounded_but_a_binary_fraction_does_not_cost_a_message() {
    let sender = "ips = [\"a\"]\nidentity = { ptr = false }";
    for (factor, quota) in [("0.29", 29), ("0.299", 29), ("0.57", 57)] {
        let keys = format!("quota = 100\nidentity = {{ ptr = {factor} }}");
        let mut bench = Bench::of(with(sender, "", &a_minute(&keys)), 1);
        assert_eq!((0..100).filter(|_| bench.send(0).is_accepted()).count(), quota);
    }
}
