//! What each provider would say: the checks that it lets nobody pass without.

use postlane_checks::{Check, Finding, Gate, Outcome};

/// The providers, by the id that flags and JSON have, and the name people know.
pub(super) const PROVIDERS: [(Gate, &str, &str); 6] = [
    (Gate::UnitedInternet, "united-internet", "GMX, WEB.DE"),
    (Gate::Google, "google", "Gmail"),
    (Gate::Yahoo, "yahoo", "Yahoo, AOL"),
    (Gate::Microsoft, "microsoft", "Outlook.com"),
    (Gate::TOnline, "t-online", "T-Online"),
    (Gate::Apple, "apple", "iCloud"),
];

/// What a provider would say.
pub(super) struct GateVerdict {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// `ready`, `at risk`, `blocked`, or `undetermined` where a gate could not be found out.
    pub(super) verdict: &'static str,
    /// The checks that stand in the way.
    pub(super) blocking: Vec<&'static str>,
}

/// One verdict for each provider, of what these checks have found.
pub(super) fn verdicts<'c>(
    checks: impl Iterator<Item = &'c Check>,
    findings: &[Finding],
) -> Vec<GateVerdict> {
    let checks: Vec<&Check> = checks.collect();
    let each = PROVIDERS.iter();
    each.map(|(gate, id, name)| verdict(*gate, id, name, &checks, findings)).collect()
}

fn verdict(
    gate: Gate,
    id: &'static str,
    name: &'static str,
    checks: &[&Check],
    findings: &[Finding],
) -> GateVerdict {
    let gates: Vec<&str> =
        checks.iter().filter(|check| check.gates.contains(&gate)).map(|check| check.id).collect();
    let with = |outcome| -> Vec<&'static str> {
        let found = findings.iter().filter(|f| f.outcome == outcome && gates.contains(&f.id));
        found.map(|finding| finding.id).collect()
    };
    let (failed, warned, open) = (with(Outcome::Fail), with(Outcome::Warn), with(Outcome::Error));
    let is_seen =
        |finding: &Finding| finding.outcome != Outcome::Skip && gates.contains(&finding.id);
    let (verdict, blocking) = if !findings.iter().any(is_seen) {
        // None of its requirements can be seen here.
        ("undetermined", Vec::new())
    } else if !failed.is_empty() {
        ("blocked", failed)
    } else if !open.is_empty() {
        ("undetermined", open)
    } else if !warned.is_empty() {
        ("at risk", warned)
    } else {
        ("ready", Vec::new())
    };
    GateVerdict { id, name, verdict, blocking }
}
