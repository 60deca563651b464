//! Come again later: the first attempt of the key was long enough ago, or the source is known.

use postlane_receivers::{Addressee, Cause};

use super::bench::{Bench, limit};

fn grey(more: &str) -> String {
    limit("g", &format!("kind = \"greylist\"\nkey = [\"ip\", \"rcpt\"]\n{more}"))
}

const MINUTE: u64 = 60_000;

fn to(number: u32) -> Addressee {
    Addressee { number, known: true }
}

#[test]
fn who_comes_again_after_five_minutes_is_let_in_and_coming_too_early_costs_nothing() {
    let mut bench = Bench::new(&grey(""));
    let first = bench.send_to(0, 0, to(1));
    assert!(!first.is_accepted() && !first.cause.is_of_rate());
    assert!(!bench.send_to(0, 5 * MINUTE - 1, to(1)).is_accepted());
    assert!(bench.send_to(0, 5 * MINUTE, to(1)).is_accepted());
    assert!(bench.send_to(0, 5 * MINUTE, to(1)).is_accepted());
}

#[test]
fn another_source_or_recipient_is_another_first_attempt() {
    let mut bench = Bench::new(&grey("min_delay = \"1m\""));
    bench.send_to(0, 0, to(1));
    assert!(!bench.send_to(1, MINUTE, to(1)).is_accepted());
    assert!(!bench.send_to(0, MINUTE, to(2)).is_accepted());
    assert!(bench.send_to(0, MINUTE, to(1)).is_accepted());
}

#[test]
fn a_source_with_enough_passes_is_let_in_at_once() {
    let mut bench = Bench::new(&grey("whitelist_after = 2"));
    for at in [0, 5 * MINUTE] {
        bench.send_to(0, at, to(1));
        bench.send_to(0, at, to(2));
    }
    assert!(bench.send_to(0, 5 * MINUTE, to(3)).is_accepted());
    assert!(!bench.send_to(1, 5 * MINUTE, to(3)).is_accepted());
}

#[test]
fn an_attempt_that_another_limit_refused_was_seen_but_not_one_refused_while_connecting() {
    let rcpt = limit("r", "kind = \"fixed\"\nquota = 0");
    let mut bench = Bench::new(
        &format!("{rcpt}{}", grey(""))
            .replace("quota = 0", "quota = 0\nchange = [{ at = \"5m\", quota = 9 }]"),
    );
    assert_eq!(bench.send_to(0, 0, to(1)).cause.limit(), Some(0));
    assert!(bench.send_to(0, 5 * MINUTE, to(1)).is_accepted());
    let door = limit(
        "d",
        "kind = \"fixed\"\nstage = \"connect\"\nquota = 0\nchange = [{ at = \"5m\", quota = 9 }]",
    );
    let mut bench = Bench::new(&format!("{door}{}", grey("")));
    bench.send_to(0, 0, to(1));
    let answer = bench.send_to(0, 5 * MINUTE, to(1));
    assert!(matches!(answer.cause, Cause::Limit { index: 1, boxed: false, .. }));
}
