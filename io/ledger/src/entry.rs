//! One thing that happened, flat.
//!
//! An empty text means "not known" or "does not apply", as `None` does; it comes back as it went
//! in. Texts are the peer's or the client's own and may hold anything: who prints them escapes them.

use std::net::IpAddr;

use compact_str::CompactString;
use postlane_mail::{Code, Instant, QueueId, Stage, Status, Stream};

use crate::kind::{Kind, Try};
use crate::position::Seq;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// When.
    pub at: Instant,
    /// The message's queue id.
    pub id: Option<QueueId>,
    /// Which recipient of the message, from 0; of an incident, which incident ([`Kind::is_incident`]).
    pub recipient_index: Option<u32>,
    /// The `Message-ID` field, with its angle brackets.
    pub message_id: CompactString,
    /// The message's stream.
    pub stream: Option<Stream>,
    /// Whose mail.
    pub tenant: CompactString,
    /// Which campaign.
    pub campaign: CompactString,
    /// The reverse-path; the null one is written `<>`.
    pub sender: CompactString,
    /// The recipient's address.
    pub recipient: CompactString,
    /// The recipient's domain.
    pub domain: CompactString,
    /// The provider's id, as in the table of receivers.
    pub provider: CompactString,
    /// The name of the source.
    pub source: CompactString,
    /// The address mail was sent from.
    pub source_ip: Option<IpAddr>,
    /// The name given in EHLO.
    pub ehlo: CompactString,
    /// The MX host's name.
    pub mx_host: CompactString,
    /// The MX host's address.
    pub mx_ip: Option<IpAddr>,
    /// The version of TLS, as `TLSv1.3`, and the published policy that it was held to where there
    /// was one: `TLSv1.3 dane`, `sts` or `sts-testing`; empty for plain text.
    pub tls: CompactString,
    /// Which attempt for this recipient, 1 the first.
    pub attempt: Option<u32>,
    /// What the reply answered.
    pub stage: Option<Stage>,
    /// The reply's code.
    pub code: Option<Code>,
    /// The reply's enhanced status.
    pub status: Option<Status>,
    /// The reply's text, verbatim, lines joined by `\n`.
    pub reply: CompactString,
    /// What the reply means: a label of the reply rules.
    pub label: CompactString,
    /// Which rule said so.
    pub rule: CompactString,
    /// How long the transaction took, in milliseconds.
    pub took_ms: Option<u32>,
    /// How long after acceptance it happened, in milliseconds.
    pub delay_ms: Option<u64>,
    /// How long the connection took to open, in milliseconds.
    pub connect_ms: Option<u32>,
    /// The message's size in octets.
    pub octets: Option<u64>,
    /// What was ordered or changed: of a lane, or of held mail.
    pub command: CompactString,
    /// Who ordered it: an operator's or token's name, or the part of Postlane that decided.
    pub who: CompactString,
    /// Particulars, in words.
    pub detail: CompactString,
    /// The dialogue and the header, of some messages.
    pub sample: Option<Box<Sample>>,
}

/// What was said and what was sent, kept for a bounded number of messages, away from the entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sample {
    /// The dialogue, lines joined by `\n`, each with who spoke in front.
    pub transcript: CompactString,
    /// The message's header section; never its body.
    pub headers: CompactString,
}

/// An entry with its place in the order of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its place.
    pub seq: Seq,
    /// What happened.
    pub entry: Entry,
}

/// How long the texts of an entry may be, in octets; the rest is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Any text that is not named below. RFC 5321 §4.5.3.1.3: a path has 256.
    pub text_octets_max: usize,
    /// A reply, all its lines. Chosen, not measured: eight lines of RFC 5321 §4.5.3.1.5.
    pub reply_octets_max: usize,
    /// A transcript, and a header section. Chosen, not measured.
    pub sample_octets_max: usize,
}

/// The limits that are kept.
pub const LIMITS: Limits =
    Limits { text_octets_max: 1_000, reply_octets_max: 4_096, sample_octets_max: 65_536 };

