//! `postlane suppression`: to whom no mail goes.

mod export;
mod file;
mod import;
mod shown;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use postlane_api::wire::{
    AllUnsuppressed, NewSuppression, Suppressed, SuppressionPage, SuppressionQuery, Timestamp,
    Unsuppressed,
};
use postlane_mail::{Host, Label, Span};

use super::queue::which::{address, age, escaped, moment, provider};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum SuppressionCommand {
    /// List who is on it, domain by domain
    List(List),
    /// Tell what stops mail to an address: why, since when, and what its host said
    #[command(alias = "lookup")]
    Show {
        /// The address, or a domain
        address: String,
    },
    /// Put addresses or domains on it, or replace their entries
    Add(Add),
    /// Take addresses, domains, or all that matches a filter off it; mail that waited for them
    /// goes on
    #[command(alias = "undo")]
    Remove(Remove),
    /// Take what a file has: CSV or JSON lines, also of other senders' systems. Good lines are
    /// taken, bad ones are told
    Import(import::Import),
    /// Write it into a file, or to standard output
    Export(export::Export),
}

/// Entries that agree with everything given.
#[derive(Args)]
#[command(next_help_heading = "Which entries")]
pub(crate) struct Which {
    /// Of this domain: its mailboxes and itself
    #[arg(long, value_parser = domain)]
    domain: Option<String>,
    /// In this tenant's mail; '' for entries that are everybody's
    #[arg(long, value_parser = label)]
    tenant: Option<String>,
    /// For this reason
    #[arg(long, value_parser = PossibleValuesParser::new(REASONS))]
    reason: Option<String>,
    /// Mailboxes or domains
    #[arg(long, value_parser = PossibleValuesParser::new(["recipient", "domain"]))]
    kind: Option<String>,
    /// That this provider's host has said, by id, brand or name
    #[arg(long, value_parser = provider)]
    provider: Option<String>,
    /// Made less long ago than this: 90s, 15m, 2h, 1d
    #[arg(long, value_name = "AGE", value_parser = age)]
    younger_than: Option<Span>,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    /// Entries, at most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(Args)]
pub(crate) struct Add {
    /// Addresses, or domains
    #[arg(required = true, value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// Why
    #[arg(long, value_parser = PossibleValuesParser::new(REASONS), default_value = "manual")]
    reason: String,
    /// In your words
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// In this tenant's mail [default: everybody's]
    #[arg(long, value_parser = label)]
    tenant: Option<String>,
    /// So long: 90s, 15m, 2h, 30d [default: for ever]
    #[arg(long = "for", value_name = "AGE", value_parser = age, conflicts_with = "until")]
    lasts: Option<Span>,
    /// Until then (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<jiff::Timestamp>,
    #[command(flatten)]
    who: Who,
}

#[derive(Args)]
pub(crate) struct Remove {
    /// Addresses, or domains; else all entries that agree with the filter
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
}

/// Who is written down as having done it.
#[derive(Args)]
pub(crate) struct Who {
    /// Who does it, for the log and the entry
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        hide_env_values = true,
        default_value = "operator"
    )]
    by: String,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A header line, then one entry per line (RFC 4180)
    Csv,
    /// A JSON object to a line
    Jsonl,
}

/// Why somebody can be on the list.
const REASONS: [&str; 9] = [
    "no_such_user",
    "mailbox_disabled",
    "mailbox_moved",
    "not_accepting_mail",
    "domain_not_found",
    "manual",
    "import",
    "complaint",
    "unsubscribe",
];

/// Entries on a page, as many as the server gives.
const PAGE: u32 = 10_000;

pub(crate) fn run(reach: &Reach, command: SuppressionCommand) -> Result<Exit, Failure> {
    match command {
        SuppressionCommand::List(of) => list(reach, &of),
        SuppressionCommand::Show { address } => show(reach, &address),
        SuppressionCommand::Add(add) => put(reach, &add),
        SuppressionCommand::Remove(remove) => take_off(reach, &remove),
        SuppressionCommand::Import(import) => import::run(reach, &import),
        SuppressionCommand::Export(export) => export::run(reach, &export),
    }
}

impl Which {
    fn query(&self) -> SuppressionQuery {
        SuppressionQuery {
            domain: self.domain.clone(),
            tenant: self.tenant.clone(),
            reason: self.reason.clone(),
            kind: self.kind.clone(),
            provider: self.provider.clone(),
            younger_than_s: self.younger_than.map(Span::as_s),
            ..SuppressionQuery::default()
        }
    }
}

impl Format {
    /// What was said, else what the file's name says.
    fn of(said: Option<Self>, file: Option<&PathBuf>) -> Option<Self> {
        let by_name = || match file?.extension()?.to_str()? {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            _ => None,
        };
        said.or_else(by_name)
    }
}

/// Gives pages until there is none, or whoever takes them has enough.
fn pages(
    client: &Client,
    mut query: SuppressionQuery,
    mut left: u32,
    mut take: impl FnMut(SuppressionPage) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let mut seen = 0;
    loop {
        query.limit = Some(left.min(PAGE));
        let page: SuppressionPage = client.get(&address("/v1/suppressions", &query))?;
        let many = page.entries.len();
        seen += many as u64;
        left = left.saturating_sub(u32::try_from(many).unwrap_or(u32::MAX));
        query.cursor.clone_from(&page.next);
        take(page)?;
        if left == 0 || query.cursor.is_none() {
            return Ok(seen);
        }
    }
}

