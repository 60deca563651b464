//! Rehearsals over the API: the same bytes as the command's, bounds, roles, tenants, and who is stopped.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::time::Instant;

use serde_json::{Value, json};

use crate::http::{Answer, Api};
use crate::relay::{PATIENCE, Relay};

const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9"];

/// Eight messages and some that come later, for a receiver that takes two a minute.
const TINY: &str = r#"[meta]
id = "tiny"
title = "two a minute"
horizon = "1h"
seed = 7
[sender]
ips = ["ip1"]
[[mail]]
class = "engaged"
count = 8
[[mail]]
class = "transactional"
rate = "20/h"
to = "6m"
[receiver]
site = "mx.tiny.example"
[[receiver.limit]]
id = "minute"
kind = "sliding"
key = ["ip"]
quota = 2
window = "1m"
reply = "450 4.7.1 Too much mail, slow down"
"#;

/// What takes longer than any test of it has patience for what comes behind it.
fn long() -> Value {
    json!({"scenario": "p11-time-of-day", "policies": ["lane", "postfix", "pmta"], "seeds": 10})
}

fn begin(api: &Api<'_>, body: &Value) -> u64 {
    let begun = api.post("/v1/rehearsals", body);
    assert_eq!(begun.status, 200, "{}", begun.text());
    begun.json()["id"].as_u64().unwrap()
}

/// The rehearsal when it stands so.
fn when(api: &Api<'_>, id: u64, stands: &[&str]) -> Value {
    let patience = Instant::now() + PATIENCE;
    loop {
        let story = api.get(&format!("/v1/rehearsals/{id}")).json();
        if stands.iter().any(|state| story["state"] == *state) {
            return story;
        }
        assert!(Instant::now() < patience, "{story}");
        std::thread::yield_now();
    }
}

fn token(relay: &Relay, name: &str, scopes: &str, more: &[&str]) -> String {
    let arguments = [&["token", "new", "--name", name, "--scope", scopes], more].concat();
    let output = relay.ask(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What is wrong with a request, and where.
fn refused(answer: &Answer, status: u16) -> (String, Vec<(String, String)>) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let problem = answer.json();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let errors = errors.iter().map(|one| (text(one, "pointer"), text(one, "detail")));
    (text(&problem, "detail"), errors.collect())
}

#[test]
fn a_rehearsal_comes_to_what_its_command_prints_to_the_byte() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let asked = json!({"toml": TINY, "policies": ["oracle", "static", "lane"], "seeds": 2});
    let id = begin(&api, &asked);
    let story = when(&api, id, &["done"]);
    let command = story["command"].as_str().unwrap();
    let words: Vec<&str> = command.split(' ').collect();
    let expected = "postlane rehearse tiny.toml --policy lane,static,oracle --seeds 2 --json";
    assert_eq!(command, expected);
    let kept = api.get(&format!("/v1/rehearsals/{id}/scenario"));
    assert_eq!(kept.field("content-disposition"), Some("attachment; filename=\"tiny.toml\""));
    assert_eq!(kept.text(), TINY);
    let file = relay.home().write("tiny.toml", kept.text());
    let arguments: Vec<&str> =
        words[1..].iter().map(|word| if *word == "tiny.toml" { &*file } else { word }).collect();
    let printed = relay.home().command(&arguments).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let outcomes = api.get(&format!("/v1/rehearsals/{id}/outcomes"));
    assert_eq!(outcomes.field("content-type"), Some("application/x-ndjson"));
    assert_eq!(outcomes.text(), String::from_utf8(printed.stdout).unwrap());
    assert_eq!((story["runs_done"].as_u64(), story["runs"].as_u64()), (Some(6), Some(6)));
    let policies = story["pictures"].as_array().unwrap().iter().map(|one| one["policy"].clone());
    assert_eq!(policies.collect::<Vec<_>>(), ["lane", "static", "oracle"]);
    assert_eq!(story["judgements"][2]["pass"], true);
    assert!(!story["decisions"].as_array().unwrap().is_empty());
}

#[test]
fn how_it_goes_is_told_until_it_is_over() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let id = begin(&api, &json!({"toml": TINY, "policies": ["lane", "oracle"], "seeds": 3}));
    let accept = "Accept: text/event-stream\r\n";
    let mut told = String::new();
    let mut stream = api.begin(&format!("GET /v1/rehearsals/{id}/events"), accept, "");
    stream.read_to_string(&mut told).unwrap();
    assert!(told.contains("content-type: text/event-stream"), "{told}");
    for event in ["event: picture\n", "event: outcomes\n", "\"state\":\"done\""] {
        assert!(told.contains(event), "{event} is not in {told}");
    }
    let last = told.rsplit("event: progress").next().unwrap();
    assert!(last.contains("\"runs_done\":6"), "{last}");
    // Whoever comes when it is over hears the same end.
    let again = api.ask(&format!("GET /v1/rehearsals/{id}/events"), accept, "");
    assert!(again.text().contains("\"state\":\"done\""), "{}", again.text());
}