impl Entry {
    /// An entry about which nothing else is known yet.
    pub fn new(kind: Kind, at: Instant) -> Self {
        Self {
            kind,
            at,
            id: None,
            recipient_index: None,
            message_id: CompactString::default(),
            stream: None,
            tenant: CompactString::default(),
            campaign: CompactString::default(),
            sender: CompactString::default(),
            recipient: CompactString::default(),
            domain: CompactString::default(),
            provider: CompactString::default(),
            source: CompactString::default(),
            source_ip: None,
            ehlo: CompactString::default(),
            mx_host: CompactString::default(),
            mx_ip: None,
            tls: CompactString::default(),
            attempt: None,
            stage: None,
            code: None,
            status: None,
            reply: CompactString::default(),
            label: CompactString::default(),
            rule: CompactString::default(),
            took_ms: None,
            delay_ms: None,
            connect_ms: None,
            octets: None,
            command: CompactString::default(),
            who: CompactString::default(),
            detail: CompactString::default(),
            sample: None,
        }
    }

    /// Whether it was a first attempt; nothing when no attempt is counted.
    pub fn tried(&self) -> Option<Try> {
        self.attempt.map(|n| if n <= 1 { Try::Fresh } else { Try::Retry })
    }

    /// All texts but the reply and the sample's.
    fn texts_mut(&mut self) -> [&mut CompactString; 16] {
        [
            &mut self.message_id,
            &mut self.tenant,
            &mut self.campaign,
            &mut self.sender,
            &mut self.recipient,
            &mut self.domain,
            &mut self.provider,
            &mut self.source,
            &mut self.ehlo,
            &mut self.mx_host,
            &mut self.tls,
            &mut self.label,
            &mut self.rule,
            &mut self.command,
            &mut self.who,
            &mut self.detail,
        ]
    }

    /// Cuts every text to its limit, and gives the octets the entry takes in memory.
    pub(crate) fn fit(&mut self) -> usize {
        cut(&mut self.reply, LIMITS.reply_octets_max);
        let mut octets = size_of::<Self>() + self.reply.len();
        for text in self.texts_mut() {
            cut(text, LIMITS.text_octets_max);
            octets += text.len();
        }
        if let Some(sample) = &mut self.sample {
            cut(&mut sample.transcript, LIMITS.sample_octets_max);
            cut(&mut sample.headers, LIMITS.sample_octets_max);
            octets += sample.transcript.len() + sample.headers.len();
        }
        octets
    }
}

