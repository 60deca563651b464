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
