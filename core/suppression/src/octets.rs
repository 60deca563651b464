//! An entry as the spool keeps it.
//!
//! Fields one after the other: tag (1), octets (2, little-endian), octets. A tag that is not
//! known is passed over, so later versions may write more. Texts are UTF-8.

use postlane_mail::{Code, Instant, QueueId, Stage};

use crate::entry::{Bounded, Entry, Said};
use crate::reason::Reason;
use crate::standing::{Counts, Heard, Standing};
use crate::subject::Subject;

/// Octets are no entry that this version can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry of the suppression list cannot be read; what it says does not hold")]
pub struct Unread;

const REASON: u8 = 1;
const SINCE: u8 = 2;
const UNTIL: u8 = 3;
/// Refusals (1) and whether they are enough (1).
const REFUSALS: u8 = 4;
const WRITTEN: u8 = 5;
const BY: u8 = 6;
const NOTE: u8 = 7;
/// Stage (1), code (2), text.
const SAID: u8 = 8;
const HOST: u8 = 9;
const RULE: u8 = 10;
const PROVIDER: u8 = 11;
const MESSAGE: u8 = 12;

impl Entry {
    /// As the spool keeps it, under [`Subject::key`].
    pub fn to_octets(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        let standing = &self.standing;
        push(REASON, standing.reason.name().as_bytes(), &mut out);
        push(SINCE, &standing.since().0.to_le_bytes(), &mut out);
        if let Some(until) = standing.until() {
            push(UNTIL, &until.0.to_le_bytes(), &mut out);
        }
        let counts = u8::from(standing.counts == Counts::Yes);
        push(REFUSALS, &[standing.refusals, counts], &mut out);
        let texts = [
            (WRITTEN, self.written.as_str()),
            (BY, self.by.as_str()),
            (NOTE, self.note.as_str()),
            (RULE, self.rule.as_str()),
            (PROVIDER, self.provider.as_str()),
        ];
        // Nearly all addresses are written as they are compared.
        let is_said = |(tag, text): &(u8, &str)| match *tag {
            WRITTEN => *text != self.subject.to_string(),
            _ => !text.is_empty(),
        };
        texts.iter().filter(|text| is_said(text)).for_each(|(tag, text)| {
            push(*tag, text.as_bytes(), &mut out);
        });
        if let Some(said) = &self.said {
            let [low, high] = said.code.number().to_le_bytes();
            let mut field = vec![said.stage as u8, low, high];
            field.extend_from_slice(said.text.as_str().as_bytes());
            push(SAID, &field, &mut out);
            push(HOST, said.host.as_str().as_bytes(), &mut out);
        }
        if let Some(id) = self.message {
            push(MESSAGE, &id.bits().to_le_bytes(), &mut out);
        }
        out
    }

    /// Reads what was kept under a key.
    pub fn from_octets(key: &str, octets: &[u8]) -> Result<Self, Unread> {
        let subject = Subject::from_key(key).ok_or(Unread)?;
        let field = |tag| first(octets, tag);
        let text = |tag| field(tag).and_then(|field| std::str::from_utf8(field).ok());
        let standing = standing(octets)?;
        let said = field(SAID).and_then(|said| {
            let ([stage, low, high], said) = said.split_first_chunk::<3>()?;
            Some(Said {
                stage: *Stage::ALL.get(usize::from(*stage))?,
                code: Code::new(u16::from_le_bytes([*low, *high]))?,
                text: Bounded::new(std::str::from_utf8(said).ok()?),
                host: Bounded::new(text(HOST).unwrap_or_default()),
            })
        });
        let mut entry = Self::new(subject, standing, text(BY).unwrap_or_default());
        if let Some(written) = text(WRITTEN) {
            entry.written = Bounded::new(written);
        }
        entry.note = Bounded::new(text(NOTE).unwrap_or_default());
        entry.rule = Bounded::new(text(RULE).unwrap_or_default());
        entry.provider = Bounded::new(text(PROVIDER).unwrap_or_default());
        entry.said = said;
        entry.message = field(MESSAGE).and_then(number).map(QueueId::from_bits);
        Ok(entry)
    }
}

