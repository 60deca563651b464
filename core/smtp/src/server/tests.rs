use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use postlane_mail::{Domain, Instant, Label, QueueId, Span};
use proptest::prelude::*;

use super::*;
use crate::data::BareNewlines;

const NOW: Instant = Instant::from_unix_s(1_800_000_000);

fn settings() -> Settings {
    Settings {
        hostname: "relay.example".into(),
        starttls: true,
        auth: true,
        auth_without_tls: false,
        auth_required: false,
        own: OwnNames {
            domains: vec![Domain::parse("relay.example").unwrap()],
            bounce_prefix: "bounce+".into(),
        },
        bare_newlines: BareNewlines::Refuse,
        limits: Limits::default(),
    }
}

fn peer(neighbour: bool) -> Peer {
    Peer { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), neighbour, tls: None }
}

/// Plays a transcript: `C:` is fed, `S:` must have been said, `=` must have come of it. Plays it
/// whole lines at a time, and again octet by octet: the answers must be the same.
fn check(settings: &Settings, neighbour: bool, script: &str) {
    for chunk in [usize::MAX, 1, 7] {
        play(settings, neighbour, script, chunk);
    }
}

fn play(settings: &Settings, neighbour: bool, script: &str, chunk: usize) {
    let mut server = Server::new(NOW, Arc::new(settings.clone()), peer(neighbour));
    let mut said = String::new();
    let mut steps: Vec<String> = Vec::new();
    let mut ids = 0;
    take(&mut server, &mut said, &mut steps, &mut ids);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (who, text) = line.split_at(2);
        let text = text.strip_prefix(' ').unwrap_or(text);
        match who {
            "C:" => {
                let octets = text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
                let whole = if text.ends_with("\\n") { octets } else { format!("{octets}\r\n") };
                for piece in whole.as_bytes().chunks(chunk) {
                    server.received(NOW, piece);
                    take(&mut server, &mut said, &mut steps, &mut ids);
                }
            }
            "S:" => {
                // The script's lines are trimmed; an empty challenge is a code and a space.
                let text = if text == "334" { "334 " } else { text };
                let expected = format!("{text}\r\n");
                let rest = said.split_off(expected.len().min(said.len()));
                assert_eq!(said, expected, "at {line}, by {chunk}");
                said = rest;
            }
            "= " => {
                assert!(!steps.is_empty(), "nothing has come of it, at {line}");
                assert_eq!(steps.remove(0), text, "at {line}, by {chunk}");
            }
            "! " => match text {
                "tls" => {
                    server.tls_started(NOW, TlsFacts { version: "TLSv1.3", cipher: "X".into() })
                }
                "yes" => {
                    let identity =
                        Identity { user: "u".into(), tenant: Label::parse("acme").unwrap() };
                    server.authenticated(NOW, Some(identity));
                }
                "no" => server.authenticated(NOW, None),
                "full" => server.set_pressure(Pressure::DiskFull),
                "closing" => server.set_pressure(Pressure::Closing),
                "timeout" => server.timed_out(server.deadline()),
                other => panic!("{other}"),
            },
            other => panic!("{other:?}"),
        }
        take(&mut server, &mut said, &mut steps, &mut ids);
    }
    assert_eq!(said, "", "said and not expected, by {chunk}");
    assert_eq!(steps, Vec::<String>::new(), "came of it and not expected, by {chunk}");
}

fn take(server: &mut Server, said: &mut String, steps: &mut Vec<String>, ids: &mut u64) {
    loop {
        said.push_str(&String::from_utf8(std::mem::take(server.output())).unwrap());
        match server.poll() {
            None => return,
            Some(Step::Message(submission)) => {
                let to: Vec<_> =
                    submission.envelope.recipients.iter().map(|r| r.mailbox.as_str()).collect();
                steps.push(format!(
                    "{} {} -> {}{}: {:?}",
                    submission.protocol,
                    submission.envelope.reverse_path,
                    to.join(","),
                    if submission.postmaster { " postmaster" } else { "" },
                    String::from_utf8_lossy(&submission.message),
                ));
                server.answered(NOW, &Verdict::Accepted(QueueId::from_bits(*ids)));
                *ids += 1;
            }
            Some(Step::Authenticate { user, password }) => {
                steps.push(format!("auth {user} {}", password.0))
            }
            Some(Step::StartTls) => steps.push("starttls".to_owned()),
            Some(Step::Close) => steps.push("close".to_owned()),
        }
    }
}

const HELLO: &str = "
    S: 220 relay.example ESMTP Postlane
    C: EHLO client.example
    S: 250-relay.example
    S: 250-PIPELINING
    S: 250-SIZE 52428800
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-ENHANCEDSTATUSCODES
    S: 250-CHUNKING
    S: 250-DSN
    S: 250 STARTTLS
