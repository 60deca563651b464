//! Entries, as people see them.

use postlane_api::wire::{SuppressionRow, Timestamp};

use crate::print::{self, printable};

/// What a listing says of each entry.
pub(super) const COLUMNS: [&str; 7] =
    ["ADDRESS", "TENANT", "REASON", "MAIL", "SINCE", "UNTIL", "SAID"];

/// One entry in a listing.
pub(super) fn cells(row: &SuppressionRow) -> Vec<String> {
    let or_none = |text: &str| if text.is_empty() { "-".to_owned() } else { printable(text) };
    let said = row.reply.as_ref().map(|said| format!("{} {}", said.code, said.text));
    vec![
        printable(&row.address),
        or_none(&row.tenant),
        row.reason.clone(),
        effect(row).to_owned(),
        moment(&row.since),
        row.until.as_ref().map_or_else(|| "-".to_owned(), moment),
        or_none(said.as_deref().unwrap_or(&row.note)),
    ]
}

/// All of one entry.
pub(super) fn entry(row: &SuppressionRow) {
    field("address", &printable(&row.address));
    let whose = if row.tenant.is_empty() { "everybody's mail" } else { &row.tenant };
    field("in", whose);
    field("reason", &row.reason);
    let says = match (row.holds, row.effect.as_str()) {
        (false, _) => format!("goes on: {} refused so far", messages(row.refusals)),
        (true, "waits") => "waits until the entry ends, and is tried again then".to_owned(),
        (true, _) => "is refused".to_owned(),
    };
    field("mail", &says);
    field("since", &moment(&row.since));
    field("until", &row.until.as_ref().map_or_else(|| "for ever".to_owned(), moment));
    field("by", &printable(&row.by));
    for (name, text) in [("note", &row.note), ("provider", &row.provider), ("rule", &row.rule)] {
        if !text.is_empty() {
            field(name, &printable(text));
        }
    }
    if let Some(id) = &row.message {
        field("message", &printable(id));
    }
    if let Some(said) = &row.reply {
        field("said", &format!("to {} by {}", said.stage, printable(&said.host)));
        for text in said.text.lines() {
            field("", &printable(&format!("{} {text}", said.code)));
        }
    }
    print::line(&format!("to undo it: postlane suppression remove {}", printable(&row.address)));
}

/// An address, and in whose mail.
pub(super) fn whose(row: &SuppressionRow) -> String {
    let address = printable(&row.address);
    match row.tenant.as_str() {
        "" => address,
        tenant => format!("{address} for {tenant}"),
    }
}

fn messages(many: u8) -> String {
    if many == 1 { "1 message was".to_owned() } else { format!("{many} messages were") }
}

fn effect(row: &SuppressionRow) -> &str {
    if row.holds { &row.effect } else { "goes on" }
}

fn field(name: &str, value: &str) {
    print::line(format!("{name:<10}{value}").trim_end());
}

/// A moment to the second; JSON has the milliseconds.
fn moment(at: &Timestamp) -> String {
    match at.0.split_once('.') {
        Some((second, _)) => format!("{second}Z"),
        None => at.0.clone(),
    }
}
