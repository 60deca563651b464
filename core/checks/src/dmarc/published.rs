//! DMARC-01 to DMARC-15, as far as they are about a domain: its policy as it is published.

use crate::check::Gate::{Google, Microsoft, Yahoo};
use crate::check::{Check, Found};
use crate::dns::{Answer, Failure, Kind, Known, Name, Question, Record};
use crate::domain::{DomainCheck, Facts, MailExchange};

use super::evaluate::Evaluated;
use super::record::{DmarcRecord, Policy, Psd, RecordFault};
use super::walk::public_suffix_parent;

const NO_POLICY: &str = "there is no policy";

fn found<'f>(facts: &'f Facts<'_>) -> &'f Evaluated {
    &facts.dmarc.tree_walk
}

/// What is asked for, in one word.
fn asks(found: &Evaluated) -> &'static str {
    found.policy.map_or("no policy", Policy::as_str)
}

/// The policy that counts, and where it stands.
fn policy<'f>(facts: &'f Facts<'_>) -> Option<(&'f Name, &'f DmarcRecord)> {
    let found = found(facts);
    Some((found.policy_domain.as_ref()?, found.record.as_ref()?))
}

/// All texts at `_dmarc` below a domain. Outer none: they are not known yet.
fn texts(known: &mut Known, domain: &Name) -> Option<Result<Vec<String>, Failure>> {
    let Ok(name) = Name::parse(&format!("_dmarc.{domain}")) else { return Some(Ok(Vec::new())) };
    let answer = known.ask(&Question { name, kind: Kind::Txt })?;
    if let Answer::Failed(failure) = answer {
        return Some(Err(failure.clone()));
    }
    let texts = answer.records().iter().filter_map(|record| match record {
        Record::Txt(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    });
    Some(Ok(texts.collect()))
}

/// The text of the policy that counts.
fn text(known: &mut Known, facts: &Facts<'_>) -> Option<String> {
    let Some((domain, _)) = policy(facts) else { return Some(String::new()) };
    let texts = texts(known, domain)?.unwrap_or_default();
    Some(texts.into_iter().find(|t| DmarcRecord::parse(t.as_bytes()).is_some()).unwrap_or_default())
}

fn looks_like_one(text: &str) -> bool {
    let start: String = text.chars().filter(|c| !c.is_whitespace()).take(7).collect();
    start.eq_ignore_ascii_case("v=DMARC")
}

fn present(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let found = found(facts);
    if let Some(failure) = &found.failure {
        return Found::error(failure.to_string());
    }
    let text = text(known, facts)?;
    let name = &facts.asked.name;
    match policy(facts) {
        Some((domain, _)) => Found::pass(format!("_dmarc.{domain} TXT \"{text}\"")),
        None => Found::fail(format!("neither _dmarc.{name} nor a name above it has a policy")).map(
            |found| {
                found.fixed_by(format!(
                    "Publish: _dmarc.{name}. TXT \"v=DMARC1; p=none; rua=mailto:dmarc@{name}\""
                ))
            },
        ),
    }
}

fn single(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    match texts(known, &facts.asked.name)? {
        Err(failure) => Found::error(failure.to_string()),
        Ok(texts) => {
            let records: Vec<&String> = texts.iter().filter(|text| looks_like_one(text)).collect();
            match (records.len(), policy(facts)) {
                (2.., _) => {
                    let all: Vec<&str> = records.iter().map(|text| text.as_str()).collect();
                    Found::fail(format!("none of them counts: {}", all.join(" | ")))
                }
                (1, _) => Found::pass("one record"),
                (_, Some((domain, _))) => Found::pass(format!("one record, at _dmarc.{domain}")),
                _ => Found::skip(NO_POLICY),
            }
        }
    }
}

fn syntax(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let texts = match texts(known, &facts.asked.name)? {
        Ok(texts) => texts,
        Err(failure) => return Found::error(failure.to_string()),
    };
    let unread = texts
        .iter()
        .find(|text| looks_like_one(text) && DmarcRecord::parse(text.as_bytes()).is_none());
    if let Some(text) = unread {
        return Found::fail(format!("it is read over as a whole: {text}"));
    }
    let Some((_, record)) = policy(facts) else { return Found::skip(NO_POLICY) };
    let odd: Vec<String> = record
        .faults
        .iter()
        .filter(|fault| !matches!(fault, RecordFault::Obsolete(_) | RecordFault::Policy))
        .map(ToString::to_string)
        .collect();
    if odd.is_empty() { Found::pass("every tag can be read") } else { Found::warn(odd.join("; ")) }
}

fn strength(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some((domain, record)) = policy(facts) else { return Found::skip(NO_POLICY) };
    let effective = found(facts).policy.unwrap_or(record.policy);
    let evidence = format!("{} for {} (from {domain})", effective.as_str(), facts.asked.name);
    if record.faults.contains(&RecordFault::Policy) {
        return Found::warn("p= is missing or cannot be read, which counts as none");
    }
    let fix = format!(
        "When reports show that all your mail is aligned, publish at _dmarc.{domain}: \
         \"v=DMARC1; p=quarantine; rua=…\", and later p=reject."
    );
    match (effective, record.is_testing) {
        (_, true) => Found::warn(format!(
            "{evidence}; t=y lets it off one step, and who goes by RFC 7489 does not know it: {}",
            asks(&facts.dmarc.public_suffixes)
        )),
        (Policy::None, _) => Found::warn(evidence).map(|found| found.fixed_by(fix)),
        _ => Found::pass(evidence),
    }
}

fn below(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some((_, record)) = policy(facts) else { return Found::skip(NO_POLICY) };
    let weaker = [("sp", record.subdomain_policy), ("np", record.missing_policy)]
        .into_iter()
        .find_map(|(tag, policy)| policy.filter(|p| *p < record.policy).map(|p| (tag, p)));
    match weaker {
        Some((tag, policy)) => Found::warn(format!(
            "{tag}={} is weaker than p={}",
            policy.as_str(),
            record.policy.as_str()
        )),
        None => Found::pass("names below are asked for no less"),
    }
}

/// The host of a `mailto:` address for reports, without a limit of size.
fn report_host(address: &str) -> Option<Name> {
    let address = address
        .get(..7)
        .filter(|s| s.eq_ignore_ascii_case("mailto:"))
        .and_then(|_| address.get(7..))?;
    let address = address.split('!').next()?;
    Name::parse(address.rsplit_once('@')?.1).ok()
}

fn reports(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some((domain, record)) = policy(facts) else { return Found::skip(NO_POLICY) };
    let shown = record.reports.join(", ");
    let unread = record.reports.iter().any(|address| {
        report_host(address).is_none() && !address.to_ascii_lowercase().starts_with("https:")
    });
    let has_mail = record.reports.iter().any(|address| report_host(address).is_some());
    match (record.reports.len(), unread, has_mail) {
        (0, ..) => {
            Found::warn("there is no rua=: nobody tells you who uses your name").map(|found| {
                found.fixed_by(format!("Add to _dmarc.{domain}: rua=mailto:dmarc@{domain}"))
            })
        }
        (_, true, _) => Found::fail(format!("rua={shown}")),
        (3.., ..) => Found::info(format!("rua={shown}: some stop at two")),
        (_, _, true) => Found::pass(format!("rua={shown}")),
        _ => Found::warn(format!("rua={shown}: no mailto:, and few send otherwise")),
    }
}

/// Hosts of reports, each once. Chosen, not measured: a record keeps 20 addresses.
fn report_hosts(record: &DmarcRecord) -> Vec<Name> {
    let all = record.reports.iter().chain(&record.failures);
    let mut hosts: Vec<Name> = all.filter_map(|address| report_host(address)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

fn organisation(name: &Name) -> Name {
    public_suffix_parent(name).unwrap_or_else(|| name.clone())
}

fn authorised(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some((domain, record)) = policy(facts) else { return Found::skip(NO_POLICY) };
    let mut external = report_hosts(record);
    external.retain(|host| organisation(host) != organisation(domain));
    if external.is_empty() {
        return Found::pass("reports stay within the organisation");
    }
    let answers: Vec<Option<Result<bool, Failure>>> =
        external.iter().map(|host| allows(known, domain, host)).collect();
    let answers = answers.into_iter().collect::<Option<Vec<_>>>()?;
    let (mut refused, mut open) = (Vec::new(), Vec::new());
    for (host, answer) in external.iter().zip(answers) {
        match answer {
            Ok(true) => {}
            Ok(false) => refused.push(format!("{domain}._report._dmarc.{host}")),
            Err(failure) => open.push(format!("{host}: {failure}")),
        }
    }
    if !refused.is_empty() {
        let names = refused.join(", ");
        return Found::fail(format!("there is no record at {names}")).map(|found| {
            found.fixed_by(format!("Have published there: {names}. TXT \"v=DMARC1\""))
        });
    }
    if !open.is_empty() {
        return Found::error(open.join("; "));
    }
    let hosts: Vec<&str> = external.iter().map(Name::as_str).collect();
    Found::pass(format!("{} take reports about {domain}", hosts.join(", ")))
}

/// Whether a host says that it takes reports about a domain.
fn allows(known: &mut Known, domain: &Name, host: &Name) -> Option<Result<bool, Failure>> {
    let Ok(name) = Name::parse(&format!("{domain}._report._dmarc.{host}")) else {
        return Some(Ok(false));
    };
    let answer = known.ask(&Question { name, kind: Kind::Txt })?;
    if let Answer::Failed(failure) = answer {
        return Some(Err(failure.clone()));
    }
    let says = |record: &Record| match record {
        Record::Txt(text) => {
            let text = String::from_utf8_lossy(text);
            let first = text.split(';').next().unwrap_or_default();
            first.split_once('=').is_some_and(|(n, v)| (n.trim(), v.trim()) == ("v", "DMARC1"))
        }
        _ => false,
    };
    Some(Ok(answer.records().iter().any(says)))
}

/// The value of a tag as it is written.
fn tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let tags = text.split(';').filter_map(|piece| piece.split_once('='));
    tags.map(|(n, v)| (n.trim(), v.trim()))
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v)
}

fn obsolete(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let text = text(known, facts)?;
    let Some((_, record)) = policy(facts) else { return Found::skip(NO_POLICY) };
    let old: Vec<&str> = record
        .faults
        .iter()
        .filter_map(|fault| match fault {
            RecordFault::Obsolete(tag) => Some(&**tag),
            _ => None,
        })
        .collect();
    match (old.is_empty(), tag(&text, "pct")) {
        (true, _) => Found::pass("nothing that was taken back"),
        (_, Some("0")) => Found::fail(format!(
            "pct=0: no longer looked at (RFC 9989), and by RFC 7489 it asks for {}",
            asks(&facts.dmarc.public_suffixes)
        )),
        _ => Found::warn(format!("{}= is no longer looked at", old.join("=, "))),
    }
}

/// Tags of RFC 9989, and those of RFC 7489 that were taken back.
const TAGS: [&str; 14] =
    ["v", "p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo", "pct", "rf", "ri"];

fn oddities(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let text = text(known, facts)?;
    let Some((domain, record)) = policy(facts) else { return Found::skip(NO_POLICY) };
    let mut odd = Vec::new();
    if record.psd == Psd::Yes && public_suffix_parent(domain).is_some() {
        odd.push("psd=y: the domain says that others register names below it".to_owned());
    }
    if record.reports.iter().chain(&record.failures).any(|address| address.contains('!')) {
        odd.push("a limit of size (!10m) behind an address is no longer looked at".to_owned());
    }
    if let Some(fo) = tag(&text, "fo") {
        let has = |wanted: &str| fo.split(':').any(|o| o.trim() == wanted);
        if has("0") && has("1") {
            odd.push(format!("fo={fo}: 0 and 1 exclude each other"));
        }
    }
    if !odd.is_empty() {
        return Found::warn(odd.join("; "));
    }
    let names = text.split(';').filter_map(|piece| Some(piece.split_once('=')?.0.trim()));
    let unknown: Vec<&str> =
        names.filter(|name| !TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(name))).collect();
    if unknown.is_empty() {
        Found::pass("every tag is one that there is")
    } else {
        Found::info(format!("read over: {}", unknown.join(", ")))
    }
}

