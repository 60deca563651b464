//! What is added and taken away, and that nothing else is touched.

use postlane_mail::{Domain, Instant, Mailbox, QueueId, Stream};
use proptest::prelude::*;

use super::*;

fn edits() -> Edits {
    Edits::new(Domain::parse("relay.example.net").unwrap())
}

fn arrival() -> Arrival<'static> {
    let client = Client::Peer { helo: "app.example.com", address: [192, 0, 2, 7].into() };
    Arrival {
        id: QueueId::from_bits(0x0123_4567_89ab_cdef),
        at: Instant::from_unix_s(1_795_239_545),
        client,
        protocol: "ESMTP",
        tls: None,
        recipient: None,
    }
}

/// The message without its first field, which is ours, and what was learnt.
fn prepared(message: &str, edits: &Edits) -> (String, Facts) {
    let prepared = prepare(message.as_bytes(), edits, &arrival()).unwrap();
    let mut out = Vec::new();
    prepared.write_to(&mut out);
    assert_eq!(out.len(), prepared.octets());
    let received = Fields::new(&out).next().unwrap();
    assert!(received.is("Received"));
    (String::from_utf8_lossy(&out[received.range.end..]).into_owned(), prepared.facts)
}

const WHOLE: &str = "From: Jo <jo@example.com>\r\nDate: Sat, 21 Nov 2026 05:39:05 +0000\r\n\
                     Message-ID: <1@example.com>\r\nSubject: x\r\n\r\nHello\r\n.\r\n";

#[test]
fn a_whole_message_gets_nothing_but_a_received_field() {
    let (out, facts) = prepared(WHOLE, &edits());
    assert_eq!(out, WHOLE);
    assert_eq!(facts.message_id.as_deref(), Some("<1@example.com>"));
    assert_eq!(facts.from_domain, Some(Domain::parse("example.com").unwrap()));
    assert!(facts.body.dots && !facts.header.dots && !facts.body.eight_bit);
    assert!(facts.findings.is_empty());
}

#[test]
fn a_missing_date_and_message_id_go_to_the_end_of_the_header_section() {
    let (out, facts) = prepared("From: jo@example.com\r\n\r\nHello\r\n", &edits());
    assert_eq!(
        out,
        "From: jo@example.com\r\nDate: Sat, 21 Nov 2026 05:39:05 +0000\r\n\
         Message-ID: <028t5cy4tqkff@relay.example.net>\r\n\r\nHello\r\n"
    );
    assert_eq!(facts.message_id.as_deref(), Some("<028t5cy4tqkff@relay.example.net>"));
}

#[test]
fn the_header_section_is_told_by_its_length() {
    let prepared = prepare(WHOLE.as_bytes(), &edits(), &arrival()).unwrap();
    let mut out = Vec::new();
    prepared.write_to(&mut out);
    let (header, rest) = out.split_at(prepared.facts.header_octets);
    assert!(header.ends_with(b"Subject: x\r\n") && rest == b"\r\nHello\r\n.\r\n");
}

#[test]
fn blind_copies_and_listed_fields_go_out_with_their_folds() {
    let message = "Bcc: a@b.c,\r\n d@e.f\r\nDate: d\r\nX-Secret: 1\r\nSubject: x\r\nmessage-id: <1@x>\r\n\
                   BCC : g@h.i\r\n\r\nBcc: stays\r\n";
    let edits = Edits { remove: vec!["x-secret".into()], ..edits() };
    let (out, _) = prepared(message, &edits);
    assert_eq!(out, "Date: d\r\nSubject: x\r\nmessage-id: <1@x>\r\n\r\nBcc: stays\r\n");
}

