//! Dialogues and headers in files of their own, so that nobody reads them by the way.

use std::io;
use std::path::Path;

use bytes::Bytes;

use crate::entry::Sample;
use crate::position::Seq;
use crate::table::{self, Column, Form, Table, TableError, Values};

const COLUMNS: [Column; 3] = [
    Column::new("seq", Form::Number),
    Column::new("transcript", Form::Long),
    Column::new("headers", Form::Long),
];

/// Writes samples.
pub(crate) fn write(path: &Path, samples: &[(Seq, &Sample)]) -> io::Result<()> {
    let texts = |of: &dyn Fn(&Sample) -> &str| {
        let octets = |sample| Some(Bytes::copy_from_slice(of(sample).as_bytes()));
        Values::Texts(samples.iter().map(|(_, sample)| octets(sample)).collect())
    };
    table::write(path, &COLUMNS, samples.len(), |column| match column.name {
        "seq" => Values::Numbers(samples.iter().map(|(seq, _)| Some(seq.0)).collect()),
        "transcript" => texts(&|sample| &sample.transcript),
        _ => texts(&|sample| &sample.headers),
    })
}

/// The sample of the entry at `seq`, if it has one.
pub(crate) fn read(path: &Path, seq: Seq) -> Result<Option<Sample>, TableError> {
    let table = match Table::open(path, None) {
        Err(TableError::Disk(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let seqs = table.numbers("seq", |_| true)?.rows;
    let Some(row) = seqs.iter().position(|of| *of == Some(seq.0)) else { return Ok(None) };
    let transcript = table.texts("transcript", |page| page.contains(&row))?;
    let headers = table.texts("headers", |page| page.contains(&row))?;
    Ok(Some(Sample { transcript: transcript.text(row).into(), headers: headers.text(row).into() }))
}
