//! Sessions with a model receiver, as transcripts.

use super::*;
use postlane_receivers::Scenario;

/// A receiver with these tables, whose latencies are nil but where a tarpit makes them.
fn house(tables: &str) -> House {
    let text = format!(
        "[meta]\nid = \"t\"\nhorizon = \"1d\"\n[sender]\nips = [\"a\", \"127.0.0.9\", \"c\"]\n[receiver]\nsite = \"mx.example\"\nconnect = \"0s\"\ntxn = \"0s\"\n{tables}"
    );
    House::new(&Scenario::parse(&text).unwrap(), 1)
}

fn limit(keys: &str) -> String {
    format!("[[receiver.limit]]\nid = \"l\"\n{keys}\n")
}

/// A session that goes as it is written: `C:` is sent, `S:` is said, `=` is the second it is.
fn check(house: &mut House, transcript: &str) {
    let mut at = Ms(0);
    let mut session = None;
    let mut said = String::new();
    let mut heard = String::new();
    for line in transcript.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(second) = line.strip_prefix("= ") {
            at = Ms::from_s(second.parse().unwrap());
        } else if line == "connect" {
            let (banner, opened) = Session::begin(house, at, [127, 0, 0, 1].into());
            said.push_str(&banner.text);
            session = opened;
            said.push_str(if session.is_none() { "(closed)\r\n" } else { "" });
        } else if let Some(sent) = line.strip_prefix("C: ") {
            let open: &mut Session = session.as_mut().unwrap();
            open.received(format!("{sent}\r\n").as_bytes());
            while let Some(next) = open.next(house, at) {
                said.push_str(&next.text);
                if next.then == Then::Close {
                    said.push_str("(closed)\r\n");
                    house.receiver.close(at, open.conn);
                }
            }
        } else {
            heard.push_str(line.strip_prefix("S: ").unwrap());
            heard.push_str("\r\n");
        }
    }
    assert_eq!(said, heard);
}

#[test]
fn a_message_is_taken() {
    check(
        &mut house(""),
        "
        connect
        S: 220 mx.example ESMTP a model receiver
        C: EHLO out.example.com
        S: 250-mx.example
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-ENHANCEDSTATUSCODES
        S: 250 SMTPUTF8
        C: MAIL FROM:<a@example.com>
        S: 250 2.1.0 Ok
        C: RCPT TO:<b@example.net>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: Subject: hello
        C: .. dots in front and
        C: a dot . in a line are no end
        C: .
        S: 250 2.0.0 Ok: queued
        C: QUIT
        S: 221 2.0.0 Bye
        S: (closed)
        ",
    );
}

#[test]
fn who_is_refused_when_connecting_hears_it_in_the_banner() {
    let strict = limit(
        "kind = \"sliding\"\nstage = \"connect\"\nquota = 1\nwindow = \"1m\"\nreply = \"421-4.7.0 slow\\n421 4.7.0 down\"",
    );
    check(
        &mut house(&strict),
        "
        connect
        S: 220 mx.example ESMTP a model receiver
        C: MAIL FROM:<a@example.com>
        S: 250 2.1.0 Ok
        C: RCPT TO:<b@example.net>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: .
        S: 250 2.0.0 Ok: queued
        = 30
        C: MAIL FROM:<a@example.com>
        S: 421-4.7.0 slow
        S: 421 4.7.0 down
        S: (closed)
        connect
        S: 421-4.7.0 slow
        S: 421 4.7.0 down
        S: (closed)
        = 60
        connect
        S: 220 mx.example ESMTP a model receiver
        ",
    );
}

