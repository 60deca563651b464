//! DNS-01 to DNS-05 and DNS-11: the address's name.

use std::net::IpAddr;

use postlane_mail::Instant;

use crate::check::Found;
use crate::dmarc::public_suffix_parent;
use crate::dns::{Answer, Known, Name};
use crate::domain::operator;
use crate::format::is_same_organisation;
use crate::identity::is_service;
use crate::spf;

use super::sender::{NAMES_MAX, Names, Sender};

fn joined(names: &[Name]) -> String {
    names.iter().take(NAMES_MAX).map(Name::as_str).collect::<Vec<_>>().join(", ")
}

const NO_NAME: &str = "it has no name";

/// The names, or what there is to say without any.
fn names(known: &mut Known, sender: Sender<'_>) -> Option<Result<Vec<Name>, Option<Found>>> {
    Some(match sender.names(known)? {
        Names::Some(names) => Ok(names),
        Names::None => Err(Found::skip(NO_NAME)),
        Names::Unknown(why) => Err(Found::error(why)),
    })
}

pub(super) fn has_name(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    match sender.names(known)? {
        Names::Some(names) => Found::pass(joined(&names)),
        Names::None => Found::fail(format!("{}: {NO_NAME}", Name::reverse(sender.address))),
        Names::Unknown(why) => Found::error(why),
    }
}

/// What the reverse DNS has of an address, and whether that leads back to it (RFC 8601 §2.7.3,
/// "iprev").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reverse {
    /// These names, ten at most, and this one of them has the address.
    Confirmed {
        /// All that were looked at.
        names: Vec<Name>,
        /// The first that has the address.
        by: Name,
    },
    /// No name.
    Missing,
    /// These names, ten at most, and none of them has the address.
    Unconfirmed(Vec<Name>),
    /// The DNS did not say, and why: that tells nothing about the address.
    Undetermined(String),
}

/// Asks an address's names, and whether one of them has the address. None if answers are missing:
/// get them ([`Known::take_missing`]), and call it again.
pub fn reverse_of(known: &mut Known, address: IpAddr) -> Option<Reverse> {
    let sender = Sender { address, helo: None, sends_for: None, may_call: false };
    let mut names = match sender.names(known)? {
        Names::Some(names) => names,
        Names::None => return Some(Reverse::Missing),
        Names::Unknown(why) => return Some(Reverse::Undetermined(why)),
    };
    names.truncate(NAMES_MAX);
    // All are asked before any answer is looked at.
    let answers: Vec<Option<Answer>> =
        names.iter().map(|name| known.ask(&sender.forward(name)).cloned()).collect();
    let answers = answers.into_iter().collect::<Option<Vec<Answer>>>()?;
    let confirmed = names.iter().zip(&answers).find(|(_, answer)| sender.is_in(answer));
    if let Some((by, _)) = confirmed {
        return Some(Reverse::Confirmed { by: by.clone(), names });
    }
    let failure = answers.iter().find_map(|answer| match answer {
        Answer::Failed(failure) => Some(failure),
        _ => None,
    });
    Some(match failure {
        Some(failure) => Reverse::Undetermined(format!("{}: {failure}", joined(&names))),
        None => Reverse::Unconfirmed(names),
    })
}

pub(super) fn is_confirmed(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    match reverse_of(known, sender.address)? {
        Reverse::Confirmed { by, .. } => Found::pass(format!("{by} has {}", sender.address)),
        Reverse::Missing => Found::fail(NO_NAME),
        Reverse::Undetermined(why) => Found::error(why),
        Reverse::Unconfirmed(names) => {
            Found::fail(format!("{} does not have {}", joined(&names), sender.address))
                .map(|found| found.fixed_by(record(&names, sender.address)))
        }
    }
}

/// The record that is missing.
fn record(names: &[Name], address: IpAddr) -> String {
    let name = names.first().map_or("", Name::as_str);
    let kind = if address.is_ipv4() { "A" } else { "AAAA" };
    format!("Publish `{name}. {kind} {address}`.")
}

/// Words that providers put into the names of addresses that change hands, or of machines that
/// come and go. From CHECKS.md's DNS-03, as widely seen.
const GENERIC: [&str; 22] = [
    "dyn",
    "dynamic",
    "dsl",
    "adsl",
    "vdsl",
    "pool",
    "dhcp",
    "dialup",
    "dial",
    "static",
    "cust",
    "customer",
    "ppp",
    "pppoe",
    "cable",
    "compute",
    "vps",
    "broadband",
    "ip",
    "host",
    "client",
    "unassigned",
];

/// Why a name is one that machines were given rather than chosen.
pub(super) fn generic(name: &Name, address: IpAddr) -> Option<String> {
    let own = psl::domain_str(name.as_str()).unwrap_or_default();
    let host = name.as_str().strip_suffix(own).unwrap_or(name.as_str()).trim_end_matches('.');
    if holds_address(host, address) {
        return Some(format!("{name} has the address in it"));
    }
    let mut pieces = host.split(['.', '-', '_']);
    let word = pieces.find(|piece| {
        let bare = piece.trim_end_matches(|c: char| c.is_ascii_digit());
        // `mail-host3` was chosen by somebody, `host-3-17` by a program.
        let counts = !matches!(bare, "ip" | "host" | "client" | "static") || digits(host) >= 2;
        counts && GENERIC.contains(&bare)
    });
    let is_default = name.as_str().contains("vps-default") || host.starts_with("ip-");
    match word {
        Some(word) => Some(format!("{name} has \"{word}\" in it")),
        None => is_default.then(|| format!("{name} is a name that machines are given")),
    }
}