fn failures(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some((_, record)) = policy(facts) else { return Found::skip(NO_POLICY) };
    if record.failures.is_empty() {
        return Found::pass("no reports of single failures are asked for");
    }
    Found::info(format!(
        "ruf={}: few send them, and they hold what others have written",
        record.failures.join(", ")
    ))
}

fn same_both_ways(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let report = &facts.dmarc;
    let (walk, list) = (&report.tree_walk, &report.public_suffixes);
    if let Some(failure) = walk.failure.as_ref().or(list.failure.as_ref()) {
        return Found::error(failure.to_string());
    }
    let own = |found: &Evaluated| format!("{}", found.organisation);
    // Without any record the walk finds no organisation above the domain, and nothing follows.
    let is_same = walk.organisation == list.organisation || walk.record.is_none();
    if is_same && walk.policy_domain == list.policy_domain {
        let both = format!("organisation {}, {}", own(list), asks(walk));
        return match walk.policy == list.policy {
            true => Found::pass(both),
            // Of one record: RFC 7489 knows neither t= nor np=, and RFC 9989 no pct=.
            false => Found::info(format!("{both} by RFC 9989, {} by RFC 7489", asks(list))),
        };
    }
    Found::warn(format!(
        "by RFC 9989 {} ({}), by the list of public suffixes {} ({})",
        own(walk),
        asks(walk),
        own(list),
        asks(list)
    ))
    .map(|found| {
        found.fixed_by(format!(
            "Publish at _dmarc.{}: \"v=DMARC1; p={}; psd=n\"",
            list.organisation,
            walk.policy.or(list.policy).map_or("none", Policy::as_str)
        ))
    })
}

