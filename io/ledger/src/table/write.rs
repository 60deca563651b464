//! Writing a table: whole and durable, or not at all.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use crate::private::create;
use crate::table::column::{Column, Form, Values};

/// Rows in a page: what is read for one entry of a part. Chosen, not measured.
const PAGE_ROWS: usize = 4_096;
/// Rows handed to the encoder at once; pages end between two of them.
const BATCH_ROWS: usize = 1_024;
/// Wrong answers of a Bloom filter: one in a hundred, so that of a month's parts seven are read
/// in vain.
const FALSE_POSITIVES: f64 = 0.01;

/// Writes `rows` rows to `path` under another name, and renames it when everything is on the disk.
/// `make` gives each column's values. The rename is durable when this returns.
pub(crate) fn write(
    path: &Path,
    columns: &[Column],
    rows: usize,
    make: impl Fn(Column) -> Values,
) -> io::Result<()> {
    let whole = path.with_extension("tmp");
    let mut table = Groups::new(create(&whole)?, columns, rows)?;
    table.add(make)?;
    table.end()?.sync_all()?;
    fs::rename(&whole, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

/// A table being written, one group of rows after the other. The ledger's own have one.
pub(crate) struct Groups<'a, W: io::Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: &'a [Column],
}

impl<'a, W: io::Write + Send> Groups<'a, W> {
    /// Begins a table with up to `rows_max` rows in a group.
    pub(crate) fn new(out: W, columns: &'a [Column], rows_max: usize) -> io::Result<Self> {
        let schema = Arc::new(parse_message_type(&message(columns)).map_err(failed)?);
        let properties = Arc::new(properties(columns, rows_max));
        let writer = SerializedFileWriter::new(out, schema, properties).map_err(failed)?;
        Ok(Self { writer, columns })
    }

    /// Writes a group; `make` gives each column's values.
    pub(crate) fn add(&mut self, make: impl Fn(Column) -> Values) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(failed)?;
        let mut columns = self.columns.iter();
        while let Some(mut column) = group.next_column().map_err(failed)? {
            let Some(of) = columns.next() else { break };
            add_column(&mut column, make(*of))?;
            column.close().map_err(failed)?;
        }
        group.close().map_err(failed)?;
        Ok(())
    }

    /// Ends the table and gives back what it was written to.
    pub(crate) fn end(self) -> io::Result<W> {
        self.writer.into_inner().map_err(failed)
    }
}

fn add_column(column: &mut SerializedColumnWriter<'_>, values: Values) -> io::Result<()> {
    match values {
        Values::Texts(texts) => {
            let (levels, values) = apart(texts.into_iter().map(|text| text.map(ByteArray::from)));
            let typed = column.typed::<ByteArrayType>();
            for (levels, values) in batches(&levels, &values) {
                typed.write_batch(values, Some(levels), None).map_err(failed)?;
            }
        }
        Values::Numbers(numbers) => {
            let (levels, values) = apart(numbers.into_iter().map(|n| n.map(u64::cast_signed)));
            let typed = column.typed::<Int64Type>();
            for (levels, values) in batches(&levels, &values) {
                typed.write_batch(values, Some(levels), None).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// The schema, in Parquet's own notation.
fn message(columns: &[Column]) -> String {
    let mut message = String::from("message ledger {\n");
    for Column { name, form } in columns {
        let line = match form {
            Form::Moment => format!("optional int64 {name} (TIMESTAMP(MICROS,true));\n"),
            Form::Number | Form::Small => {
                format!("optional int64 {name} (INTEGER(64,false));\n")
            }
            _ => format!("optional binary {name} (STRING);\n"),
        };
        message.push_str(&line);
    }
    message.push('}');
    message
}

fn properties(columns: &[Column], rows: usize) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap_or_default()))
        .set_created_by("Postlane".to_owned())
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(BATCH_ROWS)
        .set_bloom_filter_for_dictionary_encoded_chunks(true)
        .set_statistics_enabled(EnabledStatistics::Page);
    for Column { name, form } in columns {
        let path = || ColumnPath::new(vec![(*name).to_owned()]);
        if matches!(form, Form::Name | Form::Moment | Form::Long) {
            properties = properties.set_column_dictionary_enabled(path(), false);
        }
        if !form.is_compressed() {
            properties = properties.set_column_compression(path(), Compression::UNCOMPRESSED);
        }
        if form.has_bloom_filter() {
            properties = properties
                .set_column_bloom_filter_enabled(path(), true)
                .set_column_bloom_filter_fpp(path(), FALSE_POSITIVES)
                .set_column_bloom_filter_max_ndv(path(), rows.max(1) as u64);
        }
    }
    properties.build()
}

/// Levels (1 where there is a value, 0 where not) and values.
fn apart<T>(values: impl ExactSizeIterator<Item = Option<T>>) -> (Vec<i16>, Vec<T>) {
    let mut levels = Vec::with_capacity(values.len());
    let mut there = Vec::new();
    for value in values {
        levels.push(i16::from(value.is_some()));
        there.extend(value);
    }
    (levels, there)
}

/// The same in batches of rows.
fn batches<'a, T>(
    levels: &'a [i16],
    values: &'a [T],
) -> impl Iterator<Item = (&'a [i16], &'a [T])> {
    let mut from = 0;
    levels.chunks(BATCH_ROWS).map(move |levels| {
        let there = levels.iter().filter(|level| **level == 1).count();
        let range: Range<usize> = from..from + there;
        from = range.end;
        (levels, &values[range])
    })
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => io::Error::other(source),
        other => io::Error::other(other),
    }
}
