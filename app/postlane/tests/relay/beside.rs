//! Beside a Postfix that has some providers taken off it: what the guide says, done as it stands
//! there.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use crate::postfix::Postfix;
use crate::relay::{Dialogue, Home, Relay};

const GUIDE: &str = include_str!("../../../../docs/guide/beside-postfix.md");

const MESSAGE: &str = "From: app@example.com\r\nSubject: hello\r\n\r\nhello\r\n";

/// A step's commands, and what stands in its file, are indented so.
const IN_STEPS: &str = "       ";
/// Those outside the steps so.
const ELSEWHERE: &str = "    ";

/// The guide's commands for Postfix that are indented like this.
fn commands(indent: &str) -> Vec<&'static str> {
    let lines = GUIDE.lines().filter_map(|line| line.strip_prefix(indent));
    let tools = ["postconf -", "postmap ", "postfix reload"];
    lines.filter(|line| tools.iter().any(|tool| line.starts_with(tool))).collect()
}

/// A Postfix that hands its mail to `world`, a relay beside it that does the same, and some
/// providers' mail sent that way. Both have the name of the machine, as they do unless told.
struct Beside {
    postfix: Postfix,
    relay: Relay,
}

impl Beside {
    fn of(world: &Postfix) -> Self {
        Self::with("", |_| world.smtp, world)
    }

    /// As [`of`](Self::of), with more in Postfix's `main.cf`, and a relay that hands its mail to the host
    /// that `route` says.
    fn with(settings: &str, route: impl FnOnce(&Postfix) -> SocketAddr, world: &Postfix) -> Self {
        let hostname = "machine.example.org";
        let settings = format!("myhostname = {hostname}\n{settings}");
        let postfix = Postfix::with_relayhost(world.smtp, &settings);
        let text = format!(
            "[relay]\nhostname = \"{hostname}\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
             [[route]]\npattern = \"*\"\nto = \"{}\"\n",
            route(&postfix)
        );
        let beside = Self { postfix, relay: Home::new().start_by_file(&text) };
        beside.write_transports();
        let all = commands(IN_STEPS);
        assert!(all.len() >= 9, "{all:?}");
        all.iter().for_each(|line| beside.run(line));
        beside
    }

    /// Writes the guide's `/etc/postfix/postlane`.
    fn write_transports(&self) {
        let lines = GUIDE.lines().filter_map(|line| line.strip_prefix(IN_STEPS));
        let lines: Vec<&str> =
            lines.filter(|line| line.ends_with(" postlane:[127.0.0.1]:2525")).collect();
        assert!(lines.len() >= 3, "{lines:?}");
        let port = format!(":{}", self.relay.smtp.port());
        let text = (lines.join("\n") + "\n").replace(":2525", &port);
        fs::write(self.postfix.path().join("postlane"), text).unwrap();
    }

    /// Runs a line of the guide, for this Postfix and this relay rather than for the machine's.
    fn run(&self, line: &str) {
        let folder = self.postfix.path().to_str().unwrap();
        let line = line.replace("/etc/postfix", folder);
        let line = line.replace(":2525", &format!(":{}", self.relay.smtp.port()));
        if line == "postfix reload" {
            self.postfix.let_configuration_age();
        }
        let mut shell = Command::new("/bin/sh");
        let path = "/usr/sbin:/usr/bin:/sbin:/bin";
        shell.args(["-c", &line]).env("MAIL_CONFIG", folder).env("PATH", path);
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }

    fn hand_over(&self, to: &[&str]) {
        let mut dialogue = Dialogue::open(self.postfix.smtp);
        assert!(dialogue.say("EHLO app.example").starts_with("250"));
        dialogue.hand_over("app@example.com", to, MESSAGE);
    }
}

