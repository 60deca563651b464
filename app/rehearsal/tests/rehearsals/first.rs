//! The first contact: how fast a lane begins, and what bulk leaves to transactional mail.

use postlane_mail::Stream;
use postlane_rehearsal::{Fate, Policy, Run, Tracing, run};

use crate::{ENGINE, scenario};

/// Takes everything on five connections, at once, and refuses the sixth.
const FIVE: &str = r#"
[meta]
id = "five"
title = "everything on five connections"
horizon = "1h"
seed = 1
[sender]
ips = ["ip1"]
[[mail]]
class = "engaged"
count = 1000
[receiver]
site = "mx.five.example"
connect = "20ms"
txn = "20ms"
[[receiver.limit]]
id = "connections"
kind = "conns"
key = ["ip"]
quota = 5
stage = "connect"
reply = "421 4.7.0 Too many connections from your host"
"#;

const MINUTE_MS: u64 = 60_000;

fn lane(text: &str, seed: u64) -> Run {
    let scenario = scenario(text);
    run(&scenario, Policy::Lane, &ENGINE, scenario.run_seed(seed), Tracing::Off).unwrap().run
}

/// How long each message of a stream took that was delivered.
fn waits_ms(run: &Run, urgent: bool) -> Vec<u64> {
    let of = run.messages.iter().filter(|m| (m.stream == Stream::Transactional) == urgent);
    of.filter_map(|m| match m.fate {
        Fate::Delivered(at) => Some(at.0 - m.arrived.0),
        _ => None,
    })
    .collect()
}

#[test]
fn a_thousand_go_within_a_minute_where_only_connections_are_counted() {
    // Answers as fast as a lane may hope for, and as slow as where five connections are needed.
    for text in [FIVE.to_owned(), FIVE.replace("20ms", "100ms")] {
        for seed in 0..3 {
            let run = lane(&text, seed);
            let waits = waits_ms(&run, false);
            assert_eq!(waits.len(), 1000);
            let slowest = waits.into_iter().max().unwrap();
            assert!(slowest <= MINUTE_MS, "{slowest} ms");
            assert!(run.refused_for_rate <= 1, "{} refused", run.refused_for_rate);
        }
    }
}

#[test]
fn a_host_that_is_slow_to_answer_and_limits_no_rate_has_twenty_thousand_within_half_an_hour() {
    let slow = FIVE.replace("\"20ms\"", "\"1s\"").replace("quota = 5", "quota = 20");
    let slow = slow.replace("count = 1000", "count = 20000");
    let run = lane(&slow, 0);
    let waits = waits_ms(&run, false);
    assert_eq!(waits.len(), 20_000);
    let slowest = waits.into_iter().max().unwrap();
    // Twenty at once, a second each, take seventeen minutes.
    assert!(slowest <= 30 * MINUTE_MS, "{slowest} ms");
}

/// Before the rest of the mail, one message that somebody waits for.
const ONE_FIRST: &str = "[[mail]]\nclass = \"transactional\"\ncount = 1\nmax_age = \"24h\"\n\n";

#[test]
fn bulk_listens_once_transactional_mail_has_come_and_not_before() {
    let text = include_str!("../../../../examples/receivers/p12-limit-drop.toml");
    let accepted = |text: &str, minutes: u64| {
        let run = lane(text, 0);
        run.minutes.range(..minutes).map(|(_, minute)| minute.accepted).sum::<u32>()
    };
    let (sender, rest) = text.split_once("[[mail]]").unwrap();
    let listens = accepted(&format!("{sender}{ONE_FIRST}[[mail]]{rest}"), 5);
    assert!((90..=120).contains(&listens), "{listens}");
    let (bulk, rest) = text.split_once("[[mail]]\nclass = \"transactional\"").unwrap();
    let (_, receiver) = rest.split_once("[receiver]").unwrap();
    let all = accepted(&format!("{bulk}[receiver]{receiver}"), 5);
    assert!(all >= 450, "{all}");
}

#[test]
fn a_window_of_ten_minutes_that_bulk_fills_keeps_transactional_mail_waiting_for_less_than_five() {
    for text in [
        include_str!("../../../../examples/receivers/p08-greylist.toml"),
        include_str!("../../../../examples/receivers/p12-limit-drop.toml"),
    ] {
        let mean = (0..5).map(|seed| {
            let mut waits = waits_ms(&lane(text, seed), true);
            waits.sort_unstable();
            waits[(waits.len() * 99 / 100).min(waits.len() - 1)]
        });
        let mean = mean.sum::<u64>() / 5;
        assert!(mean <= 5 * MINUTE_MS, "{mean} ms");
    }
}

/// Two sources with a thousand an hour each, of which one is let in twice.
const POISONED: &str = r#"
[meta]
id = "poisoned"
title = "a thousand an hour, and two for one source of two"
horizon = "6h"
seed = 1
[sender]
ips = ["ip1", "ip2"]
[[mail]]
class = "engaged"
count = 500
[receiver]
site = "mx.poisoned.example"
[[receiver.limit]]
id = "hour"
kind = "sliding"
key = ["ip"]
quota = 1000
window = "1h"
stage = "connect"
reply = "421 4.7.0 Too many messages from your IP, try again later"
override = [{ ip = "ip2", quota = 2 }]
"#;

#[test]
fn nobody_waits_for_a_source_that_is_refused_after_hardly_any_to_find_the_limit_out() {
    for seed in 0..3 {
        let slowest = waits_ms(&lane(POISONED, seed), false).into_iter().max().unwrap();
        assert!(slowest <= 15 * MINUTE_MS, "{slowest} ms");
    }
}
