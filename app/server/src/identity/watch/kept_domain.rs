//! What is held of a domain, as the registry keeps it.
//!
//! Fields come and go with versions: what is missing is empty, and what is not known is passed over.

use postlane_checks::watch::{Issue, Issues, RecordSet, Records, Values, Version};
use postlane_checks::{Kind, Name, Outcome};
use postlane_mail::Instant;
use postlane_registry::{KeptDomain, KeptVersion};
use serde::{Deserialize, Serialize};

use super::domain::{Figures, KnownDomain};

/// All of a domain but its records. Moments are microseconds since 1970.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    issues: Vec<KeptIssue>,
    spf_lookups: Option<u32>,
    spf_voids: usize,
    dmarc: Option<String>,
    looked: Option<u64>,
    changed: Option<u64>,
    next: u64,
    failed: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptIssue {
    check: String,
    outcome: String,
    evidence: String,
    remedy: String,
    reference: String,
    opened: u64,
    seen: u64,
    right: Option<u64>,
    resolved: Option<u64>,
}

/// A domain, to be kept.
pub(super) fn keep(name: &Name, known: &KnownDomain) -> KeptDomain {
    let state = State {
        issues: known.issues.iter().map(|(check, issue)| kept_issue(check, issue)).collect(),
        spf_lookups: known.figures.spf_lookups,
        spf_voids: known.figures.spf_voids,
        dmarc: known.figures.dmarc.clone(),
        looked: known.looked.map(|at| at.0),
        changed: known.changed.map(|at| at.0),
        next: known.next.0,
        failed: known.failed.clone(),
    };
    // Strings, numbers and lists of them: nothing that JSON does not have.
    let state = serde_json::to_string(&state).unwrap_or_default();
    KeptDomain { domain: name.to_string(), state }
}

fn kept_issue(check: &str, issue: &Issue) -> KeptIssue {
    KeptIssue {
        check: check.to_owned(),
        outcome: issue.outcome.as_str().to_owned(),
        evidence: issue.evidence.clone(),
        remedy: issue.remedy.clone(),
        reference: issue.reference.clone(),
        opened: issue.opened.0,
        seen: issue.seen.0,
        right: issue.right.map(|at| at.0),
        resolved: issue.resolved.map(|at| at.0),
    }
}

/// A domain that was kept, with its records; none for what is no name.
pub(super) fn read(
    kept: &KeptDomain,
    records: Vec<(RecordSet, Version)>,
) -> Option<(Name, KnownDomain)> {
    let name = Name::parse(&kept.domain).ok()?;
    // What a later version wrote begins anew.
    let state: State = serde_json::from_str(&kept.state).unwrap_or_default();
    let known = KnownDomain {
        records: Records::restored(records),
        issues: Issues::restored(state.issues.into_iter().filter_map(issue)),
        figures: Figures {
            spf_lookups: state.spf_lookups,
            spf_voids: state.spf_voids,
            dmarc: state.dmarc,
        },
        looked: state.looked.map(Instant),
        changed: state.changed.map(Instant),
        next: Instant(state.next),
        failed: state.failed,
    };
    Some((name, known))
}

fn issue(kept: KeptIssue) -> Option<(String, Issue)> {
    let known = [Outcome::Warn, Outcome::Fail];
    let issue = Issue {
        outcome: known.into_iter().find(|known| known.as_str() == kept.outcome)?,
        evidence: kept.evidence,
        remedy: kept.remedy,
        reference: kept.reference,
        opened: Instant(kept.opened),
        seen: Instant(kept.seen),
        right: kept.right.map(Instant),
        resolved: kept.resolved.map(Instant),
    };
    Some((kept.check, issue))
}

/// What is published at a name, to be kept.
pub(super) fn keep_version(domain: &Name, set: &RecordSet, version: &Version) -> KeptVersion {
    let values: Vec<&str> = version.values.iter().collect();
    KeptVersion {
        domain: domain.to_string(),
        name: set.name.to_string(),
        kind: set.kind.as_str().to_owned(),
        says: serde_json::to_string(&values).unwrap_or_default(),
        since: version.since,
        seen: version.seen,
        until: None,
    }
}

/// What was kept of it.
pub(super) fn read_version(kept: &KeptVersion) -> Option<(RecordSet, Version)> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == kept.kind)?;
    let set = RecordSet { name: Name::parse(&kept.name).ok()?, kind };
    Some((set, Version { values: values(kept), since: kept.since, seen: kept.seen }))
}

/// What is published there.
pub(crate) fn values(kept: &KeptVersion) -> Values {
    let values: Vec<String> = serde_json::from_str(&kept.says).unwrap_or_default();
    Values::new(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_domain_comes_back_as_it_was_kept() {
        let issue = Issue {
            outcome: Outcome::Fail,
            evidence: "two \"records\"".to_owned(),
            remedy: "Leave one.".to_owned(),
            reference: "RFC 7208".to_owned(),
            opened: Instant(1),
            seen: Instant(2),
            right: Some(Instant(3)),
            resolved: None,
        };
        let name = Name::parse("example.com").unwrap();
        let set = RecordSet { name: name.clone(), kind: Kind::Txt };
        let version = Version {
            values: Values::new(["v=spf1 -all".to_owned()]),
            since: Instant(4),
            seen: Instant(5),
        };
        let known = KnownDomain {
            records: Records::restored([(set.clone(), version.clone())]),
            issues: Issues::restored([("SPF-02".to_owned(), issue)]),
            figures: Figures { spf_lookups: Some(3), spf_voids: 1, dmarc: Some("none".to_owned()) },
            looked: Some(Instant(5)),
            changed: None,
            next: Instant(9),
            failed: String::new(),
        };
        let kept = read_version(&keep_version(&name, &set, &version)).unwrap();
        assert_eq!(read(&keep(&name, &known), vec![kept]), Some((name, known)));
    }
}
