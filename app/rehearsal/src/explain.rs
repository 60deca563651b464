//! A rehearsal in sentences: whether it passes and why, and what the lanes decided when.

use std::fmt::Write as _;

use postlane_receivers::Scenario;

use crate::rehearse::Outcome;
use crate::run::{LaneMark, Run};

/// Decisions that are told; the trace has all of them.
const DECISIONS_MAX: usize = 200;

/// Why an outcome passes or not, and what the lanes decided in its first run. Every line ends with
/// a newline.
pub fn explain(scenario: &Scenario, outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let mut out = String::new();
    let _ = writeln!(out, "{}, {}: {}", summary.id, summary.policy, scenario.meta.title);
    for verdict in summary.verdicts() {
        let holds = if verdict.holds { "yes" } else { "NO" };
        let _ = writeln!(out, "  {holds:<3} {}", verdict.says);
    }
    let Some(left) = outcome.runs.first() else { return out };
    let (lines, more) = decisions(scenario, &left.run, DECISIONS_MAX);
    if lines.is_empty() {
        return out;
    }
    let _ = writeln!(out, "  what the lanes decided, seed {}:", left.run.seed);
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
    if more > 0 {
        let _ = writeln!(out, "  … and {more} more: --trace FILE has all of them");
    }
    out
}

/// What the lanes of a run decided when and why, a line each, as many at most; and how many more
/// there are.
pub fn decisions(scenario: &Scenario, run: &Run, most: usize) -> (Vec<String>, usize) {
    let marks = told(&run.lanes);
    let line = |mark: &&LaneMark| {
        let source = scenario.sender.ips.get(usize::from(mark.source)).map_or("", String::as_str);
        let rate = mark.rate.map_or_else(String::new, |rate| format!("{:.2}/m", rate * 60.0));
        let LaneMark { at, state, reason, .. } = mark;
        let (at, state) = (at.to_string(), if state.is_empty() { "-" } else { state });
        format!("{at:>8}  {source:<8} {state:<10} {rate:>10}  {reason}")
    };
    (marks.iter().take(most).map(line).collect(), marks.len().saturating_sub(most))
}

/// Decisions without those that say the same again.
fn told(marks: &[LaneMark]) -> Vec<&LaneMark> {
    let mut told: Vec<&LaneMark> = Vec::new();
    for mark in marks {
        let before = told.iter().rev().find(|before| before.source == mark.source);
        let is_new = before.is_none_or(|b| b.state != mark.state || b.reason != mark.reason);
        if is_new {
            told.push(mark);
        }
    }
    told
}
