//! What leaves the house, held by files that a postmaster can read.
//!
//! `POSTLANE_BLESS=1 cargo test -p postlane-message` writes the files anew.

#![cfg(test)]

use std::path::Path;

use postlane_mail::{
    Code, Domain, Instant, LastReply, Mailbox, QueueId, Reply, ReturnContent, Stage, Status,
};
use postlane_message::{
    Action, Arrival, Client, ClientTrace, Draft, Edits, Original, RecipientReport, Report,
    TlsWords, compose, prepare, write_report,
};

const ID: QueueId = QueueId::from_bits(0x0123_4567_89ab_cdef);
const REPORT_ID: QueueId = QueueId::from_bits(0x0123_4567_89ab_ceff);
const ARRIVED: Instant = Instant::from_unix_s(1_795_239_545);
const TRIED: Instant = Instant::from_unix_s(1_795_239_600);
const UNTIL: Instant = Instant::from_unix_s(1_795_671_545);

const MESSAGE: &str = "Received: from [10.0.0.5] by app.example.com; Sat, 21 Nov 2026 05:39:04 +0000\r\n\
    From: Jo Ann <jo@example.com>\r\nTo: k@example.net\r\nSubject: Your receipt\r\n\
    Date: Sat, 21 Nov 2026 05:39:04 +0000\r\nMessage-ID: <receipt-1@example.com>\r\n\r\n\
    Thank you for your order.\r\n";

/// Compares with the file of that name; line ends are CRLF in the octets and LF in the file.
fn check(name: &str, octets: &[u8]) {
    let text = String::from_utf8(octets.to_vec()).unwrap();
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "only CRLF ends a line");
    let text = text.replace("\r\n", "\n");
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("POSTLANE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{} differs; POSTLANE_BLESS=1 writes it anew", path.display());
}

fn name(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text).unwrap()
}

fn arrival<'a>(helo: &'a str, address: &str, recipient: Option<&'a Mailbox>) -> Arrival<'a> {
    let client = Client::Peer { helo, address: address.parse().unwrap() };
    Arrival { id: ID, at: ARRIVED, client, protocol: "ESMTP", tls: None, recipient }
}

#[test]
fn received_fields_are_as_the_files_say() {
    let jo = mailbox("jo@example.net");
    let long = mailbox(&format!("{}@{}.example", "l".repeat(64), "d".repeat(60)));
    let tls = Some(TlsWords { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" });
    let plain = arrival("app.example.com", "192.0.2.7", Some(&jo));
    let encrypted = Arrival { tls, protocol: "ESMTPSA", ..plain };
    let told = Edits::new(name("relay.example.net"));
    let hidden = Edits { client: ClientTrace::Hidden, ..told.clone() };
    let nobody = Arrival { client: Client::Hidden, protocol: "HTTP", recipient: None, ..plain };
    let mapped = arrival("[192.0.2.7]", "::ffff:192.0.2.7", None);
    let hostile = arrival("evil\r\nBcc: (a) ;\"x\u{7f}", "2001:db8::7", None);
    let foreign =
        arrival("b\u{fc}cher.example", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Some(&long));
    let silent = arrival("", "192.0.2.7", None);

    let mut out = Vec::new();
    for (edits, arrival) in [
        (&told, plain),
        (&told, encrypted),
        (&hidden, encrypted),
        (&told, nobody),
        (&told, mapped),
        (&told, hostile),
        (&told, foreign),
        (&told, silent),
    ] {
        let prepared = prepare(b"", edits, &arrival).unwrap();
        out.extend_from_slice(prepared.pieces().next().unwrap());
    }
    check("received", &out);
}

#[test]
fn a_message_is_cut_and_joined_as_the_file_says() {
    let message = "Bcc: secret@example.net\r\nX-Postlane-Stream: transactional\r\n".to_owned()
        + "Subject:  odd   blanks \r\n\tstay\r\nFrom: jo@example.com\r\n\r\n.dots and\ttabs stay \r\n";
    let edits = Edits::new(name("relay.example.net"));
    let prepared =
        prepare(message.as_bytes(), &edits, &arrival("a.example", "192.0.2.7", None)).unwrap();
    let mut out = Vec::new();
    prepared.write_to(&mut out);
    check("prepared", &out);
}

fn reply(number: u16, text: &str) -> Reply {
    Reply::new(Code::new(number).unwrap(), text)
}

fn said(stage: Stage, reply: Reply, host: &str) -> LastReply {
    LastReply { stage, reply, host: host.into(), at: TRIED }
}

fn original(message: &[u8]) -> Original<'_> {
    Original {
        id: ID,
        arrived: ARRIVED,
        envid: None,
        message_id: Some("<receipt-1@example.com>"),
        message,
        ret: ReturnContent::Headers,
        octets_max: 50_000,
        smtputf8: false,
    }
}

fn recipient<'a>(
    mailbox: &'a Mailbox,
    action: Action,
    status: &str,
    last_reply: Option<&'a LastReply>,
) -> RecipientReport<'a> {
    let status = Status::parse(status).unwrap();
    RecipientReport { mailbox, orcpt: None, action, status, last_reply, will_retry_until: None }
}

fn check_report(file: &str, original: Original<'_>, recipients: &[RecipientReport<'_>], to: &str) {
    let written = write_report(&Report {
        id: REPORT_ID,
        at: TRIED,
        addressee: &mailbox(to),
        reporting_mta: &name("relay.example.net"),
        original,
        recipients,
    });
    check(file, &written.message);
}

