//! Beside a Postfix that has some providers taken off it: what the guide says, done as it stands
//! there.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use crate::postfix::Postfix;
use crate::relay::{Dialogue, Home, Relay};

const GUIDE: &str = include_str!("../../../../docs/guide/beside-postfix.md");

const MESSAGE: &str = "From: app@example.com\r\nSubject: hello\r\n\r\nhello\r\n";

/// The guide's indented lines that begin like this.
fn lines_of_guide(beginning: &str) -> Vec<&'static str> {
    let indented = GUIDE.lines().filter_map(|line| line.strip_prefix("       "));
    indented.filter(|line| line.starts_with(beginning)).collect()
}

/// A Postfix that hands its mail to `world`, a relay beside it that does the same, and some
/// providers' mail sent that way. Both have the name of the machine, as they do unless told.
struct Beside {
    postfix: Postfix,
    relay: Relay,
}

impl Beside {
    fn of(world: &Postfix) -> Self {
        Self::with_route(world, |_| world.smtp)
    }

    /// As [`of`](Self::of), with a relay that hands its mail to the host that `route` says.
    fn with_route(world: &Postfix, route: impl FnOnce(&Postfix) -> SocketAddr) -> Self {
        let hostname = "machine.example.org";
        let postfix = Postfix::with_relayhost(world.smtp, &format!("myhostname = {hostname}\n"));
        let text = format!(
            "[relay]\nhostname = \"{hostname}\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
             [[route]]\npattern = \"*\"\nto = \"{}\"\n",
            route(&postfix)
        );
        let beside = Self { postfix, relay: Home::new().start_by_file(&text) };
        let transports: Vec<&str> = GUIDE
            .lines()
            .filter(|line| line.contains("smtp:[127.0.0.1]:2525"))
            .map(str::trim)
            .collect();
        assert!(transports.len() >= 3, "{transports:?}");
        beside.send_by(&transports);
        beside.run(&lines_of_guide("postconf -e"));
        beside.reload();
        beside
    }

    /// Writes the guide's `/etc/postfix/transport`.
    fn send_by(&self, transports: &[&str]) {
        let port = format!("smtp:[127.0.0.1]:{}", self.relay.smtp.port());
        let lines: String = transports
            .iter()
            .map(|line| format!("{}\n", line.replace("smtp:[127.0.0.1]:2525", &port)))
            .collect();
        fs::write(self.postfix.path().join("transport"), lines).unwrap();
        self.run(&lines_of_guide("postmap"));
    }

    fn reload(&self) {
        self.postfix.let_configuration_age();
        self.run(&lines_of_guide("postfix reload"));
    }

    /// Runs lines of the guide, for this Postfix rather than for the machine's.
    fn run(&self, lines: &[&str]) {
        let folder = self.postfix.path().to_str().unwrap();
        assert!(!lines.is_empty());
        for line in lines {
            let line = line.replace("/etc/postfix", folder);
            let mut shell = Command::new("/bin/sh");
            let path = "/usr/sbin:/usr/bin:/sbin:/bin";
            shell.args(["-c", &line]).env("MAIL_CONFIG", folder).env("PATH", path);
            let output = shell.output().unwrap();
            assert!(output.status.success(), "{line}: {output:?}");
        }
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
        assert_eq!(beside.relay.log().contains(recipient), by_us);
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
fn who_takes_the_lines_out_has_postfix_deliver_as_before() {
    let world = Postfix::with_mailboxes("");
    let beside = Beside::of(&world);
    beside.send_by(&[]);
    beside.reload();
    beside.hand_over(&["jo@web.de"]);
    let mail = world.mail_for("jo@web.de");
    assert!(!mail.contains("(Postlane)"), "{mail}");
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
    let beside = Beside::with_route(&world, |postfix| postfix.smtp);
    beside.hand_over(&["jo@web.de"]);
    let report = world.mail_for("app@example.com");
    assert!(report.contains(" Error: too many hops\n"), "{report}");
    assert_eq!(world.mails().len(), 1);
}
