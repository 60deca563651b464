//! Messages: by DATA and by BDAT, one behind the other, wanted and not.

use postlane_mail::{BodyType, Notify, ReturnContent};

use super::*;

#[test]
fn a_message_is_taken_and_named() {
    check_mail(
        "
        C: MAIL FROM:<a@b.example> SIZE=10 BODY=8BITMIME
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.example>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: Subject: x
        C: \\r\\n
        C: ..dot
        C: .
        = ESMTP <a@b.example> -> c@d.example: \"Subject: x\\r\\n\\r\\n.dot\\r\\n\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        C: QUIT
        S: 221 2.0.0 Bye
        = close
    ",
    );
}

#[test]
fn everything_pipelined_is_answered_in_order() {
    check_mail(
        "
        C: MAIL FROM:<a@b.example>\\r\\nRCPT TO:<c@d.example>\\r\\nDATA\\r\\nx\\r\\n.\\r\\nMAIL FROM:<e@f.example>\\r\\nRSET\\r\\nNOOP\\r\\n
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
        = ESMTP <a@b.example> -> c@d.example: \"x\\r\\n\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        S: 250 2.1.0 Ok
        S: 250 2.0.0 Ok
        S: 250 2.0.0 Ok
    ",
    );
}

#[test]
fn what_is_chained_behind_a_dot_waits_for_the_verdict_and_goes_out_with_it() {
    let mut play = Play::of(&plain(), &Standing::Neighbour, usize::MAX);
    play.hold = true;
    play.hear(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    play.said.clear();
    play.hear(b"x\r\n.\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    assert!(!play.server.wants_input() && play.said.is_empty());
    play.server.answered(NOW, &Verdict::Refused(refusal()));
    assert_eq!(
        String::from_utf8(play.server.output().clone()).unwrap(),
        "554 5.7.1 Not that\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n\
         354 End data with <CR><LF>.<CR><LF>\r\n"
    );
    assert!(play.server.wants_input());
}

#[test]
fn a_refused_message_leaves_the_session_as_it_was() {
    check_mail(&format!(
        "! hold
        {TO_DATA}
        C: .
        = ESMTP <a@b.example> -> c@d.example: \"\"
        ! refuse
        S: 554 5.7.1 Not that
        {TO_DATA}
        C: .
        = ESMTP <a@b.example> -> c@d.example: \"\"
        ! accept
        S: 250 2.0.0 Ok: queued as 000000000002d
    "
    ));
}

#[test]
fn a_stranger_cannot_relay_and_the_null_sender_confers_nothing() {
    check(
        &plain(),
        &Standing::Stranger,
        &format!(
            "{HELLO}
        C: MAIL FROM:<>
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.example>
        S: 550 5.7.1 Relaying denied: authenticate, or send from a network that may relay
        C: RCPT TO:<postmaster@d.example>
        S: 550 5.7.1 Relaying denied: authenticate, or send from a network that may relay
        C: RCPT TO:<@relay.example:c@d.example>
        S: 550 5.7.1 Relaying denied: authenticate, or send from a network that may relay
        C: RCPT TO:<Postmaster>
        S: 250 2.1.5 Ok
        C: RCPT TO:<abuse@relay.example>
        S: 250 2.1.5 Ok
        C: RCPT TO:<bounce-1@relay.example>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: .
        = ESMTP <> -> postmaster@relay.example,abuse@relay.example,bounce-1@relay.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    "
        ),
    );
}

#[test]
fn a_message_comes_by_chunks_as_well() {
    check_mail(&format!(
        "{ENVELOPE}
        C: BDAT 5\\r\\n.x\\r\\n.\\-
        S: 250 2.0.0 Ok, go on
        C: DATA
        S: 503 5.5.1 A message that has begun with BDAT ends with BDAT
        C: RCPT TO:<e@d.example>
        S: 503 5.5.1 The message has begun
        C: bdat 0 last
        = ESMTP <a@b.example> -> c@d.example: \".x\\r\\n.\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        C: MAIL FROM:<a@b.example>\\r\\nRCPT TO:<c@d.example>\\r\\nBDAT 3 LAST\\r\\nx\\r\\nNOOP
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        = ESMTP <a@b.example> -> c@d.example: \"x\\r\\n\"
        S: 250 2.0.0 Ok: queued as 0000000000001
        S: 250 2.0.0 Ok
    "
    ));
}

#[test]
fn the_octets_of_a_refused_chunk_are_never_commands() {
    check_mail(
        "
        C: BDAT 6 LAST\\r\\nQUIT\\r\\nNOOP
        S: 503 5.5.1 Say MAIL first
        S: 250 2.0.0 Ok
        C: MAIL FROM:<a@b.example>\\r\\nBDAT 6\\r\\nQUIT\\r\\nNOOP
        S: 250 2.1.0 Ok
        S: 554 5.5.1 No valid recipients
        S: 250 2.0.0 Ok
        C: BDAT six\\r\\nQUIT\\r\\n
        S: 521 5.5.4 Use BDAT octets [LAST]
        = close
    ",
    );
}

#[test]
fn a_chunk_that_cannot_be_taken_ends_the_message() {
    check_mail(&format!(
        "{ENVELOPE}
        C: BDAT 3\\r\\na\\nb\\-
        S: 554 5.6.0 The message has a bare CR or LF; lines end with CRLF
        C: BDAT 1 LAST\\r\\nx\\-
        S: 503 5.5.1 Say MAIL first
        {ENVELOPE}
        C: BDAT 2\\r\\nxy\\-
        S: 250 2.0.0 Ok, go on
        C: RSET
        S: 250 2.0.0 Ok
        {ENVELOPE}
        C: BDAT 0 LAST
        = ESMTP <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    "
    ));
}

#[test]
fn utf8_addresses_need_smtputf8() {
    check_mail(
        "
        C: MAIL FROM:<\u{fc}@b.example>
        S: 553 5.6.7 This address needs SMTPUTF8 in MAIL
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: RCPT TO:<\u{fc}@b.example>
        S: 553 5.6.7 This address needs SMTPUTF8 in MAIL
        C: RSET
        S: 250 2.0.0 Ok
        C: MAIL FROM:<\u{fc}@b.example> SMTPUTF8
        S: 250 2.1.0 Ok
        C: RCPT TO:<\u{e4}@d.example>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: .
        = UTF8SMTP <\u{fc}@b.example> -> \u{e4}@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    ",
    );
}

#[test]
fn addresses_that_are_none_are_refused_as_what_they_are() {
    check_mail(
        "
        C: MAIL FROM:<a b@c.example>
        S: 501 5.1.7 the local part has a character that needs quoting, or a dot out of place
        C: MAIL FROM:a@b.example
        S: 501 5.5.4 Use MAIL FROM:<address>
        C: MAIL FROM:<a@b.example> BODY=BINARYMIME
        S: 555 5.5.4 BODY=BINARYMIME is not offered here; use 8BITMIME
        C: MAIL FROM:<a@b.example> HOLDFOR=1
        S: 555 5.5.4 MAIL has a parameter that is not offered
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: RCPT TO:<c>
        S: 501 5.1.3 the address is not of the form local-part@domain
        C: RCPT TO:<>
        S: 501 5.1.3 the address is not of the form local-part@domain
    ",
    );
}

/// What comes of a message with these parameters.
fn submitted(settings: &Settings, script: &[u8]) -> Box<Submission> {
    let mut server = Server::new(NOW, Arc::new(settings.clone()), peer(&Standing::Neighbour));
    server.received(NOW, script);
    match server.poll() {
        Some(Step::Message(submission)) => submission,
        other => panic!("{other:?}: {}", String::from_utf8_lossy(server.output())),
    }
}

#[test]
fn the_envelope_has_all_that_was_declared() {
    let submission = submitted(
        &plain(),
        b"EHLO c.example\r\nMAIL FROM:<a@b.example> RET=HDRS ENVID=x+2By SMTPUTF8\r\n\
          RCPT TO:<c@d.example> NOTIFY=DELAY,FAILURE ORCPT=rfc822;c@old.example\r\n\
          RCPT TO:<Postmaster> NOTIFY=NEVER\r\nDATA\r\n.\r\n",
    );
    let envelope = &submission.envelope;
    assert_eq!(envelope.ret, Some(ReturnContent::Headers));
    assert_eq!(envelope.envid.as_deref(), Some("x+2By"));
    assert!(envelope.smtputf8);
    let [first, second] = &envelope.recipients[..] else { panic!("{envelope:?}") };
    assert_eq!(first.notify, Notify::On { success: false, failure: true, delay: true });
    assert_eq!(first.orcpt.as_deref(), Some("rfc822;c@old.example"));
    assert_eq!(second.mailbox.as_str(), "postmaster@relay.example");
    assert_eq!(second.notify, Notify::Never);
    assert_eq!((&*submission.helo, submission.ip), ("c.example", Ipv4Addr::LOCALHOST.into()));
}

#[test]
fn the_body_is_what_its_octets_are_and_not_what_was_declared() {
    for (declared, text, body) in [
        ("7BIT", "a", BodyType::SevenBit),
        ("8BITMIME", "a", BodyType::SevenBit),
        ("7BIT", "\u{e4}", BodyType::EightBit),
        ("8BITMIME", "\u{e4}", BodyType::EightBit),
    ] {
        let script = format!(
            "EHLO x\r\nMAIL FROM:<> BODY={declared}\r\nRCPT TO:<c@d.example>\r\nDATA\r\n\r\n{text}\r\n.\r\n"
        );
        assert_eq!(submitted(&plain(), script.as_bytes()).envelope.body, body, "{declared} {text}");
    }
}

#[test]
fn mail_belongs_to_the_listener_s_tenant() {
    let settings = Settings { tenant: Label::parse("acme").unwrap(), ..plain() };
    let script = format!(
        "{HELLO}{TO_DATA}
        C: .
        = ESMTP of acme <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    "
    );
    check(&settings, &Standing::Neighbour, &script);
}
