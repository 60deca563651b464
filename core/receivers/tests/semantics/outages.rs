//! Outages, and refusals by chance.

use postlane_mail::Stage;
use postlane_receivers::{Cause, Greeting, Ms, Source};

use super::bench::Bench;

const OUTAGE: &str = "[[receiver.outage]]\nfrom = \"10s\"\nto = \"20s\"\nreply = \"450 outage\"\n";

#[test]
fn an_outage_refuses_from_its_beginning_until_before_its_end_open_connections_too() {
    let mut bench = Bench::new(OUTAGE);
    let conn = bench.open(0).conn.unwrap();
    assert!(bench.open(9_999).is_accepted());
    let turned_away = bench.open(10_000);
    assert_eq!((turned_away.cause, turned_away.stage), (Cause::Outage(0), Stage::Connect));
    assert!(turned_away.conn.is_none());
    let on_open = bench.send_on(conn, 19_999);
    assert_eq!((on_open.cause, on_open.stage), (Cause::Outage(0), Stage::Mail));
    assert!(!on_open.closes && !on_open.cause.is_of_rate());
    assert!(bench.send_on(conn, 20_000).is_accepted());
    assert!(bench.open(20_000).is_accepted());
}

#[test]
fn an_outage_with_a_421_closes_what_is_open() {
    let mut bench = Bench::new(&OUTAGE.replace("450", "421"));
    let conn = bench.open(0).conn.unwrap();
    assert!(bench.send_on(conn, 10_000).closes);
}

#[test]
fn a_connection_made_before_the_outage_is_refused_at_its_first_mail() {
    let mut bench = Bench::new(OUTAGE);
    let Greeting::Open { conn, .. } = bench.receiver.connect(Ms(9_999), Source(0)) else {
        panic!()
    };
    assert_eq!(bench.send_on(conn, 10_000).cause, Cause::Outage(0));
}

#[test]
fn chance_refuses_its_share_and_each_chance_is_asked_for_itself() {
    let temps = "[[receiver.temp]]\np = 0.2\nreply = \"451 one\"\n[[receiver.temp]]\np = 0.5\nreply = \"452 two\"\n";
    let mut bench = Bench::new(temps);
    let mut counts = [0; 3];
    for at in 0..10_000 {
        let answer = bench.send(at);
        match answer.cause {
            Cause::Temp(index) => counts[index] += 1,
            _ => counts[2] += 1,
        }
        assert!(!answer.cause.is_of_rate());
    }
    // 20 %, half of the other 80 %, and the rest.
    assert!((1_850..2_150).contains(&counts[0]), "{counts:?}");
    assert!((3_850..4_150).contains(&counts[1]), "{counts:?}");
}

#[test]
fn the_chance_of_one_thing_is_not_moved_by_another() {
    let temp = "[[receiver.temp]]\np = 0.5\nreply = \"451 one\"\n";
    let (mut few, mut many) = (Bench::new(temp), Bench::new(temp));
    let conn = many.open(0).conn.unwrap();
    few.open(0);
    for at in 1..200 {
        // A connection of its own for each, or one for all: other latencies and hosts are drawn.
        assert_eq!(few.send(at).is_accepted(), many.send_on(conn, at).is_accepted());
    }
}
