//! `postlane log`: what happened, searched, counted, exported and followed.

mod reading;
mod shown;
mod which;

use clap::Args;
use postlane_api::log::Form;
use postlane_api::wire::{LogEntry, LogFacets, LogQuery, LogStats, LogViews};

pub(crate) use self::reading::{Reading, Source};
pub(in crate::commands) use self::reading::{open_folder, written};
pub(super) use self::shown::{Lead, entry as show_entry, moment, unruly_gone};
use self::which::Which;
use crate::cli::Reach;
use crate::exit::{Exit, Failure};
use crate::print;

/// Which entries, and how they are shown.
#[derive(Args)]
pub(crate) struct Log {
    #[command(flatten)]
    which: Which,
    /// Go on with what happens from now on, until it is broken off
    #[arg(long, short, conflicts_with_all = ["stats", "facets", "until"])]
    follow: bool,
    /// What became of mail, by provider and recipient domain; of the last 24 hours if not said
    /// otherwise
    #[arg(long, conflicts_with = "facets")]
    stats: bool,
    /// How often each provider, code, label … occurs; of the last 24 hours if not said otherwise
    #[arg(long)]
    facets: bool,
    /// Print comma-separated values
    #[arg(long, conflicts_with_all = ["json", "stats", "facets"])]
    csv: bool,
    /// Entries, the newest; rows of --stats; values of each of --facets [default: 50, 50, 10]
    #[arg(short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    many: Option<u32>,
    /// List the saved views and end
    #[arg(long)]
    views: bool,
    #[command(flatten)]
    source: Source,
}

pub(crate) fn run(reach: &Reach, log: &Log) -> Result<Exit, Failure> {
    if log.views {
        return Ok(views(reach));
    }
    let mut query = log.which.query();
    query.limit = log.many;
    let counted = log.stats || log.facets;
    if counted && query.since.is_none() && query.view.is_none() {
        query.since = Some("24h".to_owned());
    }
    let reading = Reading::open(reach, &log.source)?;
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

fn views(reach: &Reach) -> Exit {
    let views = LogViews::built_in();
    if reach.json {
        print::json(&views);
    } else {
        let rows = views.views.iter().map(|view| vec![view.name.clone(), view.title.clone()]);
        print::table(&["NAME", "SHOWS"], rows);
    }
    Exit::Yes
}
