//! What each provider would say: the checks that it lets nobody pass without.

use crate::check::{Check, Finding, Gate, Outcome};

/// How a sender stands before a provider's gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing stands in the way.
    Ready,
    /// Something is held against the sender.
    AtRisk,
    /// A requirement is not met.
    Blocked,
    /// A requirement could not be looked at: neither good nor bad.
    Undetermined,
}

/// What a provider would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateVerdict {
    /// Whose gate it is.
    pub gate: Gate,
    /// How the sender stands before it.
    pub standing: Standing,
    /// The checks that make it so, by their names; empty where nothing does.
    pub blocking: Vec<&'static str>,
}

impl Standing {
    /// As reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::AtRisk => "at risk",
            Self::Blocked => "blocked",
            Self::Undetermined => "undetermined",
        }
    }
}

impl GateVerdict {
    /// Of one provider, by what these checks have found. A requirement that is not met outweighs
    /// one that could not be looked at, and that outweighs a warning.
    pub fn of(gate: Gate, checks: &[&Check], findings: &[Finding]) -> Self {
        let asks =
            |id: &str| checks.iter().any(|check| check.id == id && check.gates.contains(&gate));
        let asked: Vec<&Finding> = findings.iter().filter(|finding| asks(finding.id)).collect();
        let with = |outcome| -> Vec<&'static str> {
            let found = asked.iter().filter(|finding| finding.outcome == outcome);
            found.map(|finding| finding.id).collect()
        };
        let worst = [
            (Outcome::Fail, Standing::Blocked),
            (Outcome::Error, Standing::Undetermined),
            (Outcome::Warn, Standing::AtRisk),
        ];
        let mut worst = worst.into_iter().map(|(outcome, standing)| (with(outcome), standing));
        let worst = worst.find(|(ids, _)| !ids.is_empty());
        let (blocking, standing) = worst.unwrap_or_else(|| {
            // Where none of its requirements can be seen nothing can be said.
            let is_seen = asked.iter().any(|finding| finding.outcome != Outcome::Skip);
            (Vec::new(), if is_seen { Standing::Ready } else { Standing::Undetermined })
        });
        Self { gate, standing, blocking }
    }

    /// One for each provider, in the order of [`Gate::ALL`].
    pub fn all<'c>(checks: impl Iterator<Item = &'c Check>, findings: &[Finding]) -> Vec<Self> {
        let checks: Vec<&Check> = checks.collect();
        Gate::ALL.into_iter().map(|gate| Self::of(gate, &checks, findings)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &'static str, gates: &'static [Gate]) -> Check {
        Check::of_message(id, "", gates, "", "")
    }

    fn found(id: &'static str, outcome: Outcome) -> Finding {
        Finding { id, outcome, evidence: String::new(), remedy: None, reference: "" }
    }

    fn verdict(findings: &[Finding]) -> (Standing, Vec<&'static str>) {
        let checks = [check("A-1", &[Gate::Google]), check("A-2", &[Gate::Google, Gate::Apple])];
        let checks: Vec<&Check> = checks.iter().collect();
        let verdict = GateVerdict::of(Gate::Google, &checks, findings);
        (verdict.standing, verdict.blocking)
    }

    #[test]
    fn what_is_not_met_outweighs_what_is_open_and_that_what_is_held_against_one() {
        let (fail, open) = (found("A-1", Outcome::Fail), found("A-2", Outcome::Error));
        assert_eq!(verdict(&[fail, open.clone()]), (Standing::Blocked, vec!["A-1"]));
        let warn = found("A-1", Outcome::Warn);
        assert_eq!(verdict(&[warn.clone(), open]), (Standing::Undetermined, vec!["A-2"]));
        let pass = found("A-2", Outcome::Pass);
        assert_eq!(verdict(&[warn, pass.clone()]), (Standing::AtRisk, vec!["A-1"]));
        assert_eq!(verdict(&[pass]), (Standing::Ready, vec![]));
    }

    #[test]
    fn a_gate_of_which_nothing_can_be_seen_is_open() {
        let skipped = found("A-1", Outcome::Skip);
        assert_eq!(verdict(&[skipped]), (Standing::Undetermined, vec![]));
        assert_eq!(verdict(&[]), (Standing::Undetermined, vec![]));
    }

    #[test]
    fn what_a_provider_does_not_ask_for_says_nothing_about_it() {
        let all = GateVerdict::all(
            [check("A-1", &[Gate::Google])].iter(),
            &[found("A-1", Outcome::Fail)],
        );
        let blocked = all.iter().filter(|verdict| verdict.standing == Standing::Blocked);
        assert_eq!(blocked.map(|verdict| verdict.gate).collect::<Vec<_>>(), [Gate::Google]);
    }
}
