//! The report: what the providers would say first, then the tests, then everything they rest on.

use postlane_checks::{Check, Finding, GateVerdict, Known, Outcome, Report as Looked};
use postlane_inspection::write_answers;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::arrival::Arrival;
use crate::breakage::Breakage;
use crate::headers::HeaderField;
use crate::set;

/// What a receiver makes of a test message. As JSON it has everything that `postlane check message
/// --json` has, and beside it how the message came and what each test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The tests, counted.
    pub headline: Headline,
    /// What each provider would say.
    pub providers: Vec<Gate>,
    /// The 54 tests and four advisories, in their order, and every other check behind them.
    pub tests: Vec<TestRow>,
    /// How the message came.
    pub arrival: Arrival,
    /// Its header fields, with what refers to them.
    pub headers: Vec<HeaderField>,
    /// Signatures that are not good, and what broke them.
    pub breakages: Vec<Breakage>,
    /// How long the look took, in milliseconds.
    pub took_ms: u64,
    /// What the DNS said then, as `--replay` reads it.
    pub dns: Value,
    /// As `postlane check message --json` has it.
    #[serde(flatten)]
    pub message: serde_json::Map<String, Value>,
}

/// The tests, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// Tests that came out well: passed, or warned of nothing worse than to be known.
    pub passed: usize,
    /// Tests that could be judged here.
    pub determined: usize,
    /// Tests there are.
    pub of: usize,
    /// Advisories that say something.
    pub advisories: usize,
    /// The whole look, counted by result.
    pub counts: Counts,
}

/// How often each result was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// As it should be.
    pub pass: usize,
    /// Worth knowing.
    pub info: usize,
    /// Held against the sender by some.
    pub warn: usize,
    /// A fault.
    pub fail: usize,
    /// It does not apply.
    pub skip: usize,
    /// It could not be found out.
    pub error: usize,
}

/// What a provider would say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its id: `united-internet`.
    pub id: String,
    /// Its name, as people know it.
    pub name: String,
    /// `ready`, `at risk`, `blocked` or `undetermined`.
    pub verdict: String,
    /// The checks that make it so.
    pub blocking: Vec<String>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRow {
    /// Its name: `SPF-04`.
    pub id: String,
    /// What it looks at.
    pub title: String,
    /// `test`, `advisory`, or `other` for what is looked at beside the set.
    pub kind: Kind,
    /// `pass`, `info`, `warn`, `fail`, `skip` or `error`.
    pub result: String,
    /// What was seen.
    pub evidence: String,
    /// What to do.
    pub remedy: Option<String>,
    /// Why it matters to receivers; empty for what is not of the set.
    pub why: String,
    /// Where that is written.
    pub reference: String,
    /// Providers that let nobody pass without it.
    pub gates: Vec<String>,
}

/// What a check counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One of the 54.
    Test,
    /// One of the four that advise.
    Advisory,
    /// Looked at beside them.
    Other,
}

impl Report {
    pub(crate) fn of(
        arrival: &Arrival,
        (checks, looked): (&[&Check], &Looked),
        told: Value,
        (headers, breakages): (Vec<HeaderField>, Vec<Breakage>),
        known: &Known,
    ) -> Self {
        let mut rows: Vec<(usize, TestRow)> =
            looked.findings.iter().map(|finding| TestRow::of(checks, finding)).collect();
        rows.sort_by_key(|(place, _)| *place);
        let tests: Vec<TestRow> = rows.into_iter().map(|(_, row)| row).collect();
        let message = match told {
            Value::Object(map) => map,
            _ => serde_json::Map::new(),
        };
        Self {
            headline: Headline::of(&tests),
            providers: looked.gates.iter().map(Gate::of).collect(),
            tests,
            arrival: arrival.clone(),
            headers,
            breakages,
            took_ms: 0,
            dns: serde_json::from_str(&write_answers(known)).unwrap_or_default(),
            message,
        }
    }
}

impl Headline {
    fn of(tests: &[TestRow]) -> Self {
        let of_set = tests.iter().filter(|row| row.kind == Kind::Test);
        let is = |row: &&TestRow, results: &[&str]| results.contains(&row.result.as_str());
        let advisories = tests.iter().filter(|row| row.kind == Kind::Advisory);
        let mut counts = Counts::default();
        for row in tests {
            *counts.of(&row.result) += 1;
        }
        Self {
            passed: of_set.clone().filter(|row| is(row, &["pass", "info"])).count(),
            determined: of_set.filter(|row| !is(row, &["skip", "error"])).count(),
            of: set::TESTS,
            advisories: advisories.filter(|row| is(row, &["info", "warn", "fail"])).count(),
            counts,
        }
    }
}

impl Counts {
    fn of(&mut self, result: &str) -> &mut usize {
        match result {
            "pass" => &mut self.pass,
            "info" => &mut self.info,
            "warn" => &mut self.warn,
            "fail" => &mut self.fail,
            "skip" => &mut self.skip,
            _ => &mut self.error,
        }
    }
}

impl Gate {
    fn of(verdict: &GateVerdict) -> Self {
        Self {
            id: verdict.gate.id().to_owned(),
            name: verdict.gate.name().to_owned(),
            verdict: verdict.standing.as_str().to_owned(),
            blocking: verdict.blocking.iter().map(|id| (*id).to_owned()).collect(),
        }
    }
}

impl TestRow {
    /// A finding with its place in the report.
    fn of(checks: &[&Check], finding: &Finding) -> (usize, Self) {
        let check = checks.iter().find(|check| check.id == finding.id);
        let place = set::place(finding.id);
        let is_advisory = set::ADVISORIES.contains(&finding.id);
        // What advises is never a fault.
        let result = match finding.outcome {
            Outcome::Fail if is_advisory => Outcome::Warn,
            other => other,
        };
        let row = Self {
            id: finding.id.to_owned(),
            title: check.map(|check| check.title.to_owned()).unwrap_or_default(),
            kind: match (place, is_advisory) {
                (None, _) => Kind::Other,
                (_, true) => Kind::Advisory,
                _ => Kind::Test,
            },
            result: result.as_str().to_owned(),
            evidence: finding.evidence.clone(),
            remedy: finding.remedy.clone(),
            why: place.map(|(_, why)| why.to_owned()).unwrap_or_default(),
            reference: finding.reference.to_owned(),
            gates: check
                .map(|check| check.gates.iter().map(|gate| gate.name().to_owned()).collect())
                .unwrap_or_default(),
        };
        (place.map_or(usize::MAX, |(place, _)| place), row)
    }
}
