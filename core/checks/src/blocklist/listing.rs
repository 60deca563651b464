//! Asking a list about somebody.

use std::net::{IpAddr, Ipv4Addr};

use crate::dmarc::public_suffix_parent;
use crate::dns::{Answer, Kind, Known, Name, Question};

use super::answer::{Reading, Unclear};
use super::list::{Keys, List, Sort};

/// Who is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An address.
    Address(IpAddr),
    /// A domain.
    Domain(Name),
}

/// What one list says of one subject.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Which list, by its id.
    pub list: String,
    /// Who.
    pub subject: Subject,
    /// What it says.
    pub reading: Reading,
}

impl Subject {
    /// Reads back what was printed of it; none for what is neither an address nor a name.
    pub fn read(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(address) => Some(Self::Address(address)),
            Err(_) => Name::parse(text).ok().map(Self::Domain),
        }
    }

    /// Whether a list has entries of such.
    pub fn is_of(&self, list: &List) -> bool {
        self.label(list).is_some()
    }

    /// Below the zone of a list; none if the list has no entries of such.
    fn label(&self, list: &List) -> Option<String> {
        match self {
            Self::Address(address) => {
                let sort = if address.is_ipv4() { Sort::Ipv4 } else { Sort::Ipv6 };
                let name = Name::reverse(*address);
                let name = name.as_str();
                let bare = name
                    .strip_suffix(".in-addr.arpa")
                    .or_else(|| name.strip_suffix(".ip6.arpa"))?;
                list.of.contains(&sort).then(|| bare.to_owned())
            }
            Self::Domain(domain) => {
                if list.of.contains(&Sort::Organisation) {
                    let parent = public_suffix_parent(domain);
                    return Some(parent.as_ref().unwrap_or(domain).to_string());
                }
                list.of.contains(&Sort::Host).then(|| domain.to_string())
            }
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Domain(domain) => domain.fmt(f),
        }
    }
}

fn ask(known: &mut Known, label: &str, zone: &str) -> Option<Answer> {
    let Ok(name) = Name::parse(&format!("{label}.{zone}")) else { return Some(Answer::NoName) };
    known.ask(&Question { name, kind: Kind::A }).cloned()
}

/// Asks a list about somebody, and the list itself whether it can be believed. None if answers
/// are missing; the inner none if the list has no entries of such subjects.
pub fn look_up(
    known: &mut Known,
    list: &List,
    keys: &Keys,
    subject: &Subject,
) -> Option<Option<Reading>> {
    let Some(label) = subject.label(list) else { return Some(None) };
    let Some(zone) = list.zone(keys) else {
        return Some(Some(Reading::Unclear(Unclear::NoKey)));
    };
    if Name::parse(&format!("{label}.{zone}")).is_err() {
        return Some(Some(Reading::Unclear(Unclear::TooLong)));
    }
    // All of it is asked at once.
    let answer = ask(known, &label, &zone);
    let health = is_healthy(known, list, keys);
    let reading = Reading::of(list, &answer?);
    Some(Some(match health? {
        // Whoever refuses us refuses the test, too: that says more than that it failed.
        _ if matches!(reading, Reading::Unclear(_)) => reading,
        Ok(()) => reading,
        Err(unclear) => Reading::Unclear(unclear),
    }))
}

/// Whether a list can be believed: 127.0.0.2 and `test` must be listed, 127.0.0.1 and `invalid`
/// must not, or what the list has in their place (RFC 5782 §5). None if answers are missing.
pub fn is_healthy(known: &mut Known, list: &List, keys: &Keys) -> Option<Result<(), Unclear>> {
    let Some(zone) = list.zone(keys) else { return Some(Err(Unclear::NoKey)) };
    let (listed, not_listed) = match &list.tests {
        Some(tests) => (tests.listed.clone(), tests.not_listed.clone()),
        None => {
            let both = [2, 1].map(|last| point_of_test(list, last));
            let [Some(listed), Some(not_listed)] = both else { return Some(Ok(())) };
            (listed, not_listed)
        }
    };
    let (good, bad) = (
        ask(known, &listed, &zone),
        match not_listed.is_empty() {
            true => Some(Answer::NoName),
            false => ask(known, &not_listed, &zone),
        },
    );
    let (good, bad) = (good?, bad?);
    Some(match (&good, &bad) {
        (Answer::Failed(failure), _) | (_, Answer::Failed(failure)) => {
            Err(Unclear::NoAnswer(failure.clone()))
        }
        _ => match (Reading::of(list, &good), bad) {
            (Reading::Unclear(unclear @ (Unclear::Foreign(_) | Unclear::Refused(_))), _)
            | (
                Reading::Unclear(
                    unclear @ (Unclear::PublicResolver(_)
                    | Unclear::TooOften(_)
                    | Unclear::Mistyped(_)),
                ),
                _,
            ) => Err(unclear),
            (Reading::NotListed, _) => Err(Unclear::Unhealthy("it does not list its test entry")),
            (_, Answer::Found(_)) => Err(Unclear::Unhealthy("it lists what no list may")),
            _ => Ok(()),
        },
    })
}

/// The test entry of a list of addresses, or of domains.
fn point_of_test(list: &List, last: u8) -> Option<String> {
    let v4 = Ipv4Addr::new(127, 0, 0, last);
    let address = |address| Subject::Address(address).label(list);
    if list.of.contains(&Sort::Ipv4) {
        address(IpAddr::V4(v4))
    } else if list.of.contains(&Sort::Ipv6) {
        address(IpAddr::V6(v4.to_ipv6_mapped()))
    } else {
        Some(if last == 2 { "test" } else { "invalid" }.to_owned())
    }
}
