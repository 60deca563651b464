//! What all checks of a look have found together.

use crate::check::{Check, Finding, Outcome};
use crate::gates::GateVerdict;
use crate::score::Score;

/// The gates of each provider first, the score second, then every finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One verdict for each provider.
    pub gates: Vec<GateVerdict>,
    /// One number for all of it.
    pub score: Score,
    /// One for each check that was made.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Of what these checks have found.
    pub fn new<'c>(checks: impl Iterator<Item = &'c Check>, findings: Vec<Finding>) -> Self {
        let gates = GateVerdict::all(checks, &findings);
        let score = Score::of(&findings);
        Self { gates, score, findings }
    }

    /// How many came out so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }

    /// What is to be done first comes first: faults, what is open, warnings, and the rest.
    pub fn by_urgency(&self) -> Vec<&Finding> {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| match finding.outcome {
            Outcome::Fail => 0,
            Outcome::Error => 1,
            Outcome::Warn => 2,
            Outcome::Info => 3,
            Outcome::Skip => 4,
            Outcome::Pass => 5,
        });
        findings
    }
}
