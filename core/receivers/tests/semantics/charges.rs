//! Which attempts a limit counts.

use postlane_receivers::{Addressee, Ms, Source};

use super::bench::{Bench, limit};

fn used(bench: &mut Bench, at: u64, index: usize) -> f64 {
    bench.receiver.usage(Ms(at), index, Source(0), 0).unwrap().used
}

fn counting(id: &str, stage: &str, charge: &str, quota: u32) -> String {
    limit(
        id,
        &format!("kind = \"sliding\"\nstage = \"{stage}\"\ncharge = \"{charge}\"\nquota = {quota}"),
    )
}

#[test]
fn accepted_limits_of_every_stage_are_charged_by_a_250_and_by_nothing_else() {
    let stages = ["connect", "rcpt", "dot"];
    let limits: String = stages.iter().map(|stage| counting(stage, stage, "accepted", 9)).collect();
    let mut bench = Bench::new(&format!("{limits}{}", counting("last", "dot", "accepted", 1)));
    bench.send(0);
    bench.send(1);
    bench.send_to(0, 2, Addressee { number: 1, known: false });
    for index in 0..3 {
        assert_eq!(used(&mut bench, 2, index), 1.0);
    }
}

#[test]
fn attempted_limits_of_a_stage_are_charged_together_whatever_refused_and_wherever_it_stands() {
    let mut bench = Bench::new(&format!(
        "{}{}{}{}",
        counting("before", "rcpt", "attempted", 9),
        counting("none", "rcpt", "accepted", 0),
        counting("behind", "rcpt", "attempted", 9),
        counting("later", "dot", "attempted", 9),
    ));
    assert_eq!(bench.send(0).cause.limit(), Some(1));
    let counted: Vec<_> = (0..4).map(|index| used(&mut bench, 0, index)).collect();
    assert_eq!(counted, [1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn a_550_and_a_random_refusal_have_reached_the_dot() {
    let attempted = counting("dot", "dot", "attempted", 99);
    let temp = "[[receiver.temp]]\np = 1.0\nreply = \"451 later\"\n";
    for (tables, known) in [(attempted.clone(), false), (format!("{attempted}{temp}"), true)] {
        let mut bench = Bench::new(&tables);
        assert!(!bench.send_to(0, 0, Addressee { number: 1, known }).is_accepted());
        assert_eq!(used(&mut bench, 0, 0), 1.0);
    }
}

#[test]
fn a_strict_limit_counts_its_own_refusals_so_that_hammering_never_gets_in() {
    let strict = counting("strict", "rcpt", "attempted", 2)
        .replace("kind = \"sliding\"", "kind = \"sliding\"\nwindow = \"10s\"");
    let mut bench = Bench::new(&strict);
    assert_eq!(
        bench.taken(&[0, 1, 5_000, 11_000, 14_999, 24_999]),
        [true, true, false, true, false, true]
    );
}

#[test]
fn an_outage_charges_nothing() {
    let outage = "[[receiver.outage]]\nfrom = \"0s\"\nto = \"1s\"\nreply = \"421 down\"\n";
    let mut bench = Bench::new(&format!("{}{outage}", counting("c", "connect", "attempted", 9)));
    assert!(!bench.send(0).is_accepted());
    assert_eq!(used(&mut bench, 0, 0), 0.0);
}

#[test]
fn connections_are_counted_when_they_open_or_at_the_try_if_attempts_are() {
    let of_connections = |charge| {
        counting("c", "connect", charge, 2).replace("quota", "unit = \"connection\"\nquota")
    };
    let none = counting("none", "connect", "accepted", 0);
    let mut bench = Bench::new(&format!("{}{none}", of_connections("accepted")));
    bench.send(0);
    assert_eq!(used(&mut bench, 0, 0), 0.0);
    let mut bench = Bench::new(&format!("{}{none}", of_connections("attempted")));
    bench.send(0);
    assert_eq!(used(&mut bench, 0, 0), 1.0);
    let mut bench = Bench::new(&of_connections("accepted"));
    let conn = bench.open(0).conn.unwrap();
    for at in 0..5 {
        assert!(bench.send_on(conn, at).is_accepted());
    }
    assert_eq!(used(&mut bench, 5, 0), 1.0);
    bench.open(5);
    assert!(bench.open(5).conn.is_none());
}

#[test]
fn a_connection_is_counted_even_if_its_message_is_refused() {
    let connections =
        counting("c", "connect", "accepted", 9).replace("quota", "unit = \"connection\"\nquota");
    let mut bench = Bench::new(&format!("{connections}{}", counting("r", "rcpt", "accepted", 0)));
    bench.send(0);
    assert_eq!(used(&mut bench, 0, 0), 1.0);
}