#[test]
fn a_report_on_one_failed_recipient_is_as_the_file_says() {
    let k = mailbox("k@example.net");
    let no = reply(
        550,
        "5.1.1 <k@example.net>: Recipient address rejected:\n5.1.1 User unknown in virtual mailbox table",
    );
    let said = said(Stage::Rcpt, no, "mx1.example.net[192.0.2.9]");
    let original = Original {
        envid: Some("order+2B17"),
        ret: ReturnContent::Full,
        ..original(MESSAGE.as_bytes())
    };
    let failed = recipient(&k, Action::Failed, "5.1.1", Some(&said));
    let failed = RecipientReport { orcpt: Some("rfc822;K+2BL@example.org"), ..failed };
    check_report("dsn-failed", original, &[failed], "bounces@example.com");
}

#[test]
fn a_report_on_several_failed_recipients_is_as_the_file_says() {
    let boxes =
        ["full@example.net", "policy@web.example", "late@slow.example", "lost@nowhere.example"]
            .map(mailbox);
    let full = said(Stage::Dot, reply(552, "5.2.2 Mailbox full"), "mx1.example.net");
    let policy = reply(
        554,
        "Transaction failed\nReject due to policy restrictions.\nFor explanation visit \
         https://postmaster.web.example/case?c=hp&i=192.0.2.7&v=028t5cy4tqkff&r=0M7qEy-1",
    );
    let policy = said(Stage::Connect, policy, "[198.51.100.4]");
    let late =
        said(Stage::Ehlo, reply(421, "4.7.0 try again later"), "mx.slow.example (203.0.113.5)");
    let lost =
        said(Stage::Connect, reply(550, "5.1.2 The name nowhere.example does not exist."), "");
    check_report(
        "dsn-failed-multi",
        original(MESSAGE.as_bytes()),
        &[
            recipient(&boxes[0], Action::Failed, "5.2.2", Some(&full)),
            recipient(&boxes[1], Action::Failed, "5.7.1", Some(&policy)),
            recipient(&boxes[2], Action::Failed, "4.4.7", Some(&late)),
            recipient(&boxes[3], Action::Failed, "5.1.2", Some(&lost)),
        ],
        "bounces@example.com",
    );
}

#[test]
fn a_report_on_a_delay_is_as_the_file_says() {
    let k = mailbox("k@web.example");
    let slow = reply(421, "4.7.0 Too many messages, reduce the sending rate");
    let said = said(Stage::Mail, slow, "mx.web.example");
    let delayed = recipient(&k, Action::Delayed, "4.7.0", Some(&said));
    let delayed = RecipientReport { will_retry_until: Some(UNTIL), ..delayed };
    check_report("dsn-delayed", original(MESSAGE.as_bytes()), &[delayed], "bounces@example.com");
}

#[test]
fn a_report_in_utf8_is_as_the_file_says() {
    let k = mailbox("\u{3b4}\u{3bf}\u{3ba}@example.gr");
    let no = reply(550, "5.1.1 \u{3ac}\u{3b3}\u{3bd}\u{3c9}\u{3c3}\u{3c4}\u{3bf}\u{3c2}");
    let said = said(Stage::Rcpt, no, "mx.example.gr");
    let message = "From: \u{3b1}@example.gr\r\nSubject: \u{3c7}\r\n\r\nhi\r\n";
    let original = Original { smtputf8: true, ..original(message.as_bytes()) };
    let failed = recipient(&k, Action::Failed, "5.1.1", Some(&said));
    check_report("dsn-utf8", original, &[failed], "\u{3b1}@example.gr");
    let plain = Original { smtputf8: false, ..original };
    check_report("dsn-utf8-to-ascii", plain, &[failed], "a@example.gr");
}

#[test]
fn a_report_on_success_is_as_the_file_says() {
    let (k, l) = (mailbox("k@example.net"), mailbox("l@example.org"));
    let yes = said(Stage::Dot, reply(250, "2.0.0 Ok: queued as 4XyZ"), "mx.example.net");
    let handed = said(Stage::Dot, reply(250, "Ok"), "mail.example.org");
    check_report(
        "dsn-success",
        Original { ret: ReturnContent::Full, ..original(MESSAGE.as_bytes()) },
        &[
            recipient(&k, Action::Delivered, "2.0.0", Some(&yes)),
            recipient(&l, Action::Relayed, "2.0.0", Some(&handed)),
        ],
        "bounces@example.com",
    );
}

#[test]
fn what_is_composed_is_as_the_files_say() {
    let to = ["Doe, J\u{fc}rgen <j@example.net>".to_owned(), "k@example.net".to_owned()];
    let cc = ["\"Quoted \\\"Name\\\"\" <q@b\u{fc}cher.example>".to_owned()];
    let headers = [
        (
            "List-Unsubscribe".to_owned(),
            "<https://example.com/u/0123456789>, <mailto:u@example.com>".to_owned(),
        ),
        (
            "X-Note".to_owned(),
            "a long note in plain words that has to be folded since it does not fit".to_owned(),
        ),
    ];
    let both = Draft {
        from: "Jo Ann <jo@example.com>",
        to: &to,
        cc: &cc,
        reply_to: Some("help@example.com"),
        subject: "Gr\u{fc}\u{df}e aus Z\u{fc}rich \u{2014} und eine lange Zeile, die umbrochen wird",
        text: Some("Hello J\u{fc}rgen,\n\nthank you.\n"),
        html: Some("<p>Hello J\u{fc}rgen,</p>\n<p>thank you.</p>\n"),
        headers: &headers,
    };
    check("composed-alternative", &compose(&both, ID).unwrap());
    let plain = Draft {
        from: "jo@example.com",
        subject: "Hi",
        text: Some("Hello\n.\n"),
        ..Draft::default()
    };
    check("composed-plain", &compose(&plain, ID).unwrap());
}
