//! Postfix as the client that hands its mail to us.

use crate::encrypted::make_certificate;
use crate::postfix::Postfix;
use crate::relay::{Dialogue, Home, Relay};

const MESSAGE: &str = "From: app@example.com\r\nTo: jo@example.net\r\nSubject: hello\r\n\
    Date: Sat, 21 Nov 2026 07:30:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\n\
    A line\r\n..with dots\r\n\r\n  and blanks  \r\n";

/// A Postfix that hands all mail to a relay that hands all mail to a Postfix with mailboxes.
struct Chain {
    first: Postfix,
    relay: Relay,
    last: Postfix,
}

impl Chain {
    fn new() -> Self {
        let last = Postfix::with_mailboxes("message_size_limit = 100000000\n");
        let relay = Relay::start(&["--route", &format!("*={}", last.smtp)]);
        let first = Postfix::with_relayhost(
            relay.smtp,
            "myhostname = first.test\nmessage_size_limit = 100000000\n",
        );
        Self { first, relay, last }
    }

    /// A session with the first of them.
    fn dial(&self) -> Dialogue {
        let mut dialogue = Dialogue::open(self.first.smtp);
        assert!(dialogue.say("EHLO app.example").starts_with("250"));
        dialogue
    }
}

#[test]
fn what_postfix_hands_over_passes_through_us_byte_for_byte() {
    let chain = Chain::new();
    chain.dial().hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    let mail = chain.last.mail_for("jo@example.net");
    let taken = chain.first.says(&["to=<jo@example.net>", "status=sent (250 2.0.0 Ok: queued as "]);
    let id = taken.rsplit_once("queued as ").unwrap().1.trim_end_matches(')');
    chain.relay.logged(&[&format!(" event=delivered id={id} ")]);
    let mut hops = mail.split("\nReceived: ").skip(1);
    assert!(hops.next().unwrap().contains("by peer.test (Postfix)"), "{mail}");
    let ours = hops.next().unwrap();
    assert!(ours.starts_with("from first.test (unknown [127.0.0.1])\n by "), "{ours}");
    assert!(ours.contains(&format!("(Postlane) with ESMTP id {id}\n for <jo@example.net>; ")));
    let before = hops.next().unwrap();
    assert!(before.contains("by first.test (Postfix)"), "{before}");
    let (_, message) = before.split_once("\nFrom: ").unwrap();
    let message = format!("From: {message}").replace('\n', "\r\n");
    assert_eq!(message, MESSAGE.replace("..with", ".with"));
}

#[test]
fn addresses_beyond_ascii_pass_through_us() {
    let chain = Chain::new();
    let mut dialogue = chain.dial();
    assert!(dialogue.say("MAIL FROM:<björn@example.com> SMTPUTF8").starts_with("250"));
    assert!(dialogue.say("RCPT TO:<änne@example.net>").starts_with("250"));
    dialogue.hand_in("Subject: grüße\r\n\r\nhallo\r\n".as_bytes());
    let mail = chain.last.mail_for("änne@example.net");
    assert!(mail.starts_with("Return-Path: <björn@example.com>\n"), "{mail}");
    assert!(mail.contains("\nSubject: grüße\n"), "{mail}");
}

#[test]
fn what_a_sender_wants_to_hear_passes_through_us() {
    let chain = Chain::new();
    let mut dialogue = chain.dial();
    assert!(dialogue.say("MAIL FROM:<app@example.com> RET=HDRS ENVID=QQ314159").starts_with("250"));
    let rcpt = "RCPT TO:<jo@example.net> NOTIFY=SUCCESS ORCPT=rfc822;joe+2Balias@example.org";
    assert!(dialogue.say(rcpt).starts_with("250"));
    dialogue.hand_in(MESSAGE.as_bytes());
    let report = chain.last.mail_for("app@example.com");
    for line in [
        "Reporting-MTA: dns; peer.test",
        "Original-Envelope-Id: QQ314159",
        "Original-Recipient: rfc822;joe+alias@example.org",
        "Action: delivered",
    ] {
        assert!(report.contains(&format!("\n{line}\n")), "no line {line} in\n{report}");
    }
    // Neither the first host nor we have anything to say.
    assert_eq!(chain.last.mails().len(), 2);
    assert!(!chain.first.log().contains("sender delivery status notification"));
}

