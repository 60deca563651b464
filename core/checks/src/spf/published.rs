//! SPF-01 to SPF-22, as far as they are about a domain: its record as it is published.

use std::net::IpAddr;

use postlane_mail::Span;

use crate::check::Gate::{Google, Microsoft, Yahoo};
use crate::check::{Check, Found, Outcome};
use crate::dns::{Kind, Known, Name, Question, Record};
use crate::domain::{DomainCheck, Facts};
use crate::network::is_public;

use super::record::{Mechanism, Qualifier, SpfRecord, Term};
use super::sources::{flattened, sources};
use super::survey::Published;

const NO_RECORD: &str = "there is no one record to look at";

/// The domain's own record with its text.
fn own<'f>(facts: &'f Facts<'_>) -> Option<(&'f str, &'f SpfRecord)> {
    match &facts.spf.top.published {
        Published::One { text, record, .. } => Some((text, record)),
        _ => None,
    }
}

fn names(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

/// At the end of a count that may be higher.
fn open(facts: &Facts<'_>) -> Option<Found> {
    let open = &facts.spf.open;
    (!open.is_empty())
        .then(|| Found::new(Outcome::Error, format!("could not be found out: {}", names(open))))
}

fn present(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let domain = &facts.spf.top.domain;
    match &facts.spf.top.published {
        Published::One { text, ttl, .. } => {
            Found::pass(format!("{domain} TXT \"{text}\" (TTL {} s)", ttl.as_s()))
        }
        Published::Many(texts) => Found::pass(format!("{domain} has {} records", texts.len())),
        Published::Open(failure) => Found::error(format!("TXT of {domain}: {failure}")),
        _ => Found::fail(format!("{domain} has no TXT record that begins with v=spf1"))
            .map(|found| found.fixed_by(suggested(facts))),
    }
}

/// A record to begin with: what takes the domain's mail may send it, and others are looked at
/// askance until somebody has named them.
fn suggested(facts: &Facts<'_>) -> String {
    let domain = &facts.spf.top.domain;
    format!(
        "Publish: {domain}. TXT \"v=spf1 mx ~all\", with ip4:, ip6: or include: for whatever else \
         sends for it."
    )
}

fn single(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    match &facts.spf.top.published {
        Published::One { .. } => Found::pass("one record"),
        Published::Many(texts) => Found::fail(texts.join(" | ")),
        Published::Open(failure) => Found::error(failure.to_string()),
        _ => Found::skip("there is no record"),
    }
}

fn syntax(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if own(facts).is_none() {
        return Found::skip(NO_RECORD);
    }
    let mut wrong = Vec::new();
    for branch in facts.spf.branches() {
        if let Published::One { faults, .. } = &branch.published {
            let of = faults.iter().map(|f| format!("{}, column {}: {f}", branch.domain, f.at + 1));
            wrong.extend(of);
        }
    }
    if wrong.is_empty() {
        Found::pass("every term can be read")
    } else {
        Found::fail(wrong.join("; "))
    }
}

fn lookups(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if own(facts).is_none() {
        return Found::skip(NO_RECORD);
    }
    let survey = &facts.spf;
    let at_least = if survey.is_cut { "at least " } else { "" };
    let evidence = format!("{at_least}{} of 10 lookups at worst", survey.lookups);
    match survey.lookups {
        11.. => Found::fail(evidence),
        _ if !survey.open.is_empty() => open(facts),
        9.. => Found::warn(evidence),
        _ => Found::pass(evidence),
    }
}

fn voids(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if own(facts).is_none() {
        return Found::skip(NO_RECORD);
    }
    let voids = &facts.spf.voids;
    let evidence = format!("nothing at {}", names(voids));
    match voids.len() {
        3.. => Found::fail(evidence),
        _ if !facts.spf.open.is_empty() => open(facts),
        0 => Found::pass("every name leads somewhere"),
        _ => Found::warn(evidence),
    }
}

fn exchangers(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if own(facts).is_none() {
        return Found::skip(NO_RECORD);
    }
    match facts.spf.many_exchangers.as_slice() {
        [] => Found::pass("no mx term means more than 10 exchangers"),
        many => Found::fail(format!("more than 10 exchangers at {}", names(many))),
    }
}

fn time(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if own(facts).is_none() {
        return Found::skip(NO_RECORD);
    }
    let took: Vec<Span> = facts.spf.asked.iter().filter_map(|q| known.took(q)).collect();
    if took.is_empty() {
        return Found::skip("how long questions took was not measured");
    }
    let ms: u64 = took.iter().map(|span| span.as_ms()).sum();
    let evidence = format!("{ms} ms for {} questions, one behind the other", took.len());
    match ms {
        0..2_000 => Found::pass(evidence),
        2_000..=20_000 => Found::warn(evidence),
        _ => Found::fail(evidence),
    }
}

/// Every term of every record, with whose it is.
fn terms<'f>(facts: &'f Facts<'_>) -> Vec<(&'f Name, &'f Term)> {
    let mut all = Vec::new();
    for branch in facts.spf.branches() {
        if let Published::One { record, .. } = &branch.published {
            all.extend(record.terms.iter().map(|term| (&branch.domain, term)));
        }
    }
    all
}