/// Cuts `text` to `octets_max`, at a character's start.
fn cut(text: &mut CompactString, octets_max: usize) {
    if text.len() > octets_max {
        let end = (0..=octets_max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::option;
    use proptest::prelude::*;

    /// An entry in which every field says something.
    pub(crate) fn full() -> Entry {
        Entry {
            kind: Kind::Deferred,
            at: Instant(1_763_700_000_123_456),
            id: Some(QueueId::from_bits(0x0006_4412_3456_7803)),
            recipient_index: Some(2),
            message_id: "<1@news.example.com>".into(),
            stream: Some(Stream::Engaged),
            tenant: "shop".into(),
            campaign: "autumn-3".into(),
            sender: "bounce+1@example.com".into(),
            recipient: "anna@web.de".into(),
            domain: "web.de".into(),
            provider: "united-internet".into(),
            source: "a".into(),
            source_ip: Some(IpAddr::from([192, 0, 2, 1])),
            ehlo: "out.example.com".into(),
            mx_host: "mx-ha02.web.de".into(),
            mx_ip: Some("2001:db8::1".parse().unwrap()),
            tls: "TLSv1.3".into(),
            attempt: Some(1),
            stage: Some(Stage::Connect),
            code: Code::new(421),
            status: Some(Status::new(4, 7, 0)),
            reply: "too many messages, \"slow\" down\nplease".into(),
            label: "rate".into(),
            rule: "ui-421".into(),
            took_ms: Some(312),
            delay_ms: Some(70_000),
            connect_ms: Some(41),
            octets: Some(14_300),
            command: "rest".into(),
            who: "lane".into(),
            detail: "until 14:10".into(),
            sample: Some(Box::new(Sample {
                transcript: "S: 421 no\nC: QUIT".into(),
                headers: "Subject: hello\n".into(),
            })),
        }
    }

    /// Texts with everything that breaks formats: quotes, newlines, NUL, signs, the replacement
    /// character that stands for octets that were none.
    fn any_text() -> impl Strategy<Value = CompactString> {
        prop_oneof![
            Just(String::new()),
            "[a-z]{1,12}",
            any::<String>(),
            "[\\x00\"',;=+@\\-\\r\\n\\t\u{fffd}é]{0,40}",
        ]
        .prop_map(CompactString::from)
    }

    /// Entries with anything in them.
    pub(crate) fn any_entry() -> impl Strategy<Value = Entry> {
        let texts = proptest::collection::vec(any_text(), 19);
        let numbers = (
            option::of(any::<u64>()),
            option::of(any::<u32>()),
            option::of(any::<u64>()),
            option::of(200_u16..600),
            option::of((proptest::sample::select(&[2_u8, 4, 5][..]), 0_u16..1000, 0_u16..1000)),
            option::of(any::<[u8; 16]>()),
            option::of(any::<[u8; 4]>()),
        );
        let choices = (
            proptest::sample::select(&Kind::ALL[..]),
            option::of(proptest::sample::select(&Stream::ALL[..])),
            option::of(proptest::sample::select(&Stage::ALL[..])),
            any::<bool>(),
            0_u64..4_000_000_000_000_000,
        );
        (texts, numbers, choices).prop_map(|(texts, numbers, choices)| {
            let (long, short, delay, code, status, six, four) = numbers;
            let (kind, stream, stage, has_sample, at) = choices;
            let mut entry = Entry::new(kind, Instant(at));
            let mut texts = texts.into_iter();
            for slot in entry.texts_mut() {
                *slot = texts.next().unwrap();
            }
            entry.reply = texts.next().unwrap();
            let (transcript, headers) = (texts.next().unwrap(), texts.next().unwrap());
            entry.sample = has_sample.then(|| Box::new(Sample { transcript, headers }));
            (entry.id, entry.stream, entry.stage) = (long.map(QueueId::from_bits), stream, stage);
            (entry.recipient_index, entry.attempt) = (short, short);
            (entry.took_ms, entry.connect_ms) = (short, short);
            (entry.delay_ms, entry.octets) = (delay, long);
            entry.code = code.and_then(Code::new);
            entry.status = status.map(|(class, subject, detail)| Status { class, subject, detail });
            (entry.source_ip, entry.mx_ip) = (six.map(IpAddr::from), four.map(IpAddr::from));
            entry.fit();
            entry
        })
    }

    #[test]
    fn texts_are_cut_at_a_characters_start() {
        let mut entry = Entry::new(Kind::Deferred, Instant(1));
        entry.recipient = "é".repeat(600).into();
        entry.reply = "é".repeat(3_000).into();
        entry.fit();
        assert_eq!((entry.recipient.len(), entry.reply.len()), (1_000, 4_096));
        entry.recipient = format!("x{}", "é".repeat(600)).into();
        entry.fit();
        assert_eq!(entry.recipient.len(), 999);
    }

    #[test]
    fn the_first_attempt_is_fresh_and_no_attempt_is_neither() {
        let mut entry = Entry::new(Kind::Deferred, Instant(1));
        assert_eq!(entry.tried(), None);
        entry.attempt = Some(1);
        assert_eq!(entry.tried(), Some(Try::Fresh));
        entry.attempt = Some(2);
        assert_eq!(entry.tried(), Some(Try::Retry));
    }
}
