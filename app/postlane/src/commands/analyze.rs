//! `postlane analyze`: what another mail server's log says of providers, limits and retries.

mod files;
mod given;
mod lane;
mod limit;
mod pace;
mod pack;
mod page;
mod plot;
mod postfix;
mod table;
mod told;
mod verdict;
mod written;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use postlane_maillog::{Analysis, Format, Limits, Report};
use postlane_replies::{Providers, RuleBook};

use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;
use crate::replies::{OwnRules, read_rules};

pub(crate) use pack::{LogPack, LogsOfOthers};

/// Logs, and what is wanted of them.
#[derive(Args)]
#[command(after_help = "Examples:
  postlane analyze /var/log/mail.log*
  journalctl -u 'postfix*' -o short-iso | postlane analyze -
  postlane analyze mail.log --since 24h --html report.html")]
pub(crate) struct Analyze {
    /// Logs, plain or compressed (.gz, .zst); their order does not matter; `-` reads standard input
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
    /// Which program wrote them
    #[arg(long, value_name = "NAME", value_enum, default_value = "auto")]
    format: Wanted,
    /// Count what was tried from then on: a time (RFC 3339), a day, or a span before now: 24h
    #[arg(long, value_name = "WHEN", value_parser = given::moment)]
    since: Option<given::Moment>,
    /// And before then
    #[arg(long, value_name = "WHEN", value_parser = given::moment)]
    until: Option<given::Moment>,
    /// Write a report for people there: one page that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    own: OwnRules,
}

/// The programs whose logs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// By the first lines of each file
    Auto,
    /// Postfix, by syslog, its own file or the journal
    Postfix,
    /// Exim's main log
    Exim,
    /// Haraka's default format, level info
    Haraka,
    /// KumoMTA's JSON lines; by its documentation, not checked against a real one
    Kumomta,
    /// PowerMTA's accounting files; by their documentation, not checked against a real one
    Pmta,
    /// Our own log
    Postlane,
    /// Events of our own, one JSON object per line
    Jsonl,
}

impl Wanted {
    fn format(self) -> Option<Format> {
        match self {
            Self::Auto => None,
            Self::Postfix => Some(Format::Postfix),
            Self::Exim => Some(Format::Exim),
            Self::Haraka => Some(Format::Haraka),
            Self::Kumomta => Some(Format::KumoMta),
            Self::Pmta => Some(Format::Pmta),
            Self::Postlane => Some(Format::Postlane),
            Self::Jsonl => Some(Format::JsonLines),
        }
    }
}

pub(crate) fn run(reach: &Reach, analyze: &Analyze) -> Result<Exit, Failure> {
    let (since, until) = given::span(analyze.since, analyze.until)?;
    let rules = book(&analyze.own)?;
    let begin = || Analysis::new(Arc::clone(&rules), Limits::default(), since, until);
    let report = files::read(&analyze.logs, analyze.format.format(), &begin)?;
    if report.providers.is_empty() {
        print::note(&nothing_found(&report));
    }
    let told = told::Told::of(&report);
    if let Some(file) = &analyze.html {
        let page = page::page(&report, &told);
        fs::write(file, page).map_err(|e| {
            let file = file.display();
            Failure::usage(format!("cannot write {file}: {e}: name a file that can be written"))
        })?;
    }
    if reach.json {
        print::json(&told);
    } else {
        table::show(&report, &told);
    }
    Ok(if report.providers.is_empty() { Exit::No } else { Exit::Yes })
}

/// The rules, with those of the operator's own.
fn book(own: &OwnRules) -> Result<Arc<RuleBook>, Failure> {
    let own: Vec<_> = own.files();
    let texts = read_rules(&own)?;
    let named: Vec<_> = texts.iter().map(|(name, text)| (&**name, &**text)).collect();
    let book = RuleBook::with(&Providers::built_in(), &named)
        .map_err(|e| Failure::usage(format!("rules that cannot be used:\n{e}")))?;
    Ok(Arc::new(book))
}

fn nothing_found(report: &Report) -> String {
    let read = format!("{} lines, {} of them unreadable", report.lines, report.bad_lines);
    let example = report.bad_examples.first();
    let example = example.map_or_else(String::new, |line| {
        format!("; the first of these: {}", print::printable(line))
    });
    format!("postlane: no attempt at delivery was found in {read}{example}")
}
