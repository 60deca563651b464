//! The log as its readers meet it: every line is one that the guide explains.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::host::Host;
use crate::relay::{Home, Relay};

/// A listener on a free port, and a host that everything goes to.
fn relay(host: &Host, log: &str) -> Relay {
    Home::new().start_by_file(&format!(
        "[log]\n{log}\n[relay]\nhostname = \"relay.example\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\n\
         [[route]]\npattern = \"down.example\"\nto = \"127.0.0.1:9\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\n",
        host.address
    ))
}

const RECIPIENTS: [&str; 3] = ["jo@example.net", "gone-1@example.net", "later-1@example.net"];

/// One message to three recipients, of whom one gets it; and what came of it.
fn mail(relay: &Relay) -> String {
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let id = dialogue.hand_over("app@example.com", &RECIPIENTS, "Subject: x\r\n\r\nsecret body");
    relay.log_until(|log| {
        let report = log
            .lines()
            .find_map(|line| line.split_once(&format!(" of={id} "))?.0.split_once("id="));
        report.is_some_and(|(_, report)| log.matches(&format!("id={report}")).count() > 1)
    })
}

/// The keys of a line with their values, quotes taken away.
fn fields(line: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut rest = line;
    while let Some((key, behind)) = rest.split_once('=') {
        let (value, behind) = match behind.strip_prefix('"') {
            None => behind.split_once(' ').unwrap_or((behind, "")),
            Some(quoted) => {
                let closes = |at: &(usize, char)| at.1 == '"' && !quoted[..at.0].ends_with('\\');
                let (end, _) = quoted.char_indices().find(closes).unwrap();
                (&quoted[..end], quoted[end + 1..].trim_start())
            }
        };
        fields.push((key.trim().to_owned(), value.to_owned()));
        rest = behind;
    }
    fields
}

/// What the first cells of the guide's tables name.
fn explained() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/logs.md");
    let page = fs::read_to_string(page).unwrap();
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let names =
        cells.flat_map(|cell| cell.split(", ").map(|name| name.trim_matches('`').to_owned()));
    names.collect()
}

#[test]
fn every_line_is_one_that_the_guide_explains() {
    let host = Host::start();
    let relay = relay(&host, "");
    mail(&relay);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    dialogue.hand_over("app@example.com", &["jo@down.example"], "Subject: x\r\n\r\nhi");
    dialogue.hand_over("app@example.com", &["postmaster@relay.example"], "Subject: x\r\n\r\nhi");
    relay.log_until(|log| log.contains("event=connect-failed"));
    assert!(relay.ask(&["queue", "hold", "--all"]).status.success());
    assert!(relay.ask(&["queue", "bounce", "--all"]).status.success());
    relay.log_until(|log| log.contains("event=bounced-by-operator"));
    relay.hang_up();
    let log = relay.log();
    let explained = explained();
    let mut events = BTreeSet::new();
    for line in log.lines() {
        let fields = fields(line);
        assert_eq!((&*fields[0].0, &*fields[1].0), ("ts", "event"), "{line}");
        assert!(explained.contains(&fields[1].1), "{line}");
        events.insert(fields[1].1.clone());
        for (key, _) in &fields[2..] {
            assert!(explained.contains(key), "{key} is not explained: {line}");
        }
    }
    let seen = ["accepted", "bounced", "bounced-by-operator", "connect-failed", "deferred"];
    let seen = [&seen[..], &["delivered", "held", "kept", "reloaded", "report"]].concat();
    assert!(seen.iter().all(|event| events.contains(*event)), "{events:?}");
    assert!(!log.contains("secret body"));
}

#[test]
fn addresses_are_shown_as_far_as_the_file_says() {
    for (shown, sender) in [("domain", "from=@example.com "), ("hash", "@example.com ")] {
        let host = Host::start();
        let log = mail(&relay(&host, &format!("addresses = \"{shown}\"")));
        assert!(log.contains(sender), "{log}");
        for hidden in ["app@", "jo@", "gone-1", "later-1"] {
            assert!(!log.contains(hidden), "{hidden}: {log}");
        }
    }
}

#[test]
fn lines_that_nobody_wants_are_not_written() {
    let host = Host::start();
    let log = mail(&relay(&host, "accepted = false\naddresses = \"full\""));
    assert!(!log.contains("event=accepted") && log.contains("event=delivered"), "{log}");
    let relay = relay(&host, "attempts = false");
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    dialogue.hand_over("app@example.com", &["gone-2@example.net"], "Subject: x\r\n\r\nhi");
    // Intake and outcomes write for themselves: their lines come in no order.
    let both = |log: &str| log.contains("event=report ") && log.contains("event=accepted");
    let log = relay.log_until(both);
    assert!(!log.contains("event=bounced"), "{log}");
}
