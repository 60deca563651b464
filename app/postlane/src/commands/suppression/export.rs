//! `postlane suppression export`: the list in a file.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::Args;
use postlane_api::wire::{SuppressionQuery, SuppressionRow};
use serde_json::json;

use super::{Format, Which, file, pages};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Args)]
pub(crate) struct Export {
    /// The file; it must not be there yet [default: standard output]
    file: Option<PathBuf>,
    /// How it is written [default: as the file's name says, else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(reach: &Reach, export: &Export) -> Result<Exit, Failure> {
    let format = Format::of(export.format, export.file.as_ref()).unwrap_or(Format::Csv);
    let (client, query) = (Client::find(reach)?, export.which.query());
    let Some(path) = &export.file else {
        let entries = write(&client, query, format, BufWriter::new(print::Pieces::new()))?;
        print::note(&format!("{entries} entries"));
        return Ok(Exit::Yes);
    };
    let unusable = |e: io::Error| Failure::usage(format!("cannot write {}: {e}", path.display()));
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = open.map_err(unusable)?;
    let written = write(&client, query, format, BufWriter::with_capacity(1 << 20, &file));
    let synced = written.and_then(|entries| {
        file.sync_all().map_err(unusable)?;
        Ok(entries)
    });
    // Half an export is none.
    let entries = synced.inspect_err(|_| drop(fs::remove_file(path)))?;
    if reach.json {
        print::json(&json!({ "entries": entries }));
    } else {
        print::line(&format!("{entries} entries in {}", path.display()));
    }
    Ok(Exit::Yes)
}

fn write(
    client: &Client,
    query: SuppressionQuery,
    format: Format,
    to: impl Write,
) -> Result<u64, Failure> {
    let broken = |e: String| Failure::new(Exit::Undetermined, format!("cannot write: {e}"));
    match format {
        Format::Csv => {
            let mut lines = csv::Writer::from_writer(to);
            lines.write_record(file::COLUMNS).map_err(|e| broken(e.to_string()))?;
            let line = |row: &SuppressionRow| lines.write_record(file::fields(row));
            let entries = each(client, query, line, |e| broken(e.to_string()))?;
            lines.flush().map_err(|e| broken(e.to_string()))?;
            Ok(entries)
        }
        Format::Jsonl => {
            let mut to = to;
            let line = |row: &SuppressionRow| {
                serde_json::to_writer(&mut to, row).map_err(io::Error::from)?;
                to.write_all(b"\n")
            };
            let entries = each(client, query, line, |e| broken(e.to_string()))?;
            to.flush().map_err(|e| broken(e.to_string()))?;
            Ok(entries)
        }
    }
}

fn each<E>(
    client: &Client,
    query: SuppressionQuery,
    mut line: impl FnMut(&SuppressionRow) -> Result<(), E>,
    broken: impl Fn(E) -> Failure,
) -> Result<u64, Failure> {
    pages(client, query, u32::MAX, |page| {
        page.entries.iter().try_for_each(&mut line).map_err(&broken)
    })
}
