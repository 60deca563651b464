//! Messages to keep, and an ear for what the store says.

use std::sync::Arc;

use parking_lot::Mutex;
use postlane_mail::{
    BodyType, Code, Envelope, Instant, Label, LastReply, Mailbox, Place, Progress, QueueId,
    Recipient, Reply, ReversePath, Stage, Stream,
};
use postlane_spool::{
    Change, Changes, Commits, Fate, Inserted, Insertion, Seq, StoreError, Urgency,
};

/// Hears everything.
#[derive(Clone, Default)]
pub(crate) struct Ear(pub(crate) Arc<Mutex<Heard>>);

#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) inserted: Vec<Inserted>,
    pub(crate) committed: Option<Seq>,
    pub(crate) failed: Option<StoreError>,
}

impl Commits for Ear {
    fn inserted(&mut self, messages: Vec<Inserted>) {
        self.0.lock().inserted.extend(messages);
    }

    fn committed(&mut self, upto: Seq) {
        self.0.lock().committed = Some(upto);
    }

    fn failed(&mut self, error: StoreError) {
        self.0.lock().failed = Some(error);
    }
}

pub(crate) fn envelope(recipients: u16) -> Envelope {
    let recipient = |n| Recipient {
        orcpt: (n % 2 == 1).then(|| "rfc822;x@y.example".into()),
        ..Recipient::new(Mailbox::parse(&format!("r{n}@example.net")).unwrap())
    };
    Envelope {
        reverse_path: ReversePath::parse("sender@example.com").unwrap(),
        recipients: (0..recipients).map(recipient).collect(),
        body: BodyType::EightBit,
        smtputf8: false,
        ret: None,
        envid: Some("id+2B1".into()),
        stream: Stream::Transactional,
        tenant: Label::parse("acme").unwrap(),
        campaign: Label::parse("spring").unwrap(),
        engaged: recipients.is_multiple_of(2).then_some(Instant(1_780_000_000_000_000)),
    }
}

pub(crate) fn message(number: u64, recipients: u16, octets: usize) -> Insertion {
    let text: Vec<u8> = (0..octets).map(|i| b'a' + ((i as u64 + number) % 26) as u8).collect();
    Insertion {
        id: QueueId::from_bits(number << 8),
        envelope: Arc::new(envelope(recipients)),
        facts: Box::from(*b"facts"),
        message: vec![b"Received: x\r\n".as_slice().into(), text.into()],
        tag: number,
    }
}

pub(crate) fn progress(attempts: u16) -> (Progress, Option<LastReply>) {
    let progress = Progress {
        attempts,
        due: Instant::from_unix_s(1000 + u64::from(attempts)),
        expires: Instant::from_unix_s(9000),
        held: attempts.is_multiple_of(3).then(|| Instant::from_unix_s(7)),
        notified: attempts.is_multiple_of(2),
    };
    let last = LastReply {
        stage: Stage::Dot,
        reply: Reply::new(Code::new(450).unwrap(), format!("4.2.0 try {attempts}\nagain")),
        host: "mx.example.net".into(),
        at: Instant::from_unix_s(900),
    };
    (progress, Some(last))
}

pub(crate) fn changes(seq: u64, recipients: Vec<(Place, u16, Fate)>) -> Changes {
    let change =
        |(place, recipient, fate)| Change { id: QueueId::from_bits(0), place, recipient, fate };
    Changes {
        seq: Seq(seq),
        urgency: Urgency::Now,
        recipients: recipients.into_iter().map(change).collect(),
        ..Changes::default()
    }
}