#[test]
fn what_the_guide_says_sends_some_providers_mail_by_us_and_no_other() {
    let world = Postfix::with_mailboxes("");
    let beside = Beside::of(&world);
    beside.hand_over(&["jo@web.de", "al@gmx.net", "jo@example.net", "jo@not.web.de.example"]);
    for (recipient, by_us) in [
        ("jo@web.de", true),
        ("al@gmx.net", true),
        ("jo@example.net", false),
        ("jo@not.web.de.example", false),
    ] {
        let mail = world.mail_for(recipient);
        assert_eq!(mail.contains(" (Postlane) with "), by_us, "{mail}");
        if by_us {
            beside.relay.logged(&[&format!(" to={recipient} ")]);
        } else {
            assert!(!beside.relay.log().contains(recipient));
        }
        let said =
            if by_us { "status=sent (250 2.0.0 Ok: queued as 0" } else { "status=sent (250" };
        beside.postfix.says(&[&format!("to=<{recipient}>"), said]);
    }
}

#[test]
fn who_is_refused_by_a_provider_comes_back_from_us_to_the_sender() {
    let world = Postfix::with_mailboxes(
        "smtpd_recipient_restrictions = check_recipient_access \
         inline:{ {gone@web.de = 550 5.1.1 Moved away} }, permit\n",
    );
    let beside = Beside::of(&world);
    beside.hand_over(&["gone@web.de"]);
    let report = world.mail_for("app@example.com");
    assert!(report.contains("\nReporting-MTA: dns; machine.example.org\n"), "{report}");
    assert!(report.contains(" (Postlane) with ESMTP id "), "{report}");
    assert!(report.contains("\nFinal-Recipient: rfc822; gone@web.de\n"), "{report}");
}

#[test]
fn who_goes_back_has_postfix_deliver_as_before() {
    let world = Postfix::with_mailboxes("");
    let beside = Beside::of(&world);
    let back = |line: &&&str| !line.contains("default_transport");
    commands(ELSEWHERE).iter().filter(back).for_each(|line| beside.run(line));
    beside.hand_over(&["jo@web.de"]);
    let mail = world.mail_for("jo@web.de");
    assert!(!mail.contains("(Postlane)"), "{mail}");
}

#[test]
fn who_wants_it_has_all_mail_go_by_us() {
    let world = Postfix::with_mailboxes("");
    let beside = Beside::of(&world);
    let all = |line: &&&str| line.contains("default_transport");
    commands(ELSEWHERE).iter().filter(all).for_each(|line| beside.run(line));
    beside.run("postfix reload");
    beside.hand_over(&["jo@example.net"]);
    let mail = world.mail_for("jo@example.net");
    assert!(mail.contains(" (Postlane) with "), "{mail}");
}

#[test]
fn what_postfix_is_told_of_the_world_does_not_hold_for_the_way_to_us() {
    let world = Postfix::with_mailboxes("");
    // The maps that are there stay: this one takes what is not in the guide's.
    let settings = format!(
        "smtp_tls_security_level = encrypt\n\
         transport_maps = inline:{{ {{example.org = relay:[{}]:{}}} }}\n",
        world.smtp.ip(),
        world.smtp.port()
    );
    let beside = Beside::with(&settings, |_| world.smtp, &world);
    beside.hand_over(&["jo@web.de", "jo@example.org"]);
    let mail = world.mail_for("jo@web.de");
    assert!(mail.contains(" (Postlane) with "), "{mail}");
    beside.postfix.says(&["to=<jo@example.org>", "TLS is required"]);
}

#[test]
fn what_postfix_gives_back_itself_passes_by_us_too() {
    let world = Postfix::with_mailboxes(
        "smtpd_recipient_restrictions = check_recipient_access \
         inline:{ {gone@example.net = 550 5.1.1 Moved away} }, permit\n",
    );
    let beside = Beside::of(&world);
    let mut dialogue = Dialogue::open(beside.postfix.smtp);
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    dialogue.hand_over("jo@web.de", &["gone@example.net"], MESSAGE);
    let report = world.mail_for("jo@web.de");
    assert!(report.starts_with("Return-Path: <>\n"), "{report}");
    assert!(report.contains(" (Postlane) with ESMTP id "), "{report}");
}

#[test]
fn mail_that_goes_round_between_us_and_postfix_comes_back() {
    let world = Postfix::with_mailboxes("");
    let beside = Beside::with("", |postfix| postfix.smtp, &world);
    beside.hand_over(&["jo@web.de"]);
    let report = world.mail_for("app@example.com");
    assert!(report.contains(" Error: too many hops\n"), "{report}");
    assert_eq!(world.mails().len(), 1);
}
