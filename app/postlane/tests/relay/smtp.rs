//! Mail in by real clients, and out to a real host.

use std::collections::BTreeSet;
use std::process::Command;

use crate::knot::program;
use crate::relay::{Home, Relay};
use crate::sink::Sink;

fn route(to: &Sink) -> String {
    format!("*={}", to.address)
}

#[test]
fn all_that_smtp_source_sends_arrives_once() {
    const MESSAGES: usize = 500;
    let sink = Sink::start(&[]);
    let relay = Relay::start(&["--route", &route(&sink)]);
    let output = Command::new(program("smtp-source", "postfix"))
        .args(["-s", "20", "-m", &MESSAGES.to_string(), "-l", "4096", "-r", "2"])
        .args(["-f", "app@example.com", "-t", "jo@example.net", &relay.smtp.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    relay.logs(2 * MESSAGES, &[" event=delivered "]);
    let messages = sink.messages();
    assert_eq!(messages.len(), MESSAGES);
    let id = |message: &String| message.split("\nMessage-Id: ").nth(1).map(str::to_owned);
    let ids: BTreeSet<Option<String>> = messages
        .iter()
        .map(|message| id(message).and_then(|rest| rest.lines().next().map(str::to_owned)))
        .collect();
    assert_eq!(ids.len(), MESSAGES, "{:?}", messages[0]);
    assert!(messages.iter().all(|message| message.matches("\nX-Rcpt-Args: ").count() == 2));
}

/// Runs swaks; gives its exit status and the dialogue.
fn swaks(relay: &Relay, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program("swaks", "swaks"))
        .args(["--server", &relay.smtp.ip().to_string(), "--port", &relay.smtp.port().to_string()])
        .args(["--helo", "app.example", "--from", "app@example.com", "--to", "jo@example.net"])
        .args(arguments)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn id_in(dialogue: &str) -> &str {
    let after = dialogue.split("queued as ").nth(1).unwrap_or_else(|| panic!("{dialogue}"));
    after.split_whitespace().next().unwrap()
}

#[test]
fn eight_bit_mail_of_swaks_arrives_octet_for_octet() {
    let sink = Sink::start(&[]);
    let relay = Relay::start(&["--route", &route(&sink)]);
    let mail = "Subject: größer\\nX-Postlane-Campaign: may\\nBcc: eve@example.net\\n\\n\
                .dot in front\\n..two\\nGrüße äöü €\\n";
    let (status, dialogue) = swaks(&relay, &["--data", mail]);
    assert_eq!(status, Some(0), "{dialogue}");
    let line = relay.outcome(id_in(&dialogue));
    assert!(line.contains(" event=delivered ") && line.contains(" campaign=may "), "{line}");
    let message = sink.message_to("jo@example.net");
    assert!(message.contains("\nSubject: größer\n"), "{message}");
    assert!(message.contains("\n\n.dot in front\n..two\nGrüße äöü €\n"), "{message}");
    assert!(message.contains("\nMessage-ID: <") && message.contains("\nDate: "), "{message}");
    assert!(!message.contains("X-Postlane-") && !message.contains("Bcc"), "{message}");
}

#[test]
fn a_host_without_8bitmime_does_not_get_eight_bit_mail() {
    let (plain, sender) = (Sink::start(&["-8"]), Sink::start(&[]));
    let own = format!("example.com={}", sender.address);
    let relay = Relay::start(&["--route", &route(&plain), "--route", &own]);
    let (status, dialogue) = swaks(&relay, &["--data", "Subject: hi\\n\\nGrüße\\n"]);
    assert_eq!(status, Some(0), "{dialogue}");
    let line = relay.outcome(id_in(&dialogue));
    assert!(line.contains(" event=bounced ") && line.contains(" status=5.6.3"), "{line}");
    relay.logs(1, &[" event=delivered ", " to=app@example.com "]);
    let report = sender.message_to("app@example.com");
    assert!(report.contains("\nStatus: 5.6.3\n"), "{report}");
    assert!(plain.messages().is_empty());
}

#[test]
fn a_message_that_is_too_large_is_refused_where_that_is_known() {
    let home = Home::new();
    let sink = Sink::start(&[]);
    let file = home.write("postlane.toml", "[limits]\nmessage_size = \"70KiB\"\n");
    let relay = home.start(&["--config", &file, "--route", &route(&sink)]);
    let mut client = relay.dial();
    client.say("EHLO app.example");
    let refused = client.say("MAIL FROM:<app@example.com> SIZE=80000");
    assert!(refused.starts_with("552 5.3.4 "), "{refused}");
    let mail = format!("Subject: large\\n\\n{}", "sixteen octets.\\n".repeat(6_000));
    let (status, dialogue) = swaks(&relay, &["--data", &mail]);
    assert_eq!(status, Some(26), "{dialogue}");
    assert!(dialogue.contains(" 552 5.3.4 "), "{dialogue}");
    assert_eq!(relay.ask_json(&["queue", "list"]).len(), 0);
}

#[test]
fn a_message_in_chunks_is_one_message() {
    let sink = Sink::start(&[]);
    let relay = Relay::start(&["--route", &route(&sink)]);
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").contains("CHUNKING"));
    assert!(client.say("MAIL FROM:<app@example.com>").starts_with("250"));
    assert!(client.say("RCPT TO:<jo@example.net>").starts_with("250"));
    let (first, second) = ("Subject: chunks\r\n\r\nfirst\r\n.\r\n", ".second\r\n");
    client.send(format!("BDAT {}\r\n{first}", first.len()).as_bytes());
    assert!(client.hear().starts_with("250"));
    client.send(format!("BDAT {}\r\n{second}BDAT 0 LAST\r\n", second.len()).as_bytes());
    assert!(client.hear().starts_with("250"));
    let taken = client.hear();
    let line = relay.outcome(id_in(&taken));
    assert!(line.contains(" event=delivered "), "{line}");
    let message = sink.message_to("jo@example.net");
    assert!(message.contains("\n\nfirst\n.\n.second\n"), "{message}");
}
