//! What an analysis says, for a person at a terminal.

use postlane_mail::Span;
use postlane_maillog::Report;

use super::told::{Provider, Told};
use crate::print;

/// Providers in the table, and those that are told more of.
const ROWS: usize = 25;
/// Characters of a reply. Those of web.de and GMX are shorter, with their advice at the end.
const REPLY: usize = 320;
const TOLD: usize = 5;

pub(super) fn show(report: &Report, told: &Told) {
    let span = match (&told.from, &told.to) {
        (Some(from), Some(to)) => format!(", {from} to {to}"),
        _ => String::new(),
    };
    let bad = match told.bad_lines {
        0 => String::new(),
        n => format!(", {n} unreadable"),
    };
    let files = if told.files == 1 { "file" } else { "files" };
    print::line(&format!("{} {files}, {} lines{bad}{span}", told.files, told.lines));
    if told.providers.is_empty() {
        return;
    }
    print::line("");
    let header = [
        "PROVIDER",
        "ACCEPTED",
        "DEFERRED",
        "BOUNCED",
        "EXPIRED",
        "FIRST TRY",
        "TRIES/ACC",
        "STORMS",
        "LIMIT",
        "VERDICT",
    ];
    print::table(&header, told.providers.iter().take(ROWS).map(row));
    if told.providers.len() > ROWS {
        print::line(&format!("… and {} more: --json tells all", told.providers.len() - ROWS));
    }
    let troubled =
        told.providers.iter().filter(|one| !matches!(one.verdict.class, "healthy" | "too_little"));
    troubled.take(TOLD).for_each(more);
    if report.evicted > 0 {
        print::note(&format!(
            "{} recipients that waited were forgotten, for there were too many: their next try \
             counts as a first one",
            report.evicted
        ));
    }
}

fn row(one: &Provider) -> Vec<String> {
    let none = || "-".to_owned();
    vec![
        print::printable(&one.name),
        one.accepted.to_string(),
        one.deferred.to_string(),
        one.bounced.to_string(),
        one.expired.to_string(),
        one.first_attempt_share.map_or_else(none, |share| format!("{:.1} %", share * 100.0)),
        one.attempts_per_accepted.map_or_else(none, |tries| format!("{tries:.2}")),
        one.storms.len().to_string(),
        one.suspected_limit.as_ref().map_or_else(none, |limit| {
            let window = Span::from_s(u64::from(limit.window_s));
            format!("{} in {window} ({:.0} %)", limit.quota, limit.confidence * 100.0)
        }),
        format!("{} ({:.0} %)", one.verdict.class, one.verdict.confidence * 100.0),
    ]
}

/// What is left out is seen to be left out.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn more(one: &Provider) {
    print::line("");
    print::line(&print::printable(&one.name));
    let sure = format!("{} ({:.0} % sure)", one.verdict.says, one.verdict.confidence * 100.0);
    print::field("verdict", &print::printable(&sure));
    for evidence in one.verdict.evidence.iter().take(4) {
        print::field("for", &print::printable(evidence));
    }
    for evidence in one.verdict.against.iter().take(2) {
        print::field("against", &print::printable(evidence));
    }
    for (number, step) in one.verdict.steps.iter().enumerate() {
        print::step(if number == 0 { "do" } else { "" }, number + 1, step);
    }
    if one.suspended > 0 {
        let says = format!(
            "{}x \"delivery temporarily suspended\": not even tried while the destination rested; \
             such lines repeat a refusal, and are not counted as one",
            one.suspended
        );
        print::field("untried", &says);
    }
    for reply in one.top_replies.iter().take(3) {
        let text = shortened(&print::printable(&reply.text), REPLY);
        print::field(&format!("{}x", reply.count), &format!("{} ({})", text, reply.label));
    }
    for storm in one.storms.iter().take(3) {
        let says = format!(
            "{} to {}: {} tries, {} taken",
            storm.from, storm.to, storm.attempts, storm.accepted
        );
        print::field("storm", &says);
    }
    for text in [&one.recommended.toml, &one.recommended.postfix] {
        if !text.is_empty() {
            print::line("");
            text.lines().for_each(|line| print::line(&format!("    {}", print::printable(line))));
        }
    }
}
