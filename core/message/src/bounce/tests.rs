//! Bounces of every form, read as a whole; real ones are in `tests/bounces`.

use postlane_mail::Status;
use proptest::prelude::*;

use super::*;
use crate::dsn::Action;

fn only(message: &str) -> Bounced {
    let mut all = read_bounces(message.as_bytes());
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// A report for programs with these fields about a recipient.
fn report(fields: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; boundary=b\n\n--b\n\n\
         Sorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\
         Original-Envelope-Id: a+2Bb\n\n{fields}\n--b\nContent-Type: message/rfc822\n\n\
         From: shop@acme.example\nMessage-ID: <1@acme.example>\nTo: jo@b.example\n\nhi\n--b--\n"
    )
}

/// A bounce in words.
fn letter(text: &str) -> String {
    format!(
        "From: <MAILER-DAEMON@mx.example>\nTo: <shop@acme.example>\nSubject: failure notice\n\n{text}"
    )
}

#[test]
fn a_report_tells_all_there_is() {
    let read = only(&report(
        "Original-Recipient: rfc822; jo@b.example\nFinal-Recipient: rfc822; joe@c.example\n\
         Action: failed\nStatus: 5.0.0\nRemote-MTA: dns; mx.c.example\n\
         Diagnostic-Code: smtp; 550 5.1.1 User\n  unknown\n",
    ));
    assert_eq!((read.kind, read.action), (BounceKind::Dsn, Some(Action::Failed)));
    assert_eq!(read.recipient.as_deref(), Some("joe@c.example"));
    assert_eq!(read.original_recipient.as_deref(), Some("jo@b.example"));
    assert_eq!(read.status, Some(Status::new(5, 1, 1)));
    assert_eq!(read.code.map(|code| code.number()), Some(550));
    assert_eq!(read.diagnostic.as_deref(), Some("550 5.1.1 User unknown"));
    assert_eq!(read.remote_mta.as_deref(), Some("mx.c.example"));
    assert_eq!(read.envid.as_deref(), Some("a+b"));
    assert_eq!(read.original_message_id.as_deref(), Some("<1@acme.example>"));
    assert!(read.is_failure());
}

#[test]
fn a_reply_is_told_without_the_words_that_lead_to_it() {
    let said = "host mx.b.example says: 550 5.4.1 Recipient address rejected";
    let fields = format!("Final-Recipient: rfc822; jo@b.example\nDiagnostic-Code: smtp;{said}\n");
    let read = only(&report(&fields));
    assert_eq!(read.diagnostic.as_deref(), Some(said));
    assert_eq!(read.reply_text(), Some("550 5.4.1 Recipient address rejected"));
}

#[test]
fn only_a_failure_is_one() {
    for (action, is_failure) in [
        ("failed", true),
        ("Failure (no such user)", true),
        ("delayed", false),
        ("delivered", false),
        ("relayed", false),
        ("expanded", false),
    ] {
        let fields = format!("Final-Recipient: rfc822; jo@b.example\nAction: {action}\n");
        assert_eq!(only(&report(&fields)).is_failure(), is_failure, "{action}");
    }
}

#[test]
fn a_delivery_tells_by_which_reply() {
    let read = only(&report(
        "Final-Recipient: rfc822; jo@b.example\nAction: relayed\nStatus: 2.1.5\n\
         Diagnostic-Code: smtp; 250 2.1.5 Ok\n",
    ));
    assert_eq!(read.code.map(|code| code.number()), Some(250));
    assert_eq!(read.status, Some(Status::new(2, 1, 5)));
    assert!(!read.is_failure());
}

#[test]
fn recipients_that_nothing_parts_are_told_apart() {
    let fields = "Final-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n\
                  Final-Recipient: rfc822; c@d.example\nStatus: 4.2.2\n";
    let all = read_bounces(report(fields).as_bytes());
    let statuses: Vec<_> = all.iter().filter_map(|bounced| bounced.status).collect();
    assert_eq!(statuses, [Status::new(5, 1, 1), Status::new(4, 2, 2)]);
}

