//! What becomes of mail that a host refuses, puts off, or leaves us in doubt of.

use serde_json::Value;

use crate::host::Host;
use crate::http::Api;
use crate::relay::Relay;
use crate::sink::Sink;

/// A relay, a host that fails as it is told to, and one for the sender's own mail.
struct Scene {
    relay: Relay,
    host: Sink,
    sender: Sink,
    id: String,
}

/// Sends a message to a host with this fault.
fn send(fault: &[&str]) -> Scene {
    let (host, sender) = (Sink::start(fault), Sink::start(&[]));
    let routes = [format!("*={}", host.address), format!("example.com={}", sender.address)];
    let relay = Relay::start(&["--route", &routes[0], "--route", &routes[1]]);
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    let id = client.hand_over("app@example.com", &["jo@example.net"], "Subject: hi\r\n\r\nhi");
    Scene { relay, host, sender, id }
}

impl Scene {
    /// What the log says of the first outcome.
    fn line(&self) -> String {
        self.relay.outcome(&self.id)
    }

    fn waiting(&self) -> Value {
        let mut waiting = self.relay.ask_json(&["queue", "list"]);
        assert_eq!(waiting.len(), 1, "{}", self.relay.log());
        waiting.remove(0)
    }

    fn report(&self) -> String {
        self.relay.logged(&[" event=delivered ", " to=app@example.com "]);
        self.sender.message_to("app@example.com")
    }
}

#[test]
fn who_is_put_off_waits_with_the_words_of_the_host() {
    for (command, stage) in [("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data"), (".", "dot")] {
        let scene = send(&["-r", command, "-b", "452 4.2.2 The box is full, try later"]);
        let line = scene.line();
        assert!(line.contains(" event=deferred "), "{command}: {line}");
        let row = scene.waiting();
        assert_eq!(row["status"], "deferred", "{command}: {row:#}");
        assert_eq!(row["attempts"], 1, "{command}: {row:#}");
        let last = &row["last_reply"];
        assert_eq!(last["code"], 452, "{command}: {row:#}");
        assert_eq!(last["enhanced"], "4.2.2", "{command}: {row:#}");
        assert_eq!(last["stage"], stage, "{command}: {row:#}");
        let text = last["text"].as_str().unwrap();
        assert!(text.contains("The box is full, try later"), "{command}: {row:#}");
        assert!(row["next_attempt_at"].is_string() && row["waiting"]["until"].is_string());
        assert!(scene.sender.messages().is_empty());
    }
}

#[test]
fn who_is_refused_for_good_comes_back_with_the_words_of_the_host() {
    for command in ["MAIL", "RCPT", "DATA", "."] {
        let scene = send(&["-f", command, "-B", "550 5.7.1 Not from you"]);
        let line = scene.line();
        assert!(line.contains(" event=bounced "), "{command}: {line}");
        let report = scene.report();
        assert!(report.contains("\nStatus: 5.7.1\n"), "{command}: {report}");
        assert!(report.contains("\nDiagnostic-Code: smtp; 550 5.7.1 Not from you\n"), "{report}");
        assert!(report.contains("\nFinal-Recipient: rfc822; jo@example.net\n"), "{report}");
        let left = scene.relay.ask_json(&["queue", "list"]);
        assert!(left.is_empty(), "{command}: {left:#?} {}", scene.relay.log());
        // What it refuses at its end, the sink has written down already.
        let seen = usize::from(command == ".");
        assert_eq!(scene.host.messages().len(), seen, "{command}: it was tried again");
    }
}

#[test]
fn a_host_that_knows_no_ehlo_is_greeted_with_helo() {
    let scene = send(&["-f", "EHLO"]);
    let line = scene.line();
    assert!(line.contains(" event=delivered "), "{line}");
    let message = scene.host.message_to("jo@example.net");
    assert!(message.contains("\nX-Client-Proto: SMTP\n"), "{message}");
}

#[test]
fn a_host_that_breaks_off_a_transaction_is_tried_again() {
    for how in ["-Q", "-q"] {
        for command in ["MAIL", "RCPT", "DATA", "."] {
            // Without a word it is the session that came to nothing, up to the final dot.
            if how == "-q" && command != "." {
                continue;
            }
            let scene = send(&[how, command]);
            let line = scene.line();
            assert!(line.contains(" event=deferred "), "{how} {command}: {line}");
            let row = scene.waiting();
            assert_eq!(row["id"], scene.id.as_str(), "{how} {command}");
            assert_eq!(row["status"], "deferred", "{how} {command}: {row:#}");
            let said = if how == "-Q" { 421 } else { 451 };
            assert_eq!(row["last_reply"]["code"], said, "{how} {command}: {row:#}");
        }
    }
}

#[test]
fn mail_that_may_have_arrived_is_sent_again() {
    let scene = send(&["-q", "."]);
    assert!(scene.line().contains("it may have arrived"), "{}", scene.line());
    let again = scene.relay.ask(&["queue", "retry", &scene.id]);
    assert!(again.status.success(), "{again:?}");
    let line = scene.relay.logged(&[" event=deferred ", " attempts=2 "]);
    assert!(line.contains(&format!(" id={} ", scene.id)), "{line}");
    assert_eq!(scene.host.messages().len(), 2);
}

