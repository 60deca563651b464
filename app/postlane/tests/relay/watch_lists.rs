//! Block lists over time, with a real name server that has lists: who is listed, who is off again,
//! and which lists say nothing.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::http::Api;
use crate::knot::{Knot, Zone};
use crate::relay::{Home, Relay};

/// A list as RFC 5782 §5 wants it.
const HEALTHY: &str = "2.0.0.127 A 127.0.0.2\n";
const LISTED: &str = "2.0.0.127 A 127.0.0.2\n77.113.0.203 A 127.0.0.3\n";
/// The name was sold: everybody is listed.
const SOLD: &str = "* A 127.0.0.2\n";
/// It refuses whoever asks.
const REFUSING: &str = "* A 127.255.255.254\n";
const SURBL: &str = "test.surbl.org A 127.0.0.254\nacme-mail.com A 127.0.0.64\n";

fn zone(name: &'static str, records: &'static str) -> Zone<'static> {
    Zone { name, records: Some(records), signed: false }
}

fn lists(zen: &'static str) -> [Zone<'static>; 5] {
    [
        zone("zen.spamhaus.org", zen),
        zone("b.barracudacentral.org", HEALTHY),
        zone("bl.spamcop.net", REFUSING),
        zone("psbl.surriel.com", SOLD),
        zone("multi.surbl.org", SURBL),
    ]
}

/// Stands before a name server, and notes what it is asked.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Listener {
    pub(crate) fn before(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let asked: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let noted = asked.clone();
        std::thread::spawn(move || {
            let mut question = [0; 1500];
            while let Ok((octets, from)) = socket.recv_from(&mut question) {
                noted.lock().unwrap().insert(name_in(&question[..octets]));
                let (back, question) = (socket.try_clone().unwrap(), question[..octets].to_vec());
                std::thread::spawn(move || {
                    let ask = UdpSocket::bind("127.0.0.1:0").unwrap();
                    ask.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
                    ask.send_to(&question, server).unwrap();
                    let mut answer = [0; 4096];
                    if let Ok((octets, _)) = ask.recv_from(&mut answer) {
                        back.send_to(&answer[..octets], from).unwrap();
                    }
                });
            }
        });
        Self { address, asked }
    }

    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Questions about names below one; said again for want of an answer, it is the same question.
    fn questions(&self, zone: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|name| name.ends_with(zone)).count()
    }
}

/// The name in a question (RFC 1035 §4.1.2).
fn name_in(question: &[u8]) -> String {
    let mut labels = Vec::new();
    let mut rest = &question[12..];
    while let Some((&octets, behind)) = rest.split_first().filter(|(octets, _)| **octets > 0) {
        labels.push(String::from_utf8_lossy(&behind[..octets.into()]).to_lowercase());
        rest = &behind[octets.into()..];
    }
    labels.join(".")
}

fn config(resolver: SocketAddr) -> String {
    format!(
        "[delivery]\nresolvers = [\"{resolver}\"]\n[relay]\nhostname = \"localhost\"\n\
         [watch]\nquestions_per_minute = 6000\naddresses = [\"203.0.113.77\", \"10.0.0.1\"]\ndomains = [\"example.com\"]\n\
         [[tenant]]\nname = \"acme\"\nbounce_address = \"b@bounce.acme-mail.com\"\n\
         [[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n"
    )
}

fn start(home: Home, resolver: SocketAddr, arguments: &[&str]) -> Relay {
    let file = home.write("postlane.toml", &config(resolver));
    home.start(&[&["--config", &file], arguments].concat())
}

fn check(relay: &Relay) -> Value {
    relay.ask_json(&["blocklists", "check"]).remove(0)
}

fn cell<'v>(page: &'v Value, list: &str, subject: &str) -> &'v Value {
    let cells = page["cells"].as_array().unwrap();
    let found = cells.iter().find(|cell| cell["list"] == list && cell["subject"] == subject);
    found.unwrap_or_else(|| panic!("{list} {subject} in {page}"))
}

const ADDRESS: &str = "203.0.113.77";