#[test]
fn what_is_described_in_a_form_is_rehearsed_and_a_configuration_suggested() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let described = json!({"description": {
        "provider": "web.de", "messages": 300, "transactional": 0.1, "deadline": "24h",
        "quota": 60, "window": "1h", "counts": "attempted", "penalty": "30m", "connections": 3,
    }, "policies": ["lane"], "seeds": 1});
    let id = begin(&api, &described);
    let story = when(&api, id, &["done"]);
    assert_eq!(story["scenario"], "described");
    let config = api.get(&format!("/v1/rehearsals/{id}/config"));
    assert_eq!(config.status, 200, "{}", config.text());
    assert!(config.text().contains("[lane.\"united-internet\"]\nmax_rate_per_source = \""));
    assert!(config.text().contains("# Rehearsed with it"), "{}", config.text());
    let file = relay.home().write("suggested.toml", config.text());
    let checked = relay.home().command(&["config", "check", &file]).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}\n{}", config.text());
    let wrong = json!({"description": {"provider": "nobody", "messages": 0, "deadline": "24h"}});
    let (_, errors) = refused(&api.post("/v1/rehearsals", &wrong), 422);
    let fields: Vec<&str> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(fields, ["/description/provider", "/description/messages"]);
    let half =
        json!({"description": {"provider": "gmx", "messages": 9, "deadline": "1d", "quota": 3}});
    let (says, errors) = refused(&api.post("/v1/rehearsals", &half), 422);
    assert!(says.contains("as in \"1h\"") && errors[0].0 == "/description/window", "{says}");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_the_cure_and_what_is_too_much_is_refused() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let ask = |body: Value| api.post("/v1/rehearsals", &body);
    let misspelt = TINY.replace("quota = 2", "quota = 2\nwindows = \"1m\"");
    let (says, errors) = refused(&ask(json!({"toml": misspelt})), 422);
    assert!(says.contains("line 22: ") && says.contains("correct its spelling"), "{says}");
    assert_eq!(errors[0].0, "/toml");
    let (says, _) = refused(&ask(json!({"scenario": "p99"})), 422);
    assert!(says.contains("p01-webde, p02-gmx-shared"), "{says}");
    let (says, errors) = refused(&ask(json!({"toml": TINY, "policies": ["lane", "qmail"]})), 422);
    assert!(says.contains("kumo-tsa") && errors[0].0 == "/policies/1", "{says}");
    let many = TINY.replace("count = 8", "count = 100001").replace("\"1h\"", "\"60d\"");
    let (says, _) = refused(&ask(json!({"toml": many, "seeds": 11})), 422);
    for what in ["messages are more than 100000", "longer than 31d", "write 1 to 10"] {
        assert!(says.contains(what), "{says}");
    }
    let (says, _) = refused(&ask(json!({"toml": "#".repeat(70_000)})), 422);
    assert!(says.contains("longer than 64 KiB"), "{says}");
    let (says, _) = refused(&ask(json!({"toml": TINY, "scenario": "p01-webde"})), 422);
    assert!(says.contains("one of scenario, toml and description"), "{says}");
    assert_eq!(api.get("/v1/rehearsals/1").status, 404, "nothing of it has begun");
    assert_eq!(api.get("/v1/rehearsals/one").status, 404);
}

#[test]
fn one_runs_the_others_wait_and_each_can_be_stopped() {
    let relay = Relay::start(&NOWHERE);
    let api = Api::of(&relay);
    let [first, second, third] = [0; 3].map(|_| begin(&api, &long()));
    when(&api, first, &["runs"]);
    let (says, _) = refused(&api.post("/v1/rehearsals", &long()), 429);
    assert!(says.contains("stop one"), "{says}");
    assert_eq!(when(&api, second, &["waits"])["runs_done"], 0);
    let early = api.get(&format!("/v1/rehearsals/{first}/outcomes"));
    assert!(refused(&early, 409).0.contains("/events"));
    for id in [third, second, first] {
        assert_eq!(api.delete(&format!("/v1/rehearsals/{id}")).status, 200);
    }
    for id in [first, second, third] {
        when(&api, id, &["stopped"]);
    }
    let config = api.get(&format!("/v1/rehearsals/{first}/config"));
    assert!(refused(&config, 409).0.contains("stopped"));
    // One that is over is forgotten.
    assert_eq!(api.delete(&format!("/v1/rehearsals/{first}")).status, 200);
    assert_eq!(api.get(&format!("/v1/rehearsals/{first}")).status, 404);
    // There is room again, and whoever works on them works on.
    let last = begin(&api, &json!({"toml": TINY, "seeds": 1}));
    when(&api, last, &["done"]);
    let audit = relay.ask_json(&["audit"]);
    let did = |what: &str| audit.iter().any(|row| row["what"] == what && row["status"] == 200);
    assert!(did("POST /v1/rehearsals"), "{audit:#?}");
    assert!(did(&format!("DELETE /v1/rehearsals/{first}")), "{audit:#?}");
}

