//! Postfix as the host that mail is delivered to.

use std::fs;

use tempfile::TempDir;

use crate::events::Events;
use crate::postfix::Postfix;
use crate::relay::{Dialogue, Home, Relay};

const MESSAGE: &str = "From: app@example.com\r\nTo: jo@example.net\r\nSubject: hello\r\n\
    Date: Sat, 21 Nov 2026 07:30:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\n\
    A line\r\n..with dots\r\n\r\n  and blanks  \r\n";

/// A relay that sends everything to `host`, and a session with it.
fn in_front_of(host: &Postfix) -> (Relay, Dialogue) {
    let relay = Relay::start(&["--route", &format!("*={}", host.smtp)]);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    (relay, dialogue)
}

/// What arrived, without what Postfix put in front, and with the line ends it had on the way.
fn after_postfix(mail: &str) -> String {
    let (_, rest) = mail.split_once("\nReceived: ").unwrap();
    let (_, rest) = rest.split_once("\nReceived: ").unwrap();
    format!("Received: {rest}").replace('\n', "\r\n")
}

/// Fails unless all these lines are there.
fn assert_lines(report: &str, lines: &[&str]) {
    for line in lines {
        assert!(report.contains(&format!("\n{line}\n")), "no line {line} in\n{report}");
    }
}

#[test]
fn postfix_gets_the_message_byte_for_byte_behind_our_received_field() {
    let postfix = Postfix::with_mailboxes("");
    let (_relay, mut dialogue) = in_front_of(&postfix);
    let id = dialogue.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    let mail = postfix.mail_for("jo@example.net");
    assert!(mail.starts_with("Return-Path: <app@example.com>\n"), "{mail}");
    let mail = after_postfix(&mail);
    let (received, rest) = mail.split_once("\r\nFrom: ").unwrap();
    let (received, _date) = received.rsplit_once("; ").unwrap();
    let from = "Received: from app.example (unknown [127.0.0.1])\r\n by ";
    let with = format!(" (Postlane) with ESMTP id {id}\r\n for <jo@example.net>");
    assert!(received.starts_with(from) && received.ends_with(&with), "{received}");
    assert_eq!(format!("From: {rest}"), MESSAGE.replace("..with", ".with"));
}

/// A certificate that nobody has signed.
fn tls_settings(folder: &TempDir) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["somebody.test".to_owned()]).unwrap();
    let file = folder.path().join("chain.pem");
    fs::write(&file, format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem())).unwrap();
    format!("smtpd_tls_chain_files = {}\n", file.display())
}

#[test]
fn a_connection_is_encrypted_where_that_is_offered_whatever_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let settings = tls_settings(&folder);
    let postfix = Postfix::with_mailboxes(&format!(
        "{settings}smtpd_tls_security_level = encrypt\nsmtpd_tls_received_header = yes\n"
    ));
    let (_relay, mut dialogue) = in_front_of(&postfix);
    dialogue.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    let mail = postfix.mail_for("jo@example.net");
    assert!(mail.contains("(using TLSv1.3 with cipher "), "{mail}");
    assert!(mail.contains("with ESMTPS id "), "{mail}");
}

#[test]
fn an_address_beyond_ascii_arrives_as_it_is() {
    let postfix = Postfix::with_mailboxes("");
    let (_relay, mut dialogue) = in_front_of(&postfix);
    assert!(dialogue.say("MAIL FROM:<björn@example.com> SMTPUTF8").starts_with("250"));
    assert!(dialogue.say("RCPT TO:<änne@example.net>").starts_with("250"));
    dialogue.hand_in("Subject: grüße\r\n\r\nhallo\r\n".as_bytes());
    let mail = postfix.mail_for("änne@example.net");
    assert!(mail.starts_with("Return-Path: <björn@example.com>\n"), "{mail}");
    assert!(mail.contains("\nSubject: grüße\n"), "{mail}");
    assert!(mail.contains("with UTF8SMTP id "), "{mail}");
}

