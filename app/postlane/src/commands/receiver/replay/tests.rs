//! The trace of a rehearsal, replayed: the model says again what it said.

use std::collections::BTreeMap;

use postlane_receivers::builtin;
use postlane_rehearsal::{Engine, Policy, Tracing, run};
use serde_json::Value;

use super::*;

/// What was answered, by connection and message.
fn answers<'l>(lines: impl Iterator<Item = &'l str>) -> BTreeMap<String, Vec<Value>> {
    let mut answers: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["event"] == "reply" && !line["msg"].is_null() {
            let told = ["source", "host", "stage", "code", "reply", "closed", "limit", "boxed"];
            let told = told.map(|key| line[key].clone());
            let latency = line["latency_ms"].clone();
            let key = format!("{} {}", line["conn"], line["msg"]);
            answers
                .entry(key)
                .or_default()
                .push(Value::from([told.as_slice(), &[latency]].concat()));
        }
    }
    answers
}

fn check(name: &str, policy: Policy) {
    let (_, text) = builtin().iter().find(|(one, _)| *one == name).unwrap();
    check_text(name, text, policy);
}

fn check_text(name: &str, text: &str, policy: Policy) {
    let scenario = Scenario::parse(text).unwrap();
    let seed = scenario.run_seed(0);
    let engine = Engine::built_in();
    let left = run(&scenario, policy, &engine, seed, Tracing::On).unwrap();
    let trace = String::from_utf8(left.trace.unwrap()).unwrap();
    let mut replay = Replay::new(&scenario, seed);
    let mut said = Vec::new();
    for line in trace.lines() {
        said.extend(replay.line(line).unwrap());
    }
    said.extend(replay.finish().unwrap());
    let (was, is) = (answers(trace.lines()), answers(said.iter().map(String::as_str)));
    assert!(was.len() > 100, "{name}: {}", was.len());
    for (key, was) in &was {
        assert_eq!(Some(was), is.get(key), "{name} {policy:?}: {key}");
    }
}

#[test]
fn what_was_rehearsed_is_answered_again_alike() {
    for (name, policy) in [
        ("p01-webde", Policy::Lane),
        ("p04-yahoo-pool", Policy::Oracle),
        ("p08-greylist", Policy::Postfix),
        ("p08-greylist", Policy::Lane),
    ] {
        check(name, policy);
    }
}

/// Two MX hosts that count for themselves: who sends may choose, so the file says where it went.
const TWO_HOSTS: &str = r#"
[meta]
id = "two-hosts"
title = "two hosts"
horizon = "6h"
seed = 4
[sender]
ips = ["ip1"]
[[mail]]
class = "engaged"
count = 300
[receiver]
site = "mx.two.example"
shards = 2
[[receiver.limit]]
id = "h"
kind = "sliding"
quota = 40
window = "20m"
per_shard = true
reply = "421 4.7.0 Too many messages, try again later"
"#;

#[test]
fn a_message_is_replayed_at_the_host_it_went_to() {
    for policy in [Policy::Lane, Policy::Postfix, Policy::Oracle] {
        check_text("two-hosts", TWO_HOSTS, policy);
    }
    let scenario = Scenario::parse(TWO_HOSTS).unwrap();
    let mut replay = Replay::new(&scenario, 0);
    for host in [1, 0, 1] {
        let line = format!(r#"{{"t_ms": 0, "host": {host}, "msg": 1}}"#);
        assert!(replay.line(&line).unwrap()[0].contains(&format!(r#""host":{host}"#)));
    }
    let wrong = replay.line(r#"{"t_ms": 0, "host": 2, "msg": 1}"#).unwrap_err();
    assert!(wrong.contains("the scenario has 2"), "{wrong}");
}

#[test]
fn dispatches_without_closes_do_not_go_on_with_what_a_reply_closed() {
    let text = TWO_HOSTS.replace("quota = 40", "quota = 1").replace("shards = 2", "shards = 1");
    let scenario = Scenario::parse(&text).unwrap();
    let mut replay = Replay::new(&scenario, 0);
    let mut said = Vec::new();
    for at in [0, 10_000, 20_000] {
        let line = format!(r#"{{"t_ms":{at},"event":"dispatch","conn":1,"msg":{at}}}"#);
        said.extend(replay.line(&line).unwrap());
    }
    let latency = |line: &String| {
        serde_json::from_str::<Value>(line).unwrap()["latency_ms"].as_u64().unwrap()
    };
    // 350 ms for a message; the third has to connect again, for at least 240 ms more.
    assert!(latency(&said[1]) <= 455, "{}", said[1]);
    assert!(latency(&said[2]) >= 520, "{}", said[2]);
}