#[test]
fn each_stage_refuses_in_its_place_and_the_session_goes_on() {
    let tables = limit("kind = \"sliding\"\nkey = [\"rcpt\"]\nquota = 1\nreply = \"450 4.2.1 often\"")
        + &limit("kind = \"sliding\"\nstage = \"dot\"\nquota = 1\nwindow = \"1m\"\nreply = \"451 4.7.1 much\"")
            .replace("\"l\"", "\"m\"");
    check(
        &mut house(&tables),
        "
        connect
        S: 220 mx.example ESMTP a model receiver
        C: MAIL FROM:<>
        S: 250 2.1.0 Ok
        C: RCPT TO:<b@example.net> NOTIFY=NEVER
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: .
        S: 250 2.0.0 Ok: queued
        C: MAIL FROM:<>
        S: 250 2.1.0 Ok
        C: RCPT TO:<B@example.net>
        S: 450 4.2.1 often
        C: DATA
        S: 503 5.5.1 No valid recipients
        C: RCPT TO:<c@example.net>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: x
        C: .
        S: 451 4.7.1 much
        = 60
        C: MAIL FROM:<>
        S: 250 2.1.0 Ok
        C: RCPT TO:<unknown.person@example.net>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: .
        S: 550 5.1.1 Recipient address rejected: User unknown
        ",
    );
}

#[test]
fn what_is_said_out_of_turn_is_answered_so() {
    check(
        &mut house(""),
        "
        connect
        S: 220 mx.example ESMTP a model receiver
        C: RCPT TO:<b@example.net>
        S: 503 5.5.1 MAIL first
        C: DATA
        S: 503 5.5.1 No valid recipients
        C: MAIL FROM:<a@example.com>
        S: 250 2.1.0 Ok
        C: MAIL FROM:<a@example.com>
        S: 503 5.5.1 One message at a time
        C: RCPT TO:<>
        S: 501 5.1.3 Write RCPT TO:<address>
        C: RSET
        S: 250 2.0.0 Ok
        C: NOOP
        S: 250 2.0.0 Ok
        C: BDAT 5 LAST
        S: 502 5.5.2 Command not recognized
        C: HELO x
        S: 250 mx.example
        ",
    );
}

#[test]
fn the_end_of_a_message_is_found_however_the_octets_come() {
    let mut house = house("");
    let (_, session) = Session::begin(&mut house, Ms(0), [127, 0, 0, 1].into());
    let mut session = session.unwrap();
    let mut said = String::new();
    let whole =
        b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\r.\r\n.\r\r\n..\r\n\r\n.\r\nQUIT\r\n";
    for octet in whole {
        session.received(&[*octet]);
        while let Some(next) = session.next(&mut house, Ms(0)) {
            said.push_str(&next.text[..3]);
            said.push(' ');
        }
    }
    assert_eq!(said, "250 250 354 250 221 ");
}

#[test]
fn a_line_without_end_ends_the_session() {
    let mut house = house("");
    let (_, session) = Session::begin(&mut house, Ms(0), [127, 0, 0, 1].into());
    let mut session = session.unwrap();
    session.received(&[b'a'; 4_096]);
    assert_eq!(session.next(&mut house, Ms(0)), None);
    session.received(b"a");
    assert_eq!(session.next(&mut house, Ms(0)).unwrap().then, Then::Close);
}

#[test]
fn an_address_is_the_source_with_its_name_or_the_next() {
    let mut house = house("");
    let of = |house: &mut House, last: u8| house.source([127, 0, 0, last].into()).0;
    assert_eq!(of(&mut house, 9), 1);
    assert_eq!(of(&mut house, 2), 1);
    assert_eq!(of(&mut house, 3), 2);
    assert_eq!(of(&mut house, 4), 2);
    assert_eq!(of(&mut house, 9), 1);
}

#[test]
fn answers_are_as_late_as_the_model_says() {
    let tables = limit(
        "kind = \"sliding\"\nquota = 1\nreply = \"450 x\"\ntarpit = { from = 0.0, max_delay = \"9s\" }",
    );
    let mut house = house(&tables);
    let (banner, session) = Session::begin(&mut house, Ms(0), [127, 0, 0, 1].into());
    assert_eq!(banner.after, Ms(0));
    let mut session = session.unwrap();
    let message =
        "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
    session.received(message.as_bytes());
    let late: Vec<u64> =
        std::iter::from_fn(|| session.next(&mut house, Ms(0))).map(|said| said.after.0).collect();
    assert_eq!(late, [0, 0, 0, 0, 0, 9_000]);
}
