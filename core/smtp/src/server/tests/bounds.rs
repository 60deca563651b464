//! Limits, time, and a house that is full or closing.

use postlane_mail::{Recipient, ReversePath};

use super::*;

fn within(limits: Limits) -> Settings {
    Settings { limits, ..plain() }
}

/// A neighbour who has said HELO.
fn check_within(limits: Limits, script: &str) {
    let hello = "C: HELO client.example\nS: 250 relay.example\n";
    let script = format!("{GREETING}{hello}{script}");
    check(&within(limits), &Standing::Neighbour, &script);
}

#[test]
fn a_message_is_too_large_from_its_first_octet_too_many() {
    let limits = Limits { message_octets: 10, ..Limits::default() };
    check_within(
        limits.clone(),
        &format!(
            "{TO_DATA}
        C: 12345678
        C: .
        = SMTP <a@b.example> -> c@d.example: \"12345678\\r\\n\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        {TO_DATA}
        C: 123456789
        C: .
        S: 552 5.3.4 The message is too large
        {ENVELOPE}
        C: BDAT 10\\r\\n0123456789\\-
        S: 250 2.0.0 Ok, go on
        C: BDAT 1\\r\\nx\\-
        S: 552 5.3.4 The message is too large
        {ENVELOPE}
        C: BDAT 11 LAST\\r\\n0123456789x\\-
        S: 552 5.3.4 The message is too large
    "
        ),
    );
    let script = format!(
        "{}
        C: MAIL FROM:<a@b.example> SIZE=11
        S: 552 5.3.4 The message is too large
        C: MAIL FROM:<a@b.example> SIZE=18446744073709551615
        S: 552 5.3.4 The message is too large
        C: MAIL FROM:<a@b.example> SIZE=10
        S: 250 2.1.0 Ok
    ",
        HELLO.replace("52428800", "10")
    );
    check(&within(limits), &Standing::Neighbour, &script);
}

#[test]
fn a_line_of_a_message_has_its_limit() {
    let limits = Limits { data_line_octets: 3, ..Limits::default() };
    check_within(
        limits,
        &format!(
            "{TO_DATA}
        C: abcd
        C: .
        S: 554 5.6.0 The message has a line that is too long
    "
        ),
    );
}

#[test]
fn a_nul_is_no_character_of_a_message() {
    check_within(
        Limits::default(),
        &format!(
            "{TO_DATA}
        C: a\\0b
        C: .
        S: 554 5.6.0 The message has a NUL octet
    "
        ),
    );
}

/// Nobody may write to `gone@…`.
#[derive(Debug)]
struct NotToGone(RelayRights);

impl Rights for NotToGone {
    fn recipient(
        &self,
        standing: &Standing,
        from: &ReversePath,
        to: &Recipient,
    ) -> Result<(), Refusal> {
        self.0.recipient(standing, from, to)?;
        if to.mailbox.local_part() != "gone" {
            return Ok(());
        }
        let code = Code::new(550).unwrap();
        Err(Refusal { code, status: Status::new(5, 1, 1), text: "Gone".into() })
    }
}

/// Many of a large message's recipients may be gone, and its client is no guesser for that.
#[test]
fn recipients_that_nobody_reaches_cost_the_others_nothing() {
    let limits = Limits { recipients: 5, errors: 2, idle_commands: 2, ..Limits::default() };
    let settings =
        Settings { rights: Arc::new(NotToGone(RelayRights::default())), ..within(limits) };
    let gone = "C: RCPT TO:<gone@d.example>\nS: 550 5.1.1 Gone\n".repeat(4);
    let script = format!(
        "{GREETING}C: HELO client.example\nS: 250 relay.example\n
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        {gone}
        C: RCPT TO:<c@d.example>
        S: 250 2.1.5 Ok
        C: RCPT TO:<e@d.example>
        S: 452 4.5.3 Too many recipients, send the rest with another message
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: .
        = SMTP <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    "
    );
    check(&settings, &Standing::Neighbour, &script);
}