#[test]
fn an_address_beyond_ascii_comes_back_from_a_host_that_knows_none() {
    let postfix = Postfix::with_mailboxes("smtputf8_enable = no\n");
    let (_relay, mut dialogue) = in_front_of(&postfix);
    assert!(dialogue.say("MAIL FROM:<app@example.com> SMTPUTF8").starts_with("250"));
    assert!(dialogue.say("RCPT TO:<änne@example.net>").starts_with("250"));
    dialogue.hand_in(b"Subject: hello\r\n\r\nhello\r\n");
    let report = postfix.mail_for("app@example.com");
    assert_lines(
        &report,
        &[
            "Final-Recipient: utf-8; änne@example.net",
            "Action: failed",
            "Status: 5.6.7",
            "    5.6.7 no host of example.net takes addresses beyond ASCII",
        ],
    );
}

#[test]
fn eight_bits_arrive_as_eight_bits() {
    let postfix = Postfix::with_mailboxes("");
    let (_relay, mut dialogue) = in_front_of(&postfix);
    assert!(dialogue.say("MAIL FROM:<app@example.com> BODY=8BITMIME").starts_with("250"));
    assert!(dialogue.say("RCPT TO:<jo@example.net>").starts_with("250"));
    dialogue.hand_in("Subject: hello\r\n\r\ngrüße\r\n".as_bytes());
    let mail = postfix.mail_for("jo@example.net");
    assert!(mail.ends_with("\n\ngrüße\n"), "{mail}");
}

#[test]
fn a_host_that_takes_seven_bits_only_does_not_get_eight() {
    let postfix = Postfix::with_mailboxes("smtpd_discard_ehlo_keywords = 8bitmime\n");
    let (_relay, mut dialogue) = in_front_of(&postfix);
    assert!(dialogue.say("MAIL FROM:<app@example.com> BODY=8BITMIME").starts_with("250"));
    assert!(dialogue.say("RCPT TO:<jo@example.net>").starts_with("250"));
    dialogue.hand_in("Subject: hello\r\n\r\ngrüße\r\n".as_bytes());
    let report = postfix.mail_for("app@example.com");
    let said = "    5.6.3 no host of example.net takes bodies of eight bits";
    assert_lines(&report, &["Action: failed", "Status: 5.6.3", said]);
    assert!(report.is_ascii(), "{report}");
}

/// A sender that asks to hear of the delivery.
fn ask_for_a_report(dialogue: &mut Dialogue) {
    let mail = dialogue.say("MAIL FROM:<app@example.com> RET=HDRS ENVID=QQ314159");
    assert!(mail.starts_with("250"), "{mail}");
    let rcpt = dialogue.say(
        "RCPT TO:<jo@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;joe+2Balias@example.org",
    );
    assert!(rcpt.starts_with("250"), "{rcpt}");
    dialogue.hand_in(MESSAGE.as_bytes());
}

#[test]
fn a_report_that_is_asked_for_is_left_to_a_host_that_writes_reports() {
    let postfix = Postfix::with_mailboxes("");
    let (_relay, mut dialogue) = in_front_of(&postfix);
    ask_for_a_report(&mut dialogue);
    let report = postfix.mail_for("app@example.com");
    assert_lines(
        &report,
        &[
            "Reporting-MTA: dns; peer.test",
            "Original-Envelope-Id: QQ314159",
            "Original-Recipient: rfc822;joe+alias@example.org",
            "Action: delivered",
        ],
    );
    assert_eq!(postfix.mails().len(), 2);
}

#[test]
fn behind_a_host_that_writes_none_the_report_is_ours_and_says_relayed() {
    let postfix = Postfix::with_mailboxes("smtpd_discard_ehlo_keywords = dsn\n");
    let (_relay, mut dialogue) = in_front_of(&postfix);
    ask_for_a_report(&mut dialogue);
    let report = postfix.mail_for("app@example.com");
    assert_lines(
        &report,
        &[
            "Original-Envelope-Id: QQ314159",
            "Original-Recipient: rfc822; joe+alias@example.org",
            "Final-Recipient: rfc822; jo@example.net",
            "Action: relayed",
        ],
    );
}

