//! Mail that comes back: to a bounce address of the relay, and read from files.

use serde_json::Value;

use crate::events::Events;
use crate::peer::Peer;
use crate::relay::{Home, Relay};

/// A relay with a reverse-path for each recipient, and a host that everything else goes to.
fn relay(peer: &Peer) -> Relay {
    Home::new().start_by_file(&format!(
        "[relay]\nhostname = \"relay.example\"\n[[tenant]]\nname = \"acme\"\n\
         bounce_address = \"bounce@back.example\"\nverp = true\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\ntenant = \"acme\"\n",
        peer.address
    ))
}

/// Sends a message to one recipient; gives its id and the reverse-path it left with.
fn sent(relay: &Relay, peer: &Peer, to: &str) -> (String, String) {
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let message = "Message-ID: <1@acme.example>\r\nSubject: offer\r\n\r\nhi";
    let id = dialogue.hand_over("shop@acme.example", &[to], message);
    let back = peer.wait(|seen| {
        let (from, _) = seen.taken.iter().find(|(from, _)| from.contains(&id))?;
        Some(from.clone())
    });
    (id, back)
}

/// Hands in mail that comes back, from nobody.
fn comes_back(relay: &Relay, to: &str, message: &str) {
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO mx.example.net").starts_with("250"));
    dialogue.hand_over("", &[to], message);
}

fn dsn(fields: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail\r\nContent-Type: \
         multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; \
         mx.example.net\r\n\r\n{fields}\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         Message-ID: <1@acme.example>\r\n\r\n--b--\r\n"
    )
}

#[test]
fn a_bounce_becomes_an_event_of_the_message_it_is_about() {
    let peer = Peer::start();
    let relay = relay(&peer);
    let (id, back) = sent(&relay, &peer, "jo@example.net");
    assert!(back.starts_with(&format!("bounce-{id}-0-")), "{back}");
    let mut events = Events::of(&relay);

    let failed = "Final-Recipient: rfc822; jo@example.net\r\nAction: failed\r\nStatus: 5.0.0\r\n\
                  Remote-MTA: dns; store.example.net\r\n\
                  Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n";
    comes_back(&relay, &back, &dsn(failed));
    let event = events.next("returned", "jo@example.net");
    assert_eq!(event["id"], id);
    assert_eq!(event["diagnosis"]["label"], "no_such_user");
    let returned = &event["returned"];
    assert_eq!(returned["form"], "dsn");
    assert_eq!(returned["action"], "failed");
    assert_eq!(returned["number"], 0);
    assert_eq!(returned["status"], "5.1.1");
    assert_eq!(returned["code"], 550);
    assert_eq!(returned["reply"], "550 5.1.1 User unknown");
    assert_eq!(returned["host"], "store.example.net");
    assert_eq!(returned["message_id"], "<1@acme.example>");
    relay.logged(&["event=returned", &id, "action=failed", "status=5.1.1", "label=no_such_user"]);

    let words = "From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n\r\nHi. This is \
                 the qmail-send program at mx.example.net.\r\n\r\n<jo@example.net>:\r\n192.0.2.1 \
                 does not like recipient.\r\nRemote host said: 552 5.2.2 mailbox full\r\n";
    comes_back(&relay, &back, words);
    let event = events.next("returned", "jo@example.net");
    assert_eq!((&event["id"], &event["returned"]["form"]), (&id.into(), &"free-form".into()));
    assert_eq!(event["diagnosis"]["label"], "mailbox_full");
}

#[test]
fn a_bounce_suppresses_the_address_that_was_sent_to_and_no_other() {
    let peer = Peer::start();
    let relay = relay(&peer);
    let (id, back) = sent(&relay, &peer, "Jo@example.net");
    let mut events = Events::of(&relay);
    let gone = |fields: &str| {
        dsn(&format!(
            "{fields}\r\nAction: failed\r\nStatus: 5.1.1\r\n\
             Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n"
        ))
    };
    // Whoever has one message may not speak for others; and a forwarded mailbox is still there.
    comes_back(&relay, &back, &gone("Final-Recipient: rfc822; al@example.net"));
    let forwarded = "Original-Recipient: rfc822; jo@example.net\r\n\
                     Final-Recipient: rfc822; joe@example.org";
    comes_back(&relay, &back, &gone(forwarded));
    comes_back(&relay, &back, &gone("Final-Recipient: rfc822; jo@example.net"));
    let event = events.next("suppressed", "jo@example.net");
    assert_eq!(event["id"], id);
    assert!(event["detail"].as_str().unwrap().ends_with("by bounce"), "{event}");
    relay.logged(&["event=suppressed", &id, "reason=no_such_user", "by=bounce"]);
    let listed = relay.ask_json(&["suppression", "list"]);
    let listed: Vec<&Value> = listed.iter().map(|entry| &entry["address"]).collect();
    assert_eq!(listed, ["jo@example.net"]);
}

