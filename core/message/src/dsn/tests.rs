//! That a report says what happened, whatever the other side said.

use mail_parser::{MessageParser, MimeHeaders as _, PartType};
use postlane_mail::{
    Code, Domain, Instant, LastReply, Mailbox, QueueId, Reply, ReturnContent, Stage, Status,
};
use proptest::prelude::*;

use super::*;
use crate::bounce::read_bounces;
use crate::intake::Lines;

const MESSAGE: &[u8] =
    b"From: jo@example.com\r\nSubject: x\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n";

fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text).unwrap()
}

fn said(text: &str) -> LastReply {
    let reply = Reply::new(Code::new(550).unwrap(), text);
    let at = Instant::from_unix_s(1_795_239_600);
    LastReply { stage: Stage::Rcpt, reply, host: "mx.example.net[192.0.2.9]".into(), at }
}

fn original(message: &[u8]) -> Original<'_> {
    Original {
        id: QueueId::from_bits(0x0123_4567_89ab_cdef),
        arrived: Instant::from_unix_s(1_795_239_545),
        envid: None,
        message_id: Some("<1@example.com>"),
        message,
        ret: ReturnContent::Full,
        octets_max: 50_000,
        smtputf8: false,
    }
}

fn failed<'a>(mailbox: &'a Mailbox, said: &'a LastReply) -> RecipientReport<'a> {
    RecipientReport {
        mailbox,
        orcpt: None,
        action: Action::Failed,
        status: Status::new(5, 1, 1),
        last_reply: Some(said),
        will_retry_until: None,
    }
}

fn write(
    original: Original<'_>,
    recipients: &[RecipientReport<'_>],
    addressee: &str,
) -> WrittenReport {
    let report = Report {
        id: QueueId::from_bits(0x0123_4567_89ab_ceff),
        at: Instant::from_unix_s(1_795_239_601),
        addressee: &mailbox(addressee),
        reporting_mta: &Domain::parse("relay.example.net").unwrap(),
        original,
        recipients,
    };
    let written = write_report(&report);
    assert_eq!(written, write_report(&report), "the same report gives the same octets");
    written
}

/// The kinds of the parts of a report, as another program sees them.
fn kinds(message: &[u8]) -> Vec<String> {
    let message = MessageParser::new().parse(message).unwrap();
    let PartType::Multipart(ids) = &message.parts[0].body else { panic!("not multipart") };
    let kind = |id: &u32| {
        let kind = message.parts[*id as usize].content_type().unwrap();
        format!("{}/{}", kind.ctype(), kind.subtype().unwrap())
    };
    ids.iter().map(kind).collect()
}

#[test]
fn the_whole_message_is_returned_if_asked_for_and_small_and_a_recipient_failed() {
    let (jo, said) = (mailbox("jo@example.net"), said("5.1.1 no"));
    let whole = write(original(MESSAGE), &[failed(&jo, &said)], "a@b.c");
    assert_eq!(kinds(&whole.message)[2], "message/rfc822");
    let headers = "text/rfc822-headers";
    let asked = Original { ret: ReturnContent::Headers, ..original(MESSAGE) };
    let large = Original { octets_max: MESSAGE.len() - 1, ..original(MESSAGE) };
    assert_eq!(kinds(&write(asked, &[failed(&jo, &said)], "a@b.c").message)[2], headers);
    assert_eq!(kinds(&write(large, &[failed(&jo, &said)], "a@b.c").message)[2], headers);
    let delivered = RecipientReport { action: Action::Delivered, ..failed(&jo, &said) };
    let success = write(original(MESSAGE), &[delivered], "a@b.c");
    assert_eq!(kinds(&success.message)[2], headers);
    assert!(!String::from_utf8(success.message).unwrap().contains("Hello"));
}

#[test]
fn of_a_message_that_cannot_be_read_any_more_nothing_is_returned() {
    let (jo, said) = (mailbox("jo@example.net"), said("5.1.1 no"));
    for smtputf8 in [false, true] {
        let lost = Original { message_id: None, smtputf8, ..original(b"") };
        let written = write(lost, &[failed(&jo, &said)], "a@b.c");
        assert_eq!(kinds(&written.message), ["text/plain", "message/delivery-status"]);
        assert_eq!(read_bounces(&written.message)[0].mailbox().as_ref(), Some(&jo));
        let text = String::from_utf8(written.message).unwrap();
        assert!(text.contains("cannot be read any more"), "{text}");
    }
}

#[test]
fn a_report_says_that_it_was_made_by_itself_and_answers_the_message() {
    let (jo, said) = (mailbox("jo@example.net"), said("5.1.1 no"));
    let written = write(original(MESSAGE), &[failed(&jo, &said)], "a@b.c");
    let text = String::from_utf8(written.message).unwrap();
    for line in [
        "Auto-Submitted: auto-replied",
        "In-Reply-To: <1@example.com>",
        "References: <1@example.com>",
    ] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}");
    }
}

