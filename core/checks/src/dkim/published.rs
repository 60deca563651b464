//! DKIM-03 to DKIM-20, as far as they are about a domain: its keys as they are published.

use crate::check::Gate::{Google, Microsoft, UnitedInternet, Yahoo};
use crate::check::{Check, Found};
use crate::dns::{Kind, Known, Name, Question, Record};
use crate::domain::{DomainCheck, Facts, SendingDomain};
use crate::format::is_same_organisation;

use super::key::{KeyFault, KeyKind, KeyRecord};
use super::place::AtSelector;

/// What there is at a selector's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    selector: Box<str>,
    name: Name,
    record: AtSelector,
}

/// Selectors that are looked at. Chosen, not measured.
const SELECTORS_MAX: usize = 40;

/// Looks up the keys of all selectors. None if answers are missing.
pub(crate) fn published(known: &mut Known, asked: &SendingDomain) -> Option<Vec<Published>> {
    let mut all = Vec::new();
    let mut is_missing = false;
    for selector in asked.selectors.iter().take(SELECTORS_MAX) {
        let Ok(name) = Name::parse(&format!("{selector}._domainkey.{}", asked.name)) else {
            continue;
        };
        let Some(answer) = known.ask(&Question { name: name.clone(), kind: Kind::Txt }) else {
            is_missing = true;
            continue;
        };
        let record = AtSelector::read(answer);
        all.push(Published { selector: selector.clone(), name, record });
    }
    // What was only guessed and is not there says nothing.
    if asked.selectors_are_guessed {
        all.retain(|key| !matches!(key.record, AtSelector::Nothing));
    }
    (!is_missing).then_some(all)
}

impl Published {
    fn key(&self) -> Option<&KeyRecord> {
        match &self.record {
            AtSelector::One(_, Ok(key)) => Some(key),
            _ => None,
        }
    }
}

const NO_SELECTOR: &str = "no selector is known, and none of the common ones has a key \
                           (--selector names one)";

/// Runs a check over the keys; nothing to look at is told apart from nothing found.
fn over(
    facts: &Facts<'_>,
    judge: impl Fn(&Published) -> Option<Found>,
    whole: &str,
) -> Option<Found> {
    if facts.keys.is_empty() {
        return Found::skip(NO_SELECTOR);
    }
    let found: Vec<Found> = facts.keys.iter().filter_map(judge).collect();
    let Some(worst) = found.iter().map(|found| rank(found.outcome)).max() else {
        return Found::skip(whole.to_owned());
    };
    let said: Vec<&str> = found
        .iter()
        .filter(|found| rank(found.outcome) == worst)
        .map(|found| found.evidence.as_str())
        .collect();
    let worst = found.iter().find(|found| rank(found.outcome) == worst)?;
    let mut told = Found::new(worst.outcome, said.join("; "));
    told.remedy.clone_from(&worst.remedy);
    Some(told)
}

fn rank(outcome: crate::check::Outcome) -> u8 {
    use crate::check::Outcome::{Error, Fail, Info, Pass, Skip, Warn};
    match outcome {
        Fail => 5,
        Error => 4,
        Warn => 3,
        Info => 2,
        Pass => 1,
        Skip => 0,
    }
}

const NO_KEY: &str = "there is no key that can be read";

fn record(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let publish = |name: &Name| format!("Publish the key: {name}. TXT \"v=DKIM1; k=rsa; p=…\".");
    over(
        facts,
        |key| {
            let name = &key.name;
            match &key.record {
                AtSelector::Open(failure) => Found::error(format!("{name}: {failure}")),
                AtSelector::Nothing => Found::fail(format!("{name} has no TXT record"))
                    .map(|found| found.fixed_by(publish(name))),
                AtSelector::Several(keys) => {
                    Found::fail(format!("{name} has {} TXT records", keys.len()))
                }
                // Those are told by checks of their own.
                AtSelector::One(_, Err(KeyFault::Revoked | KeyFault::Service | KeyFault::Hash)) => {
                    Found::pass(format!("{name} has one record"))
                }
                AtSelector::One(text, Err(fault)) => {
                    Found::fail(format!("{name}: {fault}: {}", shown(text)))
                }
                AtSelector::One(_, Ok(key)) if key.kind == KeyKind::Rsa && key.bits.is_none() => {
                    Found::fail(format!("{name}: p= is no RSA key, or is cut off"))
                }
                AtSelector::One(..) => Found::pass(format!("{name} has a key")),
            }
        },
        NO_KEY,
    )
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(80).collect()
}

