//! Other senders on the same counter.

use postlane_receivers::{Ms, Receiver, Source};

use super::bench::{Bench, limit, scenario, with};

const HOUR: u64 = 3_600_000;

fn shared(more: &str) -> String {
    limit(
        "b",
        &format!(
            "kind = \"sliding\"\nkey = [\"ip\"]\nquota = 1000\nwindow = \"1h\"\nbackground = {{ rate = \"100/h\"{more} }}"
        ),
    )
}

fn used(receiver: &mut Receiver, at: u64, source: u16) -> f64 {
    receiver.usage(Ms(at), 0, Source(source), 0).unwrap().used
}

#[test]
fn others_come_at_their_rate_and_what_we_do_changes_nothing_of_it() {
    let mut quiet = Bench::new(&shared(""));
    let mut busy = Bench::new(&shared(""));
    let mut sum = 0.0;
    for hour in 1..200 {
        let at = hour * HOUR;
        for i in 0..20 {
            assert!(busy.send(at - 40_000 + i * 1_000).is_accepted());
        }
        let others = used(&mut quiet.receiver, at, 0);
        assert_eq!(used(&mut busy.receiver, at, 0), others + 20.0);
        sum += others;
    }
    assert!((97.0..103.0).contains(&(sum / 199.0)), "{}", sum / 199.0);
}

#[test]
fn each_key_has_others_of_its_own_and_each_seed_too() {
    let scenario = scenario(&shared(""));
    let mut receiver = Receiver::new(&scenario, 1);
    let mut other_seed = Receiver::new(&scenario, 2);
    let all: Vec<f64> = (1..50).map(|hour| used(&mut receiver, hour * HOUR, 0)).collect();
    let mut again = Receiver::new(&scenario, 1);
    let other_key: Vec<f64> = (1..50).map(|hour| used(&mut again, hour * HOUR, 1)).collect();
    let other: Vec<f64> = (1..50).map(|hour| used(&mut other_seed, hour * HOUR, 0)).collect();
    assert!(all != other_key && all != other);
    let mut once_more = Receiver::new(&scenario, 1);
    let at_the_end = used(&mut once_more, 49 * HOUR, 0);
    assert_eq!(Some(&at_the_end), all.last());
}

#[test]
fn others_come_in_their_hours_only_past_midnight_too() {
    let sender = "ips = [\"a\"]";
    let at_noon = with(sender, "", &shared(", from = \"22h\", to = \"2h\""));
    let mut receiver = Receiver::new(&at_noon, 3);
    // The run starts at midnight: the count is of the hour before.
    for (hour, is_busy) in [
        (1, true),
        (2, true),
        (3, false),
        (12, false),
        (22, false),
        (23, true),
        (24, true),
        (26, true),
        (27, false),
    ] {
        assert_eq!(used(&mut receiver, hour * HOUR, 0) > 50.0, is_busy, "hour {hour}");
    }
}

#[test]
fn others_are_counted_only_where_there_is_room_for_them() {
    let tight = shared("").replace("1000", "10");
    let mut bench = Bench::new(&tight);
    for hour in 1..20 {
        assert!(used(&mut bench.receiver, hour * HOUR, 0) <= 10.0);
    }
    let bucket = limit(
        "b",
        "kind = \"bucket\"\nquota = 5\nrate = \"50/h\"\nbackground = { rate = \"500/h\" }",
    );
    let mut bench = Bench::new(&bucket);
    let taken = (1..400).filter(|minute| bench.send(minute * 60_000).is_accepted()).count();
    // What is filled goes to others ten times in eleven.
    assert!((10..80).contains(&taken), "{taken}");
}

#[test]
fn others_of_the_same_millisecond_come_first() {
    let full = limit(
        "b",
        "kind = \"sliding\"\nquota = 1\nwindow = \"1h\"\nbackground = { rate = \"5/m\" }",
    );
    let mut looking = Bench::new(&full);
    let arrival = (0..60_000).find(|at| used(&mut looking.receiver, *at, 0) > 0.0).unwrap();
    assert!(Bench::new(&full).send(arrival - 1).is_accepted());
    assert!(!Bench::new(&full).send(arrival).is_accepted());
}
