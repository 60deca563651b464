//! The one place that writes to the terminal.
//!
//! What was asked for goes to stdout, everything else to stderr, so that a pipe gets the
//! answer and nothing else.

use std::io::{self, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// A line of the answer. A reader that has gone away (`| head`) ends the program quietly.
pub(crate) fn line(text: &str) {
    let mut out = anstream::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// The answer as one JSON value on one line.
pub(crate) fn json(value: &impl Serialize) {
    line(&serde_json::to_string(value).unwrap_or_default());
}

/// A remark, on stderr.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// An error, on stderr.
pub(crate) fn error(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "postlane: {text}");
}

/// A table: as wide as the terminal, plain when there is none.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !io::IsTerminal::is_terminal(&io::stdout()) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    for text in table.to_string().lines() {
        line(text.trim_end());
    }
}
