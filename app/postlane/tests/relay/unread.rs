//! Whoever does not read what the relay tells holds up nobody else.

use std::fs;
use std::io::{self, BufRead as _, BufReader, PipeWriter, Write as _};
use std::os::unix::fs::FileExt as _;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::peer::Peer;
use crate::relay::Home;

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
