//! `postlane domains`: what our domains publish and published, and what is wrong with them.

use clap::{Args, Subcommand};
use postlane_api::wire::{
    DomainPage, DomainQuery, DomainRow, DomainStory, IssueRow, RecordChangeRow, RecordRow,
};

use super::log::written;
use super::queue::which::escaped;
use super::{moment, or_dash};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// What can be told of domains that the running server watches.
#[derive(Subcommand)]
pub(crate) enum DomainsCommand {
    /// All of them, each in a row; status 1 if anything is wrong with one, or there is none
    List,
    /// One: what it publishes, what is wrong, and what to do; status 1 if anything is wrong, or
    /// with --at if nothing is known of then
    Show(Show),
    /// What has changed of one
    Changes(Changes),
    /// Let the running server look at one now, and say what it sees
    Check {
        /// Its name
        name: String,
    },
}

#[derive(Args)]
pub(crate) struct Show {
    /// Its name
    name: String,
    /// What it published then: a moment (RFC 3339), or how long ago: 30m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

#[derive(Args)]
pub(crate) struct Changes {
    /// Its name
    name: String,
    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

pub(crate) fn run(reach: &Reach, command: DomainsCommand) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    let one = |name: &str, query: &DomainQuery| -> Result<DomainStory, Failure> {
        client.get(&format!("/v1/domains/{}?{}", escaped(name), written(query)))
    };
    match command {
        DomainsCommand::List => list(reach, &client),
        DomainsCommand::Show(Show { name, at }) => {
            let is_past = at.is_some();
            let story = one(&name, &DomainQuery { at, limit: None })?;
            Ok(if is_past { show_then(reach, &story) } else { show(reach, &story) })
        }
        DomainsCommand::Changes(Changes { name, limit }) => {
            Ok(changes(reach, &one(&name, &DomainQuery { at: None, limit: Some(limit) })?))
        }
        DomainsCommand::Check { name } => {
            let path = format!("/v1/domains/{}/check", escaped(&name));
            Ok(show(reach, &client.post(&path, &())?))
        }
    }
}

fn list(reach: &Reach, client: &Client) -> Result<Exit, Failure> {
    let page: DomainPage = client.get("/v1/domains")?;
    // Nothing found is no, as everywhere.
    let is_wrong = page.domains.is_empty()
        || page.domains.iter().any(|row| row.open_issues > 0 || row.listings > 0);
    if reach.json {
        print::json(&page);
    } else if page.domains.is_empty() {
        print::note("no domain is watched: none signs; watch.domains names more");
    } else {
        let columns = [
            "DOMAIN", "SPF", "VOID", "DKIM", "DMARC", "MTA-STS", "TLS-RPT", "DANE", "BIMI",
            "LISTED", "ISSUES", "CHANGED",
        ];
        print::table(&columns, page.domains.iter().map(cells));
        if !page.on {
            print::note("records are not looked at: watch.records is false");
        }
    }
    Ok(if is_wrong { Exit::No } else { Exit::Yes })
}

fn cells(row: &DomainRow) -> Vec<String> {
    let yes = |is: bool| if is { "yes" } else { "-" }.to_owned();
    vec![
        print::printable(&row.domain),
        row.spf_lookups.map_or_else(|| "-".to_owned(), |lookups| format!("{lookups}/10")),
        row.spf_voids.to_string(),
        or_dash(&row.dkim_keys.join(" ")),
        or_dash(row.dmarc.as_deref().unwrap_or_default()),
        or_dash(row.mta_sts.as_deref().unwrap_or_default()),
        yes(row.tls_rpt),
        yes(row.dane),
        yes(row.bimi),
        row.listings.to_string(),
        row.open_issues.to_string(),
        row.changed_at.as_ref().map_or_else(|| "-".to_owned(), moment),
    ]
}

fn show(reach: &Reach, story: &DomainStory) -> Exit {
    let open: Vec<&IssueRow> = story.issues.iter().filter(|of| of.state == "open").collect();
    if reach.json {
        print::json(story);
    } else {
        let row = &story.domain;
        print::line(&print::printable(&row.domain));
        let looked = row.looked_at.as_ref().map_or_else(|| "never".to_owned(), moment);
        print::field("looked at", &looked);
        if !row.failed.is_empty() {
            print::field("but then", &print::printable(&row.failed));
        }
        print::field("because", &print::printable(&row.because.join(", ")));
        for issue in open.iter() {
            print::line("");
            print::line(&format!(
                "{} {}, since {}",
                issue.outcome,
                print::printable(&issue.check),
                moment(&issue.opened_at)
            ));
            print::field("", &print::printable(&issue.evidence));
            if !issue.remedy.is_empty() {
                print::field("to do", &print::printable(&issue.remedy));
            }
            print::field("see", &print::printable(&issue.reference));
        }
        print::line("");
        print_records(story);
    }
    if open.is_empty() { Exit::Yes } else { Exit::No }
}

/// What it published at a moment in the past; what is wrong with it now is no matter of then.
fn show_then(reach: &Reach, story: &DomainStory) -> Exit {
    let is_known = !story.records.is_empty();
    if reach.json {
        print::json(story);
    } else if is_known {
        print_records(story);
    } else {
        print::note("nothing is known of it then: it was not looked at so early");
    }
    if is_known { Exit::Yes } else { Exit::No }
}

fn print_records(story: &DomainStory) {
    let record = |of: &RecordRow| {
        let values =
            if of.values.is_empty() { "nothing".to_owned() } else { of.values.join(" | ") };
        vec![
            print::printable(&of.name),
            of.kind.clone(),
            moment(&of.since),
            print::printable(&values),
        ]
    };
    print::table(&["NAME", "TYPE", "SINCE", "SAYS"], story.records.iter().map(record));
}

fn changes(reach: &Reach, story: &DomainStory) -> Exit {
    if reach.json {
        story.changes.iter().for_each(print::json);
    } else if story.changes.is_empty() {
        print::note("nothing has changed since it is watched");
    } else {
        for change in &story.changes {
            let RecordChangeRow { name, kind, what, at, before, added, removed } = change;
            print::line(&print::printable(&format!(
                "{}  {name} {kind} {what}, last seen as before {}",
                moment(at),
                moment(before)
            )));
            removed.iter().for_each(|says| print::line(&print::printable(&format!("  - {says}"))));
            added.iter().for_each(|says| print::line(&print::printable(&format!("  + {says}"))));
        }
    }
    if story.changes.is_empty() { Exit::No } else { Exit::Yes }
}
