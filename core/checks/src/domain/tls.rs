//! TLS-04 to TLS-11: whether mail to the domain is encrypted, and to the right host.

use crate::certificate::Certificate;
use crate::check::{Check, Found};
use crate::dns::{Answer, Kind, Known, Name, Record};
use crate::exchanger::Greeting;
use crate::mta_sts::{
    StsFetchFault, StsMode, StsPolicy, StsPolicyFault, StsRecord, StsRecordFault,
};
use crate::tls_rpt::{TlsRptFault, TlsRptRecord};
use crate::tlsa::{Held, TlsaRecord, TlsaSet};

use super::exchange::{Exchangers, question};
use super::{DomainCheck, Facts};

const NOT_CALLED: &str = "exchangers are called with --probe only";
const NO_HOST: &str = "there is no exchanger to look at";

/// The texts at a name, if they could be found out. Outer none: not known yet.
fn texts(known: &mut Known, name: &Name) -> Option<Result<Vec<Box<[u8]>>, String>> {
    let answer = known.ask(&question(name, Kind::Txt))?;
    if let Answer::Failed(failure) = answer {
        return Some(Err(format!("TXT of {name}: {failure}")));
    }
    let texts = answer.records().iter().filter_map(|record| match record {
        Record::Txt(text) => Some(text.clone()),
        _ => None,
    });
    Some(Ok(texts.collect()))
}

/// How all exchangers greet. Outer none: not known yet.
fn greetings(known: &mut Known, facts: &Facts<'_>) -> Option<Vec<(Name, Greeting)>> {
    let hosts = facts.mail.hosts();
    let all: Vec<Option<(Name, Greeting)>> = hosts
        .iter()
        .map(|host| Some((host.name.clone(), known.greet(&host.name)?.clone())))
        .collect();
    all.into_iter().collect()
}