fn size(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    over(
        facts,
        |key| {
            let record = key.key()?;
            let selector = &key.selector;
            let evidence = |bits: u32| format!("{selector}: RSA, {bits} bits");
            match (record.kind, record.bits) {
                (KeyKind::Ed25519, _) => Found::pass(format!("{selector}: Ed25519")),
                (KeyKind::Rsa, None) => None,
                (KeyKind::Rsa, Some(bits @ 2048..=4096)) => Found::pass(evidence(bits)),
                (KeyKind::Rsa, Some(bits @ ..1024)) => Found::fail(evidence(bits)),
                (KeyKind::Rsa, Some(bits)) => Found::warn(evidence(bits)),
            }
        },
        NO_KEY,
    )
}

fn revoked(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let is_guessed = facts.asked.selectors_are_guessed;
    over(
        facts,
        |key| match &key.record {
            AtSelector::One(_, Err(KeyFault::Revoked)) if is_guessed => {
                Found::info(format!("{}: the key was taken back", key.selector))
            }
            AtSelector::One(_, Err(KeyFault::Revoked)) => {
                Found::fail(format!("{}: p= is empty: the key was taken back", key.name))
            }
            AtSelector::One(_, Ok(_)) => Found::pass(format!("{}: the key counts", key.selector)),
            _ => None,
        },
        NO_KEY,
    )
}

fn flags(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    over(
        facts,
        |key| {
            let record = key.key()?;
            match (record.is_testing, record.is_strict) {
                (true, _) => Found::warn(format!("{}: t=y", key.selector)),
                (_, true) => Found::pass(format!(
                    "{}: t=s: i= must be of {} itself",
                    key.selector, facts.asked.name
                )),
                _ => Found::pass(format!("{}: no flags", key.selector)),
            }
        },
        NO_KEY,
    )
}

/// Aliases followed to learn how long the way is.
const ALIASES_MAX: usize = 8;

fn publishing(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if facts.keys.is_empty() {
        return Found::skip(NO_SELECTOR);
    }
    let wild = format!("postlane-no-such-selector._domainkey.{}", facts.asked.name);
    let wild = Name::parse(&wild).ok();
    let wild = match wild {
        Some(name) => {
            known.ask(&Question { name, kind: Kind::Txt }).map(|a| !a.records().is_empty())
        }
        None => Some(false),
    };
    let ways: Vec<Option<usize>> = facts.keys.iter().map(|key| aliases(known, &key.name)).collect();
    let (wild, ways) = (wild?, ways.into_iter().collect::<Option<Vec<usize>>>()?);
    let mut odd = Vec::new();
    for (key, way) in facts.keys.iter().zip(ways) {
        if let AtSelector::One(text, _) = &key.record
            && (text.contains(&b'"') || text.contains(&b'\\'))
        {
            return Found::fail(format!("{}: quotes within the text: {}", key.name, shown(text)));
        }
        if way > 3 {
            odd.push(format!("{}: {way} aliases behind each other", key.name));
        }
    }
    if wild {
        odd.push(format!("*._domainkey.{} answers for every selector", facts.asked.name));
    }
    if odd.is_empty() {
        Found::pass("published as it should be")
    } else {
        Found::warn(odd.join("; "))
    }
}

/// How many aliases lead away from a name, one behind the other.
fn aliases(known: &mut Known, name: &Name) -> Option<usize> {
    let mut at = name.clone();
    for count in 0..ALIASES_MAX {
        let answer = known.ask(&Question { name: at.clone(), kind: Kind::Cname })?;
        match answer.records().first() {
            Some(Record::Cname(target)) => at = target.clone(),
            _ => return Some(count),
        }
    }
    Some(ALIASES_MAX)
}

fn compatible(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    over(
        facts,
        |key| match &key.record {
            AtSelector::One(
                text,
                Err(fault @ (KeyFault::Service | KeyFault::Hash | KeyFault::Kind)),
            ) => Found::fail(format!("{}: {fault}: {}", key.name, shown(text))),
            AtSelector::One(_, Ok(_)) => {
                Found::pass(format!("{}: for mail, SHA-256", key.selector))
            }
            _ => None,
        },
        NO_KEY,
    )
}

