//! `postlane log`: what happened, searched, counted, exported and followed.

mod reading;
mod shown;
mod which;

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Args;
use postlane_api::log::Form;
use postlane_api::wire::{LogEntry, LogFacets, LogQuery, LogStats, LogViews};

pub(crate) use self::reading::{Reading, Source};
pub(in crate::commands) use self::reading::{open_folder, written};
pub(super) use self::shown::{Lead, entry as show_entry, moment, unruly_gone};
use self::which::Which;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// Which entries, and how they are shown.
#[derive(Args)]
#[command(after_help = "Examples:
  postlane log --code 421 --since 24h
  postlane log --provider web.de --json")]
pub(crate) struct Log {
    #[command(flatten)]
    which: Which,
    /// Go on with what happens from now on, until interrupted
    #[arg(long, short, conflicts_with_all = ["stats", "facets", "until"])]
    follow: bool,
    /// What became of mail, by provider and recipient domain; of the last 24 hours unless a time
    /// is given
    #[arg(long, conflicts_with = "facets")]
    stats: bool,
    /// How often each provider, code, label … occurs; of the last 24 hours unless a time is given
    #[arg(long)]
    facets: bool,
    /// Print comma-separated values
    #[arg(long, conflicts_with_all = ["json", "stats", "facets"])]
    csv: bool,
    /// Write all entries, not only the newest, into this file as Parquet, as DuckDB reads it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv", "stats", "facets", "follow", "many"])]
    parquet: Option<PathBuf>,
    /// Entries, the newest; rows of --stats; values of each of --facets [default: 50, 50, 10]
    #[arg(short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    many: Option<u32>,
    /// List the views that come with the program and those that were saved, and end
    #[arg(long)]
    views: bool,
    #[command(flatten)]
    source: Source,
}

pub(crate) fn run(reach: &Reach, log: &Log) -> Result<Exit, Failure> {
    if log.views {
        return Ok(views(reach, &log.source));
    }
    let mut query = log.which.query();
    query.limit = log.many;
    let counted = log.stats || log.facets;
    if counted && query.since.is_none() && query.view.is_none() {
        query.since = Some("24h".to_owned());
    }
    let reading = Reading::open(reach, &log.source)?;
    if let Some(file) = &log.parquet {
        return parquet(&reading, query, file);
    }
    if log.stats {
        return stats(reach, &reading.stats(&query)?);
    }
    if log.facets {
        return facets(reach, &reading.facets(&query)?);
    }
    list(reach, log, &reading, query)
}

/// The newest at the bottom, as in a file that grows.
fn list(reach: &Reach, log: &Log, reading: &Reading, query: LogQuery) -> Result<Exit, Failure> {
    let print = |entry: &LogEntry| match (log.csv, reach.json) {
        (true, _) => print::octets(&Form::Csv.line(entry)),
        (_, true) => print::octets(&Form::Jsonl.line(entry)),
        (false, false) => shown::entry(entry, Lead::Moment),
    };
    if log.csv {
        print::octets(Form::Csv.head().as_bytes());
    }
    // What comes while the page is read belongs to those who follow.
    let newest = if log.follow { Some(reading.newest()?) } else { None };
    let page = reading.page(&query)?;
    page.entries.iter().rev().for_each(print);
    if let Some(newest) = newest {
        let after = page.entries.iter().map(|entry| entry.seq).max().unwrap_or(0).max(newest);
        return reading.follow(LogQuery { after: Some(after), ..query }, print);
    }
    if let Some(until) = &page.searched_until {
        print::note(&format!(
            "the search was broken off at {}: narrow it with --since, or by provider or recipient",
            moment(until)
        ));
    } else if page.next.is_some() && page.entries.len() >= 50 && log.many.is_none() {
        print::note("there is more: -n 500, or --since and --until");
    }
    match page.entries.is_empty() {
        true => {
            print::note("nothing agrees with this; `postlane log --facets` tells what there is");
            Ok(Exit::No)
        }
        false => Ok(Exit::Yes),
    }
}

fn stats(reach: &Reach, stats: &LogStats) -> Result<Exit, Failure> {
    if reach.json {
        print::json(stats);
    } else if stats.rows.is_empty() {
        print::note("nothing was tried in this time; --since 7d looks further back");
    } else {
        shown::stats(stats);
    }
    Ok(if stats.rows.is_empty() { Exit::No } else { Exit::Yes })
}

fn facets(reach: &Reach, facets: &LogFacets) -> Result<Exit, Failure> {
    let none = facets.facets.iter().all(|facet| facet.total == 0);
    if reach.json {
        print::json(facets);
    } else if none {
        print::note("nothing happened in this time; --since 7d looks further back");
    } else {
        shown::facets(facets);
    }
    Ok(if none { Exit::No } else { Exit::Yes })
}

/// All into a file, which is whole or not there.
fn parquet(reading: &Reading, query: LogQuery, file: &Path) -> Result<Exit, Failure> {
    let unwritable = |e: std::io::Error| Failure::usage(format!("{}: {e}", file.display()));
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut out = BufWriter::new(File::create(&part).map_err(unwritable)?);
    let written = reading.parquet(query, &mut out).and_then(|()| {
        let out = out.into_inner().map_err(|e| unwritable(e.into_error()))?;
        out.sync_all().and_then(|()| fs::rename(&part, file)).map_err(unwritable)
    });
    if written.is_err() {
        // It may not be there any more.
        let _ = fs::remove_file(&part);
    }
    written.map(|()| Exit::Yes)
}

/// Those that come with the program are there without a server, too.
fn views(reach: &Reach, source: &Source) -> Exit {
    let reading = Reading::open(reach, source).ok();
    let views = reading.and_then(|reading| reading.views().ok());
    let views = views.unwrap_or_else(LogViews::built_in);
    if reach.json {
        print::json(&views);
    } else {
        let rows = views
            .views
            .iter()
            .map(|view| vec![print::printable(&view.name), print::printable(&view.title)]);
        print::table(&["NAME", "SHOWS"], rows);
    }
    Exit::Yes
}