#[test]
fn who_is_listed_is_told_after_a_second_answer_and_a_list_that_refuses_says_nothing() {
    let knot = Knot::start(&lists(LISTED));
    let before = Listener::before(knot.address());
    let relay = start(Home::new(), before.address, &[]);
    assert!(before.names().is_empty(), "nobody is asked while the relay starts");
    let first = check(&relay);
    assert_eq!(cell(&first, "spamhaus-zen", ADDRESS)["state"], "suspected");
    let second = check(&relay);
    let zen = cell(&second, "spamhaus-zen", ADDRESS);
    assert_eq!((&zen["state"], &zen["colour"]), (&"listed".into(), &"red".into()));
    assert_eq!((&zen["answers"], &zen["outcome"]), (&"127.0.0.3".into(), &"fail".into()));
    for (list, state, colour) in [
        ("barracuda", "clear", "green"),
        ("spamcop", "refused", "grey"),
        ("psbl", "broken", "grey"),
        ("abusix", "keyless", "grey"),
    ] {
        let cell = cell(&second, list, ADDRESS);
        assert_eq!((&cell["state"], &cell["colour"]), (&state.into(), &colour.into()), "{list}");
    }
    let why = cell(&second, "spamcop", ADDRESS)["why"].as_str().unwrap().to_owned();
    assert!(why.starts_with("query refused"), "{why}");

    // It is told: in the log, in the ledger, and as an incident with what is to be done.
    relay.logged(&["event=blocklist.listed", "list=spamhaus-zen", "subject=203.0.113.77"]);
    let incidents = relay.ask_json(&["incidents", "list", "--kind", "listed"]);
    let of_zen = incidents.iter().find(|row| row["of"] == "spamhaus-zen").unwrap();
    assert_eq!(of_zen["subject"], ADDRESS);
    let steps: Vec<&Value> =
        of_zen["steps"].as_array().unwrap().iter().map(|step| &step["id"]).collect();
    assert_eq!(steps, ["cause", "stop", "delist", "verify"]);
    let status = relay.ask(&["blocklists", "status"]);
    assert_eq!(status.status.code(), Some(1));
    let shown = String::from_utf8(status.stdout).unwrap();
    assert!(shown.contains("spamhaus-zen") && shown.contains("127.0.0.3: CSS"), "{shown}");

    // Neither a list that is gone nor anybody private was asked about, and no good sender's list.
    let names = before.names();
    assert!(names.contains("77.113.0.203.zen.spamhaus.org"), "{names:?}");
    for gone in ["sorbs.net", "manitu.net", "njabl.org", "abuseat.org", "dnswl.org", "abusix.zone"]
    {
        assert!(!names.iter().any(|name| name.ends_with(gone)), "{gone} in {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("1.0.0.10.")), "{names:?}");
}

#[test]
fn a_delisting_takes_two_answers_far_enough_apart_and_all_of_it_outlives_the_power() {
    let knot = Knot::start(&lists(LISTED));
    let begin = "2026-11-01T00:00:00Z";
    let relay = start(Home::new(), knot.address(), &["--now", begin]);
    check(&relay);
    assert_eq!(cell(&check(&relay), "spamhaus-zen", ADDRESS)["state"], "listed");
    let home = relay.crash();
    drop(knot);
    let knot = Knot::start(&lists(HEALTHY));
    let relay = start(home, knot.address(), &["--now", "2026-11-01T02:00:00Z"]);
    // What was seen before the power went is there before anybody is asked again.
    let seen = relay.ask_json(&["blocklists", "status"]).remove(0);
    assert_eq!(cell(&seen, "spamhaus-zen", ADDRESS)["state"], "listed");
    assert_eq!(cell(&check(&relay), "spamhaus-zen", ADDRESS)["state"], "clearing");
    // Again at once is not far enough apart.
    assert_eq!(cell(&check(&relay), "spamhaus-zen", ADDRESS)["state"], "clearing");
    let open = relay.ask_json(&["blocklists", "history", "--list", "spamhaus-zen"]);
    assert_eq!((open.len(), open[0].get("until")), (1, None));
    let home = relay.crash();
    let relay = start(home, knot.address(), &["--now", "2026-11-01T02:31:00Z"]);
    assert_eq!(cell(&check(&relay), "spamhaus-zen", ADDRESS)["state"], "clear");
    let closed = relay.ask_json(&["blocklists", "history", "--list", "spamhaus-zen"]);
    assert_eq!(closed.len(), 1);
    assert!(closed[0]["since"].as_str().unwrap().starts_with("2026-11-01T00:00:"), "{closed:?}");
    assert!(closed[0]["until"].as_str().unwrap().starts_with("2026-11-01T02:31:"), "{closed:?}");
    relay.logged(&["event=blocklist.delisted", "list=spamhaus-zen"]);
    let incidents = relay.ask_json(&["incidents", "list", "--all", "--kind", "listed"]);
    let of_zen = incidents.iter().find(|row| row["of"] == "spamhaus-zen").unwrap();
    assert_eq!(of_zen["state"], "closed");
}

#[test]
fn a_relay_that_restarts_again_and_again_asks_no_more_in_a_day_than_is_allowed() {
    let knot = Knot::start(&lists(HEALTHY));
    let addresses: Vec<String> = (1..=28).map(|host| format!("\"203.0.113.{host}\"")).collect();
    let mut home = Home::new();
    // Each look asks 30 questions of one list: of its two tests and of 28 addresses.
    for (start, (today, new)) in
        [(30, 30), (60, 30), (90, 30), (90, 0), (90, 0), (30, 30)].into_iter().enumerate()
    {
        let before = Listener::before(knot.address());
        let file = format!(
            "[delivery]\nresolvers = [\"{}\"]\n[relay]\nhostname = \"localhost\"\n\
             [watch]\nquestions_per_minute = 6000\nquestions_per_day = 100\naddresses = [{}]\n",
            before.address,
            addresses.join(", ")
        );
        let day = if start < 5 { "01" } else { "02" };
        let now = format!("2026-11-{day}T0{start}:00:00Z");
        let config = home.write("postlane.toml", &file);
        let relay = home.start(&["--config", &config, "--now", &now]);
        let page = check(&relay);
        let lists = page["lists"].as_array().unwrap();
        let zen = lists.iter().find(|list| list["id"] == "spamhaus-zen").unwrap();
        assert_eq!(zen["asked_today"], today, "start {start}: {zen:#}");
        assert_eq!(before.questions("zen.spamhaus.org"), new, "start {start}");
        home = relay.crash();
    }
}

#[test]
fn a_tenant_sees_its_own_domains_on_lists_and_nobody_elses() {
    let knot = Knot::start(&lists(LISTED));
    let relay = start(Home::new(), knot.address(), &[]);
    check(&relay);
    check(&relay);
    let made =
        relay.ask(&["token", "new", "--name", "a", "--scope", "operate", "--tenant", "acme"]);
    let token = String::from_utf8(made.stdout).unwrap();
    let acme = Api::with(&relay, token.trim());
    let page = acme.get("/v1/blocklists").json();
    let subjects: BTreeSet<&str> = page["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["subject"].as_str().unwrap())
        .collect();
    assert_eq!(subjects, BTreeSet::from(["bounce.acme-mail.com"]));
    assert_eq!(cell(&page, "surbl", "bounce.acme-mail.com")["state"], "listed");
    let history = acme.get("/v1/blocklists/history").json();
    let listings = history["listings"].as_array().unwrap();
    assert!(!listings.is_empty());
    assert!(listings.iter().all(|row| row["subject"] == "bounce.acme-mail.com"), "{history}");
    let incidents = acme.get("/v1/incidents").json();
    let incidents = incidents["incidents"].as_array().unwrap();
    assert!(incidents.iter().all(|row| row["subject"] == "bounce.acme-mail.com"));
    assert_eq!(incidents.len(), 1);
    // Asking costs everybody's questions: it is the operator's.
    assert_eq!(acme.post("/v1/blocklists/check", &Value::Null).status, 403);
}
