//! The form of messages: each check on a message that is right but for one thing.

use postlane_checks::Outcome::{Fail, Info, Pass, Skip, Warn};
use postlane_checks::message::Message;
use postlane_checks::{
    Answer, Arrived, Finding, Known, Outcome, Session, check_message, message_checks,
};
use postlane_mail::Instant;
use proptest::prelude::*;

const GOOD: &str = "Received: from app.example.com by out.example.com;\n\tMon, 09 May 2022 17:34:54 +0000\n\
    Date: Mon, 09 May 2022 17:34:53 +0000\nFrom: \"Shop\" <shop@example.com>\nTo: jo@example.net\n\
    Subject: Your order\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\n\
    Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n\
    Hello\n--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
    <p>Hell=C3=B6</p>\n--b--\n";

/// 2022-05-09T17:40:00Z.
const NOW: Instant = Instant::from_unix_s(1_652_118_000);

fn look(octets: &[u8]) -> Vec<Finding> {
    let arrived = Arrived {
        message: Message::new(octets),
        now: NOW,
        is_utf8: false,
        client: None,
        is_transactional: true,
        may_fetch: false,
        session: Session::Unseen,
    };
    let mut known = Known::new();
    loop {
        if let Some((_, findings)) = check_message(&mut known, &arrived) {
            return findings.into_iter().filter(|finding| finding.id.starts_with("FMT")).collect();
        }
        for question in known.take_missing() {
            known.learn(question, Answer::NoData);
        }
    }
}

