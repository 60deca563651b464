//! An entry's fields as columns, and back.

use std::fmt;
use std::io::Write as _;
use std::ops::Range;

use bytes::Bytes;
use postlane_mail::{Code, Instant, QueueId, Stage, Status, Stream};

use crate::entry::{Entry, Written};
use crate::kind::Kind;
use crate::position::Seq;
use crate::table::{Column, Form, Table, TableError, Values};

const fn column(name: &'static str, form: Form) -> Column {
    Column::new(name, form)
}

/// The columns of a sealed part. New ones are added at the end; none is ever removed.
pub(crate) const ENTRY_COLUMNS: [Column; 33] = [
    column("ts", Form::Moment),
    column("seq", Form::Number),
    column("kind", Form::Phrase),
    column("id", Form::Name),
    column("recipient_index", Form::Small),
    column("message_id", Form::Name),
    column("stream", Form::Phrase),
    column("tenant", Form::Word),
    column("campaign", Form::Word),
    column("sender", Form::Prose),
    column("recipient", Form::Name),
    column("domain", Form::Word),
    column("provider", Form::Word),
    column("source", Form::Word),
    column("source_ip", Form::Word),
    column("ehlo", Form::Phrase),
    column("mx_host", Form::Word),
    column("mx_ip", Form::Phrase),
    column("tls", Form::Phrase),
    column("attempt", Form::Small),
    column("stage", Form::Phrase),
    column("code", Form::Small),
    column("status", Form::Phrase),
    column("reply", Form::Prose),
    column("label", Form::Word),
    column("rule", Form::Phrase),
    column("took_ms", Form::Number),
    column("delay_ms", Form::Number),
    column("connect_ms", Form::Number),
    column("octets", Form::Number),
    column("command", Form::Prose),
    column("who", Form::Prose),
    column("detail", Form::Prose),
];

/// One column's values of `entries`. Texts lie in one piece of memory: to ask for memory for each
/// of them costs more than all else that is done with most of them.
pub(crate) fn values(column: Column, entries: &[&Written]) -> Values {
    if !column.form.is_text() {
        return Values::Numbers(
            entries.iter().map(|written| number(written, column.name)).collect(),
        );
    }
    let mut octets = Vec::new();
    let mut ranges = Vec::with_capacity(entries.len());
    for written in entries {
        let start = octets.len();
        write_text(&written.entry, column.name, &mut octets);
        ranges.push(start..octets.len());
    }
    let octets = Bytes::from(octets);
    let text = |range: Range<usize>| (!range.is_empty()).then(|| octets.slice(range));
    Values::Texts(ranges.into_iter().map(text).collect())
}

/// Writes what an entry has in a column behind what `out` has.
fn write_text(entry: &Entry, column: &str, out: &mut Vec<u8>) {
    let mut shown = |text: Option<&dyn fmt::Display>| {
        if let Some(text) = text {
            write!(out, "{text}").expect("memory takes what is written");
        }
    };
    let plain: &str = match column {
        "kind" => entry.kind.as_str(),
        "stream" => entry.stream.map_or("", |stream| stream.as_str()),
        "stage" => entry.stage.map_or("", |stage| stage.as_str()),
        "id" => return shown(entry.id.as_ref().map(|id| id as &dyn fmt::Display)),
        "source_ip" => return shown(entry.source_ip.as_ref().map(|ip| ip as &dyn fmt::Display)),
        "mx_ip" => return shown(entry.mx_ip.as_ref().map(|ip| ip as &dyn fmt::Display)),
        "status" => return shown(entry.status.as_ref().map(|of| of as &dyn fmt::Display)),
        "message_id" => &entry.message_id,
        "tenant" => &entry.tenant,
        "campaign" => &entry.campaign,
        "sender" => &entry.sender,
        "recipient" => &entry.recipient,
        "domain" => &entry.domain,
        "provider" => &entry.provider,
        "source" => &entry.source,
        "ehlo" => &entry.ehlo,
        "mx_host" => &entry.mx_host,
        "tls" => &entry.tls,
        "reply" => &entry.reply,
        "label" => &entry.label,
        "rule" => &entry.rule,
        "command" => &entry.command,
        "who" => &entry.who,
        "detail" => &entry.detail,
        _ => "",
    };
    out.extend_from_slice(plain.as_bytes());
}