#[test]
fn a_foreign_message_id_cannot_make_a_field() {
    let (jo, said) = (mailbox("jo@example.net"), said("5.1.1 no"));
    let original = Original { message_id: Some("<1@x>\r\nBcc: a@b.c"), ..original(MESSAGE) };
    let written = write(original, &[failed(&jo, &said)], "a@b.c");
    let message = MessageParser::new().parse(&written.message).unwrap();
    assert!(message.bcc().is_none());
}

#[test]
fn a_report_in_plain_ascii_tells_of_addresses_beyond_it() {
    let (jo, said) = (mailbox("j\u{f6}+x@example.net"), said("5.1.1 kein Empf\u{e4}nger"));
    let recipient =
        RecipientReport { orcpt: Some("rfc822;a+2Bb@example.com"), ..failed(&jo, &said) };
    let written = write(original(MESSAGE), &[recipient], "a@b.c");
    assert!(written.message.is_ascii() && !written.smtputf8);
    assert_eq!(kinds(&written.message)[1], "message/delivery-status");
    let text = String::from_utf8(written.message.clone()).unwrap();
    assert!(text.contains("Final-Recipient: utf-8; j\\x{F6}\\x{2B}x@example.net\r\n"), "{text}");
    let read = read_bounces(&written.message);
    assert_eq!(read[0].mailbox().as_ref(), Some(&jo));
    assert_eq!(read[0].original_recipient.as_deref(), Some("a+b@example.com"));
}

#[test]
fn a_sender_that_used_smtputf8_gets_its_report_in_utf8() {
    let (jo, said) = (mailbox("j\u{f6}@example.net"), said("5.1.1 kein Empf\u{e4}nger"));
    let message = "Subject: \u{fc}\r\n\r\nHello\r\n".as_bytes();
    let original = Original { smtputf8: true, ..original(message) };
    let written = write(original, &[failed(&jo, &said)], "\u{e4}@b.c");
    assert!(written.smtputf8 && written.body == postlane_mail::BodyType::EightBit);
    assert_eq!(kinds(&written.message)[1..], ["message/global-delivery-status", "message/global"]);
    let read = read_bounces(&written.message);
    assert_eq!(read[0].mailbox().as_ref(), Some(&jo));
    assert_eq!(read[0].diagnostic.as_deref(), Some("550 5.1.1 kein Empf\u{e4}nger"));
}

#[test]
fn a_long_list_of_recipients_is_told_in_full_to_programs_and_in_part_to_people() {
    let (boxes, said): (Vec<_>, _) =
        ((0..60).map(|n| mailbox(&format!("u{n}@example.net"))).collect(), said("5.1.1 no"));
    let recipients: Vec<_> = boxes.iter().map(|mailbox| failed(mailbox, &said)).collect();
    let written = write(original(MESSAGE), &recipients, "a@b.c");
    assert_eq!(read_bounces(&written.message).len(), 60);
    assert!(String::from_utf8(written.message).unwrap().contains("And 10 more"));
}

#[test]
fn what_we_said_ourselves_is_not_laid_to_another_host() {
    let jo = mailbox("jo@example.net");
    let said =
        LastReply { host: "".into(), ..said("5.4.4 no mail server takes mail for example.net") };
    let written = write(original(MESSAGE), &[failed(&jo, &said)], "a@b.c");
    let read = read_bounces(&written.message);
    assert_eq!((&read[0].remote_mta, &read[0].diagnostic), (&None, &None));
    assert!(String::from_utf8(written.message).unwrap().contains("no mail server takes mail"));
}