fn misplaced(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let apex = facts.asked.name.clone();
    let wild = Name::parse(&format!("postlane-no-such-name.{apex}")).ok();
    let apex_text = known.ask(&Question { name: apex.clone(), kind: Kind::Txt }).cloned();
    let wild_text = match wild {
        Some(name) => known.ask(&Question { name, kind: Kind::Txt }).cloned(),
        None => Some(Answer::NoName),
    };
    let has = |answer: &Answer| {
        answer.records().iter().any(|record| match record {
            Record::Txt(text) => looks_like_one(&String::from_utf8_lossy(text)),
            _ => false,
        })
    };
    let (apex_text, wild_text) = (apex_text?, wild_text?);
    match (has(&apex_text), has(&wild_text), &apex_text) {
        (true, ..) => Found::warn(format!("{apex} itself has a policy, where nobody looks")),
        (_, true, _) => Found::warn(format!("*.{apex} has a policy: every name below seems to")),
        (_, _, Answer::Failed(failure)) => Found::error(failure.to_string()),
        _ => Found::pass("policies stand at _dmarc only"),
    }
}

fn reports_arrive(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some((_, record)) = policy(facts) else { return Found::skip(NO_POLICY) };
    let hosts = report_hosts(record);
    if hosts.is_empty() {
        return Found::skip("no reports by mail are asked for");
    }
    let all: Vec<Option<MailExchange>> =
        hosts.iter().map(|host| MailExchange::of(known, host)).collect();
    let all = all.into_iter().collect::<Option<Vec<_>>>()?;
    if let Some(failure) = all.iter().find_map(MailExchange::failure) {
        return Found::error(failure.to_string());
    }
    let deaf: Vec<&str> =
        all.iter().filter(|mail| !mail.takes_mail()).map(|mail| mail.domain.as_str()).collect();
    if deaf.is_empty() {
        Found::pass("the domains of all addresses take mail; how large is not known")
    } else {
        Found::fail(format!("nobody takes mail for {}", deaf.join(", ")))
    }
}

