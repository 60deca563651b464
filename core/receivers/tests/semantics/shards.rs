//! MX hosts with counters of their own.

use postlane_receivers::{Addressee, Ms, Room, Source};

use super::bench::{Bench, limit, with};

fn sharded(keys: &str) -> Bench {
    let keys = format!("kind = \"sliding\"\nquota = 5\n{keys}");
    Bench::of(with("ips = [\"a\"]", "shards = 3", &limit("s", &keys)), 7)
}

#[test]
fn each_host_counts_for_itself_only_where_the_limit_says_so() {
    let mut bench = sharded("per_shard = true");
    let taken = (0..200).filter(|_| bench.send(0).is_accepted()).count();
    assert_eq!(taken, 15);
    let mut bench = sharded("");
    let taken = (0..200).filter(|_| bench.send(0).is_accepted()).count();
    assert_eq!(taken, 5);
}

#[test]
fn a_connection_stays_on_its_host_and_hosts_are_equally_likely() {
    let mut bench = sharded("per_shard = true");
    let first = bench.open(0);
    let conn = first.conn.unwrap();
    for at in 1..5 {
        let answer = bench.send_on(conn, at);
        assert!(answer.is_accepted() && answer.shard == first.shard);
    }
    assert!(!bench.send_on(conn, 5).is_accepted());
    let mut landed = [0; 3];
    for _ in 0..3_000 {
        landed[usize::from(bench.send(6).shard)] += 1;
    }
    assert!(landed.iter().all(|count| (850..1_150).contains(count)), "{landed:?}");
}

#[test]
fn a_look_demands_room_on_every_host() {
    let mut bench = sharded("per_shard = true");
    let conn = bench.open(0).conn.unwrap();
    for at in 1..5 {
        assert_eq!(bench.look(at), Room::Now);
        bench.send_on(conn, at);
    }
    assert_eq!(bench.look(5), Room::From(Ms::DAY));
    let used: Vec<_> = (0..3)
        .map(|shard| bench.receiver.usage(Ms(5), 0, Source(0), shard).unwrap().used)
        .collect();
    assert_eq!(used.iter().sum::<f64>(), 5.0);
}

#[test]
fn who_passed_greylisting_at_one_host_has_passed_it_at_all() {
    let grey =
        "kind = \"greylist\"\nkey = [\"ip\", \"rcpt\"]\nwhitelist_after = 1\nper_shard = true";
    let mut bench = Bench::of(with("ips = [\"a\"]", "shards = 3", &limit("g", grey)), 7);
    let mut at = |host, at, number| {
        let to = Addressee { number, known: true };
        bench.receiver.dispatch_to(Ms(at), Source(0), None, Some(host), to).is_accepted()
    };
    assert!(!at(0, 0, 1));
    assert!(!at(1, 300_000, 1), "the other host has not seen it");
    assert!(at(0, 300_000, 1));
    assert!(at(1, 300_001, 2));
}