fn pointers(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if own(facts).is_none() {
        return Found::skip(NO_RECORD);
    }
    let found = terms(facts).into_iter().filter(|(_, t)| matches!(t.mechanism, Mechanism::Ptr(_)));
    let found: Vec<String> = found.map(|(name, term)| format!("{} at {name}", term.text)).collect();
    if found.is_empty() { Found::pass("there is no ptr") } else { Found::warn(found.join(", ")) }
}

fn terminal(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some((text, _)) = own(facts) else { return Found::skip(NO_RECORD) };
    match facts.spf.terminal() {
        Some(Qualifier::Fail) => Found::pass("-all"),
        Some(Qualifier::SoftFail) => Found::pass("~all"),
        Some(Qualifier::Neutral) => Found::warn(format!("?all says nothing of others: {text}")),
        Some(Qualifier::Pass) => Found::fail(format!("everybody may send: {text}")),
        None => Found::warn(format!("the record says nothing of others: {text}")),
    }
}

fn targets(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some((_, record)) = own(facts) else { return Found::skip(NO_RECORD) };
    let _ = record;
    let (mut bare, mut open, mut count) = (Vec::new(), Vec::new(), 0);
    for branch in facts.spf.branches().into_iter().skip(1) {
        let via = branch.via.as_deref().unwrap_or_default();
        count += 1;
        match &branch.published {
            Published::Nothing => bare.push(format!("{via} {}: no record", branch.domain)),
            Published::Many(_) => bare.push(format!("{via} {}: several records", branch.domain)),
            Published::Open(failure) => open.push(format!("{}: {failure}", branch.domain)),
            Published::One { .. } | Published::Loop | Published::Cut => {}
        }
    }
    match (bare.is_empty(), open.is_empty(), count) {
        (false, ..) => Found::fail(bare.join("; ")),
        (_, false, _) => Found::error(open.join("; ")),
        (.., 0) => Found::pass("the record leads to no other"),
        _ => Found::pass(format!("{count} records below it, all there")),
    }
}

fn loops(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if own(facts).is_none() {
        return Found::skip(NO_RECORD);
    }
    let survey = &facts.spf;
    match (survey.loops.first(), survey.repeated.as_slice()) {
        (Some(way), _) => Found::fail(format!("it leads back to itself: {way}")),
        (None, []) => Found::pass("no record is looked at twice"),
        (None, repeated) => Found::warn(format!("looked at twice: {}", names(repeated))),
    }
}

fn dead_terms(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some((text, record)) = own(facts) else { return Found::skip(NO_RECORD) };
    let Published::One { faults, .. } = &facts.spf.top.published else {
        return Found::skip(NO_RECORD);
    };
    if let Some(twice) = faults.iter().find(|f| f.why == super::record::Why::Twice) {
        return Found::fail(twice.to_string());
    }
    let all = record.terms.iter().position(|term| term.mechanism == Mechanism::All);
    let behind = all.map_or(0, |at| record.terms.len() - at - 1);
    match (all, behind, &record.redirect) {
        (Some(_), 1.., _) => Found::warn(format!("terms behind all are not looked at: {text}")),
        (Some(_), _, Some(_)) => Found::warn(format!("redirect= beside all does nothing: {text}")),
        _ => Found::pass("every term counts"),
    }
}

fn size(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Published::One { text, octets, .. } = &facts.spf.top.published else {
        return Found::skip(NO_RECORD);
    };
    let answer = octets + facts.spf.top.domain.as_str().len() + 29;
    let evidence = format!("{} octets, about {answer} in the answer", text.len());
    match (text.len(), answer) {
        (0..=450, 0..=1232) => Found::pass(evidence),
        (_, 0..=1232) => Found::warn(evidence),
        _ => Found::warn(format!("{evidence}, which needs TCP")),
    }
}

