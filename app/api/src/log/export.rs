//! Entries in the order of writing, as lines of JSON or as CSV (RFC 4180).

use postlane_ledger::{Filter, Ledger, LedgerError, Seq};

use postlane_mail::is_unruly;

use super::escaped::escaped_json;
use crate::wire::LogEntry;

/// In which form entries are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object to a line.
    Jsonl,
    /// Values separated by commas, with names on top.
    Csv,
}

/// Entries on their way out, a piece at a time, so that memory does not grow with the log.
#[derive(Debug)]
pub struct Rows {
    filter: Filter,
    form: Form,
    after: Seq,
    /// What was there when the export began: it ends.
    until: Seq,
    /// Nothing was given yet.
    is_new: bool,
}

/// Entries read at once, and octets of a piece. Chosen, not measured.
const READ: usize = 1_000;
const PIECE_OCTETS: usize = 64 << 10;

impl Form {
    /// Reads a name: `jsonl` or `csv`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "jsonl" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// What the top line says, if there is one.
    pub fn head(self) -> String {
        match self {
            Self::Jsonl => String::new(),
            Self::Csv => COLUMNS.map(|Column(name, _)| name).join(",") + "\r\n",
        }
    }

    /// An entry as a line.
    pub fn line(self, entry: &LogEntry) -> Vec<u8> {
        match self {
            Self::Jsonl => {
                let mut line = escaped_json(entry);
                line.push(b'\n');
                line
            }
            Self::Csv => {
                (COLUMNS.map(|Column(_, of)| cell(&of(entry))).join(",") + "\r\n").into_bytes()
            }
        }
    }
}

impl Rows {
    /// Everything that `filter` has, written after `after`.
    pub fn new(ledger: &Ledger, filter: Filter, form: Form, after: Seq) -> Self {
        Self { filter, form, after, until: ledger.newest(), is_new: true }
    }

    /// The next piece; none at the end.
    pub fn next(&mut self, ledger: &Ledger) -> Result<Option<Vec<u8>>, LedgerError> {
        let mut piece = Vec::new();
        if std::mem::take(&mut self.is_new) {
            piece.extend_from_slice(self.form.head().as_bytes());
        }
        while self.after < self.until && piece.len() < PIECE_OCTETS {
            let followed = ledger.follow(self.after, &self.filter, READ)?;
            // A reader that stood still would go on for ever.
            let upto = if followed.upto > self.after { followed.upto } else { self.until };
            self.after = upto;
            for written in followed.entries {
                if written.seq <= self.until {
                    piece.extend_from_slice(&self.form.line(&LogEntry::from(written)));
                }
            }
        }
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// A cell: in quotes where it must be, without anything that moves a cursor, and never a formula to
/// the program that opens it.
pub fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len() + 2);
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        cell.push('\'');
    }
    for c in text.chars() {
        match c {
            '\n' => cell.push_str(" / "),
            c if is_unruly(c) => cell.extend(c.escape_unicode()),
            '"' => cell.push_str("\"\""),
            c => cell.push(c),
        }
    }
    if cell.contains([',', '"', ' ']) { format!("\"{cell}\"") } else { cell }
}

fn number<T: ToString>(number: Option<T>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// A column.
struct Column(&'static str, fn(&LogEntry) -> String);

const COLUMNS: [Column; 34] = [
    Column("at", |e| e.at.as_ref().map(|at| at.0.clone()).unwrap_or_default()),
    Column("seq", |e| e.seq.to_string()),
    Column("kind", |e| e.kind.clone()),
    Column("id", |e| e.id.clone().unwrap_or_default()),
    Column("number", |e| number(e.number)),
    Column("incident", |e| number(e.incident)),
    Column("message_id", |e| e.message_id.clone()),
    Column("stream", |e| e.stream.clone().unwrap_or_default()),
    Column("tenant", |e| e.tenant.clone()),
    Column("campaign", |e| e.campaign.clone()),
    Column("sender", |e| e.sender.clone()),
    Column("recipient", |e| e.recipient.clone()),
    Column("domain", |e| e.domain.clone()),
    Column("provider", |e| e.provider.clone()),
    Column("source", |e| e.source.clone()),
    Column("source_ip", |e| e.source_ip.clone().unwrap_or_default()),
    Column("ehlo", |e| e.ehlo.clone()),
    Column("mx_host", |e| e.mx_host.clone()),
    Column("mx_ip", |e| e.mx_ip.clone().unwrap_or_default()),
    Column("tls", |e| e.tls.clone()),
    Column("attempt", |e| number(e.attempt)),
    Column("stage", |e| e.stage.clone().unwrap_or_default()),
    Column("code", |e| number(e.code)),
    Column("status", |e| e.status.clone().unwrap_or_default()),
    Column("reply", |e| e.reply.clone()),
    Column("label", |e| e.label.clone()),
    Column("rule", |e| e.rule.clone()),
    Column("took_ms", |e| number(e.took_ms)),
    Column("delay_ms", |e| number(e.delay_ms)),
    Column("connect_ms", |e| number(e.connect_ms)),
    Column("octets", |e| number(e.octets)),
    Column("command", |e| e.command.clone()),
    Column("who", |e| e.who.clone()),
    Column("detail", |e| e.detail.clone()),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_breaks_a_line() {
        assert_eq!(cell("=LINK(\"x\")"), r#""'=LINK(""x"")""#);
        assert_eq!(cell("a\r\nb"), r#""a\u{d} / b""#);
        assert_eq!(cell("\u{1b}[2J\0\u{202e}"), "\\u{1b}[2J\\u{0}\\u{202e}");
        assert_eq!(cell("plain"), "plain");
    }

    #[test]
    fn a_line_has_as_many_cells_as_the_top_line() {
        let entry = LogEntry { reply: "no, \"never\"".to_owned(), ..LogEntry::default() };
        let line = String::from_utf8(Form::Csv.line(&entry)).unwrap();
        assert!(line.contains(",\"no, \"\"never\"\"\","), "{line}");
        let commas = |text: &str| text.matches(',').count();
        assert_eq!(commas(&line), commas(&Form::Csv.head()) + 1);
    }
}
