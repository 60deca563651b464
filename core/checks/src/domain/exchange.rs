//! IDN-01, IDN-02, DNS-12 and DNS-13: whether anybody can answer.

use std::net::IpAddr;

use crate::check::Gate::{Microsoft, UnitedInternet};
use crate::check::{Check, Finding, Found};
use crate::dns::{Answer, Failure, Kind, Known, Name, Question, Record};

use crate::network::is_public;

use super::{DomainCheck, Facts};

/// Who takes a domain's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailExchange {
    pub(crate) domain: Name,
    pub(crate) published: Exchangers,
}

/// What the DNS says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exchangers {
    /// These hosts, the preferred first.
    Hosts { hosts: Vec<Host>, authentic: bool },
    /// Nobody: null MX (RFC 7505).
    Null,
    /// The domain itself, for there is no MX (RFC 5321 §5.1).
    Itself(Host),
    /// There is no such domain.
    NoName,
    /// It could not be found out.
    Open(Failure),
}

/// A host that takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: Name,
    pub(crate) addresses: Vec<IpAddr>,
    /// Its name is another one's alias (RFC 2181 §10.3).
    pub(crate) is_alias: bool,
    /// Why its addresses are not known.
    pub(crate) open: Option<Failure>,
}

/// Exchangers that are looked at. Chosen, not measured.
const HOSTS_MAX: usize = 20;

impl MailExchange {
    /// Looks them up. None if answers are missing.
    pub(crate) fn of(known: &mut Known, domain: &Name) -> Option<Self> {
        let answer = known.ask(&question(domain, Kind::Mx))?.clone();
        let published = match &answer {
            Answer::Failed(failure) => Exchangers::Open(failure.clone()),
            Answer::NoName => Exchangers::NoName,
            Answer::NoData => Exchangers::Itself(Host::of(known, domain)?),
            Answer::Found(found) => {
                let mut named: Vec<(u16, Option<&Name>)> = Vec::new();
                for record in &found.records {
                    if let Record::Mx { preference, exchange } = record {
                        named.push((*preference, exchange.as_ref()));
                    }
                }
                named.sort_unstable();
                if named.iter().all(|(_, name)| name.is_none()) {
                    Exchangers::Null
                } else {
                    let names = named.iter().filter_map(|(_, name)| *name).take(HOSTS_MAX);
                    let hosts: Vec<Option<Host>> = names.map(|n| Host::of(known, n)).collect();
                    let hosts = hosts.into_iter().collect::<Option<Vec<_>>>()?;
                    Exchangers::Hosts { hosts, authentic: found.authentic }
                }
            }
        };
        Some(Self { domain: domain.clone(), published })
    }

    /// The hosts that take the mail.
    pub(crate) fn hosts(&self) -> &[Host] {
        match &self.published {
            Exchangers::Hosts { hosts, .. } => hosts,
            Exchangers::Itself(host) if !host.addresses.is_empty() => std::slice::from_ref(host),
            _ => &[],
        }
    }

    /// Whether anybody takes mail, as far as it is known.
    pub(crate) fn takes_mail(&self) -> bool {
        !self.hosts().is_empty()
    }

    /// Why it could not be found out whether anybody does.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match &self.published {
            Exchangers::Open(failure) => Some(failure),
            Exchangers::Itself(host) => host.open.as_ref(),
            _ => None,
        }
    }

    fn found(&self, verb: &str) -> Option<Found> {
        let domain = &self.domain;
        let publish = || format!("Publish: {domain}. MX 10 and a host that takes its mail.");
        let wrong = |said: String| Found::fail(said).map(|found| found.fixed_by(publish()));
        match &self.published {
            Exchangers::Open(failure) => Found::error(format!("MX of {domain}: {failure}")),
            Exchangers::NoName => wrong(format!("{domain} does not exist")),
            Exchangers::Null => wrong(format!("{domain} MX 0 . says that nobody takes {verb}")),
            Exchangers::Itself(host) => match (host.is_public(), &host.open) {
                (_, Some(failure)) => Found::error(format!("addresses of {domain}: {failure}")),
                (true, _) => Found::warn(format!("{domain} has no MX, only {}", host.shown())),
                _ => wrong(format!("{domain} has neither MX nor a public address")),
            },
            Exchangers::Hosts { hosts, .. } => {
                let shown: Vec<String> = hosts.iter().map(Host::shown).collect();
                let shown = shown.join(", ");
                if hosts.iter().any(Host::is_public) {
                    Found::pass(shown)
                } else if hosts.iter().any(|host| host.open.is_some()) {
                    Found::error(shown)
                } else {
                    wrong(format!("no exchanger has a public address: {shown}"))
                }
            }
        }
    }
}

impl Host {
    fn of(known: &mut Known, name: &Name) -> Option<Self> {
        let v4 = known.ask(&question(name, Kind::A)).cloned();
        let v6 = known.ask(&question(name, Kind::Aaaa)).cloned();
        let alias = known.ask(&question(name, Kind::Cname)).cloned();
        let answers = [v4?, v6?];
        let mut addresses = Vec::new();
        let mut open = None;
        for answer in &answers {
            addresses.extend(answer.records().iter().filter_map(|record| match record {
                Record::A(address) => Some(IpAddr::V4(*address)),
                Record::Aaaa(address) => Some(IpAddr::V6(*address)),
                _ => None,
            }));
            if let Answer::Failed(failure) = answer {
                open = Some(failure.clone());
            }
        }
        let open = open.filter(|_| addresses.is_empty());
        let is_alias = !alias?.records().is_empty();
        Some(Self { name: name.clone(), addresses, is_alias, open })
    }