fn space(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if own(facts).is_none() {
        return Found::skip(NO_RECORD);
    }
    let count = facts.spf.addresses();
    let evidence = format!("{count} IPv4 addresses may send");
    match count {
        0..=65_536 => Found::pass(evidence),
        65_537..=16_777_216 => Found::warn(evidence),
        _ => Found::fail(evidence),
    }
}

fn obsolete(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let domain = &facts.spf.top.domain;
    let old = Question { name: domain.clone(), kind: Kind::Spf };
    let has_type = !known.ask(&old)?.records().is_empty();
    let texts = known.ask(&Question { name: domain.clone(), kind: Kind::Txt })?;
    let is_sender_id = |record: &Record| match record {
        Record::Txt(text) => text.starts_with(b"spf2.0/"),
        _ => false,
    };
    let has_sender_id = texts.records().iter().any(is_sender_id);
    match (has_type, has_sender_id) {
        (true, _) => Found::warn(format!("{domain} has a record of type SPF (99)")),
        (_, true) => Found::info(format!("{domain} has a record of Sender ID (spf2.0/…)")),
        _ => Found::pass("nothing of what is out of use"),
    }
}

fn nonsense(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if own(facts).is_none() {
        return Found::skip(NO_RECORD);
    }
    let mut odd = Vec::new();
    for (name, term) in terms(facts) {
        let (address, prefix, bits) = match &term.mechanism {
            Mechanism::Ip4(address, prefix) => (IpAddr::V4(*address), *prefix, 32),
            Mechanism::Ip6(address, prefix) => (IpAddr::V6(*address), *prefix, 128),
            _ => continue,
        };
        if !is_public(address) {
            odd.push(format!("{} at {name}: nobody on the internet sends from there", term.text));
        } else if has_host_bits(address, prefix) {
            odd.push(format!("{} at {name}: the address is not the network's first", term.text));
        } else if prefix == 0 && bits > 0 {
            odd.push(format!("{} at {name}: that is everybody", term.text));
        }
    }
    for branch in facts.spf.branches() {
        let Published::One { faults, .. } = &branch.published else { continue };
        for fault in faults {
            let value = fault.term.split_once(':').map_or("", |(_, value)| value);
            let value = value.split('/').next().unwrap_or_default();
            if value.parse::<IpAddr>().is_ok() {
                odd.push(format!("{} at {}: another term was meant", fault.term, branch.domain));
            }
        }
    }
    if odd.is_empty() {
        Found::pass("every network makes sense")
    } else {
        Found::warn(odd.join("; "))
    }
}

fn has_host_bits(address: IpAddr, prefix: u8) -> bool {
    match address {
        IpAddr::V4(v4) => u32::from(v4) & u32::MAX.checked_shr(prefix.into()).unwrap_or(0) != 0,
        IpAddr::V6(v6) => u128::from(v6) & u128::MAX.checked_shr(prefix.into()).unwrap_or(0) != 0,
    }
}

fn parked(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let takes_mail = facts.mail.takes_mail();
    match (own(facts), facts.spf.is_parked()) {
        (Some(_), true) => Found::pass("the domain says that it sends no mail"),
        (Some(_), false) => Found::skip("the domain sends mail"),
        (None, _) if takes_mail => Found::skip("the domain is in use for mail"),
        (None, _) => Found::info("the domain takes no mail and does not say that it sends none")
            .map(|found| {
                let domain = &facts.spf.top.domain;
                found.fixed_by(format!("Publish: {domain}. TXT \"v=spf1 -all\""))
            }),
    }
}

fn ttl(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Published::One { ttl, .. } = &facts.spf.top.published else {
        return Found::skip(NO_RECORD);
    };
    let evidence = format!("{} s (what the resolver has left of it)", ttl.as_s());
    match ttl.as_s() {
        300..=86_400 => Found::pass(evidence),
        _ => Found::info(evidence),
    }
}

