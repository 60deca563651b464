//! BIMI-01 to BIMI-04: the logo beside the domain's mail.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::Certificate;
use crate::check::{Check, Found};
use crate::dmarc::Policy;
use crate::dns::{Answer, Kind, Known, Name, Record};
use crate::web::{Fetched, Page};

use super::exchange::question;
use super::{DomainCheck, Facts, mark};

/// Where logo and certificate lie.
struct Assertion {
    logo: String,
    certificate: String,
}

/// The record as it is found.
enum Published {
    Nothing,
    Open(String),
    Wrong(String),
    One(Assertion),
}

fn published(known: &mut Known, facts: &Facts<'_>) -> Option<Published> {
    let Ok(name) = Name::parse(&format!("default._bimi.{}", facts.asked.name)) else {
        return Some(Published::Nothing);
    };
    let answer = known.ask(&question(&name, Kind::Txt))?;
    if let Answer::Failed(failure) = answer {
        return Some(Published::Open(format!("TXT of {name}: {failure}")));
    }
    let texts = answer.records().iter().filter_map(|record| match record {
        Record::Txt(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    });
    let texts: Vec<String> =
        texts.filter(|text| text.trim_start().starts_with("v=BIMI1")).collect();
    Some(match texts.as_slice() {
        [] => Published::Nothing,
        [text] => read(text),
        many => Published::Wrong(format!("{} records: {}", many.len(), many.join(" | "))),
    })
}

fn read(text: &str) -> Published {
    let (mut logo, mut certificate) = (None, String::new());
    for piece in text.split(';').skip(1).map(str::trim).filter(|piece| !piece.is_empty()) {
        match piece.split_once('=') {
            Some((name, value)) if name.trim() == "l" => logo = Some(value.trim().to_owned()),
            Some((name, value)) if name.trim() == "a" => value.trim().clone_into(&mut certificate),
            Some(_) => {}
            None => return Published::Wrong(format!("`{piece}` is no tag: {text}")),
        }
    }
    let is_page = |url: &str| url.is_empty() || Page::of_url(url, 1).is_some();
    match logo {
        None => Published::Wrong(format!("l= is missing: {text}")),
        Some(logo) if !is_page(&logo) || !is_page(&certificate) => {
            Published::Wrong(format!("l= and a= must be https:// addresses: {text}"))
        }
        Some(logo) => Published::One(Assertion { logo, certificate }),
    }
}

const NO_RECORD: &str = "the domain asks for no logo";

fn record(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    match published(known, facts)? {
        Published::Nothing => {
            Found::info(format!("default._bimi.{} has no record", facts.asked.name))
        }
        Published::Open(why) => Found::error(why),
        Published::Wrong(why) => Found::fail(why),
        Published::One(found) if found.logo.is_empty() => {
            Found::info("l= is empty: the domain wants no logo shown")
        }
        Published::One(found) => Found::pass(format!("l={}; a={}", found.logo, found.certificate)),
    }
}

/// The record, where it asks for a logo.
fn asked(known: &mut Known, facts: &Facts<'_>) -> Option<Option<Assertion>> {
    Some(match published(known, facts)? {
        Published::One(found) if !found.logo.is_empty() => Some(found),
        _ => None,
    })
}

fn policy(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if asked(known, facts)?.is_none() {
        return Found::skip(NO_RECORD);
    }
    let found = &facts.dmarc.tree_walk;
    if let Some(failure) = &found.failure {
        return Found::error(failure.to_string());
    }
    let Some(record) = &found.record else { return Found::fail("there is no DMARC policy") };
    let below = record.subdomain_policy.unwrap_or(record.policy);
    let is_strict = record.policy != Policy::None && below != Policy::None && !record.is_testing;
    let evidence = format!(
        "p={}, sp={}{}",
        record.policy.as_str(),
        below.as_str(),
        if record.is_testing { ", t=y" } else { "" }
    );
    if is_strict { Found::pass(evidence) } else { Found::fail(evidence) }
}

/// A page of the record, or what is to be said instead.
fn page(known: &mut Known, url: &str, octets_max: usize) -> Option<Result<Vec<u8>, Option<Found>>> {
    let Some(page) = Page::of_url(url, octets_max) else {
        return Some(Err(Found::fail(format!("{url} is no https:// address"))));
    };
    Some(match known.fetch(&page)? {
        Fetched::Page { status: 200, body, .. } => Ok(body.to_vec()),
        Fetched::Page { status, .. } => Err(Found::fail(format!("{page}: status {status}"))),
        Fetched::Failed(why) if why.is_open() => Err(Found::error(format!("{page}: {why}"))),
        Fetched::Failed(why) => Err(Found::fail(format!("{page}: {why}"))),
    })
}

fn logo(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some(found) = asked(known, facts)? else { return Found::skip(NO_RECORD) };
    match page(known, &found.logo, mark::OCTETS_MAX)? {
        Err(said) => said,
        Ok(octets) if octets.starts_with(&[0x1f, 0x8b]) => {
            Found::error("the logo is compressed and was not looked at")
        }
        Ok(octets) => {
            let faults = mark::faults(&String::from_utf8_lossy(&octets));
            if faults.is_empty() {
                Found::pass(format!("{} octets", octets.len()))
            } else {
                Found::fail(faults.join("; "))
            }
        }
    }
}

/// Octets of a certificate with its chain and the logo in it. Chosen, not measured.
const CHAIN_OCTETS_MAX: usize = 256 << 10;

fn certificate(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some(found) = asked(known, facts)? else { return Found::skip(NO_RECORD) };
    if found.certificate.is_empty() {
        return Found::warn("a= is empty: Gmail and Apple show no logo without a certificate");
    }
    let octets = match page(known, &found.certificate, CHAIN_OCTETS_MAX)? {
        Ok(octets) => octets,
        Err(said) => return said,
    };
    let own = first_certificate(&String::from_utf8_lossy(&octets));
    let Some(own) = own.as_deref().and_then(Certificate::parse) else {
        return Found::fail(format!("{} holds no certificate", found.certificate));
    };
    let now = i64::try_from(facts.asked.now.unix_s()).unwrap_or(i64::MAX);
    let days = own.not_after.saturating_sub(now) / 86_400;
    let domain = facts.asked.name.as_str();
    let covers = |name: &str| Name::parse(name).is_ok_and(|name| facts.asked.name.is_within(&name));
    if own.not_after < now {
        return Found::fail("the certificate has expired");
    }
    if !own.names.iter().any(|name| covers(name)) {
        return Found::fail(format!(
            "the certificate is for {} and not for {domain}",
            own.names.join(", ")
        ));
    }
    if days < 30 {
        return Found::warn(format!("the certificate expires in {days} days"));
    }
    Found::error(format!(
        "for {domain}, {days} days; whether a mark authority vouches for it, and for this logo, is \
         not looked at"
    ))
}

/// The first certificate of a PEM file, in DER.
fn first_certificate(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (text, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(text).ok()
}

const fn check(id: &'static str, title: &'static str, remedy: &'static str) -> Check {
    Check::of_domain(id, title, &[], remedy, "draft-brand-indicators-for-message-identification")
}

/// BIMI-01 to BIMI-04.
pub(crate) static CHECKS: [DomainCheck; 4] = [
    DomainCheck {
        check: check(
            "BIMI-01",
            "A logo is published",
            "Publish one record `v=BIMI1; l=https://…svg; a=https://…pem`.",
        ),
        run: record,
    },
    DomainCheck {
        check: check(
            "BIMI-02",
            "The policy is strict enough for a logo",
            "Publish p=quarantine or p=reject, for names below too, without t=y.",
        ),
        run: policy,
    },
    DomainCheck {
        check: check(
            "BIMI-03",
            "The logo is one that can be shown",
            "Save it as SVG Tiny PS: square, with a title, at most 32 KiB, nothing from outside.",
        ),
        run: logo,
    },
    DomainCheck {
        check: check(
            "BIMI-04",
            "The logo is certified",
            "Have a mark certificate (VMC or CMC) issued or renewed for the domain.",
        ),
        run: certificate,
    },
];
