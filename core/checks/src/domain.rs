//! A whole look at a domain that sends: every check of its records, in the order of their names.

mod bimi;
mod exchange;
mod mark;
pub(crate) mod operator;
mod tls;
mod unasked;
mod unsubscribe;
mod zone;

use std::collections::BTreeMap;
use std::net::IpAddr;

use postlane_mail::Instant;

use crate::check::{Check, Finding, Found};
use crate::dmarc::{self, Authenticated};
use crate::dns::{Known, Name};
use crate::{dkim, spf};

pub(crate) use exchange::MailExchange;
pub use exchange::check_answers;

/// A domain that sends mail, and what is known about how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendingDomain {
    /// The domain of From.
    pub name: Name,
    /// The domain of the return-path; often the same.
    pub return_path: Name,
    /// The selectors that sign for it.
    pub selectors: Vec<Box<str>>,
    /// The selectors are those that many have, and nobody has said that they are in use.
    pub selectors_are_guessed: bool,
    /// Addresses that send for it.
    pub addresses: Vec<IpAddr>,
    /// When.
    pub now: Instant,
    /// When it was registered, where that is known (RFC 9083).
    pub registered: Option<Instant>,
    /// Its mail exchangers may be called, and asked about mailboxes; its web page may be read.
    pub may_call: bool,
    /// Addresses that take a recipient off its lists, as a message to a recipient made for tests
    /// has them (RFC 2369 §3.2): they are tried.
    pub unsubscribe: Vec<Box<str>>,
    /// The name of the SPF record that its own was written out from.
    pub spf_source: Option<Name>,
    /// What is known of keys from other looks.
    pub keys_seen: KeysSeen,
}

/// What one look at a domain does not tell of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeysSeen {
    /// Since when the record at a name is seen as it is.
    pub since: BTreeMap<Name, Instant>,
    /// Records of keys that other domains publish, with the names they stand at.
    pub elsewhere: Vec<(Name, Box<str>)>,
}

/// What is looked up of a domain once, for all checks.
pub(crate) struct Facts<'a> {
    pub(crate) asked: &'a SendingDomain,
    pub(crate) spf: spf::Survey,
    pub(crate) mail: MailExchange,
    pub(crate) dmarc: dmarc::Report,
    pub(crate) keys: Vec<dkim::Published>,
}

/// A check of a domain: none if answers are missing.
pub(crate) struct DomainCheck {
    pub(crate) check: Check,
    pub(crate) run: fn(&mut Known, &Facts<'_>) -> Option<Found>,
}

impl DomainCheck {
    /// One that nobody here can answer.
    pub(crate) const fn left_open(check: Check, why: &'static str) -> Self {
        Self { check: check.left_open(why), run: |_, _| None }
    }

    fn find(&'static self, known: &mut Known, facts: &Facts<'_>) -> Option<Finding> {
        let open = self.check.open();
        open.or_else(|| Some(self.check.finding((self.run)(known, facts)?)))
    }
}

/// What was found of a domain.
#[derive(Debug, Clone)]
pub struct DomainReport {
    /// Its SPF record with everything below it.
    pub spf: spf::Survey,
    /// Its policy, by both ways to find it.
    pub dmarc: dmarc::Report,
    /// What every check has found.
    pub findings: Vec<Finding>,
}

fn all() -> impl Iterator<Item = &'static DomainCheck> {
    let identity = exchange::CHECKS.iter().chain(&operator::CHECKS);
    let rest_of_identity = unasked::CHECKS.iter().chain(&unsubscribe::CHECKS);
    let records =
        spf::DOMAIN_CHECKS.iter().chain(&dkim::DOMAIN_CHECKS).chain(&dmarc::DOMAIN_CHECKS);
    let rest = zone::CHECKS.iter().chain(&tls::CHECKS).chain(&bimi::CHECKS);
    identity.chain(rest_of_identity).chain(records).chain(rest)
}

/// What there is to be looked at of a domain.
pub fn domain_checks() -> impl Iterator<Item = &'static Check> {
    all().map(|each| &each.check)
}

/// Looks at a domain. None if answers are missing: get them ([`Known::take_missing`], and those of
/// name servers, web servers and exchangers), and call it again.
pub fn check_domain(known: &mut Known, asked: &SendingDomain) -> Option<DomainReport> {
    // Everything asks what it can before anything waits.
    let spf = spf::survey(known, &asked.return_path);
    let mail = MailExchange::of(known, &asked.name);
    let nobody = Authenticated { author: asked.name.clone(), spf: None, dkim: Vec::new() };
    let dmarc = dmarc::evaluate(known, &nobody);
    let keys = dkim::published(known, asked);
    let facts = Facts { asked, spf: spf?, mail: mail?, dmarc: dmarc?, keys: keys? };
    let found: Vec<Option<Finding>> = all().map(|each| each.find(known, &facts)).collect();
    let mut findings = found.into_iter().collect::<Option<Vec<Finding>>>()?;
    findings.sort_by_key(|finding| order(finding.id));
    Some(DomainReport { spf: facts.spf, dmarc: facts.dmarc, findings })
}

/// By group, then by number.
fn order(id: &'static str) -> (usize, &'static str) {
    const GROUPS: [&str; 8] = ["IDN", "SPF", "DKIM", "DMARC", "DNS", "TLS", "BIMI", "BULK"];
    let group = id.split('-').next().unwrap_or_default();
    (GROUPS.iter().position(|name| *name == group).unwrap_or(GROUPS.len()), id)
}