#[test]
fn recipients_of_a_message_share_a_transaction() {
    let postfix = Postfix::with_mailboxes("");
    let (_relay, mut dialogue) = in_front_of(&postfix);
    let to = ["a@example.net", "b@example.net", "c@example.net"];
    dialogue.hand_over("app@example.com", &to, MESSAGE);
    postfix.says(&["from=<app@example.com>", "nrcpt=3 "]);
    for recipient in to {
        postfix.mail_for(recipient);
    }
}

#[test]
fn who_is_refused_for_now_waits_with_what_was_said_and_the_others_get_their_mail() {
    let postfix = Postfix::with_mailboxes(
        "smtpd_recipient_restrictions = check_recipient_access \
         inline:{ {busy@example.net = 450 4.2.1 Mailbox busy, come back} }, permit\n",
    );
    let (relay, mut dialogue) = in_front_of(&postfix);
    let mut events = Events::of(&relay);
    let to = ["busy@example.net", "jo@example.net"];
    let id = dialogue.hand_over("app@example.com", &to, MESSAGE);
    postfix.mail_for("jo@example.net");
    events.next("deferred", "busy@example.net");
    let waits = relay.ask_json(&["queue", "list"]);
    assert_eq!(waits.len(), 1, "{waits:?}");
    let said = "4.2.1 <busy@example.net>: Recipient address rejected: Mailbox busy, come back";
    assert_eq!(waits[0]["id"], id.as_str());
    assert_eq!(waits[0]["recipient"], "busy@example.net");
    assert_eq!(waits[0]["status"], "deferred");
    assert_eq!(waits[0]["attempts"], 1);
    assert_eq!(waits[0]["last_reply"]["code"], 450);
    assert_eq!(waits[0]["last_reply"]["enhanced"], "4.2.1");
    assert_eq!(waits[0]["last_reply"]["text"], said);
    assert_eq!(waits[0]["last_reply"]["stage"], "rcpt");
}

#[test]
fn a_sender_who_is_refused_for_now_waits_with_what_was_said_to_mail() {
    let postfix = Postfix::with_mailboxes(
        "smtpd_delay_reject = no\nsmtpd_sender_restrictions = check_sender_access \
         inline:{ {app@example.com = 451 4.7.1 Not so fast} }\n",
    );
    let (relay, mut dialogue) = in_front_of(&postfix);
    let mut events = Events::of(&relay);
    dialogue.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    events.next("deferred", "jo@example.net");
    let waits = relay.ask_json(&["queue", "list"]);
    let said = &waits[0]["last_reply"];
    assert_eq!(said["code"], 451);
    assert_eq!(said["text"], "4.7.1 <app@example.com>: Sender address rejected: Not so fast");
    assert_eq!(said["stage"], "mail");
}

#[test]
fn who_is_refused_for_good_comes_back_with_what_was_said() {
    let postfix = Postfix::with_mailboxes(
        "smtpd_recipient_restrictions = check_recipient_access \
         inline:{ {gone@example.net = 550 5.1.1 Moved away} }, permit\n",
    );
    let (relay, mut dialogue) = in_front_of(&postfix);
    assert!(dialogue.say("MAIL FROM:<app@example.com> ENVID=QQ314159").starts_with("250"));
    let rcpt = dialogue.say("RCPT TO:<gone@example.net> ORCPT=rfc822;list@example.org");
    assert!(rcpt.starts_with("250"), "{rcpt}");
    dialogue.hand_in(MESSAGE.as_bytes());
    let report = postfix.mail_for("app@example.com");
    assert!(report.starts_with("Return-Path: <>\n"), "{report}");
    assert_lines(
        &report,
        &[
            "Auto-Submitted: auto-replied",
            "Original-Envelope-Id: QQ314159",
            "Original-Recipient: rfc822; list@example.org",
            "Final-Recipient: rfc822; gone@example.net",
            "Action: failed",
            "Status: 5.1.1",
            "Message-ID: <1@example.com>",
        ],
    );
    let said = "\nDiagnostic-Code: smtp; \
        550 5.1.1 <gone@example.net>: Recipient address rejected: Moved away\n";
    assert!(report.replace("\n ", " ").contains(said), "{report}");
    assert!(!report.contains("with dots"), "the body is returned: {report}");
    assert_eq!(relay.ask(&["queue", "list"]).status.code(), Some(1));
}

