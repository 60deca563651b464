//! The look: the message, the address that brought it, and the domains in its name, as one.

use std::time::{Duration, Instant as Started};

use postlane_checks::address::{Sender, address_checks, check_address};
use postlane_checks::message::Message;
use postlane_checks::{
    Arrived, Authentication, Check, Client, Finding, KeysSeen, Known, Name, Outcome,
    Report as Looked, SendingDomain, Session, check_domain, check_message, domain_checks,
    message_checks,
};
use postlane_inspection::{Asked, Endless, message_as_json};
use postlane_mail::Instant;
use postlane_net::dns::Resolver;

use crate::arrival::Arrival;
use crate::breakage::breakages;
use crate::headers;
use crate::report::Report;

/// How long a look may take: name servers of strangers may be slow for ever. Chosen, not measured.
const PATIENCE: Duration = Duration::from_secs(90);

/// Checks of a domain that would call hosts which the sender names: its name servers, its web
/// servers, its exchangers.
const CALLING: [&str; 17] = [
    "DNS-14", "DNS-15", "DNS-19", "TLS-04", "TLS-05", "TLS-07", "TLS-08", "TLS-09", "TLS-11",
    "BIMI-03", "BIMI-04", "IDN-12", "IDN-13", "BULK-05", "BULK-06", "BULK-07", "CNT-04",
];

const NOT_CALLED: &str =
    "hosts that a stranger's message names are neither called nor fetched from";

/// Why there is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReport {
    /// The questions do not end, or the answers take too long.
    Endless,
}

impl std::fmt::Display for NoReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the questions to the DNS do not end in time")
    }
}

/// Looks at a message that has come, asking this resolver alone.
///
/// # Errors
///
/// If its questions do not end in time.
pub async fn inspect(
    arrival: &Arrival,
    message: &[u8],
    resolver: &Resolver,
) -> Result<Report, NoReport> {
    let started = Started::now();
    let mut known = Known::new();
    let asked = Asked::Declining(resolver.clone(), NOT_CALLED);
    let found = asked.until_found(&mut known, |known| look(known, arrival, message));
    let found = tokio::time::timeout(PATIENCE, found).await;
    let found = found.map_err(|_| NoReport::Endless)?;
    let mut report = found.map_err(|Endless| NoReport::Endless)?;
    report.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

/// One round. None if answers are missing.
pub(crate) fn look(known: &mut Known, arrival: &Arrival, octets: &[u8]) -> Option<Report> {
    let now = Instant(arrival.at_us);
    let session = match &arrival.tls {
        Some(tls) => Session::Encrypted { version: &tls.version, cipher: &tls.cipher },
        None if arrival.tls_offered => Session::Plain,
        None => Session::Unoffered,
    };
    let (helo, mail_from) = (arrival.helo.as_str(), arrival.mail_from.as_str());
    let arrived = Arrived {
        message: Message::new(octets),
        now,
        is_utf8: arrival.smtputf8,
        client: Some(Client { address: arrival.client, helo, mail_from }),
        session,
        is_transactional: false,
        may_fetch: false,
    };
    let bounces_to = mail_from.rsplit_once('@').and_then(|(_, host)| Name::parse(host).ok());
    let sends_for = bounces_to.as_ref();
    let sender = Sender { address: arrival.client, helo: Some(helo), sends_for, may_call: false };
    // Both ask before either is waited for.
    let (of_message, of_address) = (check_message(known, &arrived), check_address(known, sender));
    let (authentication, of_message) = of_message?;
    let of_address = of_address?;
    let of_domain = match domain_of(&authentication, arrival, now) {
        Some(asked) => check_domain(known, &asked)?.findings,
        None => domain_checks().map(|check| skipped(check, "there is no one author")).collect(),
    };
    let of_domain = of_domain.into_iter().map(without_calls);
    let mut findings: Vec<Finding> = Vec::new();
    for finding in of_message.into_iter().chain(of_address).chain(of_domain) {
        if !findings.iter().any(|known| known.id == finding.id) {
            findings.push(finding);
        }
    }
    let checks: Vec<&Check> =
        message_checks().chain(address_checks()).chain(domain_checks()).collect();
    let looked = Looked::new(checks.iter().copied(), findings);
    let told = message_as_json(&arrived, &authentication, &looked);
    let headers = headers::annotated(&arrived, &authentication, &looked);
    let breakages = breakages(known, (octets, now), &authentication.dkim);
    Some(Report::of(arrival, (&checks, &looked), told, (headers, breakages), known))
}

fn without_calls(finding: Finding) -> Finding {
    if CALLING.contains(&finding.id) && finding.outcome != Outcome::Pass {
        return Finding {
            outcome: Outcome::Skip,
            evidence: NOT_CALLED.to_owned(),
            remedy: None,
            ..finding
        };
    }
    finding
}

fn skipped(check: &Check, why: &str) -> Finding {
    Finding {
        id: check.id,
        outcome: Outcome::Skip,
        evidence: why.to_owned(),
        remedy: None,
        reference: check.reference,
    }
}

/// The domain in whose name the message is, as far as there is one.
fn domain_of(
    authentication: &Authentication,
    arrival: &Arrival,
    now: Instant,
) -> Option<SendingDomain> {
    let name = authentication.author.clone()?;
    let host = arrival.mail_from.rsplit_once('@').map(|(_, host)| host);
    let return_path = Name::parse(host.unwrap_or(&arrival.helo)).unwrap_or_else(|_| name.clone());
    let mut selectors: Vec<Box<str>> = Vec::new();
    for signature in authentication.dkim.iter().filter_map(|one| one.signature.as_ref()) {
        let selector: Box<str> = signature.selector.to_string().into();
        // Keys of other domains are not below this one.
        if signature.domain == name && !selectors.contains(&selector) {
            selectors.push(selector);
        }
    }
    Some(SendingDomain {
        name,
        return_path,
        selectors,
        selectors_are_guessed: false,
        addresses: vec![arrival.client],
        now,
        registered: None,
        may_call: false,
        unsubscribe: Vec::new(),
        spf_source: None,
        keys_seen: KeysSeen::default(),
    })
}

#[cfg(test)]
mod tests;
