use std::sync::Arc;

use postlane_mail::{BodyType, Envelope, Instant, Label, Mailbox, Recipient, ReversePath, Stream};
use proptest::prelude::*;

use super::*;
use crate::auth::Nonce;

const NOW: Instant = Instant::from_unix_s(1_800_000_000);
const NONCE: Nonce = Nonce([0; 18]);

fn settings() -> Settings {
    Settings {
        ehlo_name: "out.example.com".into(),
        own_name: Some("relay.example.com".into()),
        tls: TlsPolicy::Opportunistic,
        auth: None,
        auth_without_tls: false,
        chunking: true,
        timeouts: Timeouts::default(),
    }
}

fn message(id: u64, to: &[&str], text: &'static [u8]) -> Transaction {
    let recipient = |to: &&str| Recipient::new(Mailbox::parse(to).unwrap());
    let envelope = Envelope {
        reverse_path: ReversePath::parse("a@example.com").unwrap(),
        recipients: to.iter().map(recipient).collect(),
        body: BodyType::SevenBit,
        smtputf8: to.iter().any(|to| !to.is_ascii()),
        ret: None,
        envid: None,
        stream: Stream::default(),
        tenant: Label::NONE,
        campaign: Label::NONE,
    };
    Transaction {
        id,
        recipients: (0..to.len() as u16).collect(),
        envelope: Arc::new(envelope),
        reverse_path: None,
        message: [text.into()].into_iter().collect(),
        eight_bit_body: !text.is_ascii(),
        eight_bit_header: false,
    }
}

