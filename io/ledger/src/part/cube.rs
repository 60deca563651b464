//! How many entries of a part share their values of all fields that repeat much.
//!
//! A few thousand rows for an hour: most counts are answered from here without touching entries,
//! and a part in which nothing fits a question is passed over.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use bytes::Bytes;
use compact_str::CompactString;
use postlane_mail::{Code, Stage, Stream};

use crate::entry::{Entry, Written};
use crate::field::Field;
use crate::kind::{Kind, Try};
use crate::table::{self, Column, Form, Values};

/// The fields that are counted together.
pub(crate) const CUBE_FIELDS: [Field; 12] = [
    Field::Kind,
    Field::Try,
    Field::Provider,
    Field::Code,
    Field::Label,
    Field::Rule,
    Field::Source,
    Field::SourceIp,
    Field::Stream,
    Field::Tenant,
    Field::Campaign,
    Field::Stage,
];

/// What [`CUBE_FIELDS`] say in an entry, as it has them: texts are made of those that differ alone.
#[derive(PartialEq, Eq, Hash)]
struct Said<'e> {
    kind: Kind,
    tried: Option<Try>,
    code: Option<Code>,
    source_ip: Option<IpAddr>,
    stream: Option<Stream>,
    stage: Option<Stage>,
    texts: [&'e str; 6],
}

impl<'e> Said<'e> {
    fn by(entry: &'e Entry) -> Self {
        Self {
            kind: entry.kind,
            tried: entry.tried(),
            code: entry.code,
            source_ip: entry.source_ip,
            stream: entry.stream,
            stage: entry.stage,
            texts: [
                &entry.provider,
                &entry.label,
                &entry.rule,
                &entry.source,
                &entry.tenant,
                &entry.campaign,
            ],
        }
    }
}

/// Writes the counts of `entries`.
pub(super) fn write(path: &Path, entries: &[&Written]) -> io::Result<()> {
    let mut known: HashMap<Said<'_>, (&Entry, u64, u64)> = HashMap::new();
    for written in entries {
        let entry = &written.entry;
        let (_, count, delay_ms) = known.entry(Said::by(entry)).or_insert((entry, 0, 0));
        *count += 1;
        *delay_ms = delay_ms.saturating_add(entry.delay_ms.unwrap_or(0));
    }
    let counted = known.into_values().map(|(entry, count, delay_ms)| {
        let key: [CompactString; 12] = CUBE_FIELDS.map(|field| field.of(entry));
        (key, (count, delay_ms))
    });
    let mut rows: Vec<_> = counted.collect();
    rows.sort_unstable();
    let mut columns: Vec<Column> =
        CUBE_FIELDS.iter().map(|field| Column::new(field.as_str(), Form::Phrase)).collect();
    columns.push(Column::new("count", Form::Small));
    columns.push(Column::new("delay_ms", Form::Number));
    table::write(path, &columns, rows.len(), |column| {
        let Some(at) = CUBE_FIELDS.iter().position(|field| field.as_str() == column.name) else {
            let is_count = column.name == "count";
            let sum = |sum: &(u64, u64)| Some(if is_count { sum.0 } else { sum.1 });
            return Values::Numbers(rows.iter().map(|(_, sums)| sum(sums)).collect());
        };
        let text = |text: &CompactString| Bytes::copy_from_slice(text.as_bytes());
        let known = rows.iter().map(|(key, _)| &key[at]);
        Values::Texts(known.map(|key| (!key.is_empty()).then(|| text(key))).collect())
    })
}
