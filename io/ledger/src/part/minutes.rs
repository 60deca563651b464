//! Counts by the minute in files.

use std::array;
use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use postlane_mail::{Instant, Stream};

use crate::kind::{Kind, Try};
use crate::table::{self, Column, Form, Table, TableError, Values};
use crate::tally::{By, Tally};

const COLUMNS: [Column; 11] = [
    Column::new("minute", Form::Moment),
    Column::new("provider", Form::Phrase),
    Column::new("source", Form::Phrase),
    Column::new("stream", Form::Phrase),
    Column::new("tenant", Form::Phrase),
    Column::new("kind", Form::Phrase),
    Column::new("try", Form::Phrase),
    Column::new("label", Form::Phrase),
    Column::new("count", Form::Small),
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

/// Reads the tallies of a file for which `stretch` gives the beginning of a stretch of time, and puts
/// those of one stretch together. What `reads` says no to is left empty.
pub(crate) fn read(
    path: &Path,
    stretch: impl Fn(Instant) -> Option<Instant>,
    reads: impl Fn(By) -> bool,
) -> Result<Vec<Tally>, TableError> {
    let table = Table::open(path, None)?;
    let minutes = table.numbers("minute", |_| true)?.rows;
    let stretch = |row: usize| stretch(Instant(minutes[row]?));
    let wanted = |mut page: Range<usize>| page.any(|row| stretch(row).is_some());
    if !wanted(0..table.rows()) {
        return Ok(Vec::new());
    }
    let is_read = |column: &str| By::parse(column).is_none_or(&reads);
    let texts = TEXTS.map(|column| is_read(column).then(|| table.texts(column, wanted)));
    let texts = texts.into_iter().map(Option::transpose).collect::<Result<Vec<_>, _>>()?;
    let sums = SUMS.map(|column| table.numbers(column, wanted));
    let sums = sums.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut together: HashMap<(Instant, [u32; TEXTS.len()]), [u64; SUMS.len()]> = HashMap::new();
    for row in 0..table.rows() {
        let Some(from) = stretch(row) else { continue };
        let words = array::from_fn(|text| texts[text].as_ref().map_or(0, |texts| texts.rows[row]));
        let known = together.entry((from, words)).or_default();
        for (known, sum) in known.iter_mut().zip(&sums) {
            *known = known.saturating_add(sum.rows[row].unwrap_or(0));
        }
    }
    together
        .into_iter()
        .map(|((from, words), [count, delay_ms, took_ms])| {
            let word =
                |text: usize| texts[text].as_ref().map_or("", |texts| texts.word(words[text]));
            let kind = Kind::parse(word(4))
                .ok_or_else(|| TableError::Broken("a kind that cannot be".to_owned()))?;
            Ok(Tally {
                from,
                provider: word(0).into(),
                source: word(1).into(),
                stream: Stream::parse(word(2)),
                tenant: word(3).into(),
                kind,
                tried: Try::parse(word(5)),
                label: word(6).into(),
                count,
                delay_ms,
                took_ms,
            })
        })
        .collect()
}

const TEXTS: [&str; 7] = ["provider", "source", "stream", "tenant", "kind", "try", "label"];
const SUMS: [&str; 3] = ["count", "delay_ms", "took_ms"];