fn starttls(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if !facts.asked.may_call {
        return Found::skip(NOT_CALLED);
    }
    let greetings = greetings(known, facts)?;
    if greetings.is_empty() {
        return Found::skip(NO_HOST);
    }
    let (mut good, mut bad, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for (host, greeting) in &greetings {
        match greeting {
            Greeting::Encrypted { version, .. } => good.push(format!("{host} ({version})")),
            Greeting::Plain => bad.push(format!("{host} does not offer STARTTLS")),
            Greeting::Broken(why) => bad.push(format!("{host}: {why}")),
            Greeting::Failed(why) => open.push(format!("{host}: {why}")),
        }
    }
    match (bad.is_empty(), open.is_empty()) {
        (false, _) => Found::fail(bad.join("; ")),
        (_, false) => Found::error(open.join("; ")),
        _ => Found::pass(good.join(", ")),
    }
}

fn certificates(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if !facts.asked.may_call {
        return Found::skip(NOT_CALLED);
    }
    let is_enforced =
        matches!(sts_policy(known, facts)?, Sts::Policy(p) if p.mode == StsMode::Enforce);
    let greetings = greetings(known, facts)?;
    let now = i64::try_from(facts.asked.now.unix_s()).unwrap_or(i64::MAX);
    let (mut good, mut odd) = (Vec::new(), Vec::new());
    for (host, greeting) in &greetings {
        let Greeting::Encrypted { chain, distrust, .. } = greeting else { continue };
        let own = chain.first().and_then(|own| Certificate::parse(own));
        let Some(own) = own else {
            odd.push(format!("{host}: the certificate cannot be read"));
            continue;
        };
        let days = own.not_after.saturating_sub(now) / 86_400;
        if own.not_after < now {
            odd.push(format!("{host}: expired"));
        } else if !own.is_for(host.as_str()) {
            odd.push(format!("{host}: for {}", own.names.join(", ")));
        } else if let Some(why) = distrust {
            odd.push(format!("{host}: {why}"));
        } else if days < 14 {
            odd.push(format!("{host}: expires in {days} days"));
        } else {
            good.push(format!("{host}: {days} days"));
        }
    }
    match (odd.is_empty(), good.is_empty()) {
        (false, _) if is_enforced => Found::fail(odd.join("; ")),
        (false, _) => Found::warn(odd.join("; ")),
        (_, true) => Found::skip("no exchanger showed a certificate"),
        _ => Found::pass(good.join(", ")),
    }
}

fn sts_record(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some(name) = StsRecord::name_of(&facts.asked.name) else { return Found::skip("too long") };
    let texts = match texts(known, &name)? {
        Ok(texts) => texts,
        Err(why) => return Found::error(why),
    };
    match StsRecord::of(texts.iter().map(|text| &**text)) {
        Ok(record) => Found::pass(format!("{name}: id={}", record.id)),
        Err(StsRecordFault::Missing) => Found::info(format!("{name} has no record")).map(|found| {
            found.fixed_by(format!(
                "Publish the policy first, then: {name}. TXT \"v=STSv1; id=1\"; give it another \
                 id whenever the policy changes."
            ))
        }),
        Err(fault) => Found::fail(format!("{name}: {fault}")),
    }
}

/// What the domain's web server says.
enum Sts {
    /// There is no record, or it could not be found out.
    Unannounced,
    /// There is no answer that counts, for this reason; and whether that is open.
    Unfetched(String, bool),
    /// There is one, which cannot be read.
    Unread(StsPolicyFault),
    /// It can.
    Policy(StsPolicy),
}

fn sts_policy(known: &mut Known, facts: &Facts<'_>) -> Option<Sts> {
    let domain = &facts.asked.name;
    let (Some(name), Some(page)) = (StsRecord::name_of(domain), StsPolicy::page_of(domain)) else {
        return Some(Sts::Unannounced);
    };
    let texts = texts(known, &name)?.unwrap_or_default();
    if StsRecord::of(texts.iter().map(|text| &**text)).is_err() {
        return Some(Sts::Unannounced);
    }
    Some(match StsPolicy::of_answer(known.fetch(&page)?) {
        Ok(policy) => Sts::Policy(policy),
        Err(StsFetchFault::Unread(fault)) => Sts::Unread(fault),
        Err(fault) => {
            let is_open = matches!(&fault, StsFetchFault::NoAnswer(failure) if failure.is_open());
            Sts::Unfetched(format!("{page}: {fault}"), is_open)
        }
    })
}

const UNANNOUNCED: &str = "there is no record that announces a policy";

fn sts_fetch(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    match sts_policy(known, facts)? {
        Sts::Unannounced => Found::skip(UNANNOUNCED),
        Sts::Unfetched(why, true) => Found::error(why),
        Sts::Unfetched(why, false) => Found::fail(why),
        Sts::Unread(_) | Sts::Policy(_) => {
            Found::pass("fetched over HTTPS with a good certificate")
        }
    }
}

const DAY: u64 = 86_400;

fn sts_body(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let policy = match sts_policy(known, facts)? {
        Sts::Unannounced => return Found::skip(UNANNOUNCED),
        Sts::Unfetched(..) => return Found::skip("there is no policy to read"),
        Sts::Unread(fault) => return Found::fail(fault.to_string()),
        Sts::Policy(policy) => policy,
    };
    let hosts: Vec<String> = policy.mx.iter().map(ToString::to_string).collect();
    let age = policy.max_age.as_s();
    let evidence =
        format!("mode: {}, max_age: {age}, mx: {}", policy.mode.as_str(), hosts.join(", "));
    match (policy.mode, age) {
        (StsMode::Enforce, age) if age >= DAY * 7 => Found::pass(evidence),
        (StsMode::Enforce, age) if age >= DAY => Found::info(evidence),
        _ => Found::warn(evidence),
    }
}

fn sts_hosts(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Sts::Policy(policy) = sts_policy(known, facts)? else {
        return Found::skip("there is no policy to hold the exchangers against");
    };
    if policy.mode == StsMode::None {
        return Found::skip("the policy is taken back (mode: none)");
    }
    let hosts = facts.mail.hosts();
    if hosts.is_empty() {
        return Found::skip(NO_HOST);
    }
    let outside: Vec<&str> = hosts
        .iter()
        .filter(|host| !policy.allows(&host.name))
        .map(|host| host.name.as_str())
        .collect();
    let evidence = format!("no mx: line is for {}", outside.join(", "));
    let lines: Vec<String> = outside.iter().map(|host| format!("`mx: {host}`")).collect();
    let fix = format!("Add to the policy: {}; then change id= in the record.", lines.join(", "));
    match (outside.is_empty(), policy.mode) {
        (true, _) => Found::pass("every exchanger is among the policy's hosts"),
        (_, StsMode::Enforce) => Found::fail(evidence).map(|found| found.fixed_by(fix)),
        _ => Found::warn(evidence).map(|found| found.fixed_by(fix)),
    }
}

fn tls_reports(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let domain = &facts.asked.name;
    let Some(name) = TlsRptRecord::name_of(domain) else { return Found::skip("too long") };
    let texts = match texts(known, &name)? {
        Ok(texts) => texts,
        Err(why) => return Found::error(why),
    };
    match TlsRptRecord::of(texts.iter().map(|text| &**text)) {
        Ok(record) => Found::pass(format!("{} addresses", record.reports.len())),
        Err(TlsRptFault::Missing) => Found::info(format!("{name} has no record")).map(|found| {
            found.fixed_by(format!(
                "Publish: {name}. TXT \"v=TLSRPTv1; rua=mailto:tlsrpt@{domain}\""
            ))
        }),
        Err(fault) => Found::fail(format!("{name}: {fault}")),
    }
}

/// The TLSA records of a host: those that are signed, or why there are none to go by.
fn tlsa(known: &mut Known, host: &Name) -> Option<Result<Option<TlsaSet>, String>> {
    let Some(name) = TlsaRecord::name_of(host) else { return Some(Ok(None)) };
    Some(match known.ask(&question(&name, Kind::Tlsa))? {
        Answer::Failed(failure) => Err(format!("TLSA of {name}: {failure}")),
        Answer::Found(found) if found.authentic => {
            let records = found.records.iter().filter_map(|record| match record {
                Record::Tlsa(record) => Some(record.clone()),
                _ => None,
            });
            Ok(Some(TlsaSet::of(records)))
        }
        _ => Ok(None),
    })
}

fn dane(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let is_signed = matches!(&facts.mail.published, Exchangers::Hosts { authentic: true, .. });
    if !is_signed {
        return Found::skip("the MX records are not signed, or the resolver does not check that");
    }
    let hosts: Vec<&Name> = facts.mail.hosts().iter().map(|host| &host.name).collect();
    let sets: Vec<Option<_>> = hosts.iter().map(|host| tlsa(known, host)).collect();
    let greetings = if facts.asked.may_call { greetings(known, facts) } else { Some(Vec::new()) };
    let (sets, greetings) = (sets.into_iter().collect::<Option<Vec<_>>>()?, greetings?);
    let now = i64::try_from(facts.asked.now.unix_s()).unwrap_or(i64::MAX);
    let (mut good, mut odd, mut bad, mut open) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (host, set) in hosts.into_iter().zip(sets) {
        let set = match set {
            Ok(Some(set)) => set,
            Ok(None) => {
                odd.push(format!("{host} has no signed TLSA record"));
                continue;
            }
            Err(why) => {
                open.push(why);
                continue;
            }
        };
        if let Some(record) = set.unusable.first() {
            odd.push(format!("{host}: mail does not go by {record}"));
        }
        let greeting = greetings.iter().find(|(name, _)| name == host).map(|(_, g)| g);
        match judged(&set, (host, &facts.asked.name, now), greeting) {
            Ok(said) => good.push(said),
            Err((said, true)) => open.push(said),
            Err((said, false)) => bad.push(said),
        }
    }
    if good.is_empty() && bad.is_empty() && open.is_empty() {
        return Found::skip("no exchanger has a signed TLSA record");
    }
    match (bad.is_empty(), open.is_empty(), odd.is_empty()) {
        (false, ..) => Found::fail(bad.join("; ")),
        (_, false, _) => Found::error(open.join("; ")),
        (.., false) => Found::warn(odd.join("; ")),
        _ => Found::pass(good.join("; ")),
    }
}

/// What a host's certificates are to its records; an error tells whether it is open. A host whose
/// authority is named must have a certificate for its own name, or for the domain whose mail it
/// takes, that holds now (RFC 7672 §3.1.2, §3.2.2).
fn judged(
    set: &TlsaSet,
    (host, next_hop, now): (&Name, &Name, i64),
    greeting: Option<&Greeting>,
) -> Result<String, (String, bool)> {
    let count = set.usable.len();
    match greeting {
        None => Err((format!("{host}: {count} records; {NOT_CALLED}"), true)),
        Some(Greeting::Failed(why)) => Err((format!("{host}: {why}"), true)),
        Some(Greeting::Plain) => Err((format!("{host} has records and no STARTTLS"), false)),
        Some(Greeting::Broken(why)) => Err((format!("{host}: {why}"), false)),
        Some(Greeting::Encrypted { chain, .. }) => {
            let chain: Vec<&[u8]> = chain.iter().map(|certificate| &**certificate).collect();
            match set.held(&chain) {
                Held::EndEntity => Ok(format!("{host}: its certificate is named")),
                Held::TrustAnchor(_) | Held::Published => {
                    let own = chain.first().and_then(|own| Certificate::parse(own));
                    let bad = |why: &str| Err((format!("{host}: the certificate {why}"), false));
                    match own {
                        None => bad("cannot be read"),
                        Some(own)
                            if ![host, next_hop].iter().any(|name| own.is_for(name.as_str())) =>
                        {
                            bad(&format!("is neither for it nor for {next_hop}"))
                        }
                        Some(own) if !own.is_good_at(now) => bad("does not hold now"),
                        Some(_) => Ok(format!("{host}: its authority is named")),
                    }
                }
                Held::Nothing => {
                    let own = chain.first().and_then(|own| Certificate::parse(own));
                    let own = own.map(|own| TlsaRecord::of_key(&own).to_string());
                    let own = own.unwrap_or_default();
                    Err((
                        format!("{host}: no record names its certificate; its key is {own}"),
                        false,
                    ))
                }
            }
        }
    }
}

/// TLS-04 to TLS-11.
pub(crate) static CHECKS: [DomainCheck; 8] = [
    DomainCheck {
        check: Check::of_domain_ungated(
            "TLS-04",
            "Exchangers offer STARTTLS",
            "Give the host a certificate and turn STARTTLS on.",
            "RFC 3207",
        ),
        run: starttls,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "TLS-05",
            "Exchangers' certificates are good",
            "Have the certificate renewed, for the name that the MX has.",
            "RFC 8461 §4.2",
        ),
        run: certificates,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "TLS-06",
            "MTA-STS is announced",
            "Publish one record `v=STSv1; id=…` of letters and digits.",
            "RFC 8461 §3.1",
        ),
        run: sts_record,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "TLS-07",
            "The MTA-STS policy can be fetched",
            "Serve it as text/plain with status 200, without a redirection, with a certificate \
             for mta-sts below the domain.",
            "RFC 8461 §3.3",
        ),
        run: sts_fetch,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "TLS-08",
            "The MTA-STS policy is enforced and kept",
            "Set mode: enforce and max_age: 604800 or more, when reports show no failures.",
            "RFC 8461 §3.2",
        ),
        run: sts_body,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "TLS-09",
            "The MTA-STS policy has every exchanger",
            "Add an mx: line for the host.",
            "RFC 8461 §4.1",
        ),
        run: sts_hosts,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "TLS-10",
            "Failures of encryption are reported",
            "Publish one record `v=TLSRPTv1; rua=mailto:…`.",
            "RFC 8460 §3",
        ),
        run: tls_reports,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "TLS-11",
            "TLSA records name the certificates in use",
            "Publish `3 1 1` with the hash of the new key two TTLs before it is used, and delete \
             the old record after.",
            "RFC 7672 §3",
        ),
        run: dane,
    },
];

#[cfg(test)]
mod tests;