fn list(reach: &Reach, list: &List) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    let mut rows = Vec::new();
    let seen = pages(&client, list.which.query(), list.limit.unwrap_or(u32::MAX), |page| {
        if reach.json {
            page.entries.iter().for_each(print::json);
        } else {
            // A table is as wide as its widest cell: it is printed when all are known.
            rows.extend(page.entries.iter().map(shown::cells));
        }
        Ok(())
    })?;
    if seen == 0 {
        print::note(nothing(&list.which));
        return Ok(Exit::No);
    }
    if !reach.json {
        print::table(&shown::COLUMNS, rows);
    }
    Ok(Exit::Yes)
}

fn show(reach: &Reach, address: &str) -> Result<Exit, Failure> {
    let path = format!("/v1/suppressions/{}", escaped(address));
    let found: SuppressionPage = Client::find(reach)?.get(&path)?;
    if reach.json {
        found.entries.iter().for_each(print::json);
        return Ok(Exit::Yes);
    }
    for (number, entry) in found.entries.iter().enumerate() {
        if number > 0 {
            print::line("");
        }
        shown::entry(entry);
    }
    Ok(Exit::Yes)
}

fn put(reach: &Reach, add: &Add) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    let until = add.until.map(|until| Timestamp(until.to_string()));
    let entry = |address: &String| NewSuppression {
        address: address.clone(),
        tenant: add.tenant.clone(),
        reason: Some(add.reason.clone()),
        until: until.clone(),
        lasts_s: add.lasts.map(Span::as_s),
        note: add.note.clone(),
        by: Some(add.who.by.clone()),
        ..NewSuppression::default()
    };
    let entries: Vec<NewSuppression> = add.addresses.iter().map(entry).collect();
    let put: Suppressed = client.post("/v1/suppressions", &entries)?;
    if reach.json {
        print::json(&put);
    } else {
        print::line(&format!("{} added, {} replaced", put.added, put.replaced));
        put.refused.iter().for_each(|wrong| print::note(&wrong.detail));
        // Who meant a mailbox is told before the domain's mail is missed.
        let domains = add.addresses.iter().filter(|address| !address.contains('@'));
        domains
            .for_each(|domain| print::note(&format!("{domain} is a domain: all mail to it stops")));
    }
    Ok(if put.refused.is_empty() { Exit::Yes } else { Exit::Usage })
}

fn take_off(reach: &Reach, remove: &Remove) -> Result<Exit, Failure> {
    let query = remove.which.query();
    let only_tenant = SuppressionQuery { tenant: query.tenant.clone(), ..Default::default() };
    match (remove.addresses.is_empty(), query == SuppressionQuery::default()) {
        (true, true) => {
            let says = "it is not said which entries; give addresses or domains, or a filter \
                        (postlane suppression remove --help)";
            return Err(Failure::usage(says));
        }
        (true, false) => return take_all_off(reach, query, &remove.who),
        (false, _) if query != only_tenant => {
            let says = "beside addresses only --tenant says which of their entries; leave out \
                        the addresses or the other filters";
            return Err(Failure::usage(says));
        }
        (false, _) => {}
    }
    let client = Client::find(reach)?;
    let mut exit = Exit::Yes;
    for given in &remove.addresses {
        let mut path =
            format!("/v1/suppressions/{}?by={}", escaped(given), escaped(&remove.who.by));
        if let Some(tenant) = &remove.which.tenant {
            path.push_str(&format!("&tenant={}", escaped(tenant)));
        }
        match client.delete::<Unsuppressed>(&path) {
            Ok(removed) if reach.json => removed.entries.iter().for_each(print::json),
            Ok(removed) => removed.entries.iter().for_each(|entry| {
                print::line(&format!("{} is off the list ({})", shown::whose(entry), entry.reason));
            }),
            // One that was not there does not keep the others on it.
            Err(failure) if failure.is_no() => exit = failure.report(),
            Err(failure) => return Err(failure),
        }
    }
    Ok(exit)
}

fn take_all_off(reach: &Reach, query: SuppressionQuery, who: &Who) -> Result<Exit, Failure> {
    let query = SuppressionQuery { by: Some(who.by.clone()), ..query };
    let path = address("/v1/suppressions", &query);
    let removed: AllUnsuppressed = Client::find(reach)?.delete(&path)?;
    if reach.json {
        print::json(&removed);
    } else {
        let many = if removed.removed == 1 { "entry is" } else { "entries are" };
        print::line(&format!("{} {many} off the list", removed.removed));
    }
    Ok(if removed.removed == 0 { Exit::No } else { Exit::Yes })
}

/// What to do next, when nothing is found.
fn nothing(which: &Which) -> &'static str {
    if which.query() == SuppressionQuery::default() {
        "nobody is on the suppression list"
    } else {
        "no entry agrees with this; `postlane suppression list` lists all"
    }
}

fn domain(text: &str) -> Result<String, String> {
    Host::parse(text).map(|_| text.to_owned()).map_err(|e| e.to_string())
}

fn label(text: &str) -> Result<String, String> {
    Label::parse(text).map(|_| text.to_owned()).map_err(|e| e.to_string())
}