/// DMARC-01 to DMARC-15 without those of a message.
pub(crate) static DOMAIN_CHECKS: [DomainCheck; 13] = [
    DomainCheck {
        check: Check::of_domain(
            "DMARC-01",
            "There is a policy",
            &[Google, Yahoo, Microsoft],
            "Publish `v=DMARC1; p=none; rua=mailto:…` at _dmarc below the domain.",
            "RFC 9989 §4.10.1",
        ),
        run: present,
    },
    DomainCheck {
        check: Check::of_domain(
            "DMARC-02",
            "There is one policy",
            &[Google, Yahoo, Microsoft],
            "Delete all records but one.",
            "RFC 9989 §4.10",
        ),
        run: single,
    },
    DomainCheck {
        check: Check::of_domain(
            "DMARC-03",
            "The policy can be read",
            &[Google, Yahoo, Microsoft],
            "Begin with v=DMARC1 in exactly these letters, and put semicolons between tags.",
            "RFC 9989 §4.7, §4.8",
        ),
        run: syntax,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-05",
            "The policy asks for something",
            "Publish p=quarantine or p=reject when all your mail is aligned; take t=y out.",
            "RFC 9989 §4.7",
        ),
        run: strength,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-06",
            "Names below are asked for no less",
            "Take sp= and np= out, or make them as strict as p=.",
            "RFC 9989 §4.7",
        ),
        run: below,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-07",
            "Reports go somewhere",
            "Add rua=mailto: and an address.",
            "RFC 9989 §4.7",
        ),
        run: reports,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-08",
            "Who gets reports has agreed",
            "Have the other domain publish `v=DMARC1` at DOMAIN._report._dmarc below it.",
            "RFC 9990, verifying external destinations",
        ),
        run: authorised,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-09",
            "No tags that were taken back",
            "Take pct=, rf= and ri= out; t=y is for trying out.",
            "RFC 9989 appendix A.6",
        ),
        run: obsolete,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-10",
            "No tags that do harm",
            "Take the tag out.",
            "RFC 9989 §4.7",
        ),
        run: oddities,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-12",
            "Reports of single failures",
            "Leave ruf= out.",
            "RFC 9991",
        ),
        run: failures,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-13",
            "Old and new receivers find the same policy",
            "Publish a record with psd=n at the organisation's domain.",
            "RFC 9989 §4.10.2",
        ),
        run: same_both_ways,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-14",
            "Policies stand where they are looked for",
            "Delete it, and publish it at _dmarc below the domain.",
            "RFC 9989 §4.7",
        ),
        run: misplaced,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "DMARC-15",
            "Reports arrive",
            "Name an address whose domain takes mail, of 10 MB at least.",
            "RFC 9990, transport",
        ),
        run: reports_arrive,
    },
];
