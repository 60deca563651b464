//! Open connections of the key + 1 ≤ Q, when connecting.

use postlane_receivers::{Greeting, Ms, Source};

use super::bench::{Bench, limit};

fn two_open() -> String {
    limit("c", "kind = \"conns\"\nstage = \"connect\"\nkey = [\"ip\"]\nquota = 2")
}

#[test]
fn a_connection_too_many_is_refused_until_one_closes() {
    let mut bench = Bench::new(&two_open());
    let first = bench.open(0);
    assert!(bench.open(1).is_accepted());
    let third = bench.open(2);
    assert!(!third.is_accepted() && third.conn.is_none() && third.cause.is_of_rate());
    bench.receiver.close(Ms(3), first.conn.unwrap());
    assert!(bench.open(3).is_accepted());
}

#[test]
fn each_source_has_its_own_and_messages_on_an_open_connection_are_not_asked() {
    let mut bench = Bench::new(&two_open());
    let conn = bench.open(0).conn.unwrap();
    bench.open(0);
    assert!(bench.send_on(conn, 1).is_accepted());
    assert!(matches!(bench.receiver.connect(Ms(2), Source(1)), Greeting::Open { .. }));
    assert!(matches!(bench.receiver.connect(Ms(2), Source(0)), Greeting::Refused(_)));
}

#[test]
fn a_421_frees_its_place_when_it_is_seen_and_not_before() {
    let once =
        "[[receiver.limit]]\nid = \"p\"\nkind = \"perconn\"\nquota = 1\nreply = \"421 enough\"\n";
    let mut bench = Bench::new(&format!("{}{once}", two_open()));
    let conn = bench.open(0).conn.unwrap();
    bench.open(0);
    let answer = bench.send_on(conn, 1);
    assert!(answer.closes);
    assert!(bench.open(2).conn.is_none());
    bench.receiver.close(Ms(3), conn);
    assert!(bench.open(3).is_accepted());
}

#[test]
fn a_connection_closed_twice_frees_one_place() {
    let mut bench = Bench::new(&two_open());
    let conn = bench.open(0).conn.unwrap();
    bench.open(0);
    bench.receiver.close(Ms(1), conn);
    bench.receiver.close(Ms(1), conn);
    assert!(bench.open(1).is_accepted());
    assert!(bench.open(1).conn.is_none());
}