/// What must be known to decide: read alone at a start, of each entry.
pub(crate) fn standing(octets: &[u8]) -> Result<Standing, Unread> {
    let moment = |field| number(field).map(Instant).ok_or(Unread);
    let reason = std::str::from_utf8(first(octets, REASON).ok_or(Unread)?);
    let reason = reason.ok().and_then(Reason::parse).ok_or(Unread)?;
    let since = moment(first(octets, SINCE).ok_or(Unread)?)?;
    let until = first(octets, UNTIL).map(moment).transpose()?;
    let [refusals, counts] = match first(octets, REFUSALS) {
        Some(field) => field.try_into().map_err(|_| Unread)?,
        None => [0, 1],
    };
    let message = first(octets, MESSAGE).and_then(number).map(QueueId::from_bits);
    let mut standing = Standing::new(reason, since, until).refused_by(refusals, message);
    standing.counts = if counts == 0 { Counts::NotYet } else { Counts::Yes };
    if first(octets, BY) == Some(Heard::ByMail.made_by().as_bytes()) {
        standing.heard = Heard::ByMail;
    }
    Ok(standing)
}

/// The field of a tag; of several the first counts.
fn first(octets: &[u8], tag: u8) -> Option<&[u8]> {
    fields(octets).find(|(is, _)| *is == tag).map(|(_, field)| field)
}

fn push(tag: u8, field: &[u8], out: &mut Vec<u8>) {
    let octets = u16::try_from(field.len()).expect("texts are bounded far below 64 KiB");
    out.push(tag);
    out.extend_from_slice(&octets.to_le_bytes());
    out.extend_from_slice(field);
}

/// The fields, up to the first that is cut short.
fn fields(mut octets: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let ([tag, low, high], rest) = octets.split_first_chunk::<3>()?;
        let (field, rest) = rest.split_at_checked(u16::from_le_bytes([*low, *high]).into())?;
        octets = rest;
        Some((*tag, field))
    })
}

fn number(field: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(field.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use postlane_mail::Label as Tenant;
    use postlane_replies::Label;
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        let tenant = Tenant::parse("acme").unwrap();
        let subject = Subject::parse("Jo@Example.net", &tenant).unwrap();
        let (since, until) = (Instant::from_unix_s(1000), Some(Instant::from_unix_s(2000)));
        let id = QueueId::from_bits(4711 << 8);
        let reason = Reason::Said(Label::NoSuchUser);
        let standing = Standing::new(reason, since, until).refused_by(2, Some(id));
        let mut entry = Entry::new(subject, standing, "relay");
        entry.written = Bounded::new("Jo@Example.net");
        entry.note = Bounded::new("by itself");
        entry.said = Some(Said {
            stage: Stage::Rcpt,
            code: Code::new(550).unwrap(),
            text: Bounded::new("5.1.1 gone\nfor good"),
            host: Bounded::new("mx.example.net"),
        });
        entry.rule = Bounded::new("generic/no-such-user");
        entry.provider = Bounded::new("example.net");
        entry.message = Some(id);
        entry
    }

    #[test]
    fn an_entry_is_read_back_as_it_was_written() {
        let full = entry();
        let read = Entry::from_octets(full.subject.key(), &full.to_octets());
        assert_eq!(read, Ok(full.clone()));
        let subject = Subject::parse("example.org", &Tenant::NONE).unwrap();
        let short = Entry::new(subject, Standing::new(Reason::Manual, Instant(0), None), "jo");
        assert_eq!(Entry::from_octets(short.subject.key(), &short.to_octets()), Ok(short.clone()));
        assert!(short.to_octets().len() < 40, "{}", short.to_octets().len());
        assert_eq!(standing(&full.to_octets()), Ok(full.standing));
    }

    #[test]
    fn where_a_refusal_was_heard_is_read_back() {
        let (mut by_mail, mut in_session) = (entry(), entry());
        by_mail.standing.heard = Heard::ByMail;
        by_mail.by = Bounded::new(Heard::ByMail.made_by());
        in_session.by = Bounded::new(Heard::InSession.made_by());
        for entry in [by_mail, in_session] {
            assert_eq!(standing(&entry.to_octets()), Ok(entry.standing));
        }
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let entry = entry();
        let mut octets = vec![200, 3, 0, 1, 2, 3];
        octets.extend(entry.to_octets());
        octets.extend([201, 0, 0]);
        assert_eq!(Entry::from_octets(entry.subject.key(), &octets), Ok(entry));
    }

    proptest! {
        #[test]
        fn foreign_octets_are_no_fault(
            octets in prop::collection::vec(any::<u8>(), 0..64), at in 0_usize..200, to in any::<u8>(),
        ) {
            let entry = entry();
            let key = entry.subject.key().to_owned();
            drop(Entry::from_octets(&key, &octets));
            let mut spoiled = entry.to_octets();
            if let Some(octet) = spoiled.get_mut(at) {
                *octet = to;
            }
            drop(Entry::from_octets(&key, &spoiled));
            spoiled.truncate(at);
            drop(Entry::from_octets(&key, &spoiled));
        }
    }
}
