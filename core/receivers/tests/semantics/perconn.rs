//! Messages already accepted on this connection + 1 ≤ Q.

use postlane_receivers::Ms;

use super::bench::{Bench, limit};

#[test]
fn a_connection_carries_its_quota_and_a_new_one_starts_again() {
    let mut bench = Bench::new(&limit("p", "kind = \"perconn\"\nquota = 2"));
    let conn = bench.open(0).conn.unwrap();
    assert!(bench.send_on(conn, 1).is_accepted());
    let third = bench.send_on(conn, 2);
    assert!(!third.is_accepted() && !third.closes && third.cause.is_of_rate());
    assert_eq!(third.conn, Some(conn));
    assert!(bench.open(3).is_accepted());
}

#[test]
fn what_was_refused_was_not_carried() {
    let minute = limit("m", "kind = \"sliding\"\nquota = 1\nwindow = \"1m\"");
    let mut bench = Bench::new(&format!("{minute}{}", limit("p", "kind = \"perconn\"\nquota = 2")));
    let conn = bench.open(0).conn.unwrap();
    assert_eq!(bench.send_on(conn, 1).cause.limit(), Some(0));
    assert!(bench.send_on(conn, 60_000).is_accepted());
    assert_eq!(bench.send_on(conn, 120_000).cause.limit(), Some(1));
    bench.receiver.close(Ms(120_000), conn);
}