/// SPF-01 to SPF-22 without those of a message and of an address.
pub(crate) static DOMAIN_CHECKS: [DomainCheck; 20] = [
    DomainCheck {
        check: Check::of_domain(
            "SPF-01",
            "The return-path's domain says who may send",
            &[Google, Yahoo, Microsoft],
            "Publish a record `v=spf1 … ~all`.",
            "RFC 7208 §3.1",
        ),
        run: present,
    },
    DomainCheck {
        check: Check::of_domain(
            "SPF-02",
            "There is one record",
            &[Google, Yahoo, Microsoft],
            "Make one record of them: all terms behind one v=spf1, one all at the end.",
            "RFC 7208 §3.2, §4.5",
        ),
        run: single,
    },
    DomainCheck {
        check: Check::of_domain(
            "SPF-03",
            "Every term can be read",
            &[Google, Yahoo, Microsoft],
            "Correct the term: one that cannot be read makes the whole record worthless.",
            "RFC 7208 §4.6, §7, §12",
        ),
        run: syntax,
    },
    DomainCheck {
        check: Check::of_domain(
            "SPF-05",
            "At most 10 terms cost a question",
            &[Google, Yahoo, Microsoft],
            "Drop includes that nobody needs, or write out the addresses of those that change \
             seldom.",
            "RFC 7208 §4.6.4",
        ),
        run: lookups,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-06",
            "Every name leads somewhere",
            "Take the names out that have nothing.",
            "RFC 7208 §4.6.4",
        ),
        run: voids,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-07",
            "No mx term means more than 10 hosts",
            "Name the networks with ip4: and ip6: instead.",
            "RFC 7208 §4.6.4",
        ),
        run: exchangers,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-08",
            "The record is evaluated in time",
            "Have fewer includes, or name servers that answer faster.",
            "RFC 7208 §4.6.4",
        ),
        run: time,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-09",
            "There is no ptr",
            "Name the addresses with ip4:, ip6: or a: instead.",
            "RFC 7208 §5.5",
        ),
        run: pointers,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-10",
            "The record says what follows for others",
            "End it with ~all (with a DMARC policy) or -all.",
            "RFC 7208 §4.7, §5.1",
        ),
        run: terminal,
    },
    DomainCheck {
        check: Check::of_domain(
            "SPF-11",
            "Records that it leads to are there",
            &[Google, Yahoo, Microsoft],
            "Take the include: or redirect= out, or have its owner publish the record.",
            "RFC 7208 §5.2, §6.1",
        ),
        run: targets,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-12",
            "No record leads back to itself",
            "Take the include: out that closes the circle, or stands there twice.",
            "RFC 7208 §5.2",
        ),
        run: loops,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-13",
            "Every term counts",
            "Put all last, without redirect= beside it.",
            "RFC 7208 §5.1, §6",
        ),
        run: dead_terms,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-14",
            "The answer fits into one datagram",
            "Move networks into a record of their own and include it; take out texts at the same \
             name that nobody needs.",
            "RFC 7208 §3.3, §3.4",
        ),
        run: size,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-15",
            "Not half the internet may send",
            "Name smaller networks.",
            "RFC 7208 §11.4; the limits are chosen",
        ),
        run: space,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-16",
            "Nothing of what is out of use",
            "Delete it: nobody reads it, or only wrong.",
            "RFC 7208 §3.1, appendix C",
        ),
        run: obsolete,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-18",
            "Every network makes sense",
            "Correct the term.",
            "RFC 7208 §5.6",
        ),
        run: nonsense,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-19",
            "A flattened record has what its source has",
            "Make it anew of its source.",
            "RFC 7208 §10.1.2",
        ),
        run: flattened,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-20",
            "Every address that sends may",
            "Add the addresses to the record.",
            "RFC 7208 §2.6",
        ),
        run: sources,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-21",
            "A domain that sends nothing says so",
            "Publish `v=spf1 -all`.",
            "M3AAWG, protecting parked domains",
        ),
        run: parked,
    },
    DomainCheck {
        check: Check::of_domain_ungated(
            "SPF-22",
            "The record can be changed within a day",
            "Set a TTL of 300 to 86400 s.",
            "RFC 1912 §2.2",
        ),
        run: ttl,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_failed_is_told_from_one_that_is_not_there() {
        assert!(!crate::dns::Answer::Failed(crate::dns::Failure::TimedOut).is_void());
        assert!(has_host_bits("192.0.2.1".parse().unwrap(), 24));
        assert!(!has_host_bits("192.0.2.0".parse().unwrap(), 24));
        assert!(!has_host_bits("2001:db8::1".parse().unwrap(), 128));
    }
}
