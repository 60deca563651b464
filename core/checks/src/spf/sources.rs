//! SPF-19 and SPF-20: whether a record has what it was written out from, and everybody who sends.

use std::net::IpAddr;

use postlane_mail::Instant;

use crate::check::Found;
use crate::dns::{Known, Name};
use crate::domain::Facts;

use super::check::{Envelope, Verdict, check_host};
use super::flatten::{FlattenError, Network, flatten};

/// The record held against the one that it was written out from.
pub(super) fn flattened(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some(source) = &facts.asked.spf_source else {
        return Found::skip("the record that this one was made of is not given (--spf-source)");
    };
    let domain = &facts.spf.top.domain;
    let (own, live) = (flatten(known, domain, domain), flatten(known, source, domain));
    let (own, live) = match (own?, live?) {
        (Ok(own), Ok(live)) => (own, live),
        (Err(error @ FlattenError::Open(..)), _) | (_, Err(error @ FlattenError::Open(..))) => {
            return Found::error(error.to_string());
        }
        (Err(error), _) | (_, Err(error)) => return Found::fail(error.to_string()),
    };
    let shown = |all: &[Network]| all.iter().map(Network::to_string).collect::<Vec<_>>().join(" ");
    let (missing, extra) = (own.missing_of(&live), live.missing_of(&own));
    match (missing.is_empty(), extra.is_empty()) {
        (true, true) => Found::pass(format!("it has what {source} has")),
        (true, false) => Found::warn(format!("{source} has no longer: {}", shown(&extra))),
        (false, _) => Found::fail(format!("{source} has, and it has not: {}", shown(&missing)))
            .map(|found| {
                found.fixed_by(format!(
                    "Publish what `postlane spf flatten {domain} --source {source}` writes."
                ))
            }),
    }
}

/// Every address that sends, held against the record.
pub(super) fn sources(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let addresses = &facts.asked.addresses;
    if addresses.is_empty() {
        return Found::skip("no address that sends was given (--ip)");
    }
    covers(known, &facts.spf.top.domain, addresses, facts.asked.now)
}

/// Addresses that send for a domain, held against its record. None if answers are missing.
pub(crate) fn covers(
    known: &mut Known,
    domain: &Name,
    addresses: &[IpAddr],
    now: Instant,
) -> Option<Found> {
    let mail_from = format!("postmaster@{domain}");
    let helo = domain.as_str();
    let verdicts: Vec<Option<(IpAddr, Verdict)>> = addresses
        .iter()
        .map(|address| {
            let address = *address;
            let envelope =
                Envelope { address, helo, mail_from: &mail_from, receiver: "unknown", now };
            Some((address, check_host(known, &envelope)?.verdict))
        })
        .collect();
    let verdicts = verdicts.into_iter().collect::<Option<Vec<_>>>()?;
    let said = |(address, verdict): &(IpAddr, Verdict)| format!("{address} {}", verdict.as_str());
    let evidence = verdicts.iter().map(said).collect::<Vec<_>>().join(", ");
    let missing: Vec<&(IpAddr, Verdict)> =
        verdicts.iter().filter(|(_, verdict)| *verdict != Verdict::Pass).collect();
    if missing.iter().any(|(_, verdict)| *verdict == Verdict::TempError) {
        return Found::error(evidence);
    }
    if missing.is_empty() {
        return Found::pass(evidence);
    }
    let terms = missing.iter().map(|(address, _)| match address {
        IpAddr::V4(v4) => format!("ip4:{v4}"),
        IpAddr::V6(v6) => format!("ip6:{v6}"),
    });
    let terms = terms.collect::<Vec<_>>().join(" ");
    Found::fail(evidence)
        .map(|found| found.fixed_by(format!("Add to the record of {domain}: {terms}")))
}
