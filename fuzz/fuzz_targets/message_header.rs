//! Any octets as a message at intake: cut and joined, its body unchanged.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_mail::{Domain, Instant, QueueId};
use postlane_message::{
    Arrival, Client, Edits, Fields, InnerReceived, MailDate, domain_of, message_id_of, prepare,
    unfolded,
};

fuzz_target!(|message: &[u8]| {
    let mut edits = Edits::new(Domain::parse("relay.example.net").expect("a name"));
    edits.remove.push("X-Drop".into());
    if message.len() % 2 == 1 {
        edits.inner_received = InnerReceived::Removed;
    }
    let helo = String::from_utf8_lossy(message);
    let client = Client::Peer { helo: &helo, address: [192, 0, 2, 1].into() };
    let (id, at) = (QueueId::from_bits(1), Instant(0));
    let arrival = Arrival { id, at, client, protocol: "ESMTP", tls: None, recipient: None };

    let mut before = Fields::new(message);
    for field in before.by_ref() {
        unfolded(field.value);
        message_id_of(field.value);
        domain_of(field.value);
        MailDate::parse(&String::from_utf8_lossy(field.value));
    }
    let Ok(prepared) = prepare(message, &edits, &arrival) else { return };
    let mut out = Vec::new();
    prepared.write_to(&mut out);
    assert_eq!(out.len(), prepared.octets());
    let mut after = Fields::new(&out);
    assert!(after.by_ref().all(|field| !field.is("Bcc") && !field.is("X-Drop")));
    assert_eq!(after.at(), prepared.facts.header_octets);
    assert_eq!(out[after.body()..], message[before.body()..]);
});