#[test]
fn a_refusal_of_the_message_is_everybodys() {
    let postfix = Postfix::with_mailboxes(
        "smtpd_discard_ehlo_keywords = chunking\nsmtpd_data_restrictions = check_sender_access \
         inline:{ {app@example.com = 451 4.7.1 Not at this hour} }\n",
    );
    let (relay, mut dialogue) = in_front_of(&postfix);
    let mut events = Events::of(&relay);
    let to = ["a@example.net", "b@example.net"];
    dialogue.hand_over("app@example.com", &to, MESSAGE);
    for recipient in to {
        let event = events.next("deferred", recipient);
        assert_eq!(event["last_reply"]["code"], 451, "{event}");
        assert_eq!(event["last_reply"]["stage"], "data", "{event}");
    }
    assert_eq!(relay.ask_json(&["queue", "list"]).len(), 2);
}

#[test]
fn a_refusal_after_the_dot_is_everybodys() {
    let postfix = Postfix::with_mailboxes(
        "smtpd_end_of_data_restrictions = check_sender_access \
         inline:{ {app@example.com = 552 5.2.2 Full} }\n",
    );
    let (relay, mut dialogue) = in_front_of(&postfix);
    let mut events = Events::of(&relay);
    let to = ["a@example.net", "b@example.net"];
    dialogue.hand_over("app@example.com", &to, MESSAGE);
    for recipient in to {
        let event = events.next("bounced", recipient);
        assert_eq!(event["last_reply"]["code"], 552, "{event}");
        assert_eq!(event["last_reply"]["stage"], "dot", "{event}");
    }
    postfix.mail_for("app@example.com");
    assert_eq!(postfix.mails().len(), 1);
}

#[test]
fn a_host_that_was_down_gets_its_mail_when_the_operator_says_now() {
    let postfix = Postfix::with_mailboxes("");
    let (relay, mut dialogue) = in_front_of(&postfix);
    let mut events = Events::of(&relay);
    dialogue.hand_over("app@example.com", &["first@example.net"], MESSAGE);
    postfix.mail_for("first@example.net");
    let stopped = postfix.stop();
    let id = dialogue.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    let rests = "no host can be reached; the lane rests";
    relay.list_until(|waits| waits[0]["waiting"]["reason"] == rests);
    let postfix = stopped.start();
    let now = relay.ask(&["queue", "deliver-now", &id]);
    assert!(now.status.success(), "{now:?}");
    events.next("delivered", "jo@example.net");
    postfix.mail_for("jo@example.net");
}

/// As [`in_front_of`], with a session for each message.
fn in_front_of_with_short_sessions(host: &Postfix) -> (Relay, Dialogue) {
    let relay = Home::new().start_by_file(&format!(
        "[lane]\nmax_msgs_per_connection = 1\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\n",
        host.smtp
    ));
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    (relay, dialogue)
}

#[test]
fn a_host_whose_tls_fails_gets_its_mail_in_the_clear_and_is_not_asked_for_tls_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = tls_settings(&folder);
    let postfix = Postfix::with_mailboxes(&format!(
        "{settings}smtpd_tls_security_level = may\nsmtpd_tls_protocols = TLSv1\n"
    ));
    let (_relay, mut dialogue) = in_front_of_with_short_sessions(&postfix);
    for to in ["jo@example.net", "al@example.net"] {
        dialogue.hand_over("app@example.com", &[to], MESSAGE);
        let mail = postfix.mail_for(to);
        assert!(mail.contains("with ESMTP id "), "{mail}");
    }
    let log = postfix.log();
    assert_eq!(log.matches("SSL_accept error").count(), 1, "{log}");
}