";

fn after_hello(neighbour: bool, script: &str) {
    check(&settings(), neighbour, &format!("{HELLO}{script}"));
}

#[test]
fn a_message_is_taken_and_named() {
    after_hello(
        true,
        "
        C: MAIL FROM:<a@b.example> SIZE=10 BODY=8BITMIME
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.example>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: Subject: x
        C:
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
    after_hello(true, "
        C: MAIL FROM:<a@b.example>\\r\\nRCPT TO:<c@d.example>\\r\\nDATA\\r\\nx\\r\\n.\\r\\nMAIL FROM:<e@f.example>\\r\\nRSET\\r\\nNOOP\\r\\n
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
        = ESMTP <a@b.example> -> c@d.example: \"x\\r\\n\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        S: 250 2.1.0 Ok
        S: 250 2.0.0 Ok
        S: 250 2.0.0 Ok
    ");
}

#[test]
fn a_stranger_cannot_relay() {
    after_hello(
        false,
        "
        C: MAIL FROM:<>
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.example>
        S: 550 5.7.1 Relaying denied: authenticate, or send from a network that may relay
        C: RCPT TO:<postmaster>
        S: 250 2.1.5 Ok
        C: RCPT TO:<abuse@relay.example>
        S: 250 2.1.5 Ok
        C: RCPT TO:<bounce+1@relay.example>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: .
        = ESMTP <> -> abuse@relay.example,bounce+1@relay.example postmaster: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    ",
    );
}

#[test]
fn a_message_comes_by_chunks_as_well() {
    after_hello(
        true,
        "
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.example>
        S: 250 2.1.5 Ok
        C: BDAT 4\\r\\n.x\\r\\n
        S: 250 2.0.0 Ok, go on
        C: DATA
        S: 503 5.5.1 A message that has begun with BDAT ends with BDAT
        C: BDAT 0 LAST
        = ESMTP <a@b.example> -> c@d.example: \".x\\r\\n\"
        S: 250 2.0.0 Ok: queued as 0000000000000
        C: BDAT 3 LAST\\r\\nabcNOOP
        S: 503 5.5.1 Say MAIL first
        S: 250 2.0.0 Ok
    ",
    );
}

#[test]
fn a_bare_newline_is_no_line_end() {
    after_hello(
        true,
        "
        C: NOOP\\n
        S: 500 5.5.2 Lines end with CRLF
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.example>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: x\\n.\\nMAIL FROM:<smuggled@b.example>\\n
        C: .
        C: it goes on
        C: .
        S: 554 5.6.0 The message has a bare CR or LF; lines end with CRLF
    ",
    );
}

#[test]
fn what_is_pipelined_behind_starttls_is_not_heard() {
    after_hello(
        true,
        "
        C: STARTTLS
        S: 220 2.0.0 Ready to start TLS
        = starttls
        ! tls
        C: MAIL FROM:<a@b.example>
        S: 503 5.5.1 Say EHLO first
        C: STARTTLS
        S: 503 5.5.1 TLS is in use already
    ",
    );
    let mut server = Server::new(NOW, Arc::new(settings()), peer(true));
    server.received(NOW, b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<injected@b.example>\r\n");
    server.output().clear();
    server.tls_started(NOW, TlsFacts { version: "TLSv1.3", cipher: "X".into() });
    server.received(NOW, b"NOOP\r\n");
    assert_eq!(server.output(), b"250 2.0.0 Ok\r\n");
}

#[test]
fn auth_is_offered_only_where_nobody_listens() {
    after_hello(
        false,
        "
        C: AUTH PLAIN AHUAcA==
        S: 538 5.7.11 Encryption required: say STARTTLS first
    ",
    );
    let open = Settings { auth_without_tls: true, starttls: false, ..settings() };
    check(
        &open,
        false,
        &format!(
            "{}
        C: AUTH CRAM-MD5
        S: 504 5.5.4 Unrecognized authentication mechanism
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: dQ==
        S: 334 UGFzc3dvcmQ6
        C: cA==
        = auth u p
        ! no
        S: 535 5.7.8 Authentication credentials invalid
        C: AUTH PLAIN
        S: 334
        C: *
        S: 501 5.7.0 Authentication cancelled
        C: AUTH PLAIN AHUAcA==
        = auth u p
        ! yes
        S: 235 2.7.0 Authentication successful
        C: AUTH PLAIN AHUAcA==
        S: 503 5.5.1 Not now
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.example>
        S: 250 2.1.5 Ok
    ",
            HELLO.replace("S: 250 STARTTLS", "S: 250 AUTH PLAIN LOGIN")
        )
        .replace("S: 334\n", "S: 334 \n"),
    );
}

#[test]
fn commands_out_of_order_are_refused() {
    check(
        &settings(),
        true,
        "
        S: 220 relay.example ESMTP Postlane
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
        C: LHLO x
        S: 502 5.5.1 Command not offered here
        C: XYZZY
        S: 500 5.5.1 Command not recognized
        C: VRFY root
        S: 252 2.5.2 Send mail and see
    ",
    );
}

#[test]
fn every_limit_holds() {
    let limits = Limits {
        recipients: 1,
        errors: 3,
        idle_commands: 5,
        message_octets: 10,
        line_octets: 60,
        ..Limits::default()
    };
    let tight = Settings { limits, starttls: false, auth: false, ..settings() };
    let hello = "
        S: 220 relay.example ESMTP Postlane
        C: HELO client.example
        S: 250 relay.example
    ";
    check(
        &tight,
        true,
        &format!(
            "{hello}
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.example>
        S: 250 2.1.5 Ok
        C: RCPT TO:<e@d.example>
        S: 452 4.5.3 Too many recipients, send the rest with another message
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: 0123456789
        C: .
        S: 552 5.3.4 The message is too large
        C: X
        S: 500 5.5.1 Command not recognized
        C: NOOP {}
        S: 500 5.5.2 Line too long
        S: 421 4.7.0 Too many errors
        = close
    ",
            "x".repeat(100)
        ),
    );
    check(
        &tight,
        true,
        &format!(
            "{hello}
        C: NOOP
        S: 250 2.0.0 Ok
        C: NOOP
        S: 250 2.0.0 Ok
        C: NOOP
        S: 250 2.0.0 Ok
        C: NOOP
        S: 250 2.0.0 Ok
        C: NOOP
        S: 421 4.7.0 Too many commands without mail
        = close
    "
        ),
    );
}

#[test]
fn under_pressure_new_mail_is_put_off_and_the_session_lives() {
    after_hello(
        true,
        "
        ! full
        C: MAIL FROM:<a@b.example>
        S: 452 4.3.1 No room on disk now, try again later
        C: NOOP
        S: 250 2.0.0 Ok
        ! closing
        S: 421 4.3.2 Closing for maintenance, try again
        = close
    ",
    );
}

#[test]
fn silence_ends_a_session_and_so_does_slowness() {
    after_hello(
        true,
        "
        ! timeout
        S: 421 4.4.2 Timeout, closing connection
        = close
    ",
    );
    let mut server = Server::new(NOW, Arc::new(settings()), peer(true));
    server.received(NOW, b"HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    let mut now = NOW;
    for _ in 0..200 {
        now = now + Span::from_s(10);
        server.received(now, b"x");
    }
    assert_eq!(server.deadline(), NOW + Limits::default().transaction);
}

#[test]
fn utf8_addresses_need_smtputf8() {
    after_hello(
        true,
        "
        C: MAIL FROM:<\u{fc}@b.example>
        S: 553 5.6.7 This address needs SMTPUTF8 in MAIL
        C: MAIL FROM:<\u{fc}@b.example> SMTPUTF8
        S: 250 2.1.0 Ok
        C: RCPT TO:<\u{e4}@d.example>
        S: 250 2.1.5 Ok
    ",
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_answers_do_not_depend_on_how_the_octets_are_cut(
        lines in proptest::collection::vec(prop_oneof![
            Just("EHLO x\r\n"), Just("MAIL FROM:<a@b.example>\r\n"), Just("RCPT TO:<c@d.example>\r\n"),
            Just("DATA\r\n"), Just(".\r\n"), Just("x\n"), Just("BDAT 5\r\n"), Just("BDAT 3 LAST\r\n"),
            Just("RSET\r\n"), Just("\r"), Just("\u{fc}\r\n"), Just("QUIT\r\n"), Just("AUTH PLAIN\r\n"),
        ], 0..25),
        chunk in 1usize..20,
    ) {
        let script = lines.concat();
        let dialogue = |chunk| {
            let mut server = Server::new(NOW, Arc::new(settings()), peer(true));
            let (mut said, mut steps, mut ids) = (String::new(), Vec::new(), 0);
            for piece in script.as_bytes().chunks(chunk) {
                server.received(NOW, piece);
                take(&mut server, &mut said, &mut steps, &mut ids);
            }
            (said, steps)
        };
        prop_assert_eq!(dialogue(chunk), dialogue(10_000));
    }

    #[test]
    fn foreign_octets_never_panic_and_are_not_hoarded(octets in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let mut server = Server::new(NOW, Arc::new(settings()), peer(true));
        let (mut said, mut steps, mut ids) = (String::new(), Vec::new(), 0);
        for piece in octets.chunks(100) {
            server.received(NOW, piece);
            take(&mut server, &mut said, &mut steps, &mut ids);
        }
        prop_assert!(said.len() < 100_000);
    }
}
