//! Greeting, EHLO, STARTTLS and what may be said when.

use super::*;

const HELLO_TLS: &str = "
    S: 220 relay.example ESMTP Postlane
    C: EHLO client.example
    S: 250-relay.example
    S: 250-PIPELINING
    S: 250-SIZE 52428800
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-DSN
    S: 250-STARTTLS
    S: 250-CHUNKING
    S: 250 ENHANCEDSTATUSCODES
";

const HELLO_AFTER_TLS: &str = "
    C: EHLO client.example
    S: 250-relay.example
    S: 250-PIPELINING
    S: 250-SIZE 52428800
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-DSN
    S: 250-AUTH SCRAM-SHA-256 PLAIN LOGIN
    S: 250-CHUNKING
    S: 250 ENHANCEDSTATUSCODES
";

#[test]
fn commands_out_of_order_are_refused() {
    check(
        &plain(),
        &Standing::Neighbour,
        &format!(
            "{GREETING}
        C: MAIL FROM:<a@b.example>
        S: 503 5.5.1 Say EHLO first
        C: HELO client.example
        S: 250 relay.example
        C: MAIL FROM:<a@b.example> SIZE=1
        S: 555 5.5.4 Say EHLO to use parameters
        C: RCPT TO:<c@d.example>
        S: 503 5.5.1 Say MAIL first
        C: DATA
        S: 503 5.5.1 Say MAIL first
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: MAIL FROM:<a@b.example>
        S: 503 5.5.1 One message at a time
        C: DATA
        S: 554 5.5.1 No valid recipients
        C: RCPT TO:<c@d.example> NOTIFY=NEVER
        S: 555 5.5.4 Say EHLO to use parameters
        C: RCPT TO:<c@d.example>
        S: 250 2.1.5 Ok
        C: HELO again.example
        S: 250 relay.example
        C: DATA
        S: 503 5.5.1 Say MAIL first
    "
        ),
    );
}

#[test]
fn commands_that_are_not_ours_are_answered_as_what_they_are() {
    check_mail(
        "
        C: LHLO x
        S: 502 5.5.1 Command not offered here
        C: EXPN list
        S: 502 5.5.1 Command not offered here
        C: ETRN x
        S: 502 5.5.1 Command not offered here
        C: XYZZY
        S: 500 5.5.1 Command not recognized
        C:
        S: 500 5.5.1 Command not recognized
        C: STARTTLS
        S: 502 5.5.1 STARTTLS is not offered here
        C: AUTH PLAIN
        S: 502 5.5.1 AUTH is not offered here
        C: VRFY root
        S: 252 2.5.2 Send mail and see
        C: HELP
        S: 214 2.0.0 See RFC 5321
        C: noop whatever
        S: 250 2.0.0 Ok
        C: DATA now
        S: 501 5.5.4 This command takes no arguments
        C: quit
        S: 221 2.0.0 Bye
        = close
        C: NOOP
    ",
    );
}

#[test]
fn what_is_said_before_starttls_is_forgotten_and_what_is_pipelined_behind_it_is_not_heard() {
    let script = format!(
        "{HELLO_TLS}
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: STARTTLS\\r\\nRCPT TO:<injected@b.example>\\r\\nMAIL FROM:<>\\r\\n
        S: 220 2.0.0 Ready to start TLS
        = starttls
        ! tls
        C: RCPT TO:<c@d.example>
        S: 503 5.5.1 Say MAIL first
        C: MAIL FROM:<a@b.example>
        S: 503 5.5.1 Say EHLO first
        C: STARTTLS
        S: 503 5.5.1 TLS is in use already
        {HELLO_AFTER_TLS}
        {TO_DATA}
        C: .
        = ESMTPS <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    "
    );
    check(&settings(), &Standing::Neighbour, &script);
}

#[test]
fn where_tls_is_required_no_mail_is_taken_without_it() {
    let settings = Settings { starttls: StartTls::Required, ..settings() };
    let script = format!(
        "{HELLO_TLS}
        C: MAIL FROM:<a@b.example>
        S: 530 5.7.0 Say STARTTLS first
    "
    );
    check(&settings, &Standing::Neighbour, &script);
}

#[test]
fn where_tls_is_spoken_from_the_start_it_is_not_offered() {
    let tls = TlsFacts { version: "TLSv1.3", cipher: "X".into() };
    let peer = Peer { tls: Some(tls), ..peer(&Standing::Neighbour) };
    let mut server = Server::new(NOW, Arc::new(settings()), peer);
    server.received(NOW, b"EHLO x\r\nSTARTTLS\r\n");
    let said = String::from_utf8(server.output().clone()).unwrap();
    assert!(!said.contains("250-STARTTLS") && said.contains("250-AUTH"), "{said}");
    assert!(said.ends_with("503 5.5.1 TLS is in use already\r\n"), "{said}");
}

#[test]
fn a_name_that_could_not_stand_in_a_received_field_is_refused() {
    for name in ["", "two words", "(x)", "a;b", "<x>", "\"x\"", "a\\b", "\u{e4}.example"] {
        let script = format!(
            "{GREETING}
            C: EHLO {name}\\r\\n
            S: 501 5.5.4 HELO and EHLO need a host name
        "
        );
        check(&settings(), &Standing::Neighbour, &script);
    }
    for name in ["[192.0.2.1]", "[IPv6:2001:db8::1]", "localhost", "a_b"] {
        let script = format!("{GREETING}C: HELO {name}\nS: 250 relay.example\n");
        check(&settings(), &Standing::Neighbour, &script);
    }
}