/// Plays a transcript: `S:` is fed, `C:` must have been said, `=` must have come of it. `(begin
/// N)` and the like are what we are told; octets after `S:` and `C:` get their CRLF.
fn check(settings: Settings, messages: &[Transaction], script: &str) {
    let mut client = Client::new(NOW, settings, NONCE);
    let mut said: Vec<u8> = Vec::new();
    let mut steps: Vec<String> = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (who, text) = line.split_at(2);
        match (who, text.trim_start()) {
            ("S:", text) => client.received(NOW, format!("{text}\r\n").as_bytes()),
            ("C:", text) => {
                let expected = format!("{text}\r\n");
                let rest = said.split_off(expected.len().min(said.len()));
                assert_eq!(String::from_utf8_lossy(&said), expected, "at {line}");
                said = rest;
            }
            ("= ", text) => {
                assert!(!steps.is_empty(), "nothing has come of it, at {line}");
                assert_eq!(steps.remove(0), text);
            }
            ("! ", text) => match text.split_once(' ').unwrap_or((text, "")) {
                ("begin", n) => client.begin(NOW, messages[n.parse::<usize>().unwrap()].clone()),
                ("quit", _) => client.quit(NOW),
                ("closed", unsent) => client.closed(unsent.parse().unwrap_or(0)),
                ("timeout", _) => client.timed_out(0),
                ("tls", _) => client.tls_started(NOW),
                ("tls-failed", why) => client.tls_failed(why),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
        client.output().drain(..).for_each(|piece| said.extend_from_slice(&piece));
        while let Some(step) = client.poll() {
            steps.extend(describe(&step));
        }
    }
    assert_eq!(String::from_utf8_lossy(&said), "", "said and not expected");
    assert_eq!(steps, Vec::<String>::new(), "came of it and not expected");
}

/// The host says something, once it has all that was said to it.
fn hear(client: &mut Client, text: &str) {
    client.output().clear();
    client.received(NOW, format!("{text}\r\n").as_bytes());
}

fn describe(step: &Step) -> Vec<String> {
    match step {
        Step::StartTls => vec!["starttls".to_owned()],
        Step::Ready => vec!["ready".to_owned()],
        Step::Close(SessionEnd::TurnedAway { stage, reply }) => {
            vec![format!("closed: turned away at {stage} ({reply})")]
        }
        Step::Close(end) => vec![format!("closed: {end:?}")],
        Step::Finished(finished) => finished
            .recipients
            .iter()
            .map(|r| match &r.outcome {
                Outcome::Accepted(reply) => {
                    format!("{}.{} accepted ({reply})", finished.id, r.index)
                }
                Outcome::Refused { stage, reply } => {
                    format!("{}.{} refused at {stage} ({reply})", finished.id, r.index)
                }
                other => format!("{}.{} {other:?}", finished.id, r.index),
            })
            .collect(),
    }
}

const HELLO: &str = "
    S: 220 mx.example.net ESMTP
    C: EHLO out.example.com
    S: 250-mx.example.net
    S: 250 PIPELINING
    = ready
";

fn after_hello(messages: &[Transaction], script: &str) {
    check(settings(), messages, &format!("{HELLO}{script}"));
}

#[test]
fn a_message_goes_out_in_two_writes_and_the_next_one_behind_its_dot() {
    let messages =
        [message(1, &["b@example.net"], b"x\r\n.y\r\n"), message(2, &["c@example.net"], b"z\r\n")];
    after_hello(
        &messages,
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        ! begin 1
        S: 250 2.1.0 ok
        S: 250 2.1.5 ok
        S: 354 go
        C: x
        C: ..y
        C: .
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<c@example.net>
        C: DATA
        S: 250 2.0.0 queued
        = 1.0 accepted (250 2.0.0 queued)
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: z
        C: .
        S: 250 done
        = 2.0 accepted (250 done)
        ! quit
        C: QUIT
        S: 221 bye
        = closed: Quit
    ",
    );
}

#[test]
fn a_421_after_data_ends_the_session_and_refuses_the_message() {
    after_hello(
        &[message(1, &["b@example.net"], b"x\r\n")],
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        S: 250 2.1.0 ok
        S: 250 2.1.5 ok
        S: 421 4.7.0 slow down
        = 1.0 refused at data (421 4.7.0 slow down)
        = closed: turned away at data (421 4.7.0 slow down)
    ",
    );
}

#[test]
fn a_421_at_mail_refuses_all_and_what_is_behind_it_is_not_tried() {
    let messages = [
        message(1, &["b@example.net", "c@example.net"], b"x\r\n"),
        message(2, &["d@example.net"], b""),
    ];
    after_hello(
        &messages,
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: RCPT TO:<c@example.net>
        C: DATA
        ! begin 1
        S: 421-mx too many
        S: 421 messages
        = 1.0 refused at mail (421 mx too many / messages)
        = 1.1 refused at mail (421 mx too many / messages)
        = 2.0 NotTried
        = closed: turned away at mail (421 mx too many / messages)
    ",
    );
}

#[test]
fn a_421_at_a_recipient_leaves_the_others_as_they_were_answered() {
    after_hello(
        &[message(
            1,
            &["b@example.net", "c@example.net", "d@example.net", "e@example.net"],
            b"x\r\n",
        )],
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: RCPT TO:<c@example.net>
        C: RCPT TO:<d@example.net>
        C: RCPT TO:<e@example.net>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 550 5.1.1 nobody
        S: 421 4.7.0 enough
        = 1.0 NotTried
        = 1.1 refused at rcpt (550 5.1.1 nobody)
        = 1.2 refused at rcpt (421 4.7.0 enough)
        = 1.3 NotTried
        = closed: turned away at rcpt (421 4.7.0 enough)
    ",
    );
}

#[test]
fn a_421_to_the_dot_and_at_the_greeting_and_to_ehlo_are_what_they_are() {
    after_hello(
        &[message(1, &["b@example.net"], b"x\r\n")],
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: x
        C: .
        S: 421 4.3.2 closing
        = 1.0 refused at dot (421 4.3.2 closing)
        = closed: turned away at dot (421 4.3.2 closing)
    ",
    );
    check(
        settings(),
        &[],
        "
        S: 421 4.7.0 not you
        = closed: turned away at connect (421 4.7.0 not you)
    ",
    );
    check(
        settings(),
        &[],
        "
        S: 220 hi
        C: EHLO out.example.com
        S: 421 too many connections
        = closed: turned away at ehlo (421 too many connections)
    ",
    );
    after_hello(
        &[],
        "
        S: 421 idle for too long
        = closed: turned away at quit (421 idle for too long)
    ",
    );
}

#[test]
fn what_was_sent_to_its_end_and_not_answered_is_unknown() {
    let messages = [
        message(1, &["b@example.net", "c@example.net"], b"x\r\n"),
        message(2, &["d@example.net"], b"y\r\n"),
    ];
    after_hello(
        &messages,
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: RCPT TO:<c@example.net>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 550 nobody
        S: 354 go
        C: x
        C: .
        ! begin 1
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<d@example.net>
        C: DATA
        ! closed
        = 1.0 Unknown
        = 1.1 refused at rcpt (550 nobody)
        = 2.0 NotTried
        = closed: Lost(Dot)
    ",
    );
}

#[test]
fn a_host_that_is_silent_is_given_up_and_nothing_is_lost() {
    after_hello(
        &[message(1, &["b@example.net"], b"x\r\n")],
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        ! timeout
        = 1.0 NotTried
        = closed: TimedOut(Mail)
    ",
    );
}

#[test]
fn an_old_host_is_greeted_with_helo_and_spoken_to_step_by_step() {
    check(
        settings(),
        &[message(1, &["b@example.net", "c@example.net"], b"x\r\n")],
        "
        S: 220 old
        C: EHLO out.example.com
        S: 502 what
        C: HELO out.example.com
        S: 250 old
        = ready
        ! begin 0
        C: MAIL FROM:<a@example.com>
        S: 250 ok
        C: RCPT TO:<b@example.net>
        S: 250 ok
        C: RCPT TO:<c@example.net>
        S: 450 later
        C: DATA
        S: 354 go
        C: x
        C: .
        S: 250 ok
        = 1.0 accepted (250 ok)
        = 1.1 refused at rcpt (450 later)
    ",
    );
}

#[test]
fn where_all_recipients_are_refused_the_host_is_reset_before_the_next() {
    let messages =
        [message(1, &["b@example.net"], b"x\r\n"), message(2, &["c@example.net"], b"y\r\n")];
    after_hello(
        &messages,
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        ! begin 1
        S: 250 ok
        S: 550 5.1.1 nobody
        S: 554 no valid recipients
        = 1.0 refused at rcpt (550 5.1.1 nobody)
        C: RSET
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<c@example.net>
        C: DATA
        S: 250 reset
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: y
        C: .
        S: 250 ok
        = 2.0 accepted (250 ok)
    ",
    );
}

#[test]
fn a_host_that_wants_data_for_nobody_gets_an_empty_message() {
    after_hello(
        &[message(1, &["b@example.net"], b"x\r\n")],
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        S: 250 ok
        S: 450 4.2.0 greylisted
        S: 354 go
        C: .
        S: 250 thanks for nothing
        = 1.0 refused at rcpt (450 4.2.0 greylisted)
    ",
    );
}

#[test]
fn by_bdat_a_message_goes_out_in_one_write_as_it_is() {
    let chunking = "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250-PIPELINING
        S: 250-CHUNKING
        S: 250 SIZE 1000
        = ready
    ";
    let messages =
        [message(1, &["b@example.net"], b".x\r\n"), message(2, &["c@example.net"], b"y\r\n")];
    check(
        settings(),
        &messages,
        &format!(
            "{chunking}
        ! begin 0
        C: MAIL FROM:<a@example.com> SIZE=4
        C: RCPT TO:<b@example.net>
        C: BDAT 4 LAST
        C: .x
        ! begin 1
        S: 250 ok
        S: 250 ok
        C: MAIL FROM:<a@example.com> SIZE=3
        C: RCPT TO:<c@example.net>
        C: BDAT 3 LAST
        C: y
        S: 250 taken
        = 1.0 accepted (250 taken)
        S: 250 ok
        S: 550 nobody
        S: 503 no recipients
        = 2.0 refused at rcpt (550 nobody)
    "
        ),
    );
}

#[test]
fn what_a_host_cannot_take_is_not_given_to_it() {
    let messages = [
        message(1, &["b@example.net"], "gr\u{fc}n\r\n".as_bytes()),
        message(2, &["\u{fc}@example.net"], b"x\r\n"),
    ];
    after_hello(
        &messages,
        "
        ! begin 0
        = 1.0 Unable(EightBitBody)
        ! begin 1
        = 2.0 Unable(Utf8Addresses)
    ",
    );
    check(
        settings(),
        &[message(3, &["b@example.net"], b"12345\r\n")],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 SIZE 5
        = ready
        ! begin 0
        = 3.0 TooLarge { most: 5 }
    ",
    );
}

#[test]
fn eight_bits_and_utf8_are_declared_where_they_are_needed() {
    let mut wide = message(1, &["\u{fc}@example.net"], "gr\u{fc}n\r\n".as_bytes());
    wide.eight_bit_header = true;
    check(
        settings(),
        &[wide],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250-8BITMIME
        S: 250 SMTPUTF8
        = ready
        ! begin 0
        C: MAIL FROM:<a@example.com> BODY=8BITMIME SMTPUTF8
        S: 550 no
        = 1.0 refused at mail (550 no)
    ",
    );
}

#[test]
fn starttls_is_used_where_it_is_offered_and_everything_is_asked_again() {
    check(
        settings(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        = starttls
        ! tls
        C: EHLO out.example.com
        S: 250 mx
        = ready
    ",
    );
}

#[test]
fn what_comes_behind_the_answer_to_starttls_is_not_heard() {
    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250 STARTTLS");
    hear(&mut client, "220 go\r\n250-injected\r\n250 AUTH PLAIN");
    hear(&mut client, "250 more of it");
    client.tls_started(NOW);
    hear(&mut client, "250 mx");
    assert!(client.capabilities().auth.is_empty());
}

#[test]
fn required_tls_means_tls_or_nothing() {
    let required = || Settings { tls: TlsPolicy::Required, ..settings() };
    check(
        required(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250 mx
        C: QUIT
        = closed: TlsMissing
    ",
    );
    check(
        required(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 454 no
        C: QUIT
        = closed: turned away at starttls (454 no)
    ",
    );
    check(
        required(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        = starttls
        ! tls-failed bad certificate
        = closed: TlsFailed(\"bad certificate\")
    ",
    );
}

#[test]
fn a_password_goes_only_under_tls_and_is_not_written_down() {
    let credentials = crate::auth::Credentials { user: "u".into(), password: "secret".into() };
    let with = || Settings { auth: Some(credentials.clone()), ..settings() };
    check(
        with(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 AUTH PLAIN
        C: QUIT
        = closed: AuthMissing
    ",
    );
    check(
        with(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        = starttls
        ! tls
        C: EHLO out.example.com
        S: 250-mx
        S: 250 AUTH LOGIN PLAIN
        C: AUTH PLAIN AHUAc2VjcmV0
        S: 235 welcome
        = ready
    ",
    );
    let mut client = Client::new(NOW, with(), NONCE);
    for said in ["220 mx", "250-mx\r\n250 STARTTLS", "220 go"] {
        hear(&mut client, said);
    }
    client.tls_started(NOW);
    hear(&mut client, "250-mx\r\n250 AUTH PLAIN");
    let transcript = client.transcript().to_string();
    assert!(transcript.contains("C: AUTH [hidden]") && !transcript.contains("AHU"), "{transcript}");
}

#[test]
fn a_host_with_our_own_name_is_a_loop() {
    check(
        settings(),
        &[],
        "
        S: 220 relay.example.com ESMTP
        C: QUIT
        = closed: Loop
    ",
    );
}

#[test]
fn what_is_no_smtp_ends_the_session() {
    check(
        settings(),
        &[],
        "
        S: SSH-2.0-OpenSSH_9
        = closed: Misbehaved(\"the host said what is no SMTP reply\")
    ",
    );
    after_hello(
        &[],
        "
        S: 250 nobody asked
        = closed: Misbehaved(\"the host answered what was not asked\")
    ",
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a host says, each message has one outcome for each recipient once the
    /// connection is closed.
    #[test]
    fn every_recipient_has_one_outcome_whatever_the_host_says(
        replies in "((220|250|354|421|450|503|550)[- ][a-z]{0,3}\r\n|x\r\n|250-PIPELINING\r\n250 CHUNKING\r\n){0,20}",
        chunk in 1usize..40,
    ) {
        let mut client = Client::new(NOW, settings(), NONCE);
        let mut begun = 0u64;
        let mut outcomes = Vec::new();
        let mut under_way = 0;
        for piece in replies.as_bytes().chunks(chunk).chain([b"".as_slice()]) {
            client.received(NOW, piece);
            if piece.is_empty() {
                client.closed(0);
            }
            let mut ready = false;
            while let Some(step) = client.poll() {
                match step {
                    Step::Ready => ready = true,
                    Step::Finished(finished) => {
                        under_way -= 1;
                        outcomes.extend(finished.recipients.iter().map(|r| (finished.id, r.index)));
                    }
                    Step::StartTls | Step::Close(_) => {}
                }
            }
            while (ready || begun > 0) && under_way < 2 && begun < 50 && !piece.is_empty() {
                client.begin(NOW, message(begun, &["b@example.net", "c@example.net"], b"x\r\n"));
                begun += 1;
                under_way += 1;
                ready = false;
            }
        }
        outcomes.sort_unstable();
        let expected: Vec<_> = (0..begun).flat_map(|id| [(id, 0), (id, 1)]).collect();
        prop_assert_eq!(outcomes, expected);
    }
}
