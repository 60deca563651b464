//! A report as JSON.

use postlane_checks::{Report, Score};
use serde_json::{Map, Value, json};

/// The parts that every report has: `gates`, `score` and `checks`.
pub fn report_as_json(report: &Report) -> Value {
    json!({
        "gates": gates_as_json(report),
        "score": score_as_json(report),
        "checks": checks_as_json(report),
    })
}

/// The verdict of each provider, by its id.
pub fn gates_as_json(report: &Report) -> Map<String, Value> {
    let gates = report.gates.iter().map(|of| {
        let verdict = json!({"verdict": of.standing.as_str(), "blocking": of.blocking});
        (of.gate.id().to_owned(), verdict)
    });
    gates.collect()
}

/// Points, grade, and how much of it could be found out. Half of a look is no score: points and
/// grade are null then.
pub fn score_as_json(report: &Report) -> Value {
    let Score { points, grade, determined, of } = report.score;
    let told = report.score.is_told().then(|| (points, grade.to_string()));
    let (points, grade) = told.unzip();
    json!({"points": points, "grade": grade, "determined": determined, "of": of})
}

/// Every finding, in the order of the checks.
pub fn checks_as_json(report: &Report) -> Vec<Value> {
    let checks = report.findings.iter().map(|finding| {
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
