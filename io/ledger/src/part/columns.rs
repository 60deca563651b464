//! An entry's fields as columns, and back.

use bytes::Bytes;
use compact_str::{CompactString, ToCompactString};
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

/// One column's values of `entries`.
pub(crate) fn values(column: Column, entries: &[&Written]) -> Values {
    if column.form.is_text() {
        let text = |written: &&Written| text(&written.entry, column.name);
        Values::Texts(entries.iter().map(text).collect())
    } else {
        Values::Numbers(entries.iter().map(|written| number(written, column.name)).collect())
    }
}

fn text(entry: &Entry, column: &str) -> Option<Bytes> {
    let owned = |text: CompactString| Some(Bytes::copy_from_slice(text.as_bytes()));
    let plain = |text: &str| (!text.is_empty()).then(|| Bytes::copy_from_slice(text.as_bytes()));
    match column {
        "kind" => Some(Bytes::from_static(entry.kind.as_str().as_bytes())),
        "id" => owned(entry.id?.to_compact_string()),
        "stream" => Some(Bytes::from_static(entry.stream?.as_str().as_bytes())),
        "source_ip" => owned(entry.source_ip?.to_compact_string()),
        "mx_ip" => owned(entry.mx_ip?.to_compact_string()),
        "stage" => Some(Bytes::from_static(entry.stage?.as_str().as_bytes())),
        "status" => owned(entry.status?.to_compact_string()),
        "message_id" => plain(&entry.message_id),
        "tenant" => plain(&entry.tenant),
        "campaign" => plain(&entry.campaign),
        "sender" => plain(&entry.sender),
        "recipient" => plain(&entry.recipient),
        "domain" => plain(&entry.domain),
        "provider" => plain(&entry.provider),
        "source" => plain(&entry.source),
        "ehlo" => plain(&entry.ehlo),
        "mx_host" => plain(&entry.mx_host),
        "tls" => plain(&entry.tls),
        "reply" => plain(&entry.reply),
        "label" => plain(&entry.label),
        "rule" => plain(&entry.rule),
        "command" => plain(&entry.command),
        "who" => plain(&entry.who),
        "detail" => plain(&entry.detail),
        _ => None,
    }
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
    let is_wanted = |page: std::ops::Range<usize>| {
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
