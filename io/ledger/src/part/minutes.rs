//! Counts by the minute in files.

use std::io;
use std::path::Path;

use bytes::Bytes;
use postlane_mail::{Instant, Stream};

use crate::kind::{Kind, Try};
use crate::table::{self, Column, Form, Table, TableError, Values};
use crate::tally::Tally;

const COLUMNS: [Column; 11] = [
    Column::new("minute", Form::Moment),
    Column::new("provider", Form::Phrase),
    Column::new("source", Form::Phrase),
    Column::new("stream", Form::Phrase),
    Column::new("tenant", Form::Phrase),
    Column::new("kind", Form::Phrase),
    Column::new("try", Form::Phrase),
    Column::new("label", Form::Phrase),
    Column::new("count", Form::Number),
    Column::new("delay_ms", Form::Number),
    Column::new("took_ms", Form::Number),
];

/// Writes tallies, one row each.
pub(crate) fn write(path: &Path, tallies: &[Tally]) -> io::Result<()> {
    let texts = |of: &dyn Fn(&Tally) -> &str| {
        let text = |tally| Some(of(tally)).filter(|text: &&str| !text.is_empty());
        let octets = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Values::Texts(tallies.iter().map(|tally| text(tally).map(octets)).collect())
    };
    let numbers = |of: &dyn Fn(&Tally) -> u64| {
        Values::Numbers(tallies.iter().map(|tally| Some(of(tally))).collect())
    };
    table::write(path, &COLUMNS, tallies.len(), |column| match column.name {
        "minute" => numbers(&|tally| tally.from.0),
        "provider" => texts(&|tally| &tally.provider),
        "source" => texts(&|tally| &tally.source),
        "stream" => texts(&|tally| tally.stream.map_or("", |stream| stream.as_str())),
        "tenant" => texts(&|tally| &tally.tenant),
        "kind" => texts(&|tally| tally.kind.as_str()),
        "try" => texts(&|tally| tally.tried.map_or("", |tried| tried.as_str())),
        "label" => texts(&|tally| &tally.label),
        "count" => numbers(&|tally| tally.count),
        "delay_ms" => numbers(&|tally| tally.delay_ms),
        _ => numbers(&|tally| tally.took_ms),
    })
}

/// Reads the tallies of a file for which `is_asked` says yes to the minute.
pub(crate) fn read(
    path: &Path,
    is_asked: impl Fn(Instant) -> bool,
) -> Result<Vec<Tally>, TableError> {
    let table = Table::open(path, None)?;
    let minutes = table.numbers("minute", |_| true)?.rows;
    let is_asked = |row: usize| minutes[row].is_some_and(|minute| is_asked(Instant(minute)));
    let wanted = |mut page: std::ops::Range<usize>| page.any(is_asked);
    if !wanted(0..table.rows()) {
        return Ok(Vec::new());
    }
    let [provider, source, stream, tenant, kind, tried, label] =
        ["provider", "source", "stream", "tenant", "kind", "try", "label"]
            .map(|column| table.texts(column, wanted));
    let (provider, source, stream, tenant) = (provider?, source?, stream?, tenant?);
    let (kind, tried, label) = (kind?, tried?, label?);
    let [count, delay_ms, took_ms] =
        ["count", "delay_ms", "took_ms"].map(|column| table.numbers(column, wanted));
    let (count, delay_ms, took_ms) = (count?.rows, delay_ms?.rows, took_ms?.rows);
    let mut tallies = Vec::new();
    for row in (0..table.rows()).filter(|row| is_asked(*row)) {
        let kind = Kind::parse(kind.text(row))
            .ok_or_else(|| TableError::Broken("a kind that cannot be".to_owned()))?;
        tallies.push(Tally {
            from: Instant(minutes[row].unwrap_or(0)),
            provider: provider.text(row).into(),
            source: source.text(row).into(),
            stream: Stream::parse(stream.text(row)),
            tenant: tenant.text(row).into(),
            kind,
            tried: Try::parse(tried.text(row)),
            label: label.text(row).into(),
            count: count[row].unwrap_or(0),
            delay_ms: delay_ms[row].unwrap_or(0),
            took_ms: took_ms[row].unwrap_or(0),
        });
    }
    Ok(tallies)
}