#[test]
fn a_host_that_hangs_up_amid_a_message_is_named_with_what_it_was_asked() {
    for (command, stage) in [("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data")] {
        let scene = send(&["-q", command]);
        let line = scene.relay.logged(&[" event=session-lost "]);
        assert!(line.contains(&format!(" ip={} ", scene.host.address)), "{command}: {line}");
        assert!(line.contains("connection lost"), "{command}: {line}");
        let row = scene.waiting();
        assert_eq!(row["id"], scene.id.as_str(), "{command}");
        assert_eq!(row["last_reply"]["code"], 451, "{command}: {row:#}");
        assert!(row["waiting"]["until"].is_string(), "{command}: {row:#}");
        assert_eq!(row["last_reply"]["stage"], stage, "{command}: {row:#}");
    }
}

/// As a firewall does that does not like something in it: nothing is said of the message, and the host is well.
#[test]
fn a_message_that_ended_two_sessions_waits_by_itself_and_says_at_what_command() {
    for (command, stage) in [("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data")] {
        let scene = send(&["-q", command]);
        scene.relay.logged(&[" event=session-lost "]);
        // The host rests, and an operator's word wakes it.
        let again = scene.relay.ask(&["queue", "retry", &scene.id]);
        assert!(again.status.success(), "{again:?}");
        let line = scene.line();
        let says = format!(" stage={stage} code=451 status=4.4.2 ");
        assert!(line.contains(" event=deferred ") && line.contains(&says), "{command}: {line}");
        assert!(line.contains("connection lost"), "{command}: {line}");
        let row = scene.waiting();
        assert_eq!(row["attempts"], 1, "{command}: {row:#}");
        assert_eq!(row["last_reply"]["stage"], stage, "{command}: {row:#}");
    }
}

/// It is larger than what two sockets hold, so that its end cannot have been sent.
#[test]
fn a_message_that_makes_the_host_hang_up_waits_and_the_others_go_on() {
    let host = Host::start();
    let relay = Relay::start(&["--route", &format!("*={}", host.address)]);
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    let large = format!("Subject: hi\r\n\r\n{}", "sixteen octets\r\n".repeat(1 << 20));
    let id = client.hand_over("app@example.com", &["cut-1@example.net"], &large);
    let line = relay.outcome(&id);
    assert!(line.contains(" event=deferred "), "{line}");
    assert!(line.contains("lost in the middle of the message"), "{line}");
    let other = client.hand_over("app@example.com", &["jo-2@example.net"], "Subject: hi\r\n\r\nhi");
    let line = relay.outcome(&other);
    assert!(line.contains(" event=delivered "), "{line}");
}

/// The message has not been tried, and takes its turn when the host can be reached again.
#[test]
fn mail_for_a_host_that_sends_sessions_away_waits_in_front_of_it_and_says_why() {
    for how in ["-Q", "-q", "-r"] {
        for command in ["CONNECT", "EHLO"] {
            let scene = send(&[how, command]);
            scene.relay.logged(&[" event=connect-failed "]);
            let row = scene.waiting();
            let reason = row["waiting"]["reason"].as_str().unwrap();
            let hangs_up = how == "-q";
            let says = if hangs_up { "no host can be reached" } else { "the host turns us away" };
            assert!(reason.contains(says), "{how} {command}: {row:#}");
            assert!(row["waiting"]["until"].is_string(), "{how} {command}: {row:#}");
            assert_eq!(row["attempts"], 0, "{how} {command}: {row:#}");
            let said = [("-Q", 421), ("-q", 451), ("-r", 450)];
            let said = said.iter().find(|(option, _)| *option == how).unwrap().1;
            assert_eq!(row["last_reply"]["code"], said, "{how} {command}: {row:#}");
        }
    }
}

#[test]
fn a_host_that_hangs_up_instead_of_goodbye_took_the_mail_nevertheless() {
    for how in ["-Q", "-q"] {
        let scene = send(&[how, "QUIT"]);
        let line = scene.line();
        assert!(line.contains(" event=delivered "), "{how}: {line}");
        assert_eq!(scene.host.messages().len(), 1);
    }
}

#[test]
fn a_block_list_bounces_nothing_and_is_not_asked_again_for_half_an_hour() {
    let said = "550 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org";
    for command in ["MAIL", "RCPT", "DATA", "."] {
        let scene = send(&["-f", command, "-B", said]);
        let line = scene.line();
        assert!(line.contains(" event=deferred "), "{command}: {line}");
        assert!(line.contains(" label=blocklisted rule=blocklist/"), "{command}: {line}");
        let next = line.split(" next_s=").nth(1).and_then(|rest| rest.split(' ').next());
        let next: u64 = next.unwrap().trim().parse().unwrap();
        assert!(next >= 29 * 60, "{command}: {line}");
    }
}

#[test]
fn what_a_host_means_is_told_with_the_event_and_replies_without_a_rule_are_counted() {
    // Words of no language: what others resemble changes with every training of the classifier.
    let scene = send(&["-r", "RCPT", "-b", "450 4.9.9 Xyzzy plugh"]);
    let line = scene.line();
    assert!(line.contains(" label=mailbox_temp_unavailable rule=status/code-450-rcpt "), "{line}");
    let page = Api::of(&scene.relay).get("/v1/replies/unclassified").json();
    assert_eq!(page["total"], 1, "{page:#}");
    assert_eq!(page["clusters"][0]["cluster"], "450 # xyzzy plugh", "{page:#}");
    assert_eq!(page["clusters"][0]["label"], "mailbox_temp_unavailable", "{page:#}");
}