#[test]
fn a_report_of_another_program_is_read() {
    let message = "Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n\
        Content-Type: multipart/report; boundary=\"in ner\"\r\n\r\n--in ner\r\n\r\nSorry\r\n\
        --in ner \r\ncontent-type: Message/Delivery-Status; name=x\r\nContent-Transfer-Encoding: \
        quoted-printable\r\n\r\nReporting-MTA: dns;mx.example.net\r\nArrival-Date: Sat, 21 Nov 2026 \
        06:39:05 +0100 (CET)\r\n\r\n\r\nFinal-Recipient: RFC822; <jo@example=2Enet>\r\nAction: Failed \
        (user unknown)\r\nStatus: 5.1.1 (no mailbox)\r\nDiagnostic-Code: smtp; 550\r\n 5.1.1 =\r\nno\r\n\r\n\
        Final-recipient: k@example.net\r\nAction: expedited\r\n\r\n--in ner--\r\n--outer--\r\n";
    let read = read_bounces(message.as_bytes());
    let [jo, k] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!(jo.reporting_mta.as_deref(), Some("mx.example.net"));
    assert_eq!(jo.arrival, Some(Instant::from_unix_s(1_795_239_545)));
    assert_eq!(jo.mailbox(), Some(mailbox("jo@example.net")));
    assert_eq!((jo.action, jo.status), (Some(Action::Failed), Some(Status::new(5, 1, 1))));
    assert_eq!(jo.diagnostic.as_deref(), Some("550 5.1.1 no"));
    assert_eq!((k.mailbox(), k.action), (Some(mailbox("k@example.net")), Some(Action::Failed)));
}

#[test]
fn what_has_no_report_is_none() {
    let half = b"A: 1\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\n--x--\r\n";
    for message in [
        b"".as_slice(),
        MESSAGE,
        half,
        b"\r\n--",
        b"\r\n--x\r\nContent-Type: message/delivery-status",
    ] {
        assert_eq!(read_bounces(message), []);
    }
}

proptest! {
    #[test]
    fn hostile_replies_never_break_a_report(
        text in "(\\PC|[\r\n\t\0\u{7f}\u{85}: <>=_-]|(\r\n--=_|\r\nBcc: a@b.c|\r\n\r\n|Action: delivered)){0,80}",
        host in "(\\PC|[\r\n: \\[]){0,20}",
        long in 0_usize..3_000,
        smtputf8 in any::<bool>(),
        body in "(\\PC|\r\n|--=_){0,60}",
    ) {
        let jo = mailbox("jo@example.net");
        let said = LastReply { host: host.into(), ..said(&(text + &"x".repeat(long))) };
        let message = format!("Subject: x\r\n\r\n{body}\r\n");
        let original = Original { smtputf8, ..original(message.as_bytes()) };
        let written = write(original, &[failed(&jo, &said), failed(&jo, &said)], "a@b.c");

        let lines = Lines::of(&written.message);
        prop_assert!(!lines.bare_newlines || Lines::of(message.as_bytes()).bare_newlines);
        prop_assert!(!lines.long || Lines::of(message.as_bytes()).long);
        prop_assert_eq!(lines.eight_bit, written.body == postlane_mail::BodyType::EightBit);

        let read = read_bounces(&written.message);
        prop_assert_eq!(read.len(), 2);
        for recipient in &read {
            prop_assert_eq!(recipient.action, Some(Action::Failed));
            prop_assert_eq!(recipient.status, Some(Status::new(5, 1, 1)));
            prop_assert_eq!(recipient.mailbox(), Some(jo.clone()));
        }
        let other = MessageParser::new().parse(&written.message).unwrap();
        prop_assert!(other.bcc().is_none());
        prop_assert_eq!(other.subject(), Some("Undelivered mail returned to sender"));
        prop_assert_eq!(kinds(&written.message).len(), 3);
    }

    #[test]
    fn any_octets_can_be_read_as_a_report(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_bounces(&message);
        let part = [b"Content-Type: message/delivery-status\r\n\r\nAction: ", &message[..]].concat();
        let _ = read_bounces(&part);
    }
}
