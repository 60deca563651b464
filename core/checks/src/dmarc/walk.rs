//! The way up the tree from a domain, and which name on it is the organisation's (RFC 9989
//! §4.10).

use crate::dns::{Answer, Failure, Kind, Known, Name, Question, Record};

use super::record::{DmarcRecord, Psd};

/// What was found at one name on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The name, without `_dmarc`.
    pub domain: Name,
    /// The record there.
    pub record: Option<DmarcRecord>,
}

/// A name of more labels than this is shortened to it after the first question, so that no
/// name costs more than eight (§4.10).
const LABELS_MAX: usize = 7;

/// Goes from a domain up to its top, and stops where a record says whether it is a public
/// suffix. None if answers are missing; an error if a name could not be looked up.
pub fn walk(known: &mut Known, from: &Name) -> Option<Result<Vec<Seen>, Failure>> {
    let mut seen = Vec::new();
    let mut at = Some(from.clone());
    while let Some(domain) = at {
        let record = match record_at(known, &domain)? {
            Ok(record) => record,
            Err(failure) => return Some(Err(failure)),
        };
        let ends = record.as_ref().is_some_and(|record| record.psd != Psd::Unsaid);
        at = if ends { None } else { above(&domain) };
        seen.push(Seen { domain, record });
    }
    Some(Ok(seen))
}

/// The organisation's name among those of a walk: where one says that it is, else below one
/// that says it is a public suffix, else the highest with a record, else where the walk began
/// (§4.10.2).
pub(super) fn organisation(seen: &[Seen]) -> Option<Name> {
    let with = |psd| move |seen: &&Seen| seen.record.as_ref().is_some_and(|r| r.psd == psd);
    if let Some(own) = seen.iter().find(with(Psd::No)) {
        return Some(own.domain.clone());
    }
    let first = seen.first()?;
    if let Some(suffix) = seen.iter().skip(1).find(with(Psd::Yes)) {
        return below(&first.domain, &suffix.domain);
    }
    let highest = seen.iter().rev().find(|seen| seen.record.is_some());
    Some(highest.unwrap_or(first).domain.clone())
}

/// The record of a name; more than one is none (§4.7).
pub(super) fn record_at(
    known: &mut Known,
    domain: &Name,
) -> Option<Result<Option<DmarcRecord>, Failure>> {
    let texts = match texts_at(known, domain)? {
        Ok(texts) => texts,
        Err(failure) => return Some(Err(failure)),
    };
    let mut records = texts.iter().filter_map(|text| DmarcRecord::parse(text));
    let first = records.next();
    Some(Ok(first.filter(|_| records.next().is_none())))
}

/// Whether a name has a text that begins as a record does, and be it worth nothing.
pub(super) fn is_begun_at(known: &mut Known, domain: &Name) -> Option<bool> {
    let texts = texts_at(known, domain)?.unwrap_or_default();
    Some(texts.iter().any(|text| DmarcRecord::is_begun(text)))
}

fn texts_at(known: &mut Known, domain: &Name) -> Option<Result<Vec<Box<[u8]>>, Failure>> {
    let Ok(name) = Name::parse(&format!("_dmarc.{domain}")) else { return Some(Ok(Vec::new())) };
    let answer = known.ask(&Question { name, kind: Kind::Txt })?;
    if let Answer::Failed(failure) = answer {
        return Some(Err(failure.clone()));
    }
    let texts = answer.records().iter().filter_map(|record| match record {
        Record::Txt(text) => Some(text.clone()),
        _ => None,
    });
    Some(Ok(texts.collect()))
}

/// The next name on the way up.
fn above(domain: &Name) -> Option<Name> {
    let labels: Vec<&str> = domain.as_str().split('.').collect();
    let keep = (labels.len() - 1).min(LABELS_MAX);
    (keep > 0).then(|| Name::parse(&labels[labels.len() - keep..].join(".")).ok()).flatten()
}

/// The name one label below `suffix` on the way to `domain`.
fn below(domain: &Name, suffix: &Name) -> Option<Name> {
    let rest = domain.as_str().strip_suffix(suffix.as_str())?.strip_suffix('.')?;
    let label = rest.rsplit('.').next()?;
    Name::parse(&format!("{label}.{suffix}")).ok()
}

/// The organisation's name by the list of public suffixes: one label below the suffix (RFC 7489
/// §3.2, as most receivers still do). None for a suffix itself.
pub fn public_suffix_parent(domain: &Name) -> Option<Name> {
    psl::domain_str(domain.as_str()).and_then(|parent| Name::parse(parent).ok())
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;

    use super::*;
    use crate::dns::Found;

    fn organisation_of(from: &str, zone: &[(&str, &str)]) -> (String, usize) {
        let mut known = Known::new();
        let (mut asked, from) = (0, Name::parse(from).unwrap());
        loop {
            if let Some(seen) = walk(&mut known, &from) {
                return (organisation(&seen.unwrap()).unwrap().to_string(), asked);
            }
            for question in known.take_missing() {
                asked += 1;
                let text = zone.iter().find(|(name, _)| *name == question.name.as_str());
                let answer = text.map_or(Answer::NoName, |(_, text)| {
                    let records = vec![Record::Txt(text.as_bytes().into())];
                    Answer::Found(Found { records, ttl: Span::from_s(1), authentic: false })
                });
                known.learn(question, answer);
            }
        }
    }

    #[test]
    fn the_highest_record_is_the_organisations() {
        let zone = [
            ("_dmarc.example.com", "v=DMARC1; p=none"),
            ("_dmarc.a.example.com", "v=DMARC1; p=none"),
        ];
        assert_eq!(organisation_of("b.a.example.com", &zone), ("example.com".to_owned(), 4));
        assert_eq!(organisation_of("example.com", &zone), ("example.com".to_owned(), 2));
    }

    #[test]
    fn a_domain_may_say_that_it_is_its_own_organisation() {
        let zone = [
            ("_dmarc.a.example.com", "v=DMARC1; p=none; psd=n"),
            ("_dmarc.example.com", "v=DMARC1; p=none"),
        ];
        assert_eq!(organisation_of("b.a.example.com", &zone), ("a.example.com".to_owned(), 2));
    }

    #[test]
    fn below_a_public_suffix_there_is_one_organisation_a_name() {
        let zone = [("_dmarc.bank", "v=DMARC1; p=reject; psd=y")];
        assert_eq!(organisation_of("x.giant.bank", &zone), ("giant.bank".to_owned(), 3));
        // A suffix that sends mail itself is its own organisation.
        assert_eq!(organisation_of("bank", &zone), ("bank".to_owned(), 1));
    }

    #[test]
    fn without_any_record_a_domain_is_its_own() {
        assert_eq!(organisation_of("a.example.com", &[]), ("a.example.com".to_owned(), 3));
    }

    #[test]
    fn no_name_costs_more_than_eight_questions() {
        let zone = [("_dmarc.example.com", "v=DMARC1; p=none")];
        let long = "a.b.c.d.e.f.g.h.i.j.mail.example.com";
        assert_eq!(organisation_of(long, &zone), ("example.com".to_owned(), 8));
    }

    #[test]
    fn the_list_of_public_suffixes_has_a_parent_for_each_but_suffixes() {
        let parent =
            |text| public_suffix_parent(&Name::parse(text).unwrap()).map(|n| n.to_string());
        assert_eq!(parent("a.b.example.co.uk").as_deref(), Some("example.co.uk"));
        assert_eq!(parent("co.uk"), None);
    }
}
