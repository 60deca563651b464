//! One domain: what is looked at of it, and what that turns.

use std::collections::BTreeSet;
use std::net::IpAddr;

use postlane_checks::watch::{IssueTurn, Issues, RecordChange, Records, Values, observed};
use postlane_checks::{
    DomainReport, Finding, KeysSeen, Kind, Known, Name, Outcome, Question, Record, SendingDomain,
    check_domain,
};
use postlane_mail::{Instant, Span};

use crate::setup::WatchedSubject;

/// What is known of a domain.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownDomain {
    /// What it publishes.
    pub records: Records,
    /// What is wrong with it, or was.
    pub issues: Issues,
    /// In a few figures, as of the last look that came to its end.
    pub figures: Figures,
    /// When it was looked at last, to the end.
    pub looked: Option<Instant>,
    /// When a record changed last.
    pub changed: Option<Instant>,
    /// When it is looked at next.
    pub next: Instant,
    /// Why the last look did not come to its end; empty where it did.
    pub failed: String,
}

/// A domain in a few figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Lookups that its SPF record takes at worst; none where it publishes none.
    pub spf_lookups: Option<u32>,
    /// Names in it that are not there.
    pub spf_voids: usize,
    /// What it asks for by DMARC: `none`, `quarantine`, `reject`; none where it publishes none.
    pub dmarc: Option<String>,
}

/// What a look has found.
pub(super) struct Looked {
    known: Known,
    report: Option<DomainReport>,
}

/// What a look has turned.
#[derive(Default)]
pub(super) struct Turned {
    pub(super) changes: Vec<RecordChange>,
    pub(super) issues: Vec<(&'static str, IssueTurn)>,
}

/// The check of the name of an address, when a host is no domain that sends.
const REVERSE: &str = "DNS-01";

/// A change is looked at again after this, so that what is gone is known to be. Chosen, not
/// measured.
const AGAIN_AFTER: Span = Span::from_min(5);

/// The longest time between looks, whatever TTLs say.
const LONGEST: Span = Span::from_h(24);

/// What is asked about a domain. None if answers are missing.
pub(super) fn look(
    known: &mut Known,
    asked: &SendingDomain,
    subject: &WatchedSubject,
) -> Option<Option<DomainReport>> {
    let mut is_whole = true;
    let mut ask = |name: Name, kind| {
        is_whole &= known.ask(&Question { name, kind }).is_some();
    };
    if !subject.addresses.is_empty() || !subject.sends {
        [Kind::A, Kind::Aaaa, Kind::Txt].into_iter().for_each(|kind| ask(asked.name.clone(), kind));
    }
    subject.addresses.iter().for_each(|address| ask(Name::reverse(*address), Kind::Ptr));
    let report = if subject.sends { Some(check_domain(known, asked)) } else { None };
    match (is_whole, report) {
        (true, None) => Some(None),
        (true, Some(Some(report))) => Some(Some(report)),
        _ => None,
    }
}

/// How a domain sends, as far as the configuration says.
pub(super) fn sending(
    name: &Name,
    subject: &WatchedSubject,
    addresses: &BTreeSet<IpAddr>,
    common: &[&str],
    (now, keys_seen): (Instant, &KeysSeen),
) -> SendingDomain {
    let own: Vec<Box<str>> = subject.selectors.iter().cloned().collect();
    let is_guessed = own.is_empty();
    let selectors = if is_guessed { common.iter().map(|s| (*s).into()).collect() } else { own };
    SendingDomain {
        name: name.clone(),
        return_path: name.clone(),
        selectors,
        selectors_are_guessed: is_guessed,
        addresses: addresses.iter().copied().collect(),
        now,
        registered: None,
        may_call: false,
        unsubscribe: Vec::new(),
        spf_source: None,
        keys_seen: keys_seen.clone(),
    }
}

impl Looked {
    pub(super) fn new(known: Known, report: Option<DomainReport>) -> Self {
        Self { known, report }
    }

    /// What could not be found out of a host that is no domain that sends is no matter; that an
    /// address has no name is.
    fn findings(&self, subject: &WatchedSubject) -> Vec<Finding> {
        if let Some(report) = &self.report {
            return report.findings.clone();
        }
        let is_named = |address: &IpAddr| {
            let mut known = self.known.clone();
            let question = Question { name: Name::reverse(*address), kind: Kind::Ptr };
            known
                .ask(&question)
                .map(|answer| answer.records().iter().any(|r| matches!(r, Record::Ptr(_))))
        };
        let nameless: Vec<String> = subject
            .addresses
            .iter()
            .filter(|address| is_named(address) == Some(false))
            .map(ToString::to_string)
            .collect();
        let outcome = if nameless.is_empty() { Outcome::Pass } else { Outcome::Fail };
        vec![Finding {
            id: REVERSE,
            outcome,
            evidence: format!("without a name: {}", nameless.join(", ")),
            remedy: Some("Ask whoever gave you the address for a PTR record.".to_owned()),
            reference: "RFC 1912 §2.1",
        }]
    }
}

impl KnownDomain {
    /// Takes in what a look has found.
    pub(super) fn take(
        &mut self,
        now: Instant,
        name: &Name,
        (looked, subject): (&Looked, &WatchedSubject),
        every: Span,
    ) -> Turned {
        let (observed, shortest) = observed(&looked.known, name);
        let changes = self.records.look(now, observed);
        let issues = self.issues.look(now, &looked.findings(subject));
        if let Some(report) = &looked.report {
            self.figures = Figures::of(report);
        }
        self.looked = Some(now);
        self.failed.clear();
        let is_open = !changes.is_empty()
            || self.issues.iter().any(|(_, of)| of.resolved.is_none() && of.right.is_some());
        let wait = match is_open {
            true => AGAIN_AFTER.min(every),
            false => shortest.unwrap_or_default().max(every).min(LONGEST),
        };
        self.next = now + wait;
        if !changes.is_empty() {
            self.changed = Some(now);
        }
        Turned { changes, issues }
    }

    /// A look did not come to its end.
    pub(super) fn fail(&mut self, now: Instant, why: String, every: Span) {
        self.failed = why;
        self.next = now + every;
    }

    /// What is published at a name, of a type, now; none where it was never seen.
    pub fn published(&self, name: &str, kind: Kind) -> Option<&Values> {
        let mut sets = self.records.iter();
        let found = sets.find(|(set, _)| set.kind == kind && set.name.as_str() == name);
        found.map(|(_, version)| &version.values)
    }
}

impl Figures {
    fn of(report: &DomainReport) -> Self {
        use postlane_checks::spf::Published;
        let has_spf = matches!(report.spf.top.published, Published::One { .. });
        Self {
            spf_lookups: has_spf.then_some(report.spf.lookups),
            spf_voids: report.spf.voids.len(),
            dmarc: report.dmarc.tree_walk.policy.map(|policy| policy.as_str().to_owned()),
        }
    }
}
