//! What was found, told: the gates of each provider first, the score second, then what is to be
//! done.

use postlane_checks::{Check, Finding, Outcome, Score};
use serde_json::{Map, Value, json};

use super::gates::{GateVerdict, verdicts};
use crate::exit::Exit;
use crate::print;

/// What all checks of a look have found.
pub(super) struct Report {
    findings: Vec<Finding>,
    gates: Vec<GateVerdict>,
    score: Score,
}

impl Report {
    /// Of what these checks have found.
    pub(super) fn new<'c>(checks: impl Iterator<Item = &'c Check>, findings: Vec<Finding>) -> Self {
        let gates = verdicts(checks, &findings);
        let score = Score::of(&findings);
        Self { findings, gates, score }
    }

    /// 0 where nothing is at fault, 1 where something is, 3 where something is open.
    pub(super) fn exit(&self) -> Exit {
        self.exit_by(|_| true)
    }

    /// As [`exit`](Self::exit), of something that is judged beside the block lists: one that
    /// refuses our resolver says nothing of a message.
    pub(super) fn exit_beside_lists(&self) -> Exit {
        self.exit_by(|open| !open.id.starts_with("BL-"))
    }

    /// By these findings among those that are open.
    fn exit_by(&self, counts: impl Fn(&Finding) -> bool) -> Exit {
        let mut open = self.findings.iter().filter(|one| one.outcome == Outcome::Error);
        match (self.count(Outcome::Fail), open.any(counts)) {
            (1.., _) => Exit::No,
            (_, true) => Exit::Undetermined,
            _ => Exit::Yes,
        }
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }

    /// On the terminal; `all` shows what passes and what does not apply, too.
    pub(super) fn show(&self, all: bool) {
        for gate in &self.gates {
            let blocking = gate.blocking.join(", ");
            let blocking = if blocking.is_empty() { blocking } else { format!("  ({blocking})") };
            print::line(&format!("{:<14}{}{blocking}", gate.name, gate.verdict));
        }
        print::line("");
        let Score { points, grade, determined, of } = self.score;
        print::line(&match self.score.is_told() {
            true => format!("Score {points} ({grade}), {determined} of {of} determined"),
            false => format!("No score: {determined} of {of} determined"),
        });
        print::line(&format!(
            "{} pass, {} to know, {} warnings, {} faults, {} do not apply, {} undetermined",
            self.count(Outcome::Pass),
            self.count(Outcome::Info),
            self.count(Outcome::Warn),
            self.count(Outcome::Fail),
            self.count(Outcome::Skip),
            self.count(Outcome::Error)
        ));
        let is_shown =
            |finding: &&Finding| all || !matches!(finding.outcome, Outcome::Pass | Outcome::Skip);
        let mut shown: Vec<&Finding> = self.findings.iter().filter(is_shown).collect();
        shown.sort_by_key(|finding| order(finding.outcome));
        for finding in shown {
            print::line("");
            print::line(&format!("{} {}", finding.outcome.as_str(), finding.id));
            print::field("", &print::printable(&finding.evidence));
            if let Some(remedy) = &finding.remedy {
                print::field("to do", &print::printable(remedy));
                print::field("see", finding.reference);
            }
        }
    }

    /// The verdict of each provider by its id.
    pub(super) fn gates_as_json(&self) -> Map<String, Value> {
        let gates = self.gates.iter().map(|gate| {
            (gate.id.to_owned(), json!({"verdict": gate.verdict, "blocking": gate.blocking}))
        });
        gates.collect()
    }

    /// Points, grade, and how much of it could be found out.
    pub(super) fn score_as_json(&self) -> Value {
        let Score { points, grade, determined, of } = self.score;
        // Half of a look is no score.
        let told = self.score.is_told().then(|| (points, grade.to_string()));
        let (points, grade) = told.unzip();
        json!({"points": points, "grade": grade, "determined": determined, "of": of})
    }

    /// Every finding.
    pub(super) fn checks_as_json(&self) -> Vec<Value> {
        let checks = self.findings.iter().map(|finding| {
            json!({
                "id": finding.id,
                "result": finding.outcome.as_str(),
                "evidence": finding.evidence,
                "remedy": finding.remedy,
                "reference": finding.reference,
            })
        });
        checks.collect()
    }
}

/// What is to be done first stands first.
fn order(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Fail => 0,
        Outcome::Error => 1,
        Outcome::Warn => 2,
        Outcome::Info => 3,
        Outcome::Skip => 4,
        Outcome::Pass => 5,
    }
}