fn number(written: &Written, column: &str) -> Option<u64> {
    let entry = &written.entry;
    match column {
        "ts" => Some(entry.at.0),
        "seq" => Some(written.seq.0),
        "recipient_index" => entry.recipient_index.map(u64::from),
        "attempt" => entry.attempt.map(u64::from),
        "code" => entry.code.map(|code| u64::from(code.number())),
        "took_ms" => entry.took_ms.map(u64::from),
        "delay_ms" => entry.delay_ms,
        "connect_ms" => entry.connect_ms.map(u64::from),
        "octets" => entry.octets,
        _ => None,
    }
}

/// Reads the entries in `rows`, which grow.
pub(crate) fn read(table: &Table, rows: &[usize]) -> Result<Vec<Written>, TableError> {
    let blank = || Written { seq: Seq(0), entry: Entry::new(Kind::Accepted, Instant(0)) };
    let mut all: Vec<Written> = rows.iter().map(|_| blank()).collect();
    let is_wanted = |page: Range<usize>| {
        let next = rows.partition_point(|row| *row < page.start);
        rows.get(next).is_some_and(|row| *row < page.end)
    };
    for column in ENTRY_COLUMNS {
        if column.form.is_text() {
            let texts = table.texts(column.name, is_wanted)?;
            for (written, row) in all.iter_mut().zip(rows) {
                let text = texts.text(*row);
                if !text.is_empty() {
                    put_text(&mut written.entry, column.name, text).ok_or_else(|| odd(column))?;
                }
            }
        } else {
            let numbers = table.numbers(column.name, is_wanted)?;
            for (written, row) in all.iter_mut().zip(rows) {
                if let Some(number) = numbers.rows.get(*row).copied().flatten() {
                    put_number(written, column.name, number).ok_or_else(|| odd(column))?;
                }
            }
        }
    }
    Ok(all)
}

fn odd(column: Column) -> TableError {
    TableError::Broken(format!("a {} that cannot be", column.name))
}

fn put_text(entry: &mut Entry, column: &str, text: &str) -> Option<()> {
    let slot = match column {
        "kind" => {
            entry.kind = Kind::parse(text)?;
            return Some(());
        }
        "id" => {
            entry.id = Some(QueueId::parse(text).ok()?);
            return Some(());
        }
        "stream" => {
            entry.stream = Some(Stream::parse(text)?);
            return Some(());
        }
        "source_ip" => {
            entry.source_ip = Some(text.parse().ok()?);
            return Some(());
        }
        "mx_ip" => {
            entry.mx_ip = Some(text.parse().ok()?);
            return Some(());
        }
        "stage" => {
            entry.stage = Some(Stage::ALL.into_iter().find(|stage| stage.as_str() == text)?);
            return Some(());
        }
        "status" => {
            entry.status = Some(Status::parse(text)?);
            return Some(());
        }
        "message_id" => &mut entry.message_id,
        "tenant" => &mut entry.tenant,
        "campaign" => &mut entry.campaign,
        "sender" => &mut entry.sender,
        "recipient" => &mut entry.recipient,
        "domain" => &mut entry.domain,
        "provider" => &mut entry.provider,
        "source" => &mut entry.source,
        "ehlo" => &mut entry.ehlo,
        "mx_host" => &mut entry.mx_host,
        "tls" => &mut entry.tls,
        "reply" => &mut entry.reply,
        "label" => &mut entry.label,
        "rule" => &mut entry.rule,
        "command" => &mut entry.command,
        "who" => &mut entry.who,
        "detail" => &mut entry.detail,
        _ => return None,
    };
    *slot = text.into();
    Some(())
}

fn put_number(written: &mut Written, column: &str, number: u64) -> Option<()> {
    let entry = &mut written.entry;
    match column {
        "ts" => entry.at = Instant(number),
        "seq" => written.seq = Seq(number),
        "recipient_index" => entry.recipient_index = Some(number.try_into().ok()?),
        "attempt" => entry.attempt = Some(number.try_into().ok()?),
        "code" => entry.code = Some(Code::new(number.try_into().ok()?)?),
        "took_ms" => entry.took_ms = Some(number.try_into().ok()?),
        "delay_ms" => entry.delay_ms = Some(number),
        "connect_ms" => entry.connect_ms = Some(number.try_into().ok()?),
        "octets" => entry.octets = Some(number),
        _ => return None,
    }
    Some(())
}
