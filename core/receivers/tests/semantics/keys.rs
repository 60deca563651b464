//! What has a counter of its own.

use postlane_receivers::Addressee;

use super::bench::{Bench, limit, with};

fn one_a_day(keys: &str) -> String {
    limit("k", &format!("kind = \"sliding\"\nquota = 1\n{keys}"))
}

fn to(number: u32) -> Addressee {
    Addressee { number, known: true }
}

#[test]
fn without_a_key_and_by_sender_domain_there_is_one_counter_for_the_sender() {
    for key in ["", "key = []", "key = [\"sender_domain\"]"] {
        let mut bench = Bench::new(&one_a_day(key));
        assert!(bench.send_from(0, 0).is_accepted());
        assert!(!bench.send_from(1, 0).is_accepted(), "{key}");
    }
}

#[test]
fn by_source_each_source_has_one() {
    for key in ["key = [\"ip\"]", "key = [\"sender_domain\", \"ip\"]"] {
        let mut bench = Bench::new(&one_a_day(key));
        assert!(bench.send_from(0, 0).is_accepted());
        assert!(bench.send_from(1, 0).is_accepted(), "{key}");
        assert!(!bench.send_from(0, 0).is_accepted());
    }
}

#[test]
fn by_recipient_each_recipient_has_one_over_all_sources() {
    let mut bench = Bench::new(&one_a_day("key = [\"rcpt\"]"));
    assert!(bench.send_to(0, 0, to(1)).is_accepted());
    assert!(bench.send_to(0, 0, to(2)).is_accepted());
    assert!(!bench.send_to(1, 0, to(1)).is_accepted());
}

#[test]
fn a_limit_for_one_source_never_sees_the_others() {
    let mut bench = Bench::new(&one_a_day("only_ip = \"b\"\ncharge = \"attempted\""));
    for _ in 0..3 {
        assert!(bench.send_from(0, 0).is_accepted());
    }
    assert!(bench.send_from(1, 0).is_accepted());
    assert!(!bench.send_from(1, 0).is_accepted());
}

#[test]
fn an_override_is_for_its_source_and_wins_over_changes() {
    let keys = "key = [\"ip\"]\noverride = [{ ip = \"b\", quota = 3 }]\nchange = [{ at = \"0s\", quota = 2 }]";
    let sender = "ips = [\"a\", \"b\"]";
    let mut bench = Bench::of(with(sender, "", &one_a_day(keys)), 1);
    let taken = |bench: &mut Bench, source| {
        (0..9).filter(|_| bench.send_from(source, 0).is_accepted()).count()
    };
    assert_eq!(taken(&mut bench, 0), 2);
    assert_eq!(taken(&mut bench, 1), 3);
}
