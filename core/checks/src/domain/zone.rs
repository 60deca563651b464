//! DNS-14 to DNS-20: whether the domain's names can be found out reliably.

use std::net::IpAddr;

use postlane_mail::Span;

use crate::check::{Check, Found};
use crate::dmarc::public_suffix_parent;
use crate::dns::{Answer, Authority, Failure, Kind, Known, Name, Record, Served};

use super::exchange::question;
use super::{DomainCheck, Facts};

/// Name servers that are asked. Chosen, not measured: a zone has 13 at most that fit a datagram.
const SERVERS_MAX: usize = 13;

/// Where the domain's zone begins, as far as names of organisations tell: the name with an NS
/// record at or above it. Inner error: it could not be found out.
fn apex(known: &mut Known, facts: &Facts<'_>) -> Option<Result<(Name, Vec<Name>), Failure>> {
    let own = facts.asked.name.clone();
    let above = public_suffix_parent(&own).unwrap_or_else(|| own.clone());
    let answers = [own.clone(), above].map(|name| {
        let answer = known.ask(&question(&name, Kind::Ns)).cloned();
        (name, answer)
    });
    for (name, answer) in answers {
        match answer? {
            Answer::Failed(failure) => return Some(Err(failure)),
            Answer::Found(found) => {
                let servers = found.records.iter().filter_map(|record| match record {
                    Record::Ns(server) => Some(server.clone()),
                    _ => None,
                });
                return Some(Ok((name, servers.take(SERVERS_MAX).collect())));
            }
            Answer::NoData | Answer::NoName => {}
        }
    }
    Some(Ok((own, Vec::new())))
}

/// A name server at one of its addresses.
struct Server {
    name: Name,
    address: IpAddr,
    served: Served,
}

/// What each name server says, by address. Outer none: not known yet.
fn served(known: &mut Known, facts: &Facts<'_>) -> Option<Result<Vec<Server>, Failure>> {
    let (zone, servers) = match apex(known, facts)? {
        Ok(found) => found,
        Err(failure) => return Some(Err(failure)),
    };
    let mut addresses = Vec::new();
    let mut is_missing = false;
    for server in &servers {
        for kind in [Kind::A, Kind::Aaaa] {
            let Some(answer) = known.ask(&question(server, kind)) else {
                is_missing = true;
                continue;
            };
            addresses.extend(answer.records().iter().filter_map(|record| match record {
                Record::A(address) => Some((server.clone(), IpAddr::V4(*address))),
                Record::Aaaa(address) => Some((server.clone(), IpAddr::V6(*address))),
                _ => None,
            }));
        }
    }
    if is_missing {
        return None;
    }
    addresses.truncate(2 * SERVERS_MAX);
    let all: Vec<Option<Server>> = addresses
        .into_iter()
        .map(|(name, address)| {
            let authority = Authority { zone: zone.clone(), server: address };
            Some(Server { name, address, served: known.ask_authority(&authority)?.clone() })
        })
        .collect();
    Some(Ok(all.into_iter().collect::<Option<Vec<_>>>()?))
}

/// The network of an address, as far as outages go: /24 or /48.
fn network(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets()[..3].to_vec(),
        IpAddr::V6(v6) => v6.octets()[..6].to_vec(),
    }
}