/// Keys are to be changed once a year (M3AAWG, DKIM key rotation best practices).
const DAYS_MAX: u64 = 365;

fn age(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let seen = &facts.asked.keys_seen.since;
    over(
        facts,
        |key| {
            key.key()?;
            let days = facts.asked.now.since(*seen.get(&key.name)?).as_s() / 86_400;
            let evidence = format!("{}: seen for {days} days", key.selector);
            if days <= DAYS_MAX { Found::pass(evidence) } else { Found::info(evidence) }
        },
        "since when the key is there is known where a relay watches the domain",
    )
}

fn shared(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let own = &facts.asked.name;
    let is_foreign = |name: &Name| !is_same_organisation(name.as_str(), own.as_str());
    let elsewhere: Vec<(&Name, Vec<u8>)> = facts
        .asked
        .keys_seen
        .elsewhere
        .iter()
        .filter(|(name, _)| is_foreign(name))
        .filter_map(|(name, text)| Some((name, KeyRecord::parse(text.as_bytes()).ok()?.key)))
        .collect();
    if elsewhere.is_empty() {
        return Found::skip("keys of other domains are known where a relay watches them, too");
    }
    over(
        facts,
        |key| {
            let record = key.key()?;
            match elsewhere.iter().find(|(_, other)| *other == record.key) {
                Some((name, _)) => Found::warn(format!("{}: also at {name}", key.selector)),
                None => {
                    Found::pass(format!("{}: at no other domain that is watched", key.selector))
                }
            }
        },
        NO_KEY,
    )
}

fn staged(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if facts.keys.is_empty() {
        return Found::skip(NO_SELECTOR);
    }
    let mut keys: Vec<(&[u8], &str)> = facts
        .keys
        .iter()
        .filter_map(|key| Some((key.key()?.key.as_slice(), &*key.selector)))
        .collect();
    keys.sort_unstable();
    keys.dedup_by_key(|(key, _)| *key);
    let selectors: Vec<&str> = keys.iter().map(|(_, selector)| *selector).collect();
    match selectors.len() {
        0 => Found::skip(NO_KEY),
        1 => Found::info(format!("one key only: {}", selectors.join(", "))),
        _ => Found::pass(format!("keys of {}", selectors.join(", "))),
    }
}

/// DKIM-03 to DKIM-20 without those of a message.
pub(crate) static DOMAIN_CHECKS: [DomainCheck; 9] = [
    DomainCheck {
        check: Check::of_domain(
            "DKIM-03",
            "The key is published",
            &[UnitedInternet, Google, Yahoo, Microsoft],
            "Publish the key anew, as one record; strings of 255 octets are joined without \
             anything between.",
            "RFC 6376 §3.6.1, §3.6.2.2",
        ),
        run: record,
    },
    DomainCheck {
        check: Check::of_domain(
            "DKIM-05",
            "The key is long enough",
            &[Google],
            "Make a key of 2048 bits under a new selector.",
            "RFC 8301 §3.2",
        ),
        run: size,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DKIM-07",
            "The key was not taken back",
            "Sign with another selector before a key is taken back.",
            "RFC 6376 §3.6.1",
        ),
        run: revoked,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DKIM-08",
            "The key is meant seriously",
            "Take t=y out of the record.",
            "RFC 6376 §3.6.1",
        ),
        run: flags,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DKIM-16",
            "The key is found the short way",
            "Point the alias at the record itself, delete the wildcard, and leave quotes out of \
             the text.",
            "RFC 1035 §3.3.14",
        ),
        run: publishing,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DKIM-17",
            "The key is for mail",
            "Leave s= and h= out; k= must be the signature's.",
            "RFC 6376 §3.6.1; RFC 8460 §3",
        ),
        run: compatible,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DKIM-18",
            "The key is not older than a year",
            "Sign with a new selector, and keep the old one for a week.",
            "M3AAWG, DKIM key rotation",
        ),
        run: age,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DKIM-19",
            "The key is this domain's alone",
            "Have a key of your own for each domain and tenant.",
            "M3AAWG, DKIM key rotation",
        ),
        run: shared,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DKIM-20",
            "The next key is there already",
            "Publish a second selector, so that one can change over without waiting.",
            "M3AAWG, DKIM key rotation",
        ),
        run: staged,
    },
];
