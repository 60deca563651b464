//! Any octets as somebody's report, and any text as a reply in a report of ours.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_mail::{
    Code, Domain, Instant, LastReply, Mailbox, QueueId, Reply, ReturnContent, Stage, Status,
};
use postlane_message::{Action, Original, RecipientReport, Report, read_bounces, write_report};

fuzz_target!(|octets: &[u8]| {
    read_bounces(octets);

    let text = String::from_utf8_lossy(octets);
    let (reply, host) = text.split_once('\0').unwrap_or((&text, "mx.example.net"));
    let mailbox = Mailbox::parse("jo@example.net").expect("a mailbox");
    let reply = Reply::new(Code::new(550).expect("a code"), reply);
    let said = LastReply { stage: Stage::Rcpt, reply, host: host.into(), at: Instant(0) };
    let recipient = RecipientReport {
        mailbox: &mailbox,
        orcpt: Some(&text),
        action: Action::Failed,
        status: Status::new(5, 1, 1),
        last_reply: Some(&said),
        will_retry_until: None,
    };
    let original = Original {
        id: QueueId::from_bits(1),
        arrived: Instant(0),
        envid: Some(&text),
        message_id: Some(&text),
        message: octets,
        ret: if octets.len() % 2 == 1 { ReturnContent::Full } else { ReturnContent::Headers },
        octets_max: 10_000,
        smtputf8: octets.len() % 3 == 1,
    };
    let written = write_report(&Report {
        id: QueueId::from_bits(2),
        at: Instant(0),
        addressee: &mailbox,
        reporting_mta: &Domain::parse("relay.example.net").expect("a name"),
        original,
        recipients: &[recipient, recipient],
    });
    let read = read_bounces(&written.message);
    assert_eq!(read.len(), 2);
    for recipient in read {
        assert_eq!(recipient.mailbox().as_ref(), Some(&mailbox));
        assert_eq!(recipient.action, Some(Action::Failed));
        assert_eq!(recipient.status, Some(Status::new(5, 1, 1)));
    }
});