fn wire(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// What is not as it should be, and not merely skipped.
fn odd(octets: &[u8]) -> Vec<(&'static str, Outcome)> {
    let findings = look(octets).into_iter().map(|finding| (finding.id, finding.outcome));
    findings.filter(|(_, outcome)| !matches!(outcome, Pass | Skip)).collect()
}

#[test]
fn every_check_of_the_form_is_there_once_and_in_order() {
    let ids: Vec<&str> =
        message_checks().map(|check| check.id).filter(|id| id.starts_with("FMT")).collect();
    let expected: Vec<String> = (1..=30).map(|n| format!("FMT-{n:02}")).collect();
    assert_eq!(ids, expected);
    assert_eq!(look(&wire(GOOD)).iter().map(|f| f.id).collect::<Vec<_>>(), ids);
}

#[test]
fn a_message_as_it_should_be_passes() {
    assert_eq!(odd(&wire(GOOD)), []);
}

/// What a check finds, by its name.
struct Odd(&'static str, Outcome);

/// What is changed in the good message, into what, and what that shows.
const FAULTS: &[(&str, &str, &[Odd])] = &[
    ("17:34:53 +0000\n", "17:34:53 GMT\n", &[Odd("FMT-02", Warn)]),
    ("17:34:53 +0000\n", "17:34:53\n", &[Odd("FMT-02", Fail), Odd("FMT-05", Fail)]),
    ("Date: Mon, 09 May 2022 17:34:53 +0000\n", "", &[Odd("FMT-01", Fail)]),
    ("Date: ", "Date: Mon, 09 May 2022 17:34:53 +0000\nDate: ", &[Odd("FMT-01", Fail)]),
    ("Date: Mon, 09", "Date: Tue, 09", &[Odd("FMT-04", Warn)]),
    ("Date: Mon, 09 May 2022 17:34:53", "Date: Mon, 09 May 2022 19:00:00", &[Odd("FMT-03", Warn)]),
    ("Date: Mon, 09", "Date: Mon, 02", &[Odd("FMT-03", Fail)]),
    ("17:34:53 +0000\n", "17:34:53 -0000\n", &[Odd("FMT-05", Info)]),
    ("17:34:53 +0000\n", "17:51:53 +0017\n", &[Odd("FMT-05", Warn)]),
    ("From: ", "From: b@example.com\nFrom: ", &[Odd("FMT-06", Fail)]),
    ("From: \"Shop\" <", "From: a@example.com, <", &[Odd("FMT-07", Fail)]),
    (
        "\nTo:",
        "\nSender: s@example.com\nFrom: a@example.com, b@example.com\nTo:",
        &[Odd("FMT-06", Fail)],
    ),
    ("shop@example.com", "shop@[192.0.2.1]", &[Odd("FMT-08", Fail)]),
    ("shop@example.com", "shop@my_shop.example.com", &[Odd("FMT-08", Fail)]),
    ("\"Shop\"", "\"mail.example.com\"", &[]),
    ("\"Shop\"", "\"example.net shop\"", &[Odd("FMT-09", Warn)]),
    ("\"Shop\"", "\"jo@gmail.com\"", &[Odd("FMT-09", Fail)]),
    ("\"Shop\"", "=?utf-8?q?Shop?=", &[Odd("FMT-10", Warn)]),
    ("\"Shop\"", "=?utf-8?q?Sh=F6p?=", &[Odd("FMT-10", Fail)]),
    ("\"Shop\"", "\"=?utf-8?q?Sh=C3=B6p?=\"", &[Odd("FMT-10", Warn)]),
    ("Your order", "Yöur order", &[Odd("FMT-11", Fail)]),
    ("Subject: ", "Subject: x\nSubject: ", &[Odd("FMT-12", Fail)]),
    ("<1@example.com>", "1@example.com", &[Odd("FMT-13", Fail)]),
    ("<1@example.com>", "<1:2@example.com>", &[Odd("FMT-13", Fail)]),
    ("<1@example.com>", "<1@laptop.local>", &[Odd("FMT-13", Warn)]),
    ("Your order", "", &[Odd("FMT-14", Info)]),
    ("To: jo@example.net", "To: undisclosed-recipients:;", &[Odd("FMT-15", Warn)]),
    ("To: jo@example.net", "To: jo", &[Odd("FMT-15", Fail)]),
    (
        "Hello\n",
        "Hello Hello Hello Hello Hello Hello Hello Hello Hello Hello Hello Hello Hello Hello\n",
        &[Odd("FMT-16", Info)],
    ),
    (
        "To:",
        "X Y: z\nTo:",
        &[Odd("FMT-15", Warn), Odd("FMT-19", Fail), Odd("FMT-13", Fail), Odd("FMT-14", Info)],
    ),
    ("Subject:", "Subject :", &[Odd("FMT-19", Warn)]),
    ("MIME-Version: 1.0\n", "", &[Odd("FMT-20", Warn)]),
    ("MIME-Version: 1.0", "MIME-Version: 1.0 (by hand)", &[]),
    ("--b--\n", "", &[Odd("FMT-21", Warn)]),
    ("boundary=b", "boundary=c", &[Odd("FMT-21", Fail)]),
    ("quoted-printable", "7bit", &[]),
    ("quoted-printable", "quoted", &[Odd("FMT-22", Fail)]),
    ("Hello", "Hellö", &[Odd("FMT-22", Fail)]),
    ("plain; charset=utf-8", "plain; charset=klingon", &[Odd("FMT-23", Fail)]),
    ("plain; charset=utf-8", "plain; charset=windows-1252", &[Odd("FMT-23", Warn)]),
    ("=C3=B6", "=F6=F6", &[Odd("FMT-23", Fail)]),
    ("text/plain", "text/html", &[Odd("FMT-24", Warn)]),
    ("\nHello\n", "\n  \n", &[Odd("FMT-24", Fail)]),
    ("from app.example.com", "from app.corp.internal", &[Odd("FMT-25", Warn)]),
    ("To:", "Reply-To: x\nTo:", &[Odd("FMT-26", Fail)]),
    ("To:", "Reply-To: shop@gmx.de\nTo:", &[Odd("FMT-26", Warn)]),
    ("To:", "Precedence: bulk\nTo:", &[Odd("FMT-28", Info)]),
    (
        "--b--",
        "--b\nContent-Type: application/x; name=invoice.PDF.exe\n\nx\n--b--",
        &[Odd("FMT-29", Fail)],
    ),
    (
        "--b--",
        "--b\nContent-Type: application/zip\nContent-Disposition: attachment; filename=\"a.zip\"\n\nx\n--b--",
        &[Odd("FMT-29", Warn)],
    ),
    ("To:", "Return-Path: <x@example.com>\nTo:", &[Odd("FMT-30", Warn)]),
];

#[test]
fn each_fault_is_found_by_its_check_alone() {
    let mut failures = Vec::new();
    for (from, to, found) in FAULTS {
        let changed = GOOD.replacen(from, to, 1);
        assert_ne!(changed, GOOD, "{from}");
        let mut expected: Vec<_> = found.iter().map(|Odd(id, outcome)| (*id, *outcome)).collect();
        expected.sort_by_key(|(id, _)| *id);
        let found = odd(&wire(&changed));
        if found != expected {
            failures.push(format!("{from} -> {to}: {found:?} and not {expected:?}"));
        }
    }
    assert_eq!(failures, Vec::<String>::new());
}

#[test]
fn line_ends_are_judged_octet_by_octet() {
    let mut bare = wire(GOOD);
    bare.extend(b"x\ny\r\n");
    assert_eq!(odd(&bare), [("FMT-17", Fail)]);
    let mut nul = wire(GOOD);
    nul.extend(b"x\0\r\n");
    assert_eq!(odd(&nul), [("FMT-18", Fail)]);
    let mut long = wire(GOOD);
    long.extend([b'x'; 999]);
    assert_eq!(odd(&long), [("FMT-16", Fail)]);
}

#[test]
fn hosts_that_see_a_message_again_and_again_are_a_loop() {
    let trace = "Received: from a by b.example.com;\n\tMon, 09 May 2022 17:34:54 +0000\n".repeat(3);
    assert_eq!(odd(&wire(&(trace + GOOD))), [("FMT-25", Fail)]);
}

#[test]
fn hostile_messages_are_looked_at_to_their_end() {
    let many = "Received: from a by b; x\n".repeat(10_000) + GOOD;
    assert_eq!(look(&wire(&many)).len(), 30);
    let long = format!("X: {}\n{GOOD}", "y".repeat(1_000_000));
    assert_eq!(look(&wire(&long)).len(), 30);
    let words = format!("Subject: {}\n{GOOD}", "=?utf-8?q?=C3?= ".repeat(50_000));
    assert_eq!(look(&wire(&words)).len(), 30);
    let comments = format!("From: {}\n{GOOD}", "(".repeat(100_000));
    assert_eq!(look(&wire(&comments)).len(), 30);
    let parts = GOOD.replace("--b--", &"--b\n\n".repeat(100_000));
    assert_eq!(look(&wire(&parts)).len(), 30);
}

#[test]
fn what_is_to_be_done_is_said_where_something_is() {
    for finding in look(&wire(&GOOD.replace("Date: ", "Dat: "))) {
        let is_odd = matches!(finding.outcome, Warn | Fail);
        assert_eq!(finding.remedy.is_some(), is_odd, "{}", finding.id);
        assert!(!finding.evidence.is_empty() && !finding.reference.is_empty(), "{}", finding.id);
    }
}

proptest! {
    #[test]
    fn any_octets_can_be_looked_at(
        cut in any::<prop::sample::Index>(),
        octets in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut message = wire(GOOD);
        let at = cut.index(message.len());
        message.splice(at..at, octets);
        prop_assert_eq!(look(&message).len(), 30);
    }
}
