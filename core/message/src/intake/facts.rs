//! What is learnt of a message while it is taken in.

use postlane_mail::{Domain, Instant, Label, Stream};
use smallvec::SmallVec;

use super::edits::{Edits, HeaderRefused, InnerReceived};
use super::lines::Lines;
use crate::date::plain_date;
use crate::header::{Field, domain_of, message_id_of, unfolded};

/// What was seen in a message, and what it said about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Octets of the prepared message's header section, from its start; the empty line comes
    /// after them.
    pub header_octets: usize,
    /// The lines of the header section, without what was taken out.
    pub header: Lines,
    /// The lines of the body.
    pub body: Lines,
    /// The message id, angle brackets included: the message's own, or the one we gave it. None
    /// if it has a field that cannot be read.
    pub message_id: Option<Box<str>>,
    /// The domain of the first address in the first `From`, as well as it can be told.
    pub from_domain: Option<Domain>,
    /// `Received` fields that were there when it came.
    pub received: usize,
    /// `Auto-Submitted` says that no person sent it (RFC 3834 §5).
    pub auto_submitted: bool,
    /// `Precedence` says `bulk`, `list` or `junk`.
    pub bulk: bool,
    /// What `X-Postlane-Stream` asked for.
    pub stream: Option<Stream>,
    /// What `X-Postlane-Campaign` said.
    pub campaign: Option<Label>,
    /// What `X-Postlane-Tenant` said; a credential's or listener's tenant beats it.
    pub tenant: Option<Label>,
    /// What `X-Postlane-Engaged-At` said: when its recipients last showed that they read such mail.
    pub engaged: Option<Instant>,
    /// What was wrong but no reason to refuse the message.
    pub findings: SmallVec<[Finding; 2]>,
}

/// Something wrong with a message that is taken nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// The value names no stream; the default is used.
    #[error("X-Postlane-Stream is none of transactional, engaged and cold; write one of them")]
    Stream,
    /// The value is no label; none is used.
    #[error("X-Postlane-Campaign is not 1 to 64 of A-Z a-z 0-9 . _ -; write it so")]
    Campaign,
    /// The value is no label; none is used.
    #[error("X-Postlane-Tenant is not 1 to 64 of A-Z a-z 0-9 . _ -; write it so")]
    Tenant,
    /// The value is no date; the recipients count as those of whom nothing is said.
    #[error(
        "X-Postlane-Engaged-At is no date; write 2026-05-31, 2026-05-31T08:00:00Z or a date as in Date"
    )]
    EngagedAt,
    /// The body begins where a field was expected; an empty line was put before it.
    #[error("no empty line ends the header section; put one before the body")]
    NoEmptyLine,
    /// The message ends in the middle of a header line; it was given its CRLF.
    #[error("the last header line has no CRLF; end every line with one")]
    BrokenLine,
    /// There is a `Message-ID` field without a message id; it stays as it is.
    #[error("Message-ID has no id of the form <left@right>; write one, or none")]
    MessageId,
}

/// Whether a field stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Keep,
    Remove,
}

/// The fields that mean something to a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    AutoSubmitted,
    BlindCopy,
    Campaign,
    Date,
    EngagedAt,
    From,
    MessageId,
    Precedence,
    Received,
    Stream,
    Tenant,
}

const MEANINGS: [(&str, Meaning); 12] = [
    ("Received", Meaning::Received),
    ("From", Meaning::From),
    ("Date", Meaning::Date),
    ("Message-ID", Meaning::MessageId),
    ("Bcc", Meaning::BlindCopy),
    ("Resent-Bcc", Meaning::BlindCopy),
    ("Auto-Submitted", Meaning::AutoSubmitted),
    ("Precedence", Meaning::Precedence),
    ("X-Postlane-Stream", Meaning::Stream),
    ("X-Postlane-Campaign", Meaning::Campaign),
    ("X-Postlane-Tenant", Meaning::Tenant),
    ("X-Postlane-Engaged-At", Meaning::EngagedAt),
];

/// A header section as it is gone through, field by field.
pub(super) struct Section<'e> {
    edits: &'e Edits,
    pub(super) facts: Facts,
    fields: usize,
    from_seen: bool,
    pub(super) has_date: bool,
    pub(super) has_message_id: bool,
}