#[test]
fn recipients_that_are_too_many_are_put_off() {
    let limits = Limits { recipients: 1, idle_commands: 3, ..Limits::default() };
    check_within(
        limits,
        &format!(
            "{ENVELOPE}
        C: RCPT TO:<e@d.example>
        S: 452 4.5.3 Too many recipients, send the rest with another message
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: .
        = SMTP <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        {ENVELOPE}
        C: RCPT TO:<e@d.example>
        S: 452 4.5.3 Too many recipients, send the rest with another message
        C: RCPT TO:<e@d.example>
        S: 452 4.5.3 Too many recipients, send the rest with another message
        C: RCPT TO:<e@d.example>
        S: 452 4.5.3 Too many recipients, send the rest with another message
        C: RCPT TO:<e@d.example>
        S: 421 4.7.0 Too many commands without mail
        = close
    "
        ),
    );
}

#[test]
fn a_command_line_has_its_limit_and_auth_a_longer_one() {
    let limits = Limits { command_octets: 512, auth_octets: 600, ..Limits::default() };
    let filled = |octets: usize| "x".repeat(octets);
    check_within(
        limits,
        &format!(
            "
        C: NOOP {}
        S: 250 2.0.0 Ok
        C: NOOP {}
        S: 500 5.5.2 Line too long
        C: NOOP {}
        S: 500 5.5.2 Line too long
        C: AUTH {}
        S: 502 5.5.1 AUTH is not offered here
        C: AUTH {}
        S: 500 5.5.2 Line too long
        C: NOOP
        S: 250 2.0.0 Ok
    ",
            filled(512 - 7),
            filled(512 - 6),
            filled(5000),
            filled(600 - 7),
            filled(600 - 6)
        ),
    );
}

#[test]
fn errors_end_a_session_unless_mail_is_taken_meanwhile() {
    let limits = Limits { errors: 2, ..Limits::default() };
    check_within(
        limits,
        &format!(
            "
        C: X
        S: 500 5.5.1 Command not recognized
        {TO_DATA}
        C: .
        = SMTP <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        C: X
        S: 500 5.5.1 Command not recognized
        C: X\\nQUIT
        S: 500 5.5.2 Lines end with CRLF; this one has a bare CR or LF
        S: 421 4.7.0 Too many errors
        = close
    "
        ),
    );
}

#[test]
fn addresses_that_others_wrote_are_no_error_of_who_may_relay() {
    let bad = "C: RCPT TO:<c>\nS: 501 5.1.3 the address is not of the form local-part@domain\n";
    let limits = Limits { errors: 2, ..Limits::default() };
    let script = format!(
        "{GREETING}
        C: HELO client.example
        S: 250 relay.example
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        {bad}{bad}
    "
    );
    check(&within(limits.clone()), &Standing::Neighbour, &format!("{script}{bad}"));
    let end = "S: 421 4.7.0 Too many errors\n= close";
    check(&within(limits), &Standing::Stranger, &format!("{script}{end}"));
}

#[test]
fn commands_without_mail_end_a_session() {
    let limits = Limits { idle_commands: 3, ..Limits::default() };
    check_within(
        limits,
        "
        C: NOOP
        S: 250 2.0.0 Ok
        C: RSET
        S: 250 2.0.0 Ok
        C: NOOP
        S: 421 4.7.0 Too many commands without mail
        = close
    ",
    );
}

#[test]
fn a_session_takes_so_many_messages() {
    let limits = Limits { messages: 1, ..Limits::default() };
    check_within(
        limits,
        &format!(
            "{TO_DATA}
        C: .
        = SMTP <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        C: MAIL FROM:<a@b.example>
        S: 421 4.7.0 Enough messages for one session, connect again
        = close
    "
        ),
    );
}

#[test]
fn under_pressure_new_mail_is_put_off_and_the_session_lives() {
    check_mail(&format!(
        "
        ! busy
        C: MAIL FROM:<a@b.example>
        S: 451 4.3.2 Too busy now, try again later
        ! disk-full
        C: MAIL FROM:<a@b.example>
        S: 452 4.3.1 No room on disk now, try again later
        ! no-memory
        C: MAIL FROM:<a@b.example>
        S: 452 4.3.1 No room now, try again later
        ! relieved
        {TO_DATA}
        ! disk-full
        C: .
        = ESMTP <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    "
    ));
}

