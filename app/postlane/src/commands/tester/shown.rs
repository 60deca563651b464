//! A test's report on the terminal: as `check message` tells, with the tests counted.

use postlane_tester::{Comparison, Headline, Kind, Report, TestRow};

use crate::exit::Exit;
use crate::print;

/// 0 where nothing is at fault, 1 where something is, 3 where something is open. Block lists that
/// refuse our resolver say nothing of a message, and what stands beside the tests decides nothing.
pub(super) fn exit(report: &Report) -> Exit {
    let of_set = report.tests.iter().filter(|row| row.kind == Kind::Test);
    let mut failed = of_set.clone().filter(|row| row.result == "fail");
    let mut open = of_set.filter(|row| row.result == "error" && !row.id.starts_with("BL-"));
    match (failed.next(), open.next()) {
        (Some(_), _) => Exit::No,
        (None, Some(_)) => Exit::Undetermined,
        _ => Exit::Yes,
    }
}

/// On the terminal; `all` shows what passes and what does not apply, too.
pub(super) fn show(report: &Report, comparison: Option<&Comparison>, all: bool) {
    for gate in &report.providers {
        let blocking = gate.blocking.join(", ");
        let blocking = if blocking.is_empty() { blocking } else { format!("  ({blocking})") };
        print::line(&format!("{:<14}{}{blocking}", gate.name, gate.verdict));
    }
    print::line("");
    let Headline { passed, determined, of, advisories, counts } = &report.headline;
    print::line(&format!(
        "{passed}/{of} tests passed, {determined} of {of} determined, {advisories} of 4 advisories"
    ));
    print::line(&format!(
        "all checks: {} pass, {} to know, {} warnings, {} faults, {} do not apply, {} undetermined",
        counts.pass, counts.info, counts.warn, counts.fail, counts.skip, counts.error
    ));
    if let Some(comparison) = comparison {
        changes(comparison);
    }
    let is_shown = |row: &&TestRow| all || !matches!(row.result.as_str(), "pass" | "skip");
    let mut shown: Vec<&TestRow> = report.tests.iter().filter(is_shown).collect();
    shown.sort_by_key(|row| (row.kind == Kind::Other, order(&row.result)));
    for row in shown {
        print::line("");
        let beside = match row.kind {
            Kind::Test => "",
            Kind::Advisory => " (advisory)",
            Kind::Other => " (beside the tests)",
        };
        print::line(&format!("{} {} {}{beside}", row.result, row.id, row.title));
        print::field("", &print::printable(&row.evidence));
        if !row.why.is_empty() && matches!(row.result.as_str(), "fail" | "warn" | "error") {
            print::field("why", &row.why);
        }
        if let Some(remedy) = &row.remedy {
            print::field("to do", &print::printable(remedy));
            print::field("see", &row.reference);
        }
    }
}

fn changes(comparison: &Comparison) {
    print::line("");
    let Comparison { with, better, worse, providers } = comparison;
    if better.is_empty() && worse.is_empty() && providers.is_empty() {
        print::line(&format!("as message {with} before it"));
        return;
    }
    print::line(&format!("since message {with}:"));
    for one in providers {
        print::line(&format!("  {}: {} -> {}", one.what, one.was, one.is));
    }
    for (how, all) in [("better", better), ("worse", worse)] {
        for one in all {
            print::line(&format!("  {how}: {} {} -> {}", one.what, one.was, one.is));
        }
    }
}

/// What is to be done first stands first.
fn order(result: &str) -> u8 {
    match result {
        "fail" => 0,
        "error" => 1,
        "warn" => 2,
        "info" => 3,
        "skip" => 4,
        _ => 5,
    }
}