#[test]
fn without_a_path_of_its_own_a_bounce_is_told_by_the_trace_on_what_came_back() {
    let peer = Peer::start();
    let relay = Home::new().start_by_file(&format!(
        "[relay]\nhostname = \"relay.example\"\n[[tenant]]\nname = \"acme\"\n\
         bounce_address = \"bounce@back.example\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\ntenant = \"acme\"\n",
        peer.address
    ));
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let id =
        dialogue.hand_over("shop@acme.example", &["jo@example.net"], "Subject: offer\r\n\r\nhi");
    let (from, message) = peer.wait(|seen| seen.taken.first().cloned());
    assert_eq!(from, "bounce@back.example");
    let mut events = Events::of(&relay);
    let fields = "Final-Recipient: rfc822; jo@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    let bounce = dsn(fields).replace("Message-ID: <1@acme.example>\r\n", &message);
    comes_back(&relay, &from, &bounce);
    let event = events.next("returned", "jo@example.net");
    assert_eq!((&event["id"], &event["returned"]["number"]), (&Value::Null, &Value::Null));
    assert_eq!(event["returned"]["claimed_id"], id);
    assert_eq!(relay.ask(&["suppression", "list"]).status.code(), Some(1));
}

#[test]
fn a_delay_and_an_automatic_answer_are_no_failures() {
    let peer = Peer::start();
    let relay = relay(&peer);
    let (_, back) = sent(&relay, &peer, "jo@example.net");
    let mut events = Events::of(&relay);
    let delayed = "Final-Recipient: rfc822; jo@example.net\r\nAction: delayed\r\nStatus: 4.4.1\r\n";
    comes_back(&relay, &back, &dsn(delayed));
    let event = events.next("returned", "jo@example.net");
    assert_eq!(event["returned"]["action"], "delayed");
    let answer = "From: jo@example.net\r\nSubject: Out of office\r\nAuto-Submitted: \
                  auto-replied\r\n\r\nI am away.\r\n";
    comes_back(&relay, &back, answer);
    let event = events.next("returned", "jo@example.net");
    assert_eq!(event["returned"]["form"], "vacation");
    assert_eq!((&event["returned"]["action"], &event["diagnosis"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_reverse_path_that_was_made_up_is_no_bounce_of_ours() {
    let peer = Peer::start();
    let relay = relay(&peer);
    let (_, back) = sent(&relay, &peer, "jo@example.net");
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO mx.example.net").starts_with("250"));
    assert!(dialogue.say("MAIL FROM:<>").starts_with("250"));
    // A neighbour may relay; what is nobody's here goes out like any other mail.
    let forged = back.replace("-0-", "-1-");
    let rcpt = dialogue.say(&format!("RCPT TO:<{forged}>"));
    assert!(rcpt.starts_with("250"), "{rcpt}");
    dialogue.hand_in(b"Subject: x\r\n\r\nhi\r\n");
    peer.wait(|seen| seen.tries.get(&forged).copied());
    assert!(!relay.log().contains("event=returned"));
}

#[test]
fn files_of_bounces_are_read_and_told_as_one_array() {
    let home = Home::new();
    let failed = "Final-Recipient: rfc822; jo@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    let one = home.write("one.eml", &dsn(failed));
    let delayed = dsn("Final-Recipient: rfc822; al@example.net\r\nAction: delayed\r\n");
    let mbox = format!("From a@b Thu\n{}\nFrom c@d Fri\n{delayed}", dsn(failed)).replace('\r', "");
    let mbox = home.write("many.mbox", &mbox);
    let output = home.command(&["bounce", "parse", &one, &mbox, "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let told: Vec<_> = all
        .iter()
        .map(|row| (row["recipient"].as_str().unwrap(), row["action"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("jo@example.net", Some("failed")),
            ("jo@example.net", Some("failed")),
            ("al@example.net", Some("delayed"))
        ]
    );
    assert_eq!((&all[0]["file"], &all[0]["label"]), (&one.as_str().into(), &"no_such_user".into()));
    assert_eq!(all[0]["original_message_id"], "<1@acme.example>");
    assert_eq!((&all[2]["number"], &all[2]["arrival"]), (&2.into(), &Value::Null));

    let table = home.command(&["bounce", "parse", &one]).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("jo@example.net  failed  5.1.1   -     no_such_user"), "{table}");
}

#[test]
fn mail_that_is_no_bounce_exits_with_1_and_a_missing_file_with_2() {
    let home = Home::new();
    let letter = home.write("letter.eml", "From: jo@example.net\nSubject: hi\n\nhi\n");
    let output = home.command(&["bounce", "parse", &letter, "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"[]\n");
    assert!(String::from_utf8(output.stderr).unwrap().contains("message 1 is no bounce"));
    let output = home.command(&["bounce", "parse", "no-such-file"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no-such-file cannot be read"));
}