impl<'e> Section<'e> {
    pub(super) fn new(edits: &'e Edits) -> Self {
        let facts = Facts::default();
        Self { edits, facts, fields: 0, from_seen: false, has_date: false, has_message_id: false }
    }

    /// Notes what a field says, and tells whether it stays.
    pub(super) fn see(&mut self, field: &Field<'_>) -> Result<Fate, HeaderRefused> {
        let limits = &self.edits.limits;
        self.fields += 1;
        if self.fields > limits.fields_max {
            return Err(HeaderRefused::TooManyFields { fields_max: limits.fields_max });
        }
        if field.range.end > limits.octets_max {
            return Err(HeaderRefused::TooLong { octets_max: limits.octets_max });
        }
        let listed = self.edits.remove.iter().any(|name| field.is(name));
        let meaning = MEANINGS.iter().find(|(name, _)| field.is(name)).map(|(_, meaning)| *meaning);
        let fate = meaning.map_or(Fate::Keep, |meaning| self.note(meaning, field.value, listed));
        Ok(if listed { Fate::Remove } else { fate })
    }

    fn note(&mut self, meaning: Meaning, value: &[u8], listed: bool) -> Fate {
        let facts = &mut self.facts;
        match meaning {
            Meaning::Received => {
                facts.received += 1;
                if self.edits.inner_received == InnerReceived::Removed {
                    return Fate::Remove;
                }
            }
            Meaning::From if !self.from_seen => {
                self.from_seen = true;
                facts.from_domain = domain_of(value);
            }
            Meaning::From => {}
            // One that is taken out is as good as missing.
            Meaning::Date => self.has_date |= !listed,
            Meaning::MessageId if !listed && !self.has_message_id => {
                self.has_message_id = true;
                facts.message_id = message_id_of(value).map(Box::from);
                if facts.message_id.is_none() {
                    facts.findings.push(Finding::MessageId);
                }
            }
            Meaning::MessageId => {}
            Meaning::AutoSubmitted => {
                facts.auto_submitted |= !first_word(value).eq_ignore_ascii_case(b"no")
            }
            Meaning::Precedence => {
                let word = first_word(value);
                let bulk = [&b"bulk"[..], b"list", b"junk"];
                facts.bulk |= bulk.iter().any(|b| word.eq_ignore_ascii_case(b));
            }
            Meaning::BlindCopy => return Fate::Remove,
            Meaning::Stream => {
                let stream = text_of(value).as_deref().and_then(Stream::parse);
                note_first(&mut facts.stream, stream, &mut facts.findings, Finding::Stream);
                return Fate::Remove;
            }
            Meaning::Campaign => {
                let label = label_of(value);
                note_first(&mut facts.campaign, label, &mut facts.findings, Finding::Campaign);
                return Fate::Remove;
            }
            Meaning::EngagedAt => {
                let date = text_of(value).as_deref().and_then(plain_date);
                note_first(&mut facts.engaged, date, &mut facts.findings, Finding::EngagedAt);
                return Fate::Remove;
            }
            Meaning::Tenant => {
                let label = label_of(value);
                note_first(&mut facts.tenant, label, &mut facts.findings, Finding::Tenant);
                return Fate::Remove;
            }
        }
        Fate::Keep
    }
}

/// The first valid value wins; one that is not valid is told of once.
fn note_first<T>(
    slot: &mut Option<T>,
    value: Option<T>,
    findings: &mut SmallVec<[Finding; 2]>,
    finding: Finding,
) {
    match value {
        Some(value) => drop(slot.get_or_insert(value)),
        None if !findings.contains(&finding) => findings.push(finding),
        None => {}
    }
}

fn label_of(value: &[u8]) -> Option<Label> {
    // An empty value names nobody, but a field that is there should.
    text_of(value).and_then(|text| Label::parse(&text).ok()).filter(|label| !label.is_none())
}

fn text_of(value: &[u8]) -> Option<String> {
    String::from_utf8(unfolded(value).into_owned()).ok()
}

fn first_word(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii_start();
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b';' | b'(');
    let end = value.iter().position(ends).unwrap_or(value.len());
    &value[..end]
}