#[test]
fn a_host_that_turns_us_away_is_left_alone_and_its_mail_waits() {
    let postfix =
        Postfix::with_mailboxes("smtpd_delay_reject = no\nsmtpd_client_restrictions = reject\n");
    let (relay, mut dialogue) = in_front_of(&postfix);
    dialogue.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    // Of the host, not of the message: whoever it was for may be told later.
    relay.list_until(|waits| waits[0]["last_reply"]["code"] == 554);
    dialogue.hand_over("app@example.com", &["al@example.net"], MESSAGE);
    relay.list_until(|waits| waits.len() == 2);
    for waits in relay.ask_json(&["queue", "list"]) {
        assert_eq!(waits["attempts"], 0, "{waits}");
        let reason = &waits["waiting"]["reason"];
        assert_eq!(reason, "the host turns us away; the lane rests", "{waits}");
    }
    let log = postfix.log();
    assert_eq!(log.matches("reject: CONNECT").count(), 1, "{log}");
}

#[test]
fn recipients_that_are_too_many_for_one_transaction_go_at_once_in_further_ones() {
    let postfix = Postfix::with_mailboxes("smtpd_recipient_limit = 10\n");
    let (relay, mut dialogue) = in_front_of(&postfix);
    let mut events = Events::of(&relay);
    let to: Vec<String> = (0..45).map(|n| format!("jo{n}@example.net")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    for message in 1..=2 {
        dialogue.hand_over("app@example.com", &to, MESSAGE);
        postfix.says_times(45 * message, &["status=sent (delivered to maildir)"]);
    }
    let event = events.next("delivered", "jo44@example.net");
    let transcript = event["transcript"].as_str().unwrap();
    assert_eq!(transcript.matches("RCPT TO").count(), 5, "{transcript}");
    assert!(!relay.log().contains("event=deferred"), "{}", relay.log());
    assert_eq!(postfix.mails().len(), 90);
    let log = postfix.log();
    let of = |many: &str| log.matches(&format!(" nrcpt={many} ")).count();
    assert_eq!((of("10"), of("5")), (8, 2), "{log}");
}

#[test]
fn a_host_with_too_many_sessions_is_left_alone_and_its_mail_waits() {
    let postfix = Postfix::with_mailboxes(
        "smtpd_client_connection_rate_limit = 1\nsmtpd_client_event_limit_exceptions =\n",
    );
    let (relay, mut dialogue) = in_front_of_with_short_sessions(&postfix);
    dialogue.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    postfix.mail_for("jo@example.net");
    dialogue.hand_over("app@example.com", &["al@example.net"], MESSAGE);
    relay.list_until(|waits| waits.len() == 1 && waits[0]["last_reply"]["code"] == 421);
    let waits = &relay.ask_json(&["queue", "list"])[0];
    let reason = &waits["waiting"]["reason"];
    assert_eq!(reason, "the host turns us away; the lane rests", "{waits}");
}

#[test]
fn who_sends_too_many_messages_in_a_session_waits_with_the_rest() {
    let postfix = Postfix::with_mailboxes(
        "smtpd_client_message_rate_limit = 1\nsmtpd_client_event_limit_exceptions =\n",
    );
    let (relay, mut dialogue) = in_front_of(&postfix);
    let mut events = Events::of(&relay);
    for to in ["jo@example.net", "al@example.net", "bo@example.net"] {
        dialogue.hand_over("app@example.com", &[to], MESSAGE);
    }
    postfix.says(&["status=sent (delivered to maildir)"]);
    for to in ["al@example.net", "bo@example.net"] {
        let event = events.next("deferred", to);
        assert_eq!(event["last_reply"]["code"], 450, "{event}");
        assert_eq!(event["last_reply"]["stage"], "mail", "{event}");
    }
    assert_eq!(postfix.mails().len(), 1);
}

#[test]
fn a_report_names_whom_it_is_about_and_nobody_else() {
    let postfix = Postfix::with_mailboxes(
        "smtpd_recipient_restrictions = check_recipient_access inline:{ \
         {gone@example.net = 550 5.1.1 Moved away}, {full@example.net = 552 5.2.2 Full}, \
         {secret@example.net = 550 5.1.1 No} }, permit\n",
    );
    let (relay, mut dialogue) = in_front_of(&postfix);
    assert!(dialogue.say("MAIL FROM:<app@example.com> RET=FULL").starts_with("250"));
    for to in ["gone@example.net>", "jo@example.net>", "full@example.net>"] {
        assert!(dialogue.say(&format!("RCPT TO:<{to}")).starts_with("250"));
    }
    assert!(dialogue.say("RCPT TO:<secret@example.net> NOTIFY=NEVER").starts_with("250"));
    dialogue.hand_in(MESSAGE.as_bytes());
    let report = postfix.mail_for("app@example.com");
    assert_lines(&report, &["Status: 5.1.1", "Status: 5.2.2"]);
    assert_eq!(report.matches("\nFinal-Recipient: ").count(), 2, "{report}");
    assert!(!report.contains("secret@"), "{report}");
    // The message as it left us: its dots as in the body, its end as it was.
    assert!(report.contains("\nA line\n.with dots\n\n  and blanks  \n"), "{report}");
    relay.list_until(|waits| waits.is_empty());
    assert_eq!(postfix.mails().len(), 2);
}

#[test]
fn header_fields_beyond_ascii_come_back_from_a_host_that_knows_none() {
    let postfix = Postfix::with_mailboxes("smtputf8_enable = no\n");
    let (_relay, mut dialogue) = in_front_of(&postfix);
    assert!(dialogue.say("MAIL FROM:<app@example.com> SMTPUTF8").starts_with("250"));
    assert!(dialogue.say("RCPT TO:<jo@example.net>").starts_with("250"));
    dialogue.hand_in("Subject: grüße\r\n\r\nhello\r\n".as_bytes());
    let report = postfix.mail_for("app@example.com");
    let said = "    5.6.9 no host of example.net takes header fields beyond ASCII";
    assert_lines(&report, &["Action: failed", "Status: 5.6.9", said]);
}

#[test]
fn a_host_that_hangs_up_amid_the_recipients_is_heard_for_those_it_answered() {
    let postfix = Postfix::with_mailboxes(
        "smtpd_hard_error_limit = 2\nsmtpd_error_sleep_time = 0\n\
         smtpd_recipient_restrictions = check_recipient_access \
         inline:{ {a@example.net = 550 5.1.1 No}, {b@example.net = 550 5.1.1 No}, \
         {c@example.net = 550 5.1.1 No} }, permit\n",
    );
    let (relay, mut dialogue) = in_front_of(&postfix);
    let to =
        ["jo@example.net", "a@example.net", "b@example.net", "c@example.net", "al@example.net"];
    dialogue.hand_over("app@example.com", &to, MESSAGE);
    let report = postfix.mail_for("app@example.com");
    assert_eq!(report.matches("\nAction: failed\n").count(), 2, "{report}");
    // Whom it took, and whom it was not asked about, go by the next session, at once.
    postfix.mail_for("jo@example.net");
    postfix.mail_for("al@example.net");
    relay.list_until(|waits| waits.len() == 1);
    let waits = relay.ask_json(&["queue", "list"]);
    assert_eq!(waits[0]["recipient"], "c@example.net");
    assert_eq!(waits[0]["last_reply"]["code"], 421, "{waits:?}");
    assert_eq!(waits[0]["last_reply"]["stage"], "rcpt", "{waits:?}");
    assert_eq!(postfix.mails().len(), 3);
}