    pub(crate) fn is_public(&self) -> bool {
        self.addresses.iter().any(|address| is_public(*address))
    }

    fn shown(&self) -> String {
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        match (addresses.is_empty(), &self.open) {
            (false, _) => format!("{} ({})", self.name, addresses.join(", ")),
            (true, Some(failure)) => format!("{} ({failure})", self.name),
            (true, None) => format!("{} (no address)", self.name),
        }
    }
}

pub(crate) fn question(name: &Name, kind: Kind) -> Question {
    Question { name: name.clone(), kind }
}

fn from_takes_mail(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    facts.mail.found("answers")
}

fn return_path_takes_mail(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if facts.asked.return_path == facts.asked.name {
        return facts.mail.found("bounces");
    }
    MailExchange::of(known, &facts.asked.return_path)?.found("bounces")
}

fn exchangers(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Exchangers::Hosts { hosts, .. } = &facts.mail.published else {
        return Found::skip("there is no MX to look at");
    };
    let mut wrong = Vec::new();
    let mut odd = Vec::new();
    for host in hosts {
        let name = &host.name;
        if name.as_str().parse::<IpAddr>().is_ok() {
            wrong.push(format!("{name} is an address and no name"));
        } else if let Some(failure) = &host.open {
            return Found::error(format!("{name}: {failure}"));
        } else if host.addresses.is_empty() {
            wrong.push(format!("{name} has no address"));
        } else if !host.is_public() {
            wrong.push(format!("{} is of a private network", host.shown()));
        } else if host.is_alias {
            odd.push(format!("{name} is an alias (CNAME)"));
        }
    }
    let shown: Vec<String> = hosts.iter().map(Host::shown).collect();
    if !wrong.is_empty() {
        return Found::fail(wrong.join("; "));
    }
    if hosts.len() == 1 {
        odd.push("there is only one exchanger".to_owned());
    }
    if odd.is_empty() { Found::pass(shown.join(", ")) } else { Found::warn(odd.join("; ")) }
}

fn null_exchanger(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    match &facts.mail.published {
        Exchangers::Open(failure) => Found::error(failure.to_string()),
        Exchangers::Null if facts.spf.is_parked() => {
            Found::pass("null MX, and the domain says that it sends no mail")
        }
        Exchangers::Null => Found::fail(format!("{} MX 0 .", facts.mail.domain)),
        _ => Found::pass("there is no null MX"),
    }
}

/// IDN-01 and IDN-02 alone, as far as they are wanted: whether mail in the name of an author, with
/// this return-path, can be answered. None if answers are missing. Who sends with the null
/// return-path, or under no name that can be read, is asked nothing of that.
pub fn check_answers(
    known: &mut Known,
    author: Option<&Name>,
    return_path: Option<&Name>,
    wanted: impl Fn(&Check) -> bool,
) -> Option<Vec<Finding>> {
    let [of_author, of_bounces, ..] = &CHECKS;
    let each = [(of_author, author, "answers"), (of_bounces, return_path, "bounces")];
    let found: Vec<Option<Finding>> = each
        .into_iter()
        .filter(|(each, ..)| wanted(&each.check))
        .filter_map(|(each, domain, verb)| Some((each, domain?, verb)))
        .map(|(each, domain, verb)| {
            Some(each.check.finding(MailExchange::of(known, domain)?.found(verb)?))
        })
        .collect();
    found.into_iter().collect()
}

/// IDN-01, IDN-02, DNS-12, DNS-13.
pub(crate) static CHECKS: [DomainCheck; 4] = [
    DomainCheck {
        check: Check::of_domain(
            "IDN-01",
            "The domain of From takes mail",
            &[UnitedInternet, Microsoft],
            "Publish an MX of a host that takes the domain's mail, itself if need be.",
            "RFC 5321 §5.1; RFC 7505; RFC 9989 appendix A.4",
        ),
        run: from_takes_mail,
    },
    DomainCheck {
        check: Check::of_domain(
            "IDN-02",
            "The domain of the return-path takes bounces",
            &[UnitedInternet],
            "Publish an MX of what reads your bounces.",
            "RFC 5321 §4.5.5",
        ),
        run: return_path_takes_mail,
    },
    DomainCheck {
        check: Check::of_domain(
            "DNS-12",
            "Exchangers are hosts with public addresses",
            &[],
            "Name hosts with A or AAAA records of their own, two of them.",
            "RFC 2181 §10.3; RFC 5321 §5.1",
        ),
        run: exchangers,
    },
    DomainCheck {
        check: Check::of_domain(
            "DNS-13",
            "A domain that sends does not refuse mail",
            &[],
            "Delete the null MX and name a host that takes mail, or send from another domain.",
            "RFC 7505 §3, §4",
        ),
        run: null_exchanger,
    },
];
