//! Model receivers, as a server and over files.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::golden::golden;
use crate::relay::{Dialogue, Home, Relay, connect};

/// Three a minute by source, counted when connecting, strict; one connection at once; `unknown`
/// recipients do not exist.
const STRICT: &str = r#"[meta]
id = "strict"
horizon = "1d"
seed = 4
[sender]
ips = ["ip1", "ip2"]
[receiver]
site = "mx.strict.example"
connect = "200ms"
txn = "300ms"
[[receiver.limit]]
id = "one-at-once"
kind = "conns"
stage = "connect"
key = ["ip"]
quota = 1
reply = "421 4.7.0 Too many concurrent connections"
[[receiver.limit]]
id = "minute"
kind = "sliding"
stage = "connect"
key = ["ip"]
charge = "attempted"
quota = 3
window = "1m"
reply = "421-4.7.0 Too many messages\n421 4.7.0 Slow down"
penalty = { after = 2, within = "1m", hold = "10m", reply = "421 4.7.1 Come back much later" }
"#;

/// A model receiver that listens, and ends with the test.
pub(crate) struct Listening {
    child: Child,
    address: SocketAddr,
    rest: BufReader<std::process::ChildStdout>,
}

impl Listening {
    pub(crate) fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut child = home
            .command(&["receiver", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        rest.read_line(&mut ready).unwrap();
        let address = ready.trim().strip_prefix("ready smtp=").unwrap().parse().unwrap();
        Self { child, address, rest }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it as a terminal would; gives what it printed.
    fn stop(mut self) -> String {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, Signal::TERM).unwrap();
        let mut said = String::new();
        self.rest.read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Hands a message over as a sender does who hears everything; gives the last that was said.
fn hand_over(dialogue: &mut Dialogue, to: &str) -> String {
    for line in ["MAIL FROM:<a@example.com>", &format!("RCPT TO:<{to}>"), "DATA", "hello\r\n."] {
        let said = dialogue.say(line);
        if !said.starts_with('2') && !said.starts_with('3') {
            return said;
        }
        if line.ends_with('.') {
            return said;
        }
    }
    String::new()
}

#[test]
fn a_model_that_listens_answers_as_its_scenario_says() {
    let home = Home::new();
    // Windows of an hour, three minutes of ours: no machine is so slow that they end here.
    let file = home.write("strict.toml", &STRICT.replace("\"1m\"", "\"1h\""));
    let model = Listening::start(&home, &[&file, "--speed", "20"]);
    let mut first = Dialogue::over(connect(model.address));
    assert_eq!(first.hear(), "220 mx.strict.example ESMTP a model receiver\r\n");
    assert!(first.say("EHLO out.example.com").ends_with("250 SMTPUTF8\r\n"));
    assert_eq!(hand_over(&mut first, "jo@example.net"), "250 2.0.0 Ok: queued\r\n");
    let mut second = Dialogue::over(connect(model.address));
    assert_eq!(second.hear(), "421 4.7.0 Too many concurrent connections\r\n");
    assert_eq!(second.hear(), "");
    let unknown = hand_over(&mut first, "unknown.jo@example.net");
    assert_eq!(unknown, "550 5.1.1 Recipient address rejected: User unknown\r\n");
    let third = hand_over(&mut first, "ann@example.net");
    assert_eq!(third, "421-4.7.0 Too many messages\r\n421 4.7.0 Slow down\r\n");
    assert_eq!(first.hear(), "");
    // The place was free before the hang-up was seen.
    let mut again = Dialogue::over(connect(model.address));
    assert_eq!(again.hear(), "421-4.7.0 Too many messages\r\n421 4.7.0 Slow down\r\n");
    let mut boxed = Dialogue::over(connect(model.address));
    assert_eq!(boxed.hear(), "421 4.7.1 Come back much later\r\n");
    let told = model.stop();
    let rows: Vec<Vec<&str>> =
        told.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let sums = [
        ["taken", "250", "1"],
        ["minute", "421", "3"],
        ["one-at-once", "421", "1"],
        ["unknown", "550", "1"],
    ];
    assert_eq!(rows, sums);
}

#[test]
fn a_relay_delivers_to_a_model() {
    let home = Home::new();
    let model = Listening::start(&home, &["p03-token-bucket", "--speed", "50", "--json"]);
    let relay = Relay::start(&["--route", &format!("*={}", model.address)]);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    for to in ["jo@example.net", "ann@example.net"] {
        dialogue.hand_over("app@example.com", &[to], "Subject: hello\r\n\r\nhi");
    }
    relay.logs(2, &[" event=delivered "]);
    let told = model.stop();
    let taken: Vec<serde_json::Value> =
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(taken.len(), 2, "{told}");
    assert!(taken.iter().all(|line| line["code"] == 250 && line["source"] == "ip1"), "{told}");
}

/// Ten a minute, counted when connecting.
const TEN_A_MINUTE: &str = r#"[meta]
id = "ten"
horizon = "1d"
[sender]
ips = ["ip1"]
[receiver]
site = "mx.ten.example"
[[receiver.limit]]
id = "minute"
kind = "sliding"
stage = "connect"
key = ["ip"]
quota = 10
window = "1m"
reply = "421 4.7.0 Too many messages in a minute"
"#;

#[test]
fn a_relay_whose_time_runs_with_the_models_delivers_what_it_takes() {
    const MESSAGES: usize = 30;
    let home = Home::new();
    let file = home.write("ten.toml", TEN_A_MINUTE);
    let model = Listening::start(&home, &[&file, "--speed", "60", "--json"]);
    let route = format!("*={}", model.address);
    let relay = Relay::start(&["--route", &route, "--clock-speed", "60"]);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    for n in 0..MESSAGES {
        dialogue.hand_over(
            "app@example.com",
            &[&format!("r{n}@example.net")],
            "Subject: x\r\n\r\nhi",
        );
    }
    // Two minutes of the model's at least, two seconds of ours.
    relay.logs(MESSAGES, &[" event=delivered "]);
    let told = model.stop();
    let codes: Vec<i64> = told
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["code"].as_i64().unwrap()
        })
        .collect();
    assert_eq!(codes.iter().filter(|code| **code == 250).count(), MESSAGES, "{told}");
}

#[test]
fn time_runs_faster_only_where_no_mail_can_leave_the_machine() {
    let home = Home::new();
    let all_here = ["--route", "*=127.0.0.1:9"];
    let elsewhere: [&[&str]; 4] = [
        &[],
        &["--route", "example.net=127.0.0.1:9"],
        &["--route", "*=127.0.0.1:9", "--route", "example.net=192.0.2.1:25"],
        &["--route", "*=localhost:9"],
    ];
    let open = [&all_here[..], &["--smtp", "0.0.0.0:0"]].concat();
    for arguments in elsewhere.into_iter().chain([open.as_slice()]) {
        let output = home
            .command(&["serve", "--http", "127.0.0.1:0", "--clock-speed", "60"])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("--clock-speed is for loopback only"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_model_answers_dispatches_in_a_file() {
    let home = Home::new();
    let scenario = home.write("strict.toml", STRICT);
    let dispatches = r#"{"t_ms": 0, "event": "arrival", "msg": 1, "known": false}
{"t_ms": 0, "conn": 1, "source": "ip1", "msg": 0}
{"t_ms": 700, "conn": 1, "source": "ip1", "msg": 1}
{"t_ms": 900, "event": "lane", "state": "normal"}
{"t_ms": 1000, "conn": 2, "source": "ip1", "msg": 2}
{"t_ms": 1000, "conn": "b", "source": 1, "recipient": "jo@example.net", "known": true}

{"t_ms": 1400, "conn": 1, "source": "ip1", "msg": 3}
{"t_ms": 9000, "event": "connect", "conn": 4, "source": "ip1"}
{"t_ms": 9000, "conn": 4, "source": "ip1", "msg": 4}
{"t_ms": 90000, "event": "connect", "conn": 5, "source": "ip2"}
{"t_ms": 90000, "event": "close", "conn": "b", "source": "ip2"}
{"t_ms": 90001, "event": "connect", "conn": 5, "source": "ip2"}
{"t_ms": 90400, "conn": 5, "source": "ip2", "msg": 5}
{"t_ms": 90900, "source": "ip1", "msg": 6}
{"t_ms": 700000, "event": "connect", "conn": 6, "source": "ip1"}
"#;
    let file = home.write("dispatches.jsonl", dispatches);
    let answers = |arguments: &[&str]| {
        let output = home.command(&["receiver", &scenario]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let said = answers(&["--replay", &file]);
    golden("receiver-replay.jsonl", &said);
    assert_eq!(answers(&["--replay", &file, "--seed", "4000"]), said);
    assert_ne!(answers(&["--replay", &file, "--seed", "7"]), said);
}

#[test]
fn what_cannot_be_replayed_or_listened_to_is_told_with_its_cure() {
    let home = Home::new();
    let scenario = home.write("strict.toml", STRICT);
    let backwards = home.write("backwards.jsonl", "{\"t_ms\": 5}\n{\"t_ms\": 4}\n");
    let nobody = home.write("nobody.jsonl", "{\"t_ms\": 5, \"source\": \"ip9\"}\n");
    let nothing = home.write("nothing.jsonl", "x\n");
    let broken = home.write("broken.toml", &STRICT.replace("quota = 3", "quata = 3"));
    let wrong: [(&[&str], &str); 7] = [
        (&[&scenario], "--listen"),
        (&[&scenario, "--listen", "192.0.2.1:25"], "write --listen 127.0.0.1:2526"),
        (&[&scenario, "--listen", "127.0.0.1:0", "--speed", "0"], "from 0.01 to 10000"),
        (&[&scenario, "--replay", &backwards], "backwards.jsonl:2: 4 ms is before 5 ms"),
        (&[&scenario, "--replay", &nobody], "write one of ip1, ip2"),
        (&[&scenario, "--replay", &nothing], "write {\"t_ms\": 0"),
        (&[&broken, "--replay", &nothing], "line 24: unknown field `quata`"),
    ];
    for (arguments, says) in wrong {
        let output = home.command(&["receiver"]).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}
