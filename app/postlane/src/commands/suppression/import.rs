//! `postlane suppression import`: what a file has, a batch at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use postlane_api::wire::{NewSuppression, Suppressed};
use serde_json::json;

use super::file::Header;
use super::{Format, REASONS, Who, label};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Args)]
pub(crate) struct Import {
    /// The file; `-` is standard input
    file: PathBuf,
    /// How it is written [default: as the file's name says, else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Why, for lines that do not say it
    #[arg(long, value_parser = PossibleValuesParser::new(REASONS), default_value = "import")]
    reason: String,
    /// In this tenant's mail, for lines that do not say it [default: everybody's]
    #[arg(long, value_parser = label)]
    tenant: Option<String>,
    #[command(flatten)]
    who: Who,
}

/// Entries sent at once: they share one sync of the disk.
const BATCH: usize = 5_000;

/// Octets of a line of JSON, at most. Chosen, not measured: an entry has few thousand.
const LINE_OCTETS_MAX: u64 = 64 << 10;

/// What is under way.
struct Under<'a> {
    reach: &'a Reach,
    client: Client,
    /// Entries that are not sent yet, and the lines that they stand in.
    batch: Vec<NewSuppression>,
    lines: Vec<u64>,
    added: u64,
    replaced: u64,
    refused: u64,
}

pub(super) fn run(reach: &Reach, import: &Import) -> Result<Exit, Failure> {
    let format = Format::of(import.format, Some(&import.file)).unwrap_or(Format::Csv);
    let from: Box<dyn Read> = if import.file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(&import.file);
        let says = |e| Failure::usage(format!("cannot read {}: {e}", import.file.display()));
        Box::new(opened.map_err(says)?)
    };
    let template = NewSuppression {
        reason: Some(import.reason.clone()),
        tenant: import.tenant.clone(),
        by: Some(import.who.by.clone()),
        ..NewSuppression::default()
    };
    let from = BufReader::with_capacity(1 << 20, from);
    let client = Client::find(reach)?;
    let (batch, lines) = (Vec::new(), Vec::new());
    let mut under = Under { reach, client, batch, lines, added: 0, replaced: 0, refused: 0 };
    match format {
        Format::Csv => under.read_csv(from, &template)?,
        Format::Jsonl => under.read_jsonl(from, &template)?,
    }
    under.send()?;
    under.finish()
}

impl Under<'_> {
    fn read_csv(&mut self, from: impl Read, template: &NewSuppression) -> Result<(), Failure> {
        let mut lines =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(from);
        let mut record = csv::ByteRecord::new();
        let mut header = None;
        loop {
            let line = lines.position().line();
            let more = lines.read_byte_record(&mut record);
            let more = more.map_err(|e| unreadable(line, &e.to_string()))?;
            if !more {
                return Ok(());
            }
            let line = record.position().map_or(line, csv::Position::line);
            let Ok(text) = csv::StringRecord::from_byte_record(record.clone()) else {
                self.refuse(line, "it is not UTF-8; save the file as UTF-8");
                continue;
            };
            let Some(header) = &header else {
                let read = Header::read(text.iter());
                let is_address = text.get(0).is_some_and(|first| first.contains('@'));
                if read.is_none() && !is_address {
                    let cure = "name one column `address`, or give one address to a line";
                    return Err(Failure::usage(format!("no column has addresses; {cure}")));
                }
                let is_header = read.is_some();
                let known = header.insert(read.unwrap_or_else(Header::of_addresses));
                if !is_header {
                    let entry = known.entry(text.iter(), template);
                    self.take(line, entry)?;
                }
                continue;
            };
            let entry = header.entry(text.iter(), template);
            self.take(line, entry)?;
        }
    }

    fn read_jsonl(
        &mut self,
        mut from: impl BufRead,
        template: &NewSuppression,
    ) -> Result<(), Failure> {
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let octets = from.by_ref().take(LINE_OCTETS_MAX).read_until(b'\n', &mut text);
            let octets = octets.map_err(|e| unreadable(line, &e.to_string()))?;
            if octets == 0 {
                return Ok(());
            }
            if octets as u64 == LINE_OCTETS_MAX && text.last() != Some(&b'\n') {
                return Err(unreadable(line, "it is longer than any entry is"));
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            let read = serde_json::from_slice::<NewSuppression>(&text);
            let entry = read.map(|entry| NewSuppression {
                reason: entry.reason.or_else(|| template.reason.clone()),
                tenant: entry.tenant.or_else(|| template.tenant.clone()),
                by: entry.by.or_else(|| template.by.clone()),
                ..entry
            });
            let cure = "write it as `postlane suppression export --format jsonl` does";
            self.take(line, entry.map_err(|e| format!("{e}; {cure}")))?;
        }
        Ok(())
    }

    fn take(&mut self, line: u64, entry: Result<NewSuppression, String>) -> Result<(), Failure> {
        match entry {
            Ok(entry) => {
                self.batch.push(entry);
                self.lines.push(line);
            }
            Err(says) => self.refuse(line, &says),
        }
        if self.batch.len() < BATCH {
            return Ok(());
        }
        self.send()
    }

    fn send(&mut self) -> Result<(), Failure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let put: Suppressed = self.client.post("/v1/suppressions", &self.batch)?;
        self.added += put.added;
        self.replaced += put.replaced;
        for wrong in put.refused {
            let line = self.lines.get(wrong.index).copied().unwrap_or_default();
            self.refuse(line, &wrong.detail);
        }
        self.batch.clear();
        self.lines.clear();
        Ok(())
    }

    /// A line that is not taken: which, why, and the cure.
    fn refuse(&mut self, line: u64, says: &str) {
        self.refused += 1;
        let (cause, cure) = says.split_once("; ").unwrap_or((says, "correct the line"));
        if self.reach.json {
            print::json(&json!({ "line": line, "cause": cause, "cure": cure }));
        } else {
            print::note(&format!("line {line}: {cause}; {cure}"));
        }
    }

    fn finish(&self) -> Result<Exit, Failure> {
        let Self { added, replaced, refused, .. } = self;
        if self.reach.json {
            print::json(&json!({ "added": added, "replaced": replaced, "refused": refused }));
        } else {
            print::line(&format!("{added} added, {replaced} replaced, {refused} refused"));
        }
        Ok(if *refused == 0 { Exit::Yes } else { Exit::No })
    }
}

fn unreadable(line: u64, says: &str) -> Failure {
    Failure::usage(format!("line {line} cannot be read: {says}; what stood before it was taken"))
}
