//! What waits, as people see it.

use postlane_api::wire::{QueueMessage, QueueRow, SummaryPage, SummaryRow, Timestamp};

use crate::print::{self, printable};

/// What a listing says of each recipient.
pub(super) const COLUMNS: [&str; 9] =
    ["ID", "RECIPIENT", "PROVIDER", "STREAM", "STATUS", "TRIES", "NEXT", "WAITING", "LAST REPLY"];

/// One recipient in a listing.
pub(super) fn cells(row: &QueueRow) -> Vec<String> {
    let none = || "-".to_owned();
    let last = row.last_reply.as_ref();
    vec![
        row.id.clone(),
        printable(&row.recipient),
        row.provider.as_deref().map_or_else(none, printable),
        row.stream.clone(),
        row.status.clone(),
        row.attempts.to_string(),
        row.next_attempt_at.as_ref().map_or_else(none, moment),
        row.waiting.as_ref().map_or_else(none, |waiting| waiting.reason.clone()),
        last.map_or_else(none, |last| printable(&format!("{} {}", last.code, last.text))),
    ]
}

/// One message and its recipients.
pub(super) fn message(message: &QueueMessage) {
    field("id", &message.id);
    field("from", &format!("<{}>", printable(&message.sender)));
    if let Some(first) = message.recipients.first() {
        field("arrived", &moment(&first.arrived_at));
        field("stream", &first.stream);
        for (name, label) in [("tenant", &first.tenant), ("campaign", &first.campaign)] {
            if !label.is_empty() {
                field(name, label);
            }
        }
    }
    field("octets", &message.octets.to_string());
    for row in &message.recipients {
        print::line("");
        recipient(row);
    }
    print::line("");
    for text in message.headers.lines() {
        print::line(&printable(text));
    }
}

fn recipient(row: &QueueRow) {
    field("to", &format!("<{}>", printable(&row.recipient)));
    if let Some(provider) = &row.provider {
        field("provider", &printable(provider));
    }
    if let Some(source) = &row.source {
        field("source", &printable(source));
    }
    let tries = if row.attempts == 1 { "try" } else { "tries" };
    field("status", &format!("{}, after {} {tries}", row.status, row.attempts));
    if let Some(waiting) = &row.waiting {
        field("waiting", &printable(&waiting.reason));
    }
    if let Some(next) = &row.next_attempt_at {
        field("next", &moment(next));
    }
    if let Some(expires) = &row.expires_at {
        field("expires", &moment(expires));
    }
    if let Some(last) = &row.last_reply {
        let by = if last.host.is_empty() { String::new() } else { format!(" by {}", last.host) };
        field("last reply", &format!("{}, to {}{}", moment(&last.at), last.stage, printable(&by)));
        for text in last.text.lines() {
            field("", &printable(&format!("{} {text}", last.code)));
        }
    }
}

fn field(name: &str, value: &str) {
    print::line(format!("{name:<12}{value}").trim_end());
}

/// How much waits, by provider and age: a table as `qshape` has it.
pub(super) fn summary(page: &SummaryPage) {
    let ages = page.ages_min.iter().map(ToString::to_string);
    let last = page.ages_min.last().map(|last| format!("{last}+"));
    let mut header = vec!["PROVIDER".to_owned(), "TOTAL".to_owned()];
    header.extend(ages.chain(last));
    header.extend(["ACTIVE", "READY", "DEFERRED", "HELD"].map(str::to_owned));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let total = total(page);
    print::table(&header, std::iter::once(&total).chain(&page.providers).map(summary_cells));
}

fn total(page: &SummaryPage) -> SummaryRow {
    let sum = |of: fn(&SummaryRow) -> u64| page.providers.iter().map(of).sum();
    let ages = 0..page.providers.first().map_or(0, |row| row.by_age.len());
    let of_age = |i: usize| page.providers.iter().filter_map(|row| row.by_age.get(i)).sum();
    SummaryRow {
        provider: "TOTAL".to_owned(),
        recipients: sum(|row| row.recipients),
        active: sum(|row| row.active),
        ready: sum(|row| row.ready),
        deferred: sum(|row| row.deferred),
        held: sum(|row| row.held),
        by_age: ages.map(of_age).collect(),
    }
}

fn summary_cells(row: &SummaryRow) -> Vec<String> {
    let mut cells = vec![printable(&row.provider), row.recipients.to_string()];
    cells.extend(row.by_age.iter().map(ToString::to_string));
    cells.extend([row.active, row.ready, row.deferred, row.held].map(|n| n.to_string()));
    cells
}

/// A moment to the second; JSON has the milliseconds.
fn moment(at: &Timestamp) -> String {
    match at.0.split_once('.') {
        Some((second, _)) => format!("{second}Z"),
        None => at.0.clone(),
    }
}