#[test]
fn our_own_fields_are_read_and_taken_out_and_the_first_valid_one_wins() {
    let message = "X-Postlane-Stream: urgent\r\nX-Postlane-Stream: Cold\r\nX-Postlane-Stream: engaged\r\n\
                   X-Postlane-Campaign:\r\n spring-2026\r\nx-postlane-tenant: a b\r\nX-Postlane-Tenant:\r\n\
                   X-Postlane-Other: stays\r\nDate: d\r\nMessage-ID: <1@x>\r\n\r\n";
    let (out, facts) = prepared(message, &edits());
    assert_eq!(out, "X-Postlane-Other: stays\r\nDate: d\r\nMessage-ID: <1@x>\r\n\r\n");
    assert_eq!(facts.stream, Some(Stream::Cold));
    assert_eq!(facts.campaign.unwrap().as_str(), "spring-2026");
    assert_eq!(facts.tenant, None);
    assert_eq!(facts.findings.as_slice(), [Finding::Stream, Finding::Tenant]);
}

#[test]
fn inner_received_fields_stay_unless_a_setting_takes_them_out() {
    let message = "Received: from a by b; d\r\nDate: d\r\nReceived: from c by d; d\r\nMessage-ID: <1@x>\r\n\r\n";
    assert_eq!(prepared(message, &edits()).0, message);
    let edits = Edits { inner_received: InnerReceived::Removed, ..edits() };
    let (out, facts) = prepared(message, &edits);
    assert_eq!((out.as_str(), facts.received), ("Date: d\r\nMessage-ID: <1@x>\r\n\r\n", 2));
}

#[test]
fn a_message_that_has_passed_over_a_hundred_hosts_is_a_loop() {
    let with = |hops| "Received: x\r\n".repeat(hops) + "\r\n";
    assert!(prepare(with(100).as_bytes(), &edits(), &arrival()).is_ok());
    let refused = prepare(with(101).as_bytes(), &edits(), &arrival()).unwrap_err();
    assert_eq!((refused.code().number(), refused.status().to_string()), (554, "5.4.6".into()));
}

#[test]
fn a_header_section_beyond_the_limits_is_refused() {
    let refused = |message: String| prepare(message.as_bytes(), &edits(), &arrival()).unwrap_err();
    let fields = refused("A: 1\r\n".repeat(1_001));
    assert_eq!(
        (fields, fields.code().number()),
        (HeaderRefused::TooManyFields { fields_max: 1_000 }, 552)
    );
    let long = refused(format!("A: {}\r\n", "x".repeat(256 * 1024)));
    assert_eq!(
        (long, long.status().to_string()),
        (HeaderRefused::TooLong { octets_max: 262_144 }, "5.3.4".into())
    );
}

#[test]
fn a_body_without_an_empty_line_before_it_gets_one() {
    let (out, facts) = prepared("Date: d\r\nMessage-ID: <1@x>\r\nHello there\r\n", &edits());
    assert_eq!(out, "Date: d\r\nMessage-ID: <1@x>\r\n\r\nHello there\r\n");
    assert_eq!(facts.findings.as_slice(), [Finding::NoEmptyLine]);
    let (out, _) = prepared("Hello\r\n", &edits());
    assert!(out.ends_with("relay.example.net>\r\n\r\nHello\r\n"), "{out}");
}

#[test]
fn a_header_line_that_breaks_off_gets_its_end() {
    let (out, facts) = prepared("Message-ID: <1@x>\r\nDate: d", &edits());
    assert_eq!(out, "Message-ID: <1@x>\r\nDate: d\r\n");
    assert_eq!(facts.findings.as_slice(), [Finding::BrokenLine]);
    let (out, facts) = prepared("Message-ID: <1@x>\r\nDate: d\r\nBcc: x", &edits());
    assert_eq!(out, "Message-ID: <1@x>\r\nDate: d\r\n");
    assert!(facts.findings.is_empty());
}

#[test]
fn a_message_id_that_cannot_be_read_stays_and_is_told() {
    let (out, facts) = prepared("Date: d\r\nMessage-ID: none\r\n\r\n", &edits());
    assert_eq!(out, "Date: d\r\nMessage-ID: none\r\n\r\n");
    assert_eq!((facts.message_id, facts.findings.as_slice()), (None, &[Finding::MessageId][..]));
}

#[test]
fn a_listed_date_is_put_anew() {
    let edits = Edits { remove: vec!["Date".into()], ..edits() };
    let (out, _) = prepared("Date: d\r\nMessage-ID: <1@x>\r\n\r\n", &edits);
    assert_eq!(out, "Message-ID: <1@x>\r\nDate: Sat, 21 Nov 2026 05:39:05 +0000\r\n\r\n");
}

