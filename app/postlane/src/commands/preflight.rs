//! `postlane preflight`: what providers ask of mail, and what of it is missing.

use clap::{Args, Subcommand};
use postlane_api::wire::{PreflightEntry, PreflightPage, PreflightQuery, Rechecked};

use super::queue::which::address;
use super::{moment, or_dash};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// What is asked of preflight.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Preflight {
    #[command(subcommand)]
    command: Option<PreflightCommand>,
    #[command(flatten)]
    which: Which,
    /// Show everything that is known of each, not a table
    #[arg(long)]
    all: bool,
}

#[derive(Subcommand)]
enum PreflightCommand {
    /// Look again: at the next message of each domain, or at once at one that is held
    Recheck(Which),
}

#[derive(Args)]
struct Which {
    /// Only at this provider: its id, brand or name, or one of its domains
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Only by this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only mail whose From is of this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// Only this tenant's mail
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
}

impl Which {
    fn query(self) -> PreflightQuery {
        let Self { provider, source, domain, tenant } = self;
        PreflightQuery { provider, source, domain, tenant, limit: None }
    }
}

pub(crate) fn run(reach: &Reach, preflight: Preflight) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    if let Some(PreflightCommand::Recheck(which)) = preflight.command {
        let done: Rechecked = client.post("/v1/preflight/recheck", &which.query())?;
        if reach.json {
            print::json(&done);
        } else {
            print::line(&format!("{} to be looked at again", done.meant));
        }
        return Ok(if done.meant == 0 { Exit::No } else { Exit::Yes });
    }
    let page: PreflightPage = client.get(&address("/v1/preflight", &preflight.which.query()))?;
    let is_blocked = |row: &PreflightEntry| row.verdict.as_deref() == Some("blocked");
    // Nothing found is no, as everywhere.
    let is_well = !page.rows.is_empty() && !page.rows.iter().any(is_blocked);
    let exit = if is_well { Exit::Yes } else { Exit::No };
    if reach.json {
        page.rows.iter().for_each(print::json);
        return Ok(exit);
    }
    if page.rows.is_empty() {
        print::note("no mail has come before a gate since the server began");
        return Ok(exit);
    }
    if preflight.all {
        for (number, row) in page.rows.iter().enumerate() {
            if number > 0 {
                print::line("");
            }
            show(row);
        }
    } else {
        let columns = ["provider", "source", "stream", "domain", "verdict", "held", "missing"];
        print::table(&columns, page.rows.iter().map(cells));
        page.rows.iter().filter(|row| is_blocked(row)).for_each(cure);
    }
    if page.total > page.rows.len() {
        print::note(&format!("{} more are not shown", page.total - page.rows.len()));
    }
    Ok(exit)
}

fn cells(row: &PreflightEntry) -> Vec<String> {
    let missing: Vec<&str> = row.missing.iter().map(|missing| &*missing.id).collect();
    vec![
        row.provider.clone(),
        row.source.clone(),
        row.stream.clone(),
        or_dash(&row.domain),
        verdict(row).to_owned(),
        row.held.to_string(),
        or_dash(&missing.join(", ")),
    ]
}

fn verdict(row: &PreflightEntry) -> &str {
    row.verdict.as_deref().unwrap_or("not seen yet")
}

/// What to do, once for each domain.
fn cure(row: &PreflightEntry) {
    print::line("");
    print::field("blocked", &format!("{} mail of {} to {}", row.stream, row.domain, row.provider));
    missing(row);
}

fn missing(row: &PreflightEntry) {
    for missing in &row.missing {
        print::field(&missing.id, &print::printable(&missing.evidence));
        if !missing.remedy.is_empty() {
            print::field("", &print::printable(&missing.remedy));
        }
    }
}

fn show(row: &PreflightEntry) {
    let by = format!("{} by {}, {}", row.provider, row.source, row.stream);
    print::field("mail", &format!("of {} to {by}", or_dash(&row.domain)));
    if !row.tenant.is_empty() {
        print::field("tenant", &row.tenant);
    }
    let since = row.since.as_ref().map_or_else(String::new, |at| format!(" since {}", moment(at)));
    print::field("verdict", &format!("{}{since}", verdict(row)));
    missing(row);
    if let Some(reason) = &row.reason {
        print::field("held", &format!("{}: {}", row.held, print::printable(reason)));
    }
    if let (Some(at), Some(id)) = (&row.looked_at, &row.id) {
        let named = row.message_id.as_deref().map_or_else(String::new, |id| format!(" ({id})"));
        let before = if row.before_restart { ", seen before the restart" } else { "" };
        let looked = format!("{id}{named} at {}{before}", moment(at));
        print::field("looked at", &print::printable(&looked));
    }
    if let Some(due) = &row.due {
        print::field("again", &format!("from {} on", moment(due)));
    }
    let counts = format!("{} came by, {} were looked at", row.messages, row.looks);
    print::field("messages", &format!("{counts}; policy {}", row.policy));
}
