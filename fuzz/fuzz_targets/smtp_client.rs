//! Any octets as a host's side of a session. A NUL stands for a moment in which we send what
//! there is and hand over the next message.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use postlane_mail::{BodyType, Envelope, Instant, Label, Mailbox, Recipient, ReversePath, Stream};
use postlane_smtp::auth::{Credentials, Nonce};
use postlane_smtp::client::{Client, Settings, Step, Timeouts, TlsPolicy, Transaction};

const NOW: Instant = Instant::from_unix_s(1_800_000_000);

fuzz_target!(|octets: &[u8]| {
    let Some((first, octets)) = octets.split_first() else { return };
    let auth = Credentials { user: "u".into(), password: "p".into() };
    let settings = Settings {
        ehlo_name: "out.example.com".into(),
        own_name: Some("relay.example.com".into()),
        tls: [TlsPolicy::Never, TlsPolicy::Opportunistic, TlsPolicy::Required][*first as usize % 3],
        auth: (first & 4 != 0).then_some(auth),
        auth_without_tls: first & 8 != 0,
        chunking: first & 16 != 0,
        timeouts: Timeouts::default(),
    };
    let mut world = World {
        client: Client::new(NOW, settings, Nonce([7; 18])),
        begun: 0,
        open: 0,
        outcomes: 0,
    };
    for said in octets.split(|b| *b == 0) {
        world.client.received(NOW, said);
        world.settle();
        world.client.output().clear();
        if world.open < 2 {
            world.client.begin(NOW, message(world.begun));
            world.begun += 1;
            world.open += 1;
        }
        world.settle();
    }
    world.client.closed(u64::from(*first));
    world.settle();
    assert_eq!((world.open, world.outcomes), (0, world.begun * 2));
});

struct World {
    client: Client,
    begun: u64,
    open: u64,
    outcomes: u64,
}

impl World {
    fn settle(&mut self) {
        while let Some(step) = self.client.poll() {
            match step {
                Step::Finished(finished) => {
                    self.open -= 1;
                    self.outcomes += finished.recipients.len() as u64;
                    assert!(finished.transcript.to_string().len() < 64 * 1024);
                }
                Step::StartTls => self.client.tls_started(NOW),
                Step::Ready | Step::Close(_) => {}
            }
        }
    }
}

fn message(id: u64) -> Transaction {
    let recipient = |to| Recipient::new(Mailbox::parse(to).expect("a mailbox"));
    let envelope = Envelope {
        reverse_path: ReversePath::Null,
        recipients: vec![recipient("b@example.net"), recipient("c@example.net")],
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        stream: Stream::default(),
        tenant: Label::NONE,
        campaign: Label::NONE,
        engaged: None,
    };
    Transaction {
        id,
        recipients: [0, 1].into_iter().collect(),
        envelope: Arc::new(envelope),
        reverse_path: None,
        message: [".x\r\n".into()].into_iter().collect(),
        eight_bit_body: id.is_multiple_of(3),
        eight_bit_header: false,
    }
}
