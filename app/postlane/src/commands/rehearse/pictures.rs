//! Pictures of the first run of each outcome.

use std::env;

use postlane_receivers::Scenario;
use postlane_rehearsal::{Glyphs, Outcome, Policy, Run, terminal};

use crate::print;

/// More pictures than these are not looked at.
const PICTURES_MAX: usize = 4;

/// Draws on the terminal, unless there are too many.
pub(super) fn draw(scenarios: &[Scenario], outcomes: &[Outcome]) {
    if outcomes.len() > PICTURES_MAX {
        print::note(&format!(
            "no pictures of {} outcomes: name fewer scenarios and policies, or use --svg FILE",
            outcomes.len()
        ));
        return;
    }
    for (scenario, policy, run) in first_runs(scenarios, outcomes) {
        print::line("");
        let picture = terminal(scenario, policy, run, print::columns(), glyphs());
        picture.lines().for_each(print::line);
    }
}

/// The same as SVG, all of them.
pub(super) fn svg(scenarios: &[Scenario], outcomes: &[Outcome]) -> String {
    postlane_rehearsal::svg(&first_runs(scenarios, outcomes))
}

fn first_runs<'o>(
    scenarios: &'o [Scenario],
    outcomes: &'o [Outcome],
) -> Vec<(&'o Scenario, Policy, &'o Run)> {
    let first = |outcome: &'o Outcome| {
        let left = outcome.runs.first()?;
        Some((&scenarios[outcome.scenario], outcome.policy, &left.run))
    };
    outcomes.iter().filter_map(first).collect()
}

/// Blocks where the locale is UTF-8; what is not known gets signs that everybody has.
fn glyphs() -> Glyphs {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| {
        let value = env::var(name).ok()?;
        (!value.is_empty()).then_some(value)
    });
    let is_utf8 = locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    if is_utf8 { Glyphs::Unicode } else { Glyphs::Ascii }
}