#[test]
fn a_forwarded_bounce_is_found_in_its_letter() {
    let inner = report("Final-Recipient: rfc822; jo@b.example\nAction: failed\nStatus: 5.1.1\n");
    let read = only(&format!(
        "From: boss@acme.example\nSubject: Fwd: what is this\nContent-Type: multipart/mixed; \
         boundary=out\n\n--out\n\nLook.\n--out\nContent-Type: message/rfc822\n\n{inner}\n--out--\n"
    ));
    assert_eq!(read.recipient.as_deref(), Some("jo@b.example"));
}

#[test]
fn a_returned_bounce_is_not_read_in_place_of_the_bounce_about_it() {
    let inner = report("Final-Recipient: rfc822; jo@b.example\nAction: failed\nStatus: 5.1.1\n");
    let read = only(&format!(
        "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; boundary=out\n\n--out\n\
         Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; shop@acme.example\n\
         Action: failed\nStatus: 5.2.2\n\n--out\nContent-Type: message/rfc822\n\n{inner}\n--out--\n"
    ));
    assert_eq!(read.recipient.as_deref(), Some("shop@acme.example"));
}

#[test]
fn each_recipient_of_a_letter_has_its_own_reply() {
    let all = read_bounces(
        letter(
            "Hi. This is the qmail-send program at mx.example.\n\n<a@b.example>:\n192.0.2.1 does \
             not like recipient.\nRemote host said: 550 5.1.1 no such user\nGiving up on \
             192.0.2.1.\n\n<c@d.example>:\nSorry, I couldn't find any host named d.example. \
             (#5.1.2)\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <9@x>\n\
             To: e@f.example\n",
        )
        .as_bytes(),
    );
    let [a, c] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(a.diagnostic.as_deref(), Some("550 5.1.1 no such user"));
    assert_eq!((c.code, c.status), (None, Some(Status::new(5, 1, 2))));
    assert_eq!(c.original_message_id.as_deref(), Some("<9@x>"));
}

#[test]
fn a_letter_that_only_warns_is_no_failure() {
    let read = only(&letter(
        "A message that you sent has not yet been delivered to one or more of its recipients.\n\n\
         \x20 jo@b.example\n    host mx.b.example [192.0.2.1]: 450 try again\n\n\
         Delivery attempts will continue for some time.\n",
    ));
    assert_eq!((read.kind, read.action), (BounceKind::FreeForm, Some(Action::Delayed)));
    assert!(!read.is_failure());
}

#[test]
fn the_sender_is_never_the_recipient_that_failed() {
    let read = only(&letter(
        "Your mail could not be delivered:\n550 5.7.1 <shop@acme.example>: Sender rejected\n\n\
         Received: from x\nFrom: shop@acme.example\nTo: jo@b.example\n",
    ));
    assert_eq!(read.recipient.as_deref(), Some("jo@b.example"));
}

#[test]
fn an_answer_from_somebody_away_is_no_bounce() {
    let read = only(
        "From: Jo <jo@b.example>\nSubject: Automatic reply: offer\nAuto-Submitted: auto-replied\n\n\
         I am away until Monday.\n",
    );
    assert_eq!((read.kind, read.action), (BounceKind::Vacation, None));
    assert_eq!(read.recipient.as_deref(), Some("jo@b.example"));
}