/// How many pieces of a name are numbers.
fn digits(host: &str) -> usize {
    let numbers = |piece: &&str| !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_digit());
    host.split(['.', '-', '_']).filter(numbers).count()
}

/// Whether two of the address's octets stand in a name as numbers, or all in hexadecimal.
fn holds_address(host: &str, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let octets = v4.octets();
            let mut numbers: Vec<u8> = host
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|piece| piece.parse().ok())
                .collect();
            let found = octets.iter().filter(|octet| {
                let at = numbers.iter().position(|number| number == *octet);
                at.map(|at| numbers.swap_remove(at)).is_some()
            });
            let hex = octets.map(|octet| format!("{octet:02x}")).concat();
            found.count() >= 2 || host.contains(&hex)
        }
        IpAddr::V6(v6) => {
            let groups = v6.segments();
            let pieces: Vec<&str> = host.split(['.', '-', '_']).collect();
            let long = groups.iter().filter(|group| **group > 0xff);
            let found = long.filter(|group| {
                let (short, whole) = (format!("{group:x}"), format!("{group:04x}"));
                pieces.contains(&&*short) || pieces.contains(&&*whole)
            });
            found.count() >= 2
        }
    }
}

pub(super) fn is_own(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    let names = match names(known, sender)? {
        Ok(names) => names,
        Err(found) => return found,
    };
    match names.iter().take(NAMES_MAX).find_map(|name| generic(name, sender.address)) {
        Some(why) => Found::fail(why),
        None => Found::pass(joined(&names)),
    }
}

pub(super) fn is_single(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    let names = match names(known, sender)? {
        Ok(names) => names,
        Err(found) => return found,
    };
    let evidence = format!("{} names: {}", names.len(), joined(&names));
    match names.len() {
        1 => Found::pass(joined(&names)),
        2..=10 => Found::warn(evidence),
        _ => Found::fail(evidence),
    }
}

pub(super) fn is_of_helo(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    let names = match names(known, sender)? {
        Ok(names) => names,
        Err(found) => return found,
    };
    let Some(helo) = sender.helo else {
        return Found::skip("the name of EHLO is not given (--helo)");
    };
    if names.iter().any(|name| is_same_organisation(name.as_str(), helo)) {
        Found::pass(format!("{} and {helo} are of one organisation", joined(&names)))
    } else if names.iter().any(|name| is_service(name.as_str())) {
        Found::info(format!("{} is a service's", joined(&names)))
    } else {
        Found::warn(format!("{} is of another organisation than {helo}", joined(&names)))
    }
}

pub(super) fn is_whole_in_v6(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    if sender.address.is_ipv4() {
        return Found::skip("it is an IPv4 address");
    }
    let confirmed = is_confirmed(known, sender)?;
    match confirmed.outcome {
        crate::check::Outcome::Pass => {}
        _ => return Some(confirmed),
    }
    let Some(domain) = sender.sends_for else {
        return Found::pass(format!("{}; SPF: --mail-from says for whom", confirmed.evidence));
    };
    let covered = spf::covers(known, domain, &[sender.address], Instant(0))?;
    let evidence = format!("{}; SPF of {domain}: {}", confirmed.evidence, covered.evidence);
    Some(Found { evidence, ..covered })
}

/// IDN-13, by the organisation's domain of its name.
pub(super) fn is_findable(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    if !sender.may_call {
        return Found::skip(operator::NOT_READ);
    }
    let names = match names(known, sender)? {
        Ok(names) => names,
        Err(found) => return found,
    };
    let Some(name) = names.first() else { return Found::skip(NO_NAME) };
    let domain = public_suffix_parent(name).unwrap_or_else(|| name.clone());
    operator::imprint(known, &domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(name: &str, address: &str) -> Option<String> {
        generic(&Name::parse(name).unwrap(), address.parse().unwrap())
    }

    #[test]
    fn a_name_that_a_program_made_is_generic() {
        for name in [
            "203-0-113-77.provider.net",
            "static.77.113.0.203.clients.provider.de",
            "ec2-203-0-113-77.compute-1.amazonaws.com",
            "cb00714d.provider.net",
            "dsl-17.provider.net",
            "dyn.provider.net",
            "vps-default.provider.net",
            "ip-10-1.provider.net",
            "host-3-17.provider.net",
        ] {
            assert!(why(name, "203.0.113.77").is_some(), "{name}");
        }
        let v6 = "2001-db8-12ab-34cd--1.provider.net";
        assert!(why(v6, "2001:db8:12ab:34cd::1").is_some());
    }

    #[test]
    fn a_name_that_somebody_chose_is_not() {
        for name in [
            "mail.example.com",
            "mx77.example.com",
            "out-3.example.com",
            "host1.example.com",
            "static.example.com",
            "mail.dynamic-events.com",
            "smtp.pool-shop.de",
            "relay.ip.de",
        ] {
            assert_eq!(why(name, "203.0.113.77"), None, "{name}");
        }
    }
}
