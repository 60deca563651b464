//! `postlane rehearse`: what it prints and writes, and how it refuses.

use std::fs;

use crate::golden::golden;
use crate::relay::Home;

/// Eight messages for a receiver that takes two a minute.
const TINY: &str = r#"
[meta]
id = "tiny"
title = "two a minute"
horizon = "1h"
seed = 7
[sender]
ips = ["ip1"]
[[mail]]
class = "engaged"
count = 8
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

/// What is printed, and what is noted beside it.
fn rehearse(home: &Home, arguments: &[&str]) -> (i32, String, String) {
    let arguments = [&["rehearse"], arguments].concat();
    let mut command = home.command(&arguments);
    command.env_remove("COLUMNS").env("LC_ALL", "C.UTF-8");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_rehearsal_is_a_table_and_pictures_without_colours_in_a_pipe() {
    let home = Home::new();
    let file = home.write("tiny.toml", TINY);
    let arguments = [&*file, "--policy", "static,pmta", "--seeds", "2", "--explain"];
    let (status, printed, noted) = rehearse(&home, &arguments);
    assert_eq!(status, 0, "{noted}");
    golden("rehearse.txt", &printed);
    assert!(noted.contains("virtual hours in"), "{noted}");
}

#[test]
fn json_traces_and_pictures_are_the_same_bytes_every_time() {
    let home = Home::new();
    let file = home.write("tiny.toml", TINY);
    let written = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let [trace, svg, pareto] = ["t.jsonl", "t.svg", "p.svg"].map(|n| home.write(n, ""));
        let arguments = [
            &*file,
            "--policy",
            "lane,oracle",
            "--seeds",
            "2",
            "--json",
            "--trace",
            &trace,
            "--svg",
            &svg,
            "--pareto",
            &pareto,
        ];
        let (status, printed, noted) = rehearse(&home, &arguments);
        assert_eq!((status, &*noted), (0, ""));
        let policies: Vec<_> = printed
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["policy"].clone())
            .collect();
        assert_eq!(policies, ["lane", "oracle"]);
        assert!(written("t.jsonl").contains("\"event\":\"lane\""));
        assert!(written("t.svg").starts_with("<svg") && written("p.svg").starts_with("<svg"));
        seen.push([printed, written("t.jsonl"), written("t.svg"), written("p.svg")]);
    }
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn an_operators_ceilings_hold_in_a_rehearsal() {
    let home = Home::new();
    let file = home.write("tiny.toml", TINY);
    let config = home.write("slow.toml", "[lane]\nmax_msgs_per_minute = 1\n");
    let t50 = |arguments: &[&str]| {
        let (_, printed, noted) = rehearse(&home, arguments);
        let figures: serde_json::Value = serde_json::from_str(&printed).expect(&noted);
        figures["t50_s"].as_f64().unwrap()
    };
    assert!(t50(&[&*file, "--json", "--seeds", "1"]) < 180.0);
    assert!(t50(&[&*file, "--json", "--seeds", "1", "--config", &*config]) > 180.0);
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_cure() {
    let home = Home::new();
    let wrong = home.write("wrong.toml", &TINY.replace("quota = 2", "quota = 2\nwindows = \"1m\""));
    let (status, _, said) = rehearse(&home, &[&*wrong]);
    assert_eq!(status, 2);
    assert!(said.contains("wrong.toml:19: ") && said.contains("windows"), "{said}");
    for (arguments, says) in [
        (vec!["nowhere.toml"], "postlane rehearse --list"),
        (vec!["p01-webde", "--policy", "sendmail"], "kumo-tsa"),
        (vec!["p01-webde", "--seeds", "0"], "1..=1000"),
        (vec![], "<SCENARIO>"),
    ] {
        let (status, _, said) = rehearse(&home, &arguments);
        assert_eq!(status, 2, "{arguments:?}");
        assert!(said.contains(says), "{said}");
    }
}