#[test]
fn a_message_on_its_way_is_let_go_when_memory_ends() {
    check_mail(&format!(
        "{TO_DATA}
        C: a
        ! no-memory
        C: b
        C: .
        S: 452 4.3.1 No room for the message now, try again later
        ! relieved
        {ENVELOPE}
        C: BDAT 1\\r\\nx\\-
        S: 250 2.0.0 Ok, go on
        ! no-memory
        C: BDAT 1\\r\\nx\\-
        S: 452 4.3.1 No room for the message now, try again later
        C: BDAT 1 LAST\\r\\nx\\-
        S: 503 5.5.1 Say MAIL first
    "
    ));
}

#[test]
fn a_closing_house_ends_sessions_behind_their_message() {
    check_mail("! closing\nS: 421 4.3.2 Closing for maintenance, try again\n= close");
    check_mail(&format!(
        "{ENVELOPE}
        ! closing
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: .
        = ESMTP <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        S: 421 4.3.2 Closing for maintenance, try again
        = close
    "
    ));
    check_mail(&format!(
        "! hold
        {TO_DATA}
        C: .\\r\\nMAIL FROM:<a@b.example>\\r\\n
        = ESMTP <a@b.example> -> c@d.example: \"\"
        ! closing
        ! accept
        S: 250 2.0.0 Ok: queued as 000000000002d
        S: 421 4.3.2 Closing for maintenance, try again
        = close
    "
    ));
}

#[test]
fn silence_ends_a_session() {
    check_mail("! after 299\n! after 1\nS: 421 4.4.2 Nothing heard for too long\n= close");
    check_mail("! after 299\nC: NOOP\nS: 250 2.0.0 Ok\n! after 299");
    // Octets that make no line are no sign of life.
    let drop = "! after 100\nC: N\\-\n";
    check_mail(&format!(
        "{drop}{drop}! after 100\nS: 421 4.4.2 Nothing heard for too long\n= close"
    ));
}

#[test]
fn a_slow_message_ends_a_session() {
    let slow = "C: x\n! after 250\n".repeat(7);
    check_mail(&format!(
        "{TO_DATA}{slow}
        C: x
        ! after 50
        S: 421 4.4.2 The message has taken too long
        = close
    "
    ));
    let slow = "C: x\\-\n! after 250\n".repeat(7);
    check_mail(&format!(
        "C: BDAT 1000\n{slow}
        C: x\\-
        ! after 50
        S: 421 4.4.2 The message has taken too long
        = close
    "
    ));
}

#[test]
fn a_session_does_not_last_for_ever() {
    let limits = Limits { session: Span::from_min(4), ..Limits::default() };
    check_within(
        limits,
        "
        ! after 239
        C: NOOP
        S: 250 2.0.0 Ok
        ! after 1
        S: 421 4.4.2 The session has lasted too long
        = close
    ",
    );
}

#[test]
fn while_we_are_slow_ourselves_no_time_is_counted() {
    check_mail(&format!(
        "! hold
        {TO_DATA}
        C: .
        = ESMTP <a@b.example> -> c@d.example: \"\"
        ! after 3000
        ! accept
        S: 250 2.0.0 Ok: queued as 000000000002d
        ! after 299
        C: NOOP
        S: 250 2.0.0 Ok
    "
    ));
}

#[test]
fn what_is_said_too_far_ahead_ends_the_session() {
    let mut play = Play::of(&plain(), &Standing::Neighbour, usize::MAX);
    play.hold = true;
    play.hear(b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n.\r\n");
    play.said.clear();
    play.hear(&vec![b'x'; 256 * 1024]);
    assert!(play.said.is_empty());
    play.hear(b"x");
    assert_eq!(play.said, b"421 4.7.0 Too much said ahead\r\n");
    play.server.answered(NOW, &Verdict::Accepted(QueueId::from_bits(1)));
    assert!(play.server.output().is_empty());
}
