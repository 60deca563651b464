//! Messages, one and more.

use super::*;

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
fn what_follows_a_message_that_was_refused_at_its_end_is_not_touched_by_that() {
    let messages = [
        message(1, &["b@example.net"], b"x\r\n"),
        message(2, &["c@example.net"], b"y\r\n"),
        message(3, &["d@example.net"], b"z\r\n"),
    ];
    after_hello(
        &messages,
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
        ! begin 1
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<c@example.net>
        C: DATA
        S: 451 4.3.0 try again
        = 1.0 refused at dot (451 4.3.0 try again)
        ! begin 2
        S: 250 ok
        S: 251 will forward
        S: 354 go
        C: y
        C: .
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<d@example.net>
        C: DATA
        S: 250 ok
        = 2.0 accepted (250 ok)
        S: 550 5.7.1 not from you
        S: 503 no
        S: 503 no
        = 3.0 refused at mail (550 5.7.1 not from you)
        ! quit
        C: QUIT
        ! closed
        = closed: Quit
    ",
    );
}

#[test]
fn without_pipelining_each_answer_is_waited_for() {
    check(
        settings(),
        &[
            message(1, &["b@example.net", "c@example.net"], b"x\r\n"),
            message(2, &["d@example.net"], b"y\r\n"),
            message(3, &["e@example.net"], b"z\r\n"),
        ],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250 mx
        = ready
        ! begin 0
        C: MAIL FROM:<a@example.com>
        ! begin 1
        S: 250 ok
        C: RCPT TO:<b@example.net>
        S: 550 nobody
        C: RCPT TO:<c@example.net>
        S: 450 later
        = 1.0 refused at rcpt (550 nobody)
        = 1.1 refused at rcpt (450 later)
        C: RSET
        S: 250 ok
        C: MAIL FROM:<a@example.com>
        S: 452 not now
        = 2.0 refused at mail (452 not now)
        ! begin 2
        C: MAIL FROM:<a@example.com>
        S: 250 ok
        C: RCPT TO:<e@example.net>
        S: 250 ok
        C: DATA
        S: 451 no
        = 3.0 refused at data (451 no)
        ! quit
        C: QUIT
        S: 221 bye
        = closed: Quit
    ",
    );
}

#[test]
fn a_host_that_will_not_be_reset_gets_nothing_more() {
    let messages =
        [message(1, &["b@example.net"], b"x\r\n"), message(2, &["c@example.net"], b"y\r\n")];
    after_hello(
        &messages,
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 452 4.3.1 full
        = 1.0 refused at data (452 4.3.1 full)
        ! begin 1
        C: RSET
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<c@example.net>
        C: DATA
        S: 502 RSET?
        C: QUIT
        = 2.0 NotTried
        = closed: turned away at quit (502 RSET?)
    ",
    );
}