fn servers(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let all = match served(known, facts)? {
        Ok(all) => all,
        Err(failure) => return Found::error(failure.to_string()),
    };
    let mut names: Vec<&str> = all.iter().map(|server| server.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let lame: Vec<String> = all
        .iter()
        .filter(|server| server.served == Served::Lame)
        .map(|Server { name, address, .. }| format!("{name} ({address}) does not know the zone"))
        .collect();
    let silent: Vec<String> = all
        .iter()
        .filter_map(|Server { name, address, served }| match served {
            Served::Failed(why) => Some(format!("{name} ({address}): {why}")),
            _ => None,
        })
        .collect();
    let mut serials: Vec<u32> = all
        .iter()
        .filter_map(|server| match &server.served {
            Served::Serial { serial, .. } => Some(*serial),
            _ => None,
        })
        .collect();
    serials.sort_unstable();
    serials.dedup();
    let mut networks: Vec<Vec<u8>> = all.iter().map(|server| network(server.address)).collect();
    networks.sort_unstable();
    networks.dedup();
    if names.is_empty() {
        return Found::error("the zone's name servers, or their addresses, could not be found");
    }
    match (names.len(), lame.is_empty(), silent.is_empty(), networks.len(), serials.len()) {
        (1, ..) => Found::fail(format!("only one name server: {}", names.join(", "))),
        (_, false, ..) => Found::fail(lame.join("; ")),
        (_, _, false, ..) => Found::error(silent.join("; ")),
        (.., 1, _) => Found::warn(format!("all in one network: {}", names.join(", "))),
        (.., 2..) => Found::warn(format!("they are at different states: {serials:?}")),
        _ => Found::pass(format!("{} at serial {}", names.join(", "), serials[0])),
    }
}

fn kept(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let (zone, _) = match apex(known, facts)? {
        Ok(found) => found,
        Err(failure) => return Found::error(failure.to_string()),
    };
    let answer = known.ask(&question(&zone, Kind::Soa))?;
    if let Answer::Failed(failure) = answer {
        return Found::error(format!("SOA of {zone}: {failure}"));
    }
    let Some(Record::Soa { expire, minimum, .. }) = answer.records().first() else {
        return Found::error(format!("{zone} shows no SOA record"));
    };
    let evidence = format!("expire {} s, minimum {} s", expire.as_s(), minimum.as_s());
    if *expire >= Span::from_h(24 * 7) && *minimum <= Span::from_h(24) {
        Found::pass(evidence)
    } else {
        Found::info(evidence)
    }
}

fn signatures(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let name = &facts.asked.name;
    // A name without a zone of its own answers with nothing; whether that could be believed is
    // the same question.
    let checked = known.ask(&question(name, Kind::Soa)).cloned();
    let unchecked = known.ask(&question(name, Kind::UncheckedSoa)).cloned();
    match (checked?, unchecked?) {
        (Answer::Failed(Failure::ServFail), Answer::Failed(failure)) => {
            Found::error(format!("SOA of {name}: {failure}, also without checking signatures"))
        }
        (Answer::Failed(Failure::ServFail), _) => Found::fail(format!(
            "{name} is answered without checking signatures, and SERVFAIL with: they are bogus"
        )),
        (Answer::Failed(failure), _) => Found::error(format!("SOA of {name}: {failure}")),
        (Answer::Found(found), _) if found.authentic => Found::pass("signed, and checked"),
        _ => Found::pass("not signed, or the resolver does not check signatures"),
    }
}

fn texts(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let name = &facts.asked.name;
    let answer = known.ask(&question(name, Kind::Txt))?;
    if let Answer::Failed(failure) = answer {
        return Found::error(format!("TXT of {name}: {failure}"));
    }
    let sizes = answer.records().iter().map(|record| match record {
        Record::Txt(text) => 12 + text.len() + text.len().div_ceil(255),
        _ => 0,
    });
    let octets = sizes.sum::<usize>() + name.as_str().len() + 29;
    let evidence = format!("about {octets} octets in {} records", answer.records().len());
    match octets {
        0..=1232 => Found::pass(evidence),
        _ => Found::warn(format!("{evidence}, which needs TCP")),
    }
}

fn wildcards(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let name = &facts.asked.name;
    // What is below a name that is there is not covered by a wildcard beside it (RFC 4592 §4.2).
    let places = ["postlane-no-such-name", "postlane-no-such-name._domainkey"];
    let answers: Vec<Option<(&str, Answer)>> = places
        .into_iter()
        .map(|place| {
            let Ok(asked) = Name::parse(&format!("{place}.{name}")) else {
                return Some((place, Answer::NoName));
            };
            Some((place, known.ask(&question(&asked, Kind::Txt))?.clone()))
        })
        .collect();
    let answers = answers.into_iter().collect::<Option<Vec<_>>>()?;
    let wild: Vec<String> = answers
        .iter()
        .filter(|(_, answer)| !answer.records().is_empty())
        .map(|(place, _)| format!("{}.{name}", place.replace("postlane-no-such-name", "*")))
        .collect();
    let open = answers.iter().find_map(|(_, answer)| match answer {
        Answer::Failed(failure) => Some(failure),
        _ => None,
    });
    match (wild.is_empty(), open) {
        (false, _) => Found::warn(format!("{} has TXT records", wild.join(", "))),
        (_, Some(failure)) => Found::error(failure.to_string()),
        _ => Found::pass("names that are not there have no TXT records"),
    }
}

fn speed(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let all = match served(known, facts)? {
        Ok(all) => all,
        Err(failure) => return Found::error(failure.to_string()),
    };
    let took = all.iter().filter_map(|server| match &server.served {
        Served::Serial { took, .. } => Some((*took, &server.name)),
        _ => None,
    });
    let Some((slowest, name)) = took.max() else {
        return Found::error("no name server could be asked itself");
    };
    let evidence = format!("the slowest, {name}, took {} ms", slowest.as_ms());
    match slowest.as_ms() {
        0..500 => Found::pass(evidence),
        500..=2_000 => Found::warn(evidence),
        _ => Found::fail(evidence),
    }
}

fn dangling(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let domain = &facts.asked.name;
    let below = ["_dmarc", "mta-sts", "_mta-sts", "_smtp._tls", "default._bimi", "bounce", "click"];
    let selectors = facts.asked.selectors.iter().map(|s| format!("{s}._domainkey"));
    let labels = below.iter().map(|label| (*label).to_owned()).chain(selectors);
    let names = labels.filter_map(|label| Name::parse(&format!("{label}.{domain}")).ok());
    let mut names: Vec<Name> = names.collect();
    names.push(facts.asked.return_path.clone());
    let looked: Vec<Option<Option<String>>> =
        names.iter().map(|name| leads_nowhere(known, name)).collect();
    let dangling: Vec<String> =
        looked.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    if dangling.is_empty() {
        Found::pass("no alias leads to a name that does not exist")
    } else {
        Found::fail(dangling.join("; "))
    }
}

/// An alias that leads to what does not exist. Outer none: not known yet.
#[expect(clippy::option_option, reason = "missing answers, and nothing found, are different")]
fn leads_nowhere(known: &mut Known, name: &Name) -> Option<Option<String>> {
    let alias = known.ask(&question(name, Kind::Cname))?.clone();
    let Some(Record::Cname(target)) = alias.records().first() else { return Some(None) };
    let end = known.ask(&question(target, Kind::A))?;
    let is_nowhere = *end == Answer::NoName;
    Some(is_nowhere.then(|| format!("{name} CNAME {target}, which does not exist")))
}

/// DNS-14 to DNS-20.
pub(crate) static CHECKS: [DomainCheck; 7] = [
    DomainCheck {
        check: Check::of_domain_ungated(
            "DNS-14",
            "Two name servers know the zone",
            "Have two name servers in different networks that both know the zone.",
            "RFC 2182",
        ),
        run: servers,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DNS-15",
            "The zone is kept sensibly",
            "",
            "RFC 1912 §2.2; RFC 2308",
        ),
        run: kept,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DNS-16",
            "Signatures are not bogus",
            "Have the DS record at the registrar be of a key that signs, and signatures be new.",
            "RFC 4035",
        ),
        run: signatures,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DNS-17",
            "The domain's texts fit into one datagram",
            "Delete texts that prove a domain to a service and were needed once.",
            "RFC 7766",
        ),
        run: texts,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DNS-18",
            "No wildcard answers in the place of records",
            "Delete the wildcard TXT record.",
            "RFC 4592",
        ),
        run: wildcards,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DNS-19",
            "Name servers answer fast",
            "Have the zone at a faster host.",
            "chosen, not published",
        ),
        run: speed,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DNS-20",
            "No alias leads nowhere",
            "Delete the alias: whoever gets the name it leads to writes in your name.",
            "RFC 1034 §3.6.2",
        ),
        run: dangling,
    },
];