#[test]
fn a_great_message_passes_through_us_byte_for_byte() {
    let chain = Chain::new();
    let mut message = "Subject: great\r\n\r\n".to_owned();
    for line in 0..200_000 {
        message.push_str(&format!("{}line {line} of a great message\r\n", [".", ""][line % 2]));
    }
    let mut dialogue = chain.dial();
    assert!(dialogue.say("MAIL FROM:<app@example.com>").starts_with("250"));
    assert!(dialogue.say("RCPT TO:<jo@example.net>").starts_with("250"));
    dialogue.hand_in(message.replace("\r\n.", "\r\n..").as_bytes());
    let mail = chain.last.mail_for("jo@example.net");
    let (_, body) = mail.split_once("\n\n").unwrap();
    let (_, sent) = message.split_once("\r\n\r\n").unwrap();
    assert!(body == sent.replace("\r\n", "\n"), "{} octets for {}", body.len(), sent.len());
}

#[test]
fn many_messages_in_one_session_of_postfix_all_arrive() {
    let chain = Chain::new();
    let to: Vec<String> = (0..60).map(|n| format!("jo{n}@example{}.net", n % 3)).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let mut dialogue = chain.dial();
    for _ in 0..5 {
        dialogue.hand_over("app@example.com", &to, MESSAGE);
    }
    chain.last.says_times(5 * 60, &["status=sent (delivered to maildir)"]);
    assert_eq!(chain.last.mails().len(), 5 * 60);
}

#[test]
fn postfix_comes_over_tls_and_finds_our_certificate_good() {
    for (tls, settings) in [("starttls", ""), ("implicit", "smtp_tls_wrappermode = yes\n")] {
        let last = Postfix::with_mailboxes("");
        let home = Home::new();
        make_certificate(&home);
        let authority = home.path().join("cert.pem");
        let relay = home.start_by_file(&format!(
            "[[listener]]\naddress = \"127.0.0.1:0\"\ntls = \"{tls}\"\ncert = \"cert.pem\"\n\
             key = \"key.pem\"\n{}",
            everything_to(&last)
        ));
        let first = Postfix::with_relayhost(
            relay.smtp,
            &format!(
                "smtp_tls_security_level = secure\nsmtp_tls_secure_cert_match = relay.example\n\
                 smtp_tls_CAfile = {}\n{settings}",
                authority.display()
            ),
        );
        let mut dialogue = Dialogue::open(first.smtp);
        assert!(dialogue.say("EHLO app.example").starts_with("250"));
        dialogue.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
        first.says(&["to=<jo@example.net>", "status=sent"]);
        let mail = last.mail_for("jo@example.net");
        assert!(mail.contains("(Postlane) with ESMTPS "), "{mail}");
    }
}

#[test]
fn postfix_keeps_what_we_do_not_take_for_now_and_brings_it_again() {
    let last = Postfix::with_mailboxes("");
    let text = "[limits]\nsessions_per_client = 1\n[[listener]]\naddress = \"127.0.0.1:0\"\n";
    let relay = Home::new().start_by_file(&format!("{text}{}", everything_to(&last)));
    let first = Postfix::with_relayhost(relay.smtp, "");
    let only_one = relay.dial();
    let mut dialogue = Dialogue::open(first.smtp);
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    dialogue.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    let kept = first.says(&["to=<jo@example.net>", "status=deferred"]);
    assert!(kept.contains("refused to talk to me: 421 4.7.0 "), "{kept}");
    drop(only_one);
    // We hear that it has hung up a moment later than it: Postfix may have to be asked again.
    let mut asked = 0;
    while !first.log().contains("status=sent") {
        asked += 1;
        assert!(first.command("postqueue").arg("-f").status().unwrap().success());
        first.says_times(1 + asked, &["to=<jo@example.net>", "status="]);
    }
    last.mail_for("jo@example.net");
}

#[test]
fn postfix_brings_the_recipients_that_were_too_many_later() {
    let last = Postfix::with_mailboxes("");
    let text = "[limits]\nrecipients = 100\n[[listener]]\naddress = \"127.0.0.1:0\"\n";
    let relay = Home::new().start_by_file(&format!("{text}{}", everything_to(&last)));
    let first = Postfix::with_relayhost(relay.smtp, "smtp_destination_recipient_limit = 200\n");
    let to: Vec<String> = (0..150).map(|n| format!("jo{n}@example.net")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let mut dialogue = Dialogue::open(first.smtp);
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    dialogue.hand_over("app@example.com", &to, MESSAGE);
    last.says_times(100, &["status=sent (delivered to maildir)"]);
    let kept = first.says_times(50, &["status=deferred"]);
    assert!(kept.contains("said: 452 4.5.3 "), "{kept}");
    assert!(first.command("postqueue").arg("-f").status().unwrap().success());
    last.says_times(150, &["status=sent (delivered to maildir)"]);
    assert_eq!(last.mails().len(), 150);
}

/// Lines of a configuration file.
fn everything_to(host: &Postfix) -> String {
    format!("[[route]]\npattern = \"*\"\nto = \"{}\"\n", host.smtp)
}
