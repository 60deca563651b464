//! What a domain publishes, in a form in which only what matters differs, and what has changed.

use std::collections::{BTreeMap, BTreeSet};

use postlane_mail::{Instant, Span};

use crate::dmarc::public_suffix_parent;
use crate::dns::{Answer, Kind, Known, Name, Question, Record};

/// Records of one name and type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordSet {
    /// Of which name.
    pub name: Name,
    /// Which records.
    pub kind: Kind,
}

/// What is published there, each in the DNS's own form, in order, so that neither the order of
/// an answer nor its TTL makes a difference. Empty: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values(Vec<String>);

/// What is published there, and from when to when that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What.
    pub values: Values,
    /// When that was seen first.
    pub since: Instant,
    /// When it was seen last.
    pub seen: Instant,
}

/// Something that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// Where.
    pub set: RecordSet,
    /// What was there before, and until when that was seen.
    pub was: Version,
    /// What is there now, seen first at this look.
    pub now: Version,
}

/// What is remembered of a domain's records as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Records(BTreeMap<RecordSet, Version>);

/// Octets of one record that are kept: a key of 4,096 bits has 800.
const VALUE_MAX: usize = 4_096;
/// Records of one name and type that are kept. Chosen, not measured.
const VALUES_MAX: usize = 64;
/// Names and types of one domain that are kept. Chosen, not measured: a domain has about twenty.
const SETS_MAX: usize = 256;

impl RecordSet {
    /// As people write it: `_dmarc.example.com TXT`.
    pub fn shown(&self) -> String {
        format!("{} {}", self.name, self.kind.as_str())
    }

    /// Whether receivers refuse or doubt mail where this is gone: who takes the domain's mail, SPF,
    /// DMARC, keys, and the name of an address.
    pub fn is_needed(&self, domain: &Name) -> bool {
        match self.kind {
            Kind::Mx | Kind::Ptr => true,
            Kind::Txt => {
                let name = self.name.as_str();
                self.name == *domain
                    || name.contains("._domainkey.")
                    || name.strip_prefix("_dmarc.") == Some(domain.as_str())
            }
            _ => false,
        }
    }
}

impl Values {
    /// Those that were kept.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let values: BTreeSet<String> = values.into_iter().map(cut).collect();
        Self(values.into_iter().take(VALUES_MAX).collect())
    }

    /// One by one, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether nothing is published.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In one line.
    pub fn shown(&self) -> String {
        if self.0.is_empty() { "nothing".to_owned() } else { self.0.join(" | ") }
    }

    /// What of this is not in another.
    pub fn without<'v>(&'v self, other: &'v Self) -> impl Iterator<Item = &'v str> {
        self.iter().filter(|value| !other.0.iter().any(|of| of == value))
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(VALUE_MAX));
    text
}

/// The records of a domain that matter, out of everything that was asked about it, and the
/// shortest time that one of them is good for. What could not be found out is left out: it says
/// nothing about the records.
pub fn observed(known: &Known, domain: &Name) -> (BTreeMap<RecordSet, Values>, Option<Span>) {
    let own = public_suffix_parent(domain).unwrap_or_else(|| domain.clone());
    let (mut found, mut shortest) = (BTreeMap::new(), None);
    for (Question { name, kind }, answer) in known.answers() {
        if found.len() >= SETS_MAX {
            break;
        }
        if matches!(answer, Answer::Failed(_)) || !matters(name, *kind, domain, &own) {
            continue;
        }
        if let Answer::Found(of) = answer {
            shortest = Some(shortest.map_or(of.ttl, |least: Span| least.min(of.ttl)));
        }
        let is_own = name.is_within(&own);
        let values = answer.records().iter().filter_map(|record| written(record, name, is_own));
        let set = RecordSet { name: name.clone(), kind: *kind };
        found.insert(set, Values::new(values));
    }
    (found, shortest)
}

/// Serial numbers change by themselves, and addresses of other people's hosts are their business.
fn matters(name: &Name, kind: Kind, domain: &Name, own: &Name) -> bool {
    match kind {
        Kind::A | Kind::Aaaa => name.is_within(own),
        Kind::Mx | Kind::Ns => name == domain || name == own,
        Kind::Txt | Kind::Tlsa | Kind::Ptr => true,
        _ => false,
    }
}

fn written(record: &Record, name: &Name, is_own: bool) -> Option<String> {
    Some(match record {
        Record::A(address) => address.to_string(),
        Record::Aaaa(address) => address.to_string(),
        Record::Mx { preference, exchange } => match exchange {
            Some(exchange) => format!("{preference} {exchange}"),
            None => format!("{preference} ."),
        },
        Record::Ptr(name) | Record::Ns(name) => name.to_string(),
        Record::Txt(octets) => {
            let text = String::from_utf8_lossy(octets).into_owned();
            let lower = text.trim_start().to_ascii_lowercase();
            // Marks by which services know a domain's owner come and go, and say nothing of mail.
            let is_ours = match is_own {
                true => lower.starts_with("v=") || name.as_str().contains("_domainkey"),
                false => lower.starts_with("v=spf1") || lower.starts_with("v=dmarc1"),
            };
            return is_ours.then_some(text);
        }
        Record::Tlsa(tlsa) => {
            let hex: String = tlsa.association.iter().map(|octet| format!("{octet:02x}")).collect();
            format!("{} {} {} {hex}", tlsa.usage, tlsa.selector, tlsa.matching)
        }
        _ => return None,
    })
}

impl Records {
    /// Those that were kept.
    pub fn restored(kept: impl IntoIterator<Item = (RecordSet, Version)>) -> Self {
        Self(kept.into_iter().collect())
    }

    /// Takes in what a look has seen; gives what has changed. What was never there and is not is
    /// not remembered; what was not asked this time stays as it is.
    pub fn look(
        &mut self,
        now: Instant,
        observed: BTreeMap<RecordSet, Values>,
    ) -> Vec<RecordChange> {
        let mut changes = Vec::new();
        for (set, values) in observed {
            let has_room = self.0.len() < SETS_MAX;
            match self.0.get_mut(&set) {
                Some(version) if version.values == values => version.seen = now,
                Some(version) => {
                    let new = Version { values, since: now, seen: now };
                    let was = std::mem::replace(version, new.clone());
                    changes.push(RecordChange { set, was, now: new });
                }
                None if !values.is_empty() && has_room => {
                    self.0.insert(set, Version { values, since: now, seen: now });
                }
                None => {}
            }
        }
        changes
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&RecordSet, &Version)> {
        self.0.iter()
    }

    /// Records that mail needs which were there once, and at two looks in turn were not.
    pub fn gone(&self, domain: &Name) -> impl Iterator<Item = (&RecordSet, &Version)> {
        let domain = domain.clone();
        let is_gone = move |(set, version): &(&RecordSet, &Version)| {
            version.values.is_empty() && version.seen > version.since && set.is_needed(&domain)
        };
        self.0.iter().filter(is_gone)
    }
}

#[cfg(test)]
mod tests;