/// A recipient with the code and status that are said about it.
struct Wanted(&'static str, Option<u16>, Option<Status>);

/// How each program writes, in words of our own: the program, the words, the recipients.
const FORMS: [(&str, &str, &[Wanted]); 14] = [
    (
        "Exchange",
        "Diagnostic information for administrators:\n\nGenerating server: mx.example\n\n\
         jo@b.example\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nOriginal message \
         headers:\n\nReceived: from x\n",
        &[Wanted("jo@b.example", Some(550), Some(Status::new(5, 1, 1)))],
    ),
    (
        "Exchange 2000, German",
        "Ihre Nachricht\n\n  An: jo@b.example\n  Betreff: x\n\nhat folgende(n) Empf\u{e4}nger nicht \
         erreicht:\n\n'jo@b.example' am 29.04.2010 23:34\n    Das E-Mail-Konto existiert nicht.\n    \
         <mx.example #5.1.1>\n",
        &[Wanted("jo@b.example", None, Some(Status::new(5, 1, 1)))],
    ),
    (
        "MailMarshal",
        "Your message:\n   From:    shop@acme.example\n   Subject: x\n\nCould not be delivered \
         because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected:\n    \
         jo@b.example\n    al@b.example\n",
        &[
            Wanted("jo@b.example", Some(550), Some(Status::new(5, 1, 1))),
            Wanted("al@b.example", Some(550), Some(Status::new(5, 1, 1))),
        ],
    ),
    (
        "GroupWise",
        "The message that you sent was undeliverable to the following:\n\tjo@b.example (user not \
         found)\n",
        &[Wanted("jo@b.example", None, None)],
    ),
    (
        "Courier",
        "UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n\
         <jo@b.example>:\n    mx.b.example [192.0.2.1]:\n>>> RCPT TO:<jo@b.example>\n<<< 550 5.1.1 \
         <jo@b.example>... User Unknown\n",
        &[Wanted("jo@b.example", Some(550), Some(Status::new(5, 1, 1)))],
    ),
    (
        "ActiveHunter",
        "  ----- The following addresses had permanent fatal errors -----\n\n>>> jo@b.example \
         <jo@b.example>\n\n  ----- Transcript of session follows -----\n550 sorry, no mailbox here \
         by that name (#5.1.1 - chkusr)\n",
        &[Wanted("jo@b.example", Some(550), Some(Status::new(5, 1, 1)))],
    ),
    (
        "Biglobe",
        "  ----- The following addresses had delivery problems -----\njo@b.example\n\n  ----- \
         Non-delivered information -----\nThe number of messages in recipient's mailbox exceeded \
         the local limit.\n",
        &[Wanted("jo@b.example", None, None)],
    ),
    (
        "MailFoundry",
        "Unable to deliver message to: <jo@b.example>\nDelivery failed for the following \
         reason:\nServer mx.b.example[192.0.2.1] failed with: 550 <jo@b.example> No such user \
         here\n",
        &[Wanted("jo@b.example", Some(550), None)],
    ),
    (
        "SurfControl",
        "Your message could not be sent.\nA transcript of the attempts to send the message \
         follows.\nAddressed To: jo@b.example\n\nFailed to send to identified host,\n\
         jo@b.example: [192.0.2.1], 550 jo@b.example... No such user\n",
        &[Wanted("jo@b.example", Some(550), None)],
    ),
    (
        "Sendmail 8",
        "The original message was received at Thu, 29 Apr 2010 23:34:45 +0900\nfrom \
         localhost\n\n   ----- The following addresses had permanent fatal errors -----\n\
         <jo@b.example>\n    (reason: 550 5.1.1 <jo@b.example>... User unknown)\n\n   ----- \
         Transcript of session follows -----\n... while talking to mx.b.example.:\n>>> DATA\n\
         <<< 550 5.1.1 <jo@b.example>... User unknown\n550 5.1.1 <jo@b.example>... User unknown\n\
         <<< 503 5.0.0 Need RCPT (recipient)\n",
        &[Wanted("jo@b.example", Some(550), Some(Status::new(5, 1, 1)))],
    ),
    (
        "InterScan",
        "Unable to deliver message to <jo@b.example> (and other recipients in the same \
         domain).\n\nSent <<< RCPT TO:<jo@b.example>\nReceived >>> 550 5.1.1 no such user\n",
        &[Wanted("jo@b.example", Some(550), Some(Status::new(5, 1, 1)))],
    ),
    (
        "James",
        "Message details:\n  Subject: x\n  MAIL FROM: shop@acme.example\n  RCPT TO: \
         jo@b.example\n\nError message below:\n550 - Requested action not taken: no such user \
         here\n\nThe message could not be delivered.\n",
        &[Wanted("jo@b.example", Some(550), None)],
    ),
    (
        "1&1",
        "A message that you sent could not be delivered to one or more of its recipients. The \
         following address\nfailed:\n\n\"jo@b.example\":\nSMTP error from remote server after RCPT \
         command:\nhost: mx.b.example\n5.1.1 <jo@b.example>... User unknown\n\n--- The header of the \
         original message is following. ---\n\nReceived: from x\n",
        &[Wanted("jo@b.example", None, Some(Status::new(5, 1, 1)))],
    ),
    (
        "Yahoo",
        "Sorry, we were unable to deliver your message to the following address.\n\n\
         <jo@b.example>:\nRemote host said: 550 5.1.1 User unknown\n [RCPT_TO]\n\n--- Below this \
         line is a copy of the message.\n\nReceived: from x\n",
        &[Wanted("jo@b.example", Some(550), Some(Status::new(5, 1, 1)))],
    ),
];

#[test]
fn each_programs_words_name_their_recipients() {
    for (program, words, wanted) in FORMS {
        let all = read_bounces(letter(words).as_bytes());
        assert_eq!(all.len(), wanted.len(), "{program}: {all:?}");
        for (read, Wanted(recipient, code, status)) in all.iter().zip(wanted) {
            assert_eq!(read.recipient.as_deref(), Some(*recipient), "{program}");
            assert_eq!(read.code.map(postlane_mail::Code::number), *code, "{program}");
            assert_eq!(read.status, *status, "{program}");
        }
        assert!(all.iter().all(|one| one.diagnostic.is_some()), "{program}: {all:?}");
    }
}

#[test]
fn a_complaint_in_a_form_of_its_own_is_one() {
    let read = only(
        "From: <staff@hotmail.example>\nSubject: complaint about message from 192.0.2.1\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n\
         X-HmXmrOriginalRecipient: jo@b.example\nFrom: shop@acme.example\n\nhi\n--b--\n",
    );
    assert_eq!(
        (read.kind, read.recipient.as_deref()),
        (BounceKind::Feedback, Some("jo@b.example"))
    );
}

#[test]
fn a_report_of_reading_is_nothing_that_came_back() {
    let message = "From: jo@b.example\nSubject: Read: offer\nContent-Type: multipart/report; \
                   report-type=disposition-notification; boundary=b\n\n--b\n\nSeen.\n--b\n\
                   Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; \
                   jo@b.example\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n";
    assert_eq!(read_bounces(message.as_bytes()), []);
}

#[test]
fn hostile_sizes_cost_no_more_than_their_octets() {
    let lines = "<a@b.example>: 550 5.1.1 x\n".repeat(100_000);
    let many: String = (0..40_000).map(|n| format!("<u{n}@b.example>:\n")).collect();
    let ats = "@a.b".repeat(300_000);
    let codes = "550 ".repeat(300_000);
    let nested = "Content-Type: message/rfc822\n\n".repeat(40_000);
    let boundary =
        format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n".repeat(300_000));
    let failed = format!("X-Failed-Recipients: {}\n\n{many}", "a@b.example,".repeat(20_000));
    for message in
        [letter(&lines), letter(&many), letter(&ats), letter(&codes), nested, boundary, failed]
    {
        assert!(read_bounces(message.as_bytes()).len() <= 1_000);
    }
}

proptest! {
    #[test]
    fn any_octets_can_come_back(message in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_bounces(&message);
    }

    #[test]
    fn pieces_of_bounces_in_any_order_can_come_back(
        pieces in proptest::collection::vec(prop_oneof![
            Just("From: MAILER-DAEMON@x\r\n"), Just("Subject: failure notice\r\n"), Just("\r\n"),
            Just("Content-Type: multipart/report; boundary=\"b\"\r\n"), Just("--b\r\n"), Just("--b--\r\n"),
            Just("Content-Type: message/delivery-status\r\n"), Just("Content-Type: message/rfc822\r\n"),
            Just("Content-Transfer-Encoding: base64\r\n"), Just("Final-Recipient: rfc822; "),
            Just("jo@b.example"), Just("<"), Just(">"), Just(":"), Just("550"), Just(" 5.1.1 "), Just("@"),
            Just("<<< "), Just("\u{fc}"), Just("\x1b$B%(%i!<\x1b(B"), Just("... "), Just("\""), Just("{\""),
            Just("Original message follows\r\n"), Just("Message-ID: <"), Just("X-Failed-Recipients: "),
        ], 0..60),
    ) {
        let message = pieces.concat();
        prop_assert!(read_bounces(message.as_bytes()).len() <= 1_000);
    }
}