#[test]
fn who_may_only_read_begins_nothing_and_a_tenant_sees_its_own_alone() {
    let relay = Relay::start(&NOWHERE);
    let reader = token(&relay, "reader", "read", &[]);
    let acme = token(&relay, "acme", "operate,read", &["--tenant", "acme"]);
    let other = token(&relay, "other", "operate,read", &["--tenant", "other"]);
    let [reader, acme, other] = [&reader, &acme, &other].map(|token| Api::with(&relay, token));
    let tiny = json!({"toml": TINY, "seeds": 1});
    assert_eq!(reader.post("/v1/rehearsals", &tiny).status, 403);
    let id = begin(&acme, &tiny);
    // A token may ask only so often; the file's may always.
    assert_eq!(when(&Api::of(&relay), id, &["done"])["tenant"], "acme");
    for path in ["", "/outcomes", "/config", "/scenario", "/events"] {
        assert_eq!(other.get(&format!("/v1/rehearsals/{id}{path}")).status, 404, "{path}");
    }
    assert_eq!(other.delete(&format!("/v1/rehearsals/{id}")).status, 404);
    assert_eq!(reader.delete(&format!("/v1/rehearsals/{id}")).status, 403);
    assert_eq!(other.get("/v1/rehearsals").json()["rehearsals"], json!([]));
    assert_eq!(reader.get("/v1/rehearsals").json()["rehearsals"][0]["id"], id);
    let own = json!({"toml": TINY, "settings": "own"});
    assert!(refused(&acme.post("/v1/rehearsals", &own), 403).0.contains("bound to a tenant"));
    let whose = json!({"toml": TINY, "tenant": "other"});
    assert_eq!(acme.post("/v1/rehearsals", &whose).status, 403);
}

#[test]
fn an_operators_own_settings_are_rehearsed_where_that_is_asked_for() {
    let config =
        "[lane]\nmax_msgs_per_minute = 1\n[[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n";
    let relay = crate::relay::Home::new().start_by_file(config);
    let api = Api::of(&relay);
    let t50 = |settings: &str| {
        let asked = json!({"toml": TINY, "seeds": 1, "settings": settings});
        let id = begin(&api, &asked);
        when(&api, id, &["done"])["outcomes"][0]["t50_s"].as_f64().unwrap()
    };
    assert!(t50("built-in") < 180.0);
    assert!(t50("own") > 180.0);
}

/// How nice each thread of a process is, by its name (proc_pid_stat(5), field 19).
fn nice(pid: u32) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let Ok(stat) = fs::read_to_string(task.unwrap().path().join("stat")) else { continue };
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        let nice = rest.split_whitespace().nth(16).unwrap().parse().unwrap();
        found.push((name.to_owned(), nice));
    }
    found
}

#[test]
fn mail_goes_on_while_a_rehearsal_runs_on_a_thread_that_gives_way() {
    let sink = crate::sink::Sink::start(&[]);
    let route = format!("*={}", sink.address);
    let relay = Relay::start(&["--route", &route]);
    let api = Api::of(&relay);
    let id = begin(&api, &long());
    when(&api, id, &["runs"]);
    let threads = nice(relay.pid());
    let of = |wanted: &str| -> Vec<i64> {
        let found = threads.iter().filter(|(name, _)| name == wanted);
        found.map(|(_, nice)| *nice).collect()
    };
    assert_eq!(of("rehearsal"), [19], "{threads:?}");
    let usual = of("engine")[0];
    assert!(usual < 19 && of("spool-committer") == [usual], "{threads:?}");
    let hello = json!({"from": "app@example.com", "to": "jo@example.net", "text": "hi"});
    let taken = api.post("/v1/messages", &hello);
    assert_eq!(taken.status, 202, "{}", taken.text());
    let queued = taken.json()["id"].as_str().unwrap().to_owned();
    relay.logged(&["event=delivered", &queued]);
    assert_eq!(when(&api, id, &["runs"])["state"], "runs", "it ran all the while");
    api.delete(&format!("/v1/rehearsals/{id}"));
    let mut first = String::new();
    let events = api.begin(&format!("GET /v1/rehearsals/{id}/events"), "", "");
    BufReader::new(events).read_line(&mut first).unwrap();
    assert!(first.starts_with("HTTP/1.1 200"), "{first}");
    when(&api, id, &["stopped"]);
}