#[test]
fn automatic_and_bulk_mail_is_known() {
    for (field, auto_submitted, bulk) in [
        ("Auto-Submitted: auto-replied; x=y", true, false),
        ("Auto-Submitted: No (really)", false, false),
        ("Precedence: Bulk", false, true),
        ("Precedence: first-class", false, false),
    ] {
        let (_, facts) = prepared(&format!("{field}\r\n\r\n"), &edits());
        assert_eq!((facts.auto_submitted, facts.bulk), (auto_submitted, bulk), "{field}");
    }
}

#[test]
fn eight_bit_octets_count_where_they_stay() {
    let (_, facts) = prepared("Bcc: \u{e4}\r\nSubject: x\r\n\r\nplain\r\n", &edits());
    assert!(!facts.header.eight_bit && !facts.body.eight_bit);
    let (_, facts) = prepared("Subject: \u{e4}\r\n\r\nplain\r\n", &edits());
    assert!(facts.header.eight_bit && !facts.body.eight_bit);
    let (_, facts) = prepared("Subject: x\r\n\r\n\u{e4}\r\n", &edits());
    assert!(!facts.header.eight_bit && facts.body.eight_bit);
    let recipient = Mailbox::parse("\u{fc}@example.net").unwrap();
    let arrival = Arrival { recipient: Some(&recipient), ..arrival() };
    assert!(prepare(b"A: 1\r\n\r\n", &edits(), &arrival).unwrap().facts.header.eight_bit);
}

/// Header lines of all sorts, whole and broken, known and foreign.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"Subject: a\r\n b\r\n".to_vec()),
        Just(b"Bcc: a@b\r\n".to_vec()),
        Just(b"X-Drop: 1\r\n\t2\r\n".to_vec()),
        Just(b"X-Postlane-Stream: cold\r\n".to_vec()),
        Just(b"Received: x\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"Date: d\r\n".to_vec()),
        Just(b"message-id : <1@x>\r\n".to_vec()),
        proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), Just(b' '), Just(b'.'), any::<u8>()],
            0..20
        ),
    ]
}

proptest! {
    #[test]
    fn what_is_not_listed_stays_octet_for_octet_and_in_order(
        lines in proptest::collection::vec(line(), 0..24)
    ) {
        let message = lines.concat();
        let edits = Edits { remove: vec!["X-Drop".into()], ..edits() };
        let prepared = prepare(&message, &edits, &arrival()).unwrap();
        let mut out = Vec::new();
        prepared.write_to(&mut out);

        let mut before = Fields::new(&message);
        let taken = ["Bcc", "X-Drop", "X-Postlane-Stream"];
        let stay: Vec<_> = before
            .by_ref()
            .filter(|f| !taken.iter().any(|name| f.is(name)))
            .map(|f| message[f.range].to_vec())
            .collect();
        let mut after = Fields::new(&out);
        let fields: Vec<_> = after.by_ref().map(|f| out[f.range].to_vec()).collect();

        // Ours come first and last; what is between them is what was there.
        prop_assert!(fields.len() > stay.len());
        for (kept, was) in fields[1..].iter().zip(&stay) {
            prop_assert!(kept == was || kept == &[&was[..], b"\r\n"].concat());
        }
        let ours: Vec<_> = fields[1 + stay.len()..].concat();
        prop_assert!(Fields::new(&ours).all(|f| f.is("Date") || f.is("Message-ID")));
        prop_assert_eq!(&out[after.body()..], &message[before.body()..]);
        prop_assert_eq!(prepared.facts.header_octets, after.at());
        prop_assert_eq!(prepared.facts.body, Lines::of(&message[before.body()..]));
    }

    #[test]
    fn any_octets_can_be_prepared(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        let prepared = prepare(&message, &edits(), &arrival()).unwrap();
        let mut out = Vec::new();
        prepared.write_to(&mut out);
        let mut fields = Fields::new(&message);
        while fields.next().is_some() {}
        prop_assert!(out.ends_with(&message[fields.body()..]));
    }
}
