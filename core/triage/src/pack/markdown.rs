//! The report as Markdown, for tickets.

use std::fmt::Write as _;

use postlane_mail::is_unruly;

use super::moment;
use super::report::Report;

pub(super) fn write(report: &Report<'_>) -> String {
    let mut text = String::new();
    let verdict = &report.assessment.verdict;
    let _ = write!(
        text,
        "# {}: mail refused, {} to {}\n\n{}\n\nConfidence {:.2}. Made {}, all times UTC. {}\n",
        plain(report.provider),
        report.from,
        report.to,
        plain(&verdict.says),
        verdict.confidence,
        report.made,
        report.addresses(),
    );
    text.push_str("\n## Sources\n\n| source | address | EHLO | reverse DNS | attempts | accepted | deferred | refused for good | first attempts accepted | z |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for row in &report.sources {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(&row.name),
            cell(&row.address),
            cell(&row.ehlo),
            cell(&row.ptr),
            row.attempts,
            row.accepted,
            row.deferred,
            row.bounced,
            row.first_attempts_accepted,
            row.z
        );
    }
    for (title, list) in [("Why", &verdict.evidence), ("What speaks against it", &verdict.against)]
    {
        let _ = write!(text, "\n## {title}\n\n");
        for evidence in list {
            let _ = writeln!(text, "- {}", plain(&evidence.says));
        }
    }
    let _ = write!(text, "\n## Replies\n\n");
    for (count, reply) in &report.replies {
        let _ = writeln!(text, "- {count} times: {}", code(reply));
    }
    for case in &report.cases {
        let _ = writeln!(text, "- case: {}", code(case));
    }
    let _ = write!(text, "\n## Samples\n");
    for (n, sample) in report.samples.iter().enumerate() {
        let _ = write!(text, "\n### {} {}\n\n", n + 1, sample.at);
        for (name, value) in sample.facts() {
            let _ = writeln!(text, "- {name}: {}", code(&value));
        }
    }
    let _ = write!(text, "\n## By hour\n\n| from | accepted | refused |\n|---|---|---|\n");
    for hour in report.hours.iter().filter(|hour| hour.accepted + hour.refused > 0) {
        let _ =
            writeln!(text, "| {} | {} | {} |", moment::utc(hour.at), hour.accepted, hour.refused);
    }
    if !report.changes.is_empty() {
        let _ = write!(text, "\n## What was changed already\n\n");
        for (at, says) in &report.changes {
            let _ = writeln!(text, "- {at}: {}", plain(says));
        }
    }
    if !report.contacts.is_empty() {
        let _ = write!(text, "\n## Where to write\n\n");
        for contact in report.contacts {
            let _ = writeln!(text, "- {} ({})", code(&contact.url), plain(&contact.source));
        }
    }
    text
}

/// On one line, with nothing in it that Markdown or a terminal would act on.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if is_unruly(c) => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn cell(text: &str) -> String {
    if text.is_empty() { "–".to_owned() } else { plain(text) }
}

/// Between as many backticks as it takes.
fn code(text: &str) -> String {
    let line: String = text.chars().map(|c| if is_unruly(c) { ' ' } else { c }).collect();
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}
