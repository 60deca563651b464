//! A report, drawn.

use askama::Template;
use axum::http::StatusCode;
use postlane_api::Problem;
use serde::Deserialize as _;
use serde_json::Value;

use super::catalogue::{GROUPS, prefix_of};
use super::finding::{Finding, RESULTS};
use super::gate::{GateCard, gates_of};
use super::proof::Proof;
use super::told::Told;
use crate::numbers::many;

/// A report as a part of a page; one to a page, since its findings are named by their checks.
#[derive(Template)]
#[template(path = "report.html")]
pub(crate) struct ReportView {
    gates: Vec<GateCard>,
    /// Points and grade; none where too little could be found out.
    score: Option<(u64, String)>,
    determined: u64,
    of: u64,
    filters: Vec<Filter>,
    groups: Vec<Group>,
    proof: Proof,
}

/// Findings of one result, counted.
struct Filter {
    result: &'static str,
    word: &'static str,
    many: usize,
    is_chosen: bool,
}

/// Findings of one sort.
struct Group {
    title: &'static str,
    findings: Vec<Finding>,
}

impl ReportView {
    /// Of what the API told of a look. `chosen` is the result that is shown alone; none for all.
    ///
    /// # Errors
    /// If it is no report.
    pub(crate) fn of(told: &Value, chosen: &str) -> Result<Self, Problem> {
        Self::of_mail_to(told, chosen, "")
    }

    /// The same with one provider's gate first, by its id: whom the mail goes to.
    ///
    /// # Errors
    /// If it is no report.
    pub(crate) fn of_mail_to(told: &Value, chosen: &str, first: &str) -> Result<Self, Problem> {
        let told = Told::deserialize(told).map_err(|e| {
            let says = format!("our own report cannot be read: {e}; please report this");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, says)
        })?;
        let checks = if told.tests.is_empty() { &told.checks } else { &told.tests };
        let findings: Vec<Finding> = checks.iter().map(Finding::of).collect();
        Ok(Self {
            gates: gates_of(&told, first),
            score: told.score.points.zip(told.score.grade.clone()),
            determined: told.score.determined,
            of: told.score.of,
            filters: filters(&findings, chosen),
            groups: groups(findings),
            proof: Proof::of(&told),
        })
    }

    fn all(&self) -> usize {
        self.groups.iter().map(|group| group.findings.len()).sum()
    }

    fn shows_all(&self) -> bool {
        !self.filters.iter().any(|filter| filter.is_chosen)
    }
}

impl Group {
    fn passed(&self) -> usize {
        self.findings.iter().filter(|finding| finding.result == "pass").count()
    }

    /// Those that apply.
    fn applying(&self) -> usize {
        self.findings.iter().filter(|finding| finding.result != "skip").count()
    }

    fn is_bad(&self) -> bool {
        self.findings.iter().any(Finding::is_bad)
    }

    fn worst(&self) -> usize {
        self.findings.iter().map(Finding::rank).min().unwrap_or(RESULTS.len()).min(3)
    }

    /// What needs somebody: how many of which result.
    fn troubles(&self) -> Vec<(&'static str, String)> {
        let words =
            [("fault", "faults"), ("undetermined", "undetermined"), ("warning", "warnings")];
        let bad = RESULTS.iter().zip(words).map(|((result, chip, _), (one, more))| {
            let found = self.findings.iter().filter(|f| f.result == *result).count();
            (found, (*chip, many(found as u64, one, more)))
        });
        bad.filter(|(found, _)| *found > 0).map(|(_, told)| told).collect()
    }
}

fn filters(findings: &[Finding], chosen: &str) -> Vec<Filter> {
    let filter = |(result, _, word): (&'static str, &'static str, &'static str)| Filter {
        result,
        word,
        many: findings.iter().filter(|finding| finding.result == result).count(),
        is_chosen: result == chosen,
    };
    RESULTS.map(filter).into_iter().filter(|filter| filter.many > 0 || filter.is_chosen).collect()
}

/// The findings by group: groups with faults first, and in each what is worst.
fn groups(findings: Vec<Finding>) -> Vec<Group> {
    let known = |id: &str| GROUPS.iter().any(|(prefix, _)| *prefix == prefix_of(id));
    let (known, others): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| known(&f.id));
    let mut groups: Vec<Group> =
        GROUPS.iter().map(|(_, title)| Group { title, findings: Vec::new() }).collect();
    for finding in known {
        let place = GROUPS.iter().position(|(prefix, _)| *prefix == prefix_of(&finding.id));
        if let Some(group) = place.and_then(|place| groups.get_mut(place)) {
            group.findings.push(finding);
        }
    }
    groups.push(Group { title: "Others", findings: others });
    groups.retain(|group| !group.findings.is_empty());
    for group in &mut groups {
        group.findings.sort_by_key(Finding::rank);
    }
    groups.sort_by_key(Group::worst);
    groups
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report() -> Value {
        json!({
            "gates": {"google": {"verdict": "blocked", "blocking": ["DMARC-01"]},
                      "t-online": {"verdict": "ready", "blocking": []}},
            "score": {"points": 88, "grade": "B", "determined": 3, "of": 4},
            "checks": [
                {"id": "FMT-01", "result": "pass", "evidence": "<b>x</b>", "remedy": null, "reference": "RFC 5322"},
                {"id": "DMARC-01", "result": "fail", "evidence": "none",
                 "remedy": "Publish: _dmarc.a.example. TXT \"v=DMARC1; p=none\"", "reference": "RFC 9989"},
                {"id": "SPF-04", "result": "skip", "evidence": "no address", "remedy": null, "reference": ""},
                {"id": "NEW-99", "result": "warn", "evidence": "", "remedy": null, "reference": ""},
            ],
        })
    }

    #[test]
    fn verdicts_stand_first_and_what_is_worst_before_what_is_well() {
        let view = ReportView::of(&report(), "").unwrap();
        let titles: Vec<&str> = view.groups.iter().map(|group| group.title).collect();
        assert_eq!(titles, ["DMARC", "Others", "SPF", "Form"]);
        let html = view.render().unwrap();
        let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text} in {html}"));
        assert!(place("Gmail") < place("88") && place("88") < place("id=\"DMARC-01\""));
        assert!(html.contains("data-copy=\"v=DMARC1; p=none\""), "{html}");
        assert!(!html.contains("<b>x</b>"), "{html}");
    }

    #[test]
    fn one_result_is_shown_alone_and_one_providers_gate_first() {
        let view = ReportView::of_mail_to(&report(), "warn", "t-online").unwrap();
        assert!(!view.shows_all());
        assert_eq!(view.gates[0].name, "T-Online");
        let counted: Vec<(&str, usize)> = view.filters.iter().map(|f| (f.result, f.many)).collect();
        assert_eq!(counted, [("fail", 1), ("warn", 1), ("pass", 1), ("skip", 1)]);
    }

    #[test]
    fn what_is_no_report_is_said_to_be_none() {
        assert!(ReportView::of(&json!({"checks": 3}), "").is_err());
        assert!(ReportView::of(&json!("x"), "").is_err());
    }
}
