//! What an operator says of a receiver's mail holds in a rehearsal as it does in the server.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use postlane_lanes::{Ceiling, Ladder, Rules};
use postlane_mail::{Label, Rate, Span};
use postlane_rehearsal::{Engine, Policy, Said, Tracing, run};

use crate::runs;
use crate::scenarios::{MIXED, scenario};
use crate::trace::{Event, What, read};

const ONE: &str = r#"ips = ["ip1"]"#;

const TENANTS: &str = r#"
[[mail]]
class = "engaged"
count = 200
tenant = "acme"
[[mail]]
class = "engaged"
count = 200
tenant = "other"
"#;

/// Refuses every message for its own sake.
const BUSY: &str = r#"
[[receiver.temp]]
p = 1.0
reply = "450 4.2.0 mailbox busy"
"#;

/// What is said of each receiver; the rules of replies take seconds to build: once for all.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let site = |name: &str, said: Said| (format!("mx.{name}.example"), said);
    let rate = |text: &str| Ceiling { rate: Rate::parse(text).ok(), connections: None };
    let together = |text: &str| Rules { together: rate(text), ..Rules::default() };
    let provider = |rules: Rules| Said { provider: rules, ..Said::default() };
    let tenant = [(Label::parse("acme").unwrap(), together("20/h"))];
    let backoff = Rules { retry_backoff: Some(Span::from_h(2)), ..Rules::default() };
    let hold = Rules {
        hold_new_when_deferred_older_than: Some(Span::from_min(30)),
        retry_max_age: Some(Span::from_h(3)),
        ..Rules::default()
    };
    let restart = Rules { restart: Ladder::new(vec![5, 5, 5]).ok(), ..Rules::default() };
    let said = [
        site("tenant", Said { tenants: tenant.into_iter().collect(), ..Said::default() }),
        site("domain", Said { domain: Some(together("30/h")), ..Said::default() }),
        site("hosts", Said { hosts: vec![together("40/h")], ..Said::default() }),
        site("backoff", provider(backoff)),
        site("hold", provider(hold)),
        site("restart", provider(restart)),
        site("lower", provider(together("30/h"))),
    ];
    Engine { said: said.into_iter().collect(), ..Engine::built_in() }
});

fn events(name: &str, horizon: &str, mail: &str, more: &str) -> Vec<Event> {
    let receiver = format!("site = \"mx.{name}.example\"\n{more}");
    let scenario = runs::scenario(&scenario(name, horizon, ONE, mail, &receiver));
    let seed = scenario.run_seed(0);
    read(&run(&scenario, Policy::Lane, &ENGINE, seed, Tracing::On).unwrap().trace.unwrap())
}

/// When each message went, with its tenant.
fn dispatches(events: &[Event]) -> Vec<(u64, u64, String)> {
    let dispatch = |event: &Event| match &event.what {
        What::Dispatch { msg, tenant, .. } => Some((event.t_ms, *msg, tenant.clone())),
        _ => None,
    };
    events.iter().filter_map(dispatch).collect()
}

fn most_in_an_hour(at_ms: &[u64]) -> usize {
    let within = |from: u64| {
        let hour = from..from + 3_600_000;
        at_ms.iter().filter(|at| hour.contains(*at)).count()
    };
    at_ms.iter().map(|from| within(*from)).max().unwrap_or_default()
}

#[test]
fn a_tenants_ceiling_binds_its_mail_and_no_other() {
    let events = events("tenant", "6h", TENANTS, "");
    let of = |tenant: &str| -> Vec<u64> {
        let all = dispatches(&events).into_iter();
        all.filter(|(.., t)| *t == tenant).map(|(at, ..)| at).collect()
    };
    assert!(most_in_an_hour(&of("acme")) <= 21, "{}", most_in_an_hour(&of("acme")));
    assert!(of("acme").len() >= 100);
    assert!(most_in_an_hour(&of("other")) > 100);
}

#[test]
fn ceilings_of_a_domain_of_hosts_and_of_a_provider_bind_all_of_the_mail() {
    for (name, per_hour) in [("domain", 30), ("hosts", 40), ("lower", 30)] {
        let events = events(name, "6h", MIXED, "");
        let at: Vec<u64> = dispatches(&events).into_iter().map(|(at, ..)| at).collect();
        let most = most_in_an_hour(&at);
        assert!(most <= per_hour + 1 && most >= per_hour / 2, "{name}: {most}");
    }
}

#[test]
fn a_deferred_message_waits_as_long_as_is_said() {
    let events = events("backoff", "48h", MIXED, BUSY);
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    let mut again = 0;
    for (at, msg, _) in dispatches(&events) {
        if let Some(before) = last.insert(msg, at) {
            again += 1;
            assert!(at - before >= 2 * 3_600_000, "message {msg} after {} ms", at - before);
        }
    }
    assert!(again > 0);
}

#[test]
fn new_mail_waits_while_old_mail_ages_and_old_mail_is_given_up() {
    let mail = r#"
        [[mail]]
        class = "engaged"
        count = 1
        [[mail]]
        class = "engaged"
        count = 10
        at = "1h"
    "#;
    let events = events("hold", "8h", mail, BUSY);
    let new = dispatches(&events).into_iter().find(|(_, msg, _)| *msg > 0);
    let gone = events.iter().find(|event| matches!(event.what, What::Ended { msg: 0 })).unwrap();
    let (new, hour) = (new.expect("it goes when the old one is given up").0, 3_600_000);
    assert!((3 * hour..=3 * hour + 120_000).contains(&gone.t_ms), "{}", gone.t_ms);
    assert!(new >= gone.t_ms, "{new} before {}", gone.t_ms);
}

#[test]
fn a_restart_plan_that_is_said_caps_the_day() {
    let events = events("restart", "20h", MIXED, "");
    let many = dispatches(&events).len();
    assert!((5..=10).contains(&many), "{many} in two days at most");
}