#[test]
fn a_host_that_is_still_at_the_message_before_gets_the_next_in_another_session() {
    let messages =
        [message(1, &["b@example.net"], b"x\r\n"), message(2, &["c@example.net"], b"y\r\n")];
    after_hello(
        &messages,
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
        S: 250 ok
        = 1.0 accepted (250 ok)
        ! begin 1
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<c@example.net>
        C: DATA
        S: 503 5.5.1 nested MAIL command
        C: QUIT
        = 2.0 NotTried
        = closed: Misbehaved(\"the host does not begin another message\")
    ",
    );
    after_hello(
        &messages,
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        S: 503 5.5.1 log in first
        S: 503 no
        S: 503 no
        = 1.0 refused at mail (503 5.5.1 log in first)
    ",
    );
}

const CHUNKING: &str = "
    S: 220 mx
    C: EHLO out.example.com
    S: 250-mx
    S: 250 CHUNKING
    = ready
";

#[test]
fn a_chunk_needs_no_pipelining_and_no_data() {
    check(
        settings(),
        &[message(1, &["b@example.net"], b"x\r\n"), message(2, &["c@example.net"], b"y\r\n")],
        &format!(
            "{CHUNKING}
        ! begin 0
        C: MAIL FROM:<a@example.com>
        S: 250 ok
        C: RCPT TO:<b@example.net>
        S: 250 ok
        C: BDAT 3 LAST
        C: x
        S: 554 5.6.0 no
        = 1.0 refused at dot (554 5.6.0 no)
        ! begin 1
        C: RSET
        S: 250 ok
        C: MAIL FROM:<a@example.com>
        S: 250 ok
        C: RCPT TO:<c@example.net>
        S: 250 ok
        C: BDAT 3 LAST
        C: y
        S: 250 ok
        = 2.0 accepted (250 ok)
    "
        ),
    );
}

#[test]
fn a_bare_newline_goes_by_chunk_or_not_at_all() {
    let smuggled = b"x\n.\r\nMAIL FROM:<evil@example.org>\r\n";
    after_hello(
        &[message(1, &["b@example.net"], smuggled)],
        "
        ! begin 0
        = 1.0 Unable(BareNewlines)
    ",
    );
    check(
        settings(),
        &[message(1, &["b@example.net"], smuggled)],
        &format!(
            "{CHUNKING}
        ! begin 0
        C: MAIL FROM:<a@example.com>
        S: 250 ok
        C: RCPT TO:<b@example.net>
        S: 250 ok
        C: BDAT 35 LAST
        C: x\\n.
        C: MAIL FROM:<evil@example.org>
        S: 250 ok
        = 1.0 accepted (250 ok)
    "
        ),
    );
}

#[test]
fn a_large_message_waits_for_its_recipients() {
    let mut large = message(1, &["b@example.net"], b"");
    large.message = [vec![b'x'; 64 * 1024 + 1].into()].into_iter().collect();
    check(
        settings(),
        &[large],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250-PIPELINING
        S: 250 CHUNKING
        = ready
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        S: 250 ok
        S: 550 nobody
        S: 554 nobody at all
        = 1.0 refused at rcpt (550 nobody)
    ",
    );
}

#[test]
fn a_large_message_that_goes_by_chunk_waits_for_its_recipients_too() {
    let mut refused = message(1, &["b@example.net", "c@example.net"], b"");
    // A bare LF cannot go by DATA.
    let octets = [b"x\n\r\n".as_slice(), &b"y\r\n".repeat(30_000)].concat();
    refused.message = [octets.into()].into_iter().collect();
    let taken = Transaction { id: 2, ..refused.clone() };
    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250-PIPELINING\r\n250 CHUNKING");
    let said = |client: &mut Client| {
        let octets: Vec<u8> = client.output().drain(..).flat_map(|piece| piece.to_vec()).collect();
        String::from_utf8(octets).unwrap()
    };
    client.begin(NOW, refused);
    client.begin(NOW, taken);
    let commands = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\n\
        RCPT TO:<c@example.net>\r\n";
    assert_eq!(said(&mut client), commands);
    client.received(NOW, b"250 ok\r\n550 nobody\r\n");
    assert_eq!(said(&mut client), "");
    client.received(NOW, b"550 nobody\r\n");
    assert_eq!(said(&mut client), format!("RSET\r\n{commands}"));
    let all_refused = finished(&mut client).recipients;
    assert!(all_refused.iter().all(|r| matches!(r.outcome, Outcome::Refused { .. })));
    client.received(NOW, b"250 ok\r\n250 ok\r\n550 nobody\r\n250 ok\r\n");
    let chunk = said(&mut client);
    assert!(chunk.starts_with("BDAT 90004 LAST\r\nx\n\r\ny\r\n"), "{}", &chunk[..40]);
    client.received(NOW, b"250 taken\r\n");
    let outcomes = finished(&mut client).recipients;
    assert!(matches!(outcomes[0].outcome, Outcome::Refused { .. }));
    assert!(matches!(outcomes[1].outcome, Outcome::Accepted(_)));
}

#[test]
fn a_message_may_wait_for_the_session() {
    check(
        settings(),
        &[message(1, &["b@example.net"], b"x\r\n"), message(2, &["c@example.net"], b"y\r\n")],
        "
        ! begin 0
        ! quit
        ! begin 1
        = 2.0 NotTried
        S: 220 mx
        C: EHLO out.example.com
        S: 250 mx
        = ready
        C: MAIL FROM:<a@example.com>
        S: 550 no
        = 1.0 refused at mail (550 no)
        C: QUIT
        ! timeout
        = closed: Quit
    ",
    );
}

#[test]
fn what_the_sender_wants_to_hear_is_passed_on_where_it_is_understood() {
    let mut asked = message(1, &["b+c@example.net", "d@example.net"], b"x\r\n");
    let mut envelope = (*asked.envelope).clone();
    envelope.ret = Some(ReturnContent::Headers);
    envelope.envid = Some("QQ314159".into());
    envelope.recipients[0].notify = Notify::On { success: true, failure: true, delay: false };
    envelope.recipients[1].notify = Notify::Never;
    envelope.recipients[1].orcpt = Some("rfc822;e@example.org".into());
    asked.envelope = Arc::new(envelope);
    asked.reverse_path = Some(ReversePath::parse("bounce+1@example.com").unwrap());
    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250-DSN\r\n250 PIPELINING");
    client.begin(NOW, asked.clone());
    assert_eq!(
        String::from_utf8(client.output().concat()).unwrap(),
        "MAIL FROM:<bounce+1@example.com> RET=HDRS ENVID=QQ314159\r\n\
         RCPT TO:<b+c@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@example.net\r\n\
         RCPT TO:<d@example.net> NOTIFY=NEVER ORCPT=rfc822;e@example.org\r\n\
         DATA\r\n"
    );
    hear(&mut client, "550 no\r\n503 no\r\n503 no\r\n503 no");
    assert!(finished(&mut client).dsn_relayed);

    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250 PIPELINING");
    client.begin(NOW, asked);
    let said = String::from_utf8(client.output().concat()).unwrap();
    assert!(said.contains("RCPT TO:<b+c@example.net>\r\n") && !said.contains("RET"), "{said}");
    hear(&mut client, "550 no\r\n503 no\r\n503 no\r\n503 no");
    assert!(!finished(&mut client).dsn_relayed);
}

#[test]
fn a_parameter_never_becomes_more_than_a_parameter() {
    let mut asked = message(1, &["b@example.net"], b"x\r\n");
    let mut envelope = (*asked.envelope).clone();
    envelope.reverse_path = ReversePath::Null;
    envelope.envid = Some("x\r\nRCPT TO:<evil@example.org>".into());
    envelope.recipients[0].orcpt = Some("rfc822;a b".into());
    asked.envelope = Arc::new(envelope);
    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250-DSN\r\n250 PIPELINING");
    client.begin(NOW, asked);
    assert_eq!(
        String::from_utf8(client.output().concat()).unwrap(),
        "MAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
    );
}

#[test]
fn a_transcript_is_of_one_message_and_shows_no_body() {
    let later = NOW + Span::from_ms(25);
    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250 PIPELINING");
    client.begin(later, message(1, &["b@example.net"], b"secret\r\n"));
    hear(&mut client, "250 one\r\n250 one\r\n354 go");
    client.begin(later, message(2, &["c@example.net"], b"secret\r\n"));
    client.output().clear();
    client.received(later, b"250 taken\r\n550 no\r\n503 no\r\n503");
    client.received(later, b" no\r\n");
    let first = finished(&mut client);
    assert_eq!((first.began, first.took), (later, Span::ZERO));
    let opening = "0 S: 220 mx\n0 C: EHLO out.example.com\n0 S: 250-mx\n0 S: 250 PIPELINING\n";
    assert_eq!(
        first.transcript.to_string(),
        format!(
            "{opening}25 C: MAIL FROM:<a@example.com>\n25 C: RCPT TO:<b@example.net>\n\
             25 C: DATA\n0 S: 250 one\n0 S: 250 one\n0 S: 354 go\n0 C: [8 octets]\n\
             25 S: 250 taken\n"
        )
    );
    assert_eq!(
        finished(&mut client).transcript.to_string(),
        format!(
            "{opening}25 C: MAIL FROM:<a@example.com>\n25 C: RCPT TO:<c@example.net>\n\
             25 C: DATA\n25 S: 550 no\n25 S: 503 no\n25 S: 503 no\n"
        )
    );
    client.quit(later);
    assert_eq!(client.transcript().to_string(), format!("{opening}25 C: QUIT\n"));
}
