//! Hosts that put off mail in words of another trouble: whom they do not know, or any at random.

use postlane_rehearsal::{Fate, Policy, Run, Tracing, run};

use crate::{ENGINE, scenario};

const SENDER: &str = r#"
[meta]
id = "contact"
title = "put off"
horizon = "4d"
seed = 41
[sender]
ips = ["ip1"]
[[mail]]
class = "engaged"
count = 2000
max_age = "3d"
[[mail]]
class = "transactional"
rate = "6/h"
to = "24h"
max_age = "24h"
[receiver]
site = "mx.contact.example"
"#;

/// A new sender's mail of some days, where a receiver does that.
pub(crate) fn of(receiver: &str, policy: Policy) -> Run {
    let scenario = scenario(&format!("{SENDER}{receiver}"));
    run(&scenario, policy, &ENGINE, scenario.run_seed(0), Tracing::Off).unwrap().run
}

/// What goes within the hours of a day.
const HOUR: &str = "[[receiver.limit]]\nid = \"hour\"\nkind = \"sliding\"\nquota = 300\nwindow = \"1h\"\n\
                    reply = \"421 4.7.0 Too many messages, try again later\"\n";

/// How long the last message took, where all were delivered.
fn slowest_h(run: &Run) -> Option<f64> {
    let took = run.messages.iter().map(|message| match message.fate {
        Fate::Delivered(at) => Some((at.0 - message.arrived.0) as f64 / 3.6e6),
        _ => None,
    });
    took.collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max)
}

#[test]
fn who_puts_off_whom_he_does_not_know_and_says_something_else_gets_all_mail() {
    for words in [
        "451 4.3.0 Temporary failure",
        "450 4.2.0 Mailbox busy, try again later",
        "450 4.1.1 unverified address",
        "451 4.7.1 Greylisted, try again later",
        "421 4.3.2 Service temporarily unavailable, try again later",
    ] {
        for policy in [Policy::Lane, Policy::LaneWarm] {
            let run = of(
                &format!(
                    "[[receiver.limit]]\nid = \"first\"\nkind = \"greylist\"\nkey = [\"ip\", \"rcpt\"]\n\
                     min_delay = \"15m\"\nwhitelist_after = 100\nreply = \"{words}\"\n"
                ),
                policy,
            );
            let slowest = slowest_h(&run);
            assert!(slowest.is_some_and(|hours| hours <= 12.0), "{words}: {slowest:?} hours");
        }
    }
}

#[test]
fn what_is_refused_at_random_is_no_limit() {
    let limit = "[[receiver.limit]]\nid = \"hour\"\nkind = \"sliding\"\nquota = 600\nwindow = \"1h\"\n\
                 reply = \"421 4.7.0 Too many messages, try again later\"\n";
    for policy in [Policy::Lane, Policy::LaneWarm] {
        let text = "[[receiver.temp]]\np = 0.2\nreply = \"451 4.3.0 Temporary local problem\"\n";
        let run = of(&format!("{limit}{text}"), policy);
        let slowest = slowest_h(&run);
        assert!(slowest.is_some_and(|hours| hours <= 9.0), "{slowest:?} hours");
        assert!(run.refused_for_rate <= 40, "{} refused", run.refused_for_rate);
    }
}

#[test]
fn an_outage_right_after_a_full_quota_says_nothing_of_the_quota() {
    for policy in [Policy::Lane, Policy::LaneWarm] {
        let outage = "[[receiver.outage]]\nfrom = \"95m\"\nto = \"3h\"\n\
                      reply = \"421 4.3.2 Service shutting down\"\n";
        let run = of(&format!("{HOUR}{outage}"), policy);
        let slowest = slowest_h(&run);
        // 300 an hour for 2,100 messages, and nearly an hour and a half of nothing.
        assert!(slowest.is_some_and(|hours| hours <= 10.0), "{slowest:?} hours");
    }
}

#[test]
fn a_host_that_is_out_of_service_each_night_keeps_the_quota_it_had() {
    for policy in [Policy::Lane, Policy::LaneWarm] {
        let nights = [2, 26, 50].map(|h| {
            format!(
                "[[receiver.outage]]\nfrom = \"{h}h\"\nto = \"{}h\"\n\
                 reply = \"421 4.3.2 System not accepting network messages\"\n",
                h + 2
            )
        });
        let limit = HOUR.replace("300", "100");
        let run = of(&format!("{limit}{}", nights.concat()), policy);
        let slowest = slowest_h(&run);
        // 100 an hour for 2,100 messages are 21 hours and two of nothing.
        assert!(slowest.is_some_and(|hours| hours <= 27.0), "{slowest:?} hours");
    }
}

/// What one of many servers behind a name says, and a host that is out of service.
const UNAVAILABLE: &str = "421 4.3.2 Service not available, closing transmission channel";

#[test]
fn a_server_among_many_that_is_out_of_service_is_no_limit() {
    let limit = "[[receiver.limit]]\nid = \"hour\"\nkind = \"sliding\"\nquota = 600\nwindow = \"1h\"\n\
                 reply = \"421 4.7.0 Too many messages, try again later\"\n";
    for policy in [Policy::Lane, Policy::LaneWarm] {
        let text = format!("[[receiver.temp]]\np = 0.05\nreply = \"{UNAVAILABLE}\"\n");
        let run = of(&format!("{limit}{text}"), policy);
        let slowest = slowest_h(&run);
        assert!(slowest.is_some_and(|hours| hours <= 6.0), "{slowest:?} hours");
        assert!(run.refused_for_rate <= 40, "{} refused", run.refused_for_rate);
    }
}

#[test]
fn an_outage_of_a_host_whose_quota_is_always_full_is_over_when_the_host_is_back() {
    let limit = "[[receiver.limit]]\nid = \"ten\"\nkind = \"sliding\"\nquota = 200\nwindow = \"10m\"\n\
                 reply = \"421 4.7.0 Too many messages, try again later\"\n";
    for policy in [Policy::Lane, Policy::LaneWarm] {
        let outage = format!(
            "[[receiver.outage]]\nfrom = \"40m\"\nto = \"100m\"\nreply = \"{UNAVAILABLE}\"\n"
        );
        let run = of(&format!("{limit}{outage}"), policy);
        let slowest = slowest_h(&run);
        // 200 in ten minutes for 2,000 messages, and an hour of nothing.
        assert!(slowest.is_some_and(|hours| hours <= 3.2), "{slowest:?} hours");
    }
}
