//! What was found, told: the gates of each provider first, the score second, then what is to be
//! done.

use postlane_checks::{Finding, Outcome, Report, Score};

use crate::exit::Exit;
use crate::print;

/// 0 where nothing is at fault, 1 where something is, 3 where something is open.
pub(super) fn exit(report: &Report) -> Exit {
    exit_by(report, |_| true)
}

/// As [`exit`], of something that is judged beside the block lists: one that refuses our resolver
/// says nothing of a message.
pub(super) fn exit_beside_lists(report: &Report) -> Exit {
    exit_by(report, |open| !open.id.starts_with("BL-"))
}

/// By these findings among those that are open.
fn exit_by(report: &Report, counts: impl Fn(&Finding) -> bool) -> Exit {
    let mut open = report.findings.iter().filter(|one| one.outcome == Outcome::Error);
    match (report.count(Outcome::Fail), open.any(counts)) {
        (1.., _) => Exit::No,
        (_, true) => Exit::Undetermined,
        _ => Exit::Yes,
    }
}

/// On the terminal; `all` shows what passes and what does not apply, too.
pub(super) fn show(report: &Report, all: bool) {
    for of in &report.gates {
        let blocking = of.blocking.join(", ");
        let blocking = if blocking.is_empty() { blocking } else { format!("  ({blocking})") };
        print::line(&format!("{:<14}{}{blocking}", of.gate.name(), of.standing.as_str()));
    }
    print::line("");
    let Score { points, grade, determined, of } = report.score;
    print::line(&match report.score.is_told() {
        true => format!("Score {points} ({grade}), {determined} of {of} determined"),
        false => format!("No score: {determined} of {of} determined"),
    });
    print::line(&format!(
        "{} pass, {} to know, {} warnings, {} faults, {} do not apply, {} undetermined",
        report.count(Outcome::Pass),
        report.count(Outcome::Info),
        report.count(Outcome::Warn),
        report.count(Outcome::Fail),
        report.count(Outcome::Skip),
        report.count(Outcome::Error)
    ));
    let is_shown =
        |finding: &&&Finding| all || !matches!(finding.outcome, Outcome::Pass | Outcome::Skip);
    for finding in report.by_urgency().iter().filter(is_shown) {
        print::line("");
        print::line(&format!("{} {}", finding.outcome.as_str(), finding.id));
        print::field("", &print::printable(&finding.evidence));
        if let Some(remedy) = &finding.remedy {
            print::field("to do", &print::printable(remedy));
            print::field("see", finding.reference);
        }
    }
}
