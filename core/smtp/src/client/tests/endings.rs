//! Sessions that end before their time.

use super::*;

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
        = 1.0 CutOff(TimedOut(Mail))
        = closed: TimedOut(Mail)
    ",
    );
}

#[test]
fn a_connection_that_breaks_at_a_message_is_told_of_that_one_and_not_of_those_behind_it() {
    after_hello(
        &[message(1, &["b@example.net"], b"x\r\n"), message(2, &["c@example.net"], b"y\r\n")],
        "
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        ! begin 1
        S: 250 ok
        ! closed 0
        = 1.0 CutOff(Lost(Rcpt))
        = 2.0 NotTried
        = closed: Lost(Rcpt)
    ",
    );
}

#[test]
fn a_message_whose_end_was_not_sent_has_not_arrived() {
    for (unsent, outcome) in [(0, "Unknown"), (1, "Interrupted"), (100, "Interrupted")] {
        after_hello(
            &[message(1, &["b@example.net"], b"x\r\n")],
            &format!(
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
            ! closed {unsent}
            = 1.0 {outcome}
            = closed: Lost(Dot)
        "
            ),
        );
    }
    // What was not even taken out of the machine.
    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250 PIPELINING");
    client.begin(NOW, message(1, &["b@example.net"], b"x\r\n"));
    hear(&mut client, "250 ok\r\n250 ok\r\n354 go");
    client.closed(0);
    assert_eq!(finished(&mut client).recipients[0].outcome, Outcome::Interrupted);
}

#[test]
fn a_message_in_a_chunk_is_unknown_once_it_is_sent_unless_the_host_went_away_before() {
    let chunking = "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250-PIPELINING
        S: 250 CHUNKING
        = ready
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: RCPT TO:<c@example.net>
        C: BDAT 3 LAST
        C: x
        S: 250 ok
    ";
    let messages = [message(1, &["b@example.net", "c@example.net"], b"x\r\n")];
    check(
        settings(),
        &messages,
        &format!(
            "{chunking}
        S: 550 nobody
        ! timeout
        = 1.0 refused at rcpt (550 nobody)
        = 1.1 Unknown
        = closed: TimedOut(Rcpt)
    "
        ),
    );
    check(
        settings(),
        &messages,
        &format!(
            "{chunking}
        S: 250 ok
        S: 250 ok
        S: 421 4.3.2 closing
        = 1.0 refused at dot (421 4.3.2 closing)
        = 1.1 refused at dot (421 4.3.2 closing)
        = closed: turned away at dot (421 4.3.2 closing)
    "
        ),
    );
    check(
        settings(),
        &messages,
        &format!(
            "{chunking}
        S: 421 4.7.0 enough
        = 1.0 refused at rcpt (421 4.7.0 enough)
        = 1.1 NotTried
        = closed: turned away at rcpt (421 4.7.0 enough)
    "
        ),
    );
}

#[test]
fn a_chunk_cut_short_is_held_against_the_message_only_where_all_recipients_were_heard() {
    let opening = "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250-PIPELINING
        S: 250 CHUNKING
        = ready
        ! begin 0
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: RCPT TO:<c@example.net>
        C: BDAT 3 LAST
        C: x
        S: 250 ok
    ";
    let messages = [message(1, &["b@example.net", "c@example.net"], b"x\r\n")];
    let cut_off = "CutOff(Lost(Rcpt))";
    for (heard, first, second, stage) in [
        ("S: 250 ok", cut_off, cut_off, "Rcpt"),
        ("S: 250 ok\nS: 250 ok", "Interrupted", "Interrupted", "Dot"),
        ("S: 550 nobody\nS: 250 ok", "refused at rcpt (550 nobody)", "Interrupted", "Dot"),
    ] {
        let ending = format!("= 1.0 {first}\n= 1.1 {second}\n= closed: Lost({stage})");
        check(settings(), &messages, &format!("{opening}\n{heard}\n! closed 1\n{ending}"));
    }
}

#[test]
fn each_answer_has_its_own_time() {
    let mut client = Client::new(NOW, settings(), NONCE);
    let minutes = |client: &Client| client.deadline().map(|at| at.since(NOW).as_s() / 60);
    assert_eq!(minutes(&client), Some(5));
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250 PIPELINING");
    assert_eq!(minutes(&client), None);
    client.begin(NOW, message(1, &["b@example.net"], b"x\r\n"));
    assert_eq!(minutes(&client), Some(5));
    hear(&mut client, "250 ok\r\n250 ok");
    assert_eq!(minutes(&client), Some(2));
    hear(&mut client, "354 go");
    assert_eq!(minutes(&client), Some(10));
    // It took a while to send it all.
    client.sent(NOW + Span::from_min(30));
    assert_eq!(minutes(&client), Some(40));
}
