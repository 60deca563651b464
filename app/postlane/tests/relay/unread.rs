//! Whoever does not read what the relay tells, or does not end what they say, holds up nobody else.

use std::fs;
use std::io::{self, BufRead as _, BufReader, PipeWriter, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::FileExt as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use serde_json::json;

use crate::http::Api;
use crate::peer::Peer;
use crate::relay::{Home, PATIENCE, Relay};

/// Writes until there is no room for one octet more.
fn fill(mut pipe: &PipeWriter) {
    let flags = fcntl_getfl(pipe).unwrap();
    fcntl_setfl(pipe, flags | OFlags::NONBLOCK).unwrap();
    while pipe.write(b"\n").is_ok() {}
    fcntl_setfl(pipe, flags).unwrap();
}

#[test]
fn a_log_that_nobody_reads_stops_no_mail_and_no_alarm_stops_its_thread() {
    let peer = Peer::start();
    let (log, told) = io::pipe().unwrap();
    fill(&told);
    let away =
        ["--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--route", "example.net=127.0.0.1:9"];
    let to_peer = peer.route();
    let arguments = [&away[..], &["--route", &to_peer]].concat();
    let relay = Home::new().serve_telling(told, &arguments);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let to = |name: &str| format!("{name}@example.net");
    let [lost, other] = ["lost", "other"].map(|name| {
        dialogue.hand_over("app@example.com", &[&to(name)], "Subject: hello\r\n\r\nhi")
    });
    // Not even its sender can be read any more: the reports' thread says so, where nobody reads.
    let segment = relay.home().data().join("spool/00000001.seg");
    let octets = fs::read(&segment).unwrap();
    let at = octets.windows(4).position(|octets| octets == b"lost").unwrap();
    fs::File::options().write(true).open(segment).unwrap().write_all_at(b"L", at as u64).unwrap();
    assert!(relay.ask(&["queue", "bounce", &lost]).status.success());
    assert!(relay.ask(&["queue", "bounce", &other]).status.success());
    let report = peer.wait(|seen| seen.taken.first().cloned()).1;
    assert!(report.contains("Final-Recipient: rfc822; other@example.net"), "{report}");
    // It was not forgotten.
    let lines = BufReader::new(log).lines().map(Result::unwrap);
    let mut alarms = lines.filter(|line| line.contains("event=alarm"));
    assert!(alarms.any(|line| line.contains(&format!("message {lost} is given up"))));
}

#[test]
fn a_body_that_is_under_way_by_the_api_leaves_less_room_for_other_mail() {
    let limits = "[limits]\nbody_memory = \"1MiB\"\nmessage_size = \"1MiB\"\n[[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n";
    let relay: Relay = Home::new().start_by_file(limits);
    let api = Api::of(&relay);
    let small = json!({"from": "app@example.com", "to": ["jo@example.net"], "text": "hi"});
    assert_eq!(api.post("/v1/messages", &small).status, 202);
    let mut slow = TcpStream::connect(relay.http).unwrap();
    let (token, octets) = (relay.token(), 3 << 19);
    write!(
        slow,
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {octets}\r\n\r\n"
    )
    .unwrap();
    slow.write_all(&vec![b' '; octets - 1]).unwrap();
    // It is in memory when others hear that there is no room.
    let patience = Instant::now() + PATIENCE;
    let refused = loop {
        let answer = api.post("/v1/messages", &small);
        if answer.status != 202 {
            break answer;
        }
        assert!(Instant::now() < patience, "it does not count");
    };
    assert_eq!(refused.status, 503);
    let mut dialogue = relay.dial();
    dialogue.say("EHLO app.example");
    assert!(dialogue.say("MAIL FROM:<app@example.com>").starts_with("452"));
    // One body alone has room, and leaves it behind.
    slow.write_all(b" ").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(api.post("/v1/messages", &small).status, 202);
    assert!(dialogue.say("MAIL FROM:<app@example.com>").starts_with("250"));
}

#[test]
fn a_stranger_who_stalls_in_a_message_leaves_room_for_who_may_send() {
    let relay: Relay = Home::new().start_by_file(
        "[relay]\nnetworks = []\n[limits]\nbody_memory = \"4MiB\"\nmessage_size = \"1MiB\"\n\
         [[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n",
    );
    let mut stalls = relay.dial();
    for line in ["EHLO a.example", "MAIL FROM:<a@a.example>", "RCPT TO:<postmaster>", "DATA"] {
        assert!(stalls.say(line).starts_with(['2', '3']), "{line}");
    }
    stalls.send(&b"stalls\r\n".repeat(120_000));
    let patience = Instant::now() + PATIENCE;
    let asks = || {
        let mut other = relay.dial();
        other.say("EHLO b.example");
        other.say("MAIL FROM:<b@b.example>")
    };
    while !asks().starts_with("451") {
        assert!(Instant::now() < patience, "it does not count");
    }
    let small = json!({"from": "app@example.com", "to": ["jo@example.net"], "text": "hi"});
    assert_eq!(Api::of(&relay).post("/v1/messages", &small).status, 202);
    assert!(stalls.say(".").starts_with("250"));
    assert!(asks().starts_with("250"));
}

#[test]
fn too_few_open_files_are_told_at_the_start() {
    let home = Home::new();
    let serve = home.command(&["serve", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -n 400; exec \"$@\"", "sh"])
        .arg(serve.get_program())
        .args(serve.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let told = lines.find(|line| line.contains("only 400 files may be open"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(told.unwrap().contains("LimitNOFILE="));
}
