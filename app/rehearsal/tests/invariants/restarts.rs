//! Restarts, clean ones and crashes: nothing is lost, no day is granted twice, and what was
//! learned stays learned.

use std::collections::BTreeMap;

use postlane_rehearsal::{Fate, Policy};

use crate::runs::{SEEDS, events, left};
use crate::scenarios::{MIXED, all, scenario};
use crate::trace::{Event, What};

fn restarts(kinds: &[(&str, &str)]) -> String {
    let restart =
        |(at, kind): &(&str, &str)| format!("[[restart]]\nat = \"{at}\"\nkind = \"{kind}\"\n");
    kinds.iter().map(restart).collect()
}

const TEN_MINUTES: &str = r#"
site = "mx.ten.example"
[[receiver.limit]]
id = "ten"
kind = "sliding"
key = ["ip"]
quota = 60
window = "10m"
stage = "rcpt"
reply = "450 4.7.1 Sender rate exceeds 60 messages per 10 minutes"
"#;

/// A scenario in which the program crashes and is stopped in the middle of its work.
pub(crate) fn crashing() -> String {
    let often =
        [("7m", "crash"), ("31m", "clean"), ("31m1s", "crash"), ("1h", "crash"), ("2h", "clean")];
    let receiver = format!("{TEN_MINUTES}{}", restarts(&often));
    scenario("crashing", "12h", r#"ips = ["ip1"]"#, MIXED, &receiver)
}

#[test]
fn nothing_is_lost_in_crashes_and_restarts() {
    for seed in 0..SEEDS {
        let left = left(&crashing(), seed, Policy::Lane);
        let delivered = |sent: &&postlane_rehearsal::Sent| matches!(sent.fate, Fate::Delivered(_));
        assert_eq!(left.run.messages.iter().filter(delivered).count(), left.run.messages.len());
        // Only what was in flight at a crash may come twice.
        assert!(left.run.accepted <= left.run.messages.len() as u64 + 4 * 20);
    }
}

#[test]
fn a_restart_forgets_no_limit_that_was_learned() {
    for seed in 0..SEEDS {
        let last = 2 * 3_600_000;
        let refused = |event: &&Event| {
            event.t_ms > last && matches!(event.what, What::Reply { code: 400..=499, .. })
        };
        let events = events(&crashing(), seed);
        let many = events.iter().filter(refused).count();
        assert!(many <= 5, "{many} refusals after the last restart");
    }
}

/// Dispatches on each day of a restart plan of 50, 100 and 200 messages.
fn by_day(restarts: &str, seed: u64) -> BTreeMap<u64, u64> {
    let mail = "[[mail]]\nclass = \"engaged\"\ncount = 600\n";
    let receiver = format!(
        "site = \"mx.open.example\"\n[[operator]]\nat = \"0s\"\n\
         command = \"restart-plan start open.example --days 50,100,200\"\n{restarts}"
    );
    let text = scenario("days", "3d", r#"ips = ["ip1", "ip2"]"#, mail, &receiver);
    let mut by_day: BTreeMap<u64, u64> = BTreeMap::new();
    for Event { t_ms, what } in events(&text, seed) {
        if matches!(what, What::Dispatch { .. }) {
            *by_day.entry(t_ms / 86_400_000).or_default() += 1;
        }
    }
    for (day, sent) in &by_day {
        assert!(*sent <= [50, 100, 200][*day as usize], "{by_day:?}");
    }
    by_day
}

#[test]
fn after_a_crash_no_day_is_granted_twice() {
    let often = ["1h", "6h", "6h1m", "18h", "30h", "42h", "55h"].map(|at| (at, "crash"));
    for seed in 0..SEEDS {
        let by_day = by_day(&restarts(&often), seed);
        assert!(by_day.get(&0).is_some_and(|sent| *sent >= 30), "{by_day:?}");
    }
}

#[test]
fn crashes_in_the_middle_of_a_days_work_grant_nothing_twice() {
    // Before anything but the day's reservations has come to the disk, again and again.
    let moments: Vec<String> = (1..120).map(|crash| format!("{}s", 4 * crash)).collect();
    let often: Vec<(&str, &str)> = moments.iter().map(|at| (at.as_str(), "crash")).collect();
    for seed in 0..SEEDS {
        let by_day = by_day(&restarts(&often), seed);
        assert!(by_day.len() == 3, "{by_day:?}");
    }
}

#[test]
fn a_clean_restart_breaks_off_nothing() {
    let text =
        all()[2].replace("[receiver]", &format!("{}[receiver]", restarts(&[("20m", "clean")])));
    for seed in 0..SEEDS {
        let left = left(&text, seed, Policy::Lane);
        let accepted =
            left.run.messages.iter().filter(|sent| matches!(sent.fate, Fate::Delivered(_)));
        assert_eq!(left.run.accepted, accepted.count() as u64, "something was delivered twice");
    }
}
