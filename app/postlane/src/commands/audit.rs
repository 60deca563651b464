//! `postlane audit`: who has changed what, from where, and when.

use clap::Args;
use postlane_api::wire::{AuditPage, AuditQuery, ChangeRow};
use postlane_mail::Span;

use super::moment;
use super::queue::which::{address, age};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Args)]
pub(crate) struct AuditArguments {
    /// By this token alone
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Less long ago than this: 90s, 15m, 2h, 1d
    #[arg(long, value_name = "AGE", value_parser = age)]
    since: Option<Span>,
    /// Changes, at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// Changes on a page, as many as the server gives.
const PAGE: u32 = 1000;

pub(crate) fn run(reach: &Reach, arguments: AuditArguments) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    let mut query = AuditQuery {
        who: arguments.who,
        younger_than_s: arguments.since.map(Span::as_s),
        ..AuditQuery::default()
    };
    let (mut left, mut changes) = (arguments.limit, Vec::new());
    while left > 0 {
        query.limit = Some(left.min(PAGE));
        let page: AuditPage = client.get(&address("/v1/audit", &query))?;
        left = left.saturating_sub(u32::try_from(page.changes.len()).unwrap_or(u32::MAX));
        changes.extend(page.changes);
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    if reach.json {
        changes.iter().for_each(print::json);
        return Ok(Exit::found(!changes.is_empty()));
    }
    if changes.is_empty() {
        print::note("nobody has changed anything that agrees with this");
        return Ok(Exit::No);
    }
    let cells = |row: &ChangeRow| {
        let texts = [&row.who, &row.from, &row.what, &row.detail].map(|text| shortened(text));
        let [who, from, what, detail] = texts;
        vec![moment(&row.at), who, from, row.status.to_string(), what, detail]
    };
    print::table(&["WHEN", "WHO", "FROM", "STATUS", "WHAT", "WITH"], changes.iter().map(cells));
    Ok(Exit::Yes)
}

/// A cell of a table; `--json` has all of it.
fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 120;
    let text = print::printable(text);
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
