//! `postlane blocklists status`, `history` and `check`: who is on which list, and who was.

use postlane_api::wire::{
    BlocklistCell, BlocklistPage, BlocklistQuery, ListingPage, ListingQuery, ListingRow,
};

use super::{History, Status};
use crate::client::Client;
use crate::commands::log::written;
use crate::commands::{moment, or_dash};
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

pub(super) fn status(reach: &Reach, status: Status) -> Result<Exit, Failure> {
    let Status { list, subject, all } = status;
    let client = Client::find(reach)?;
    let query = BlocklistQuery { list, subject, state: None };
    let page: BlocklistPage = client.get(&format!("/v1/blocklists?{}", written(&query)))?;
    Ok(show(reach, &page, all))
}

pub(super) fn check(reach: &Reach) -> Result<Exit, Failure> {
    let page: BlocklistPage = Client::find(reach)?.post("/v1/blocklists/check", &())?;
    Ok(show(reach, &page, false))
}

/// 1 where anybody is listed, 3 where lists that are asked do not say.
fn show(reach: &Reach, page: &BlocklistPage, all: bool) -> Exit {
    let is = |cell: &&BlocklistCell, states: &[&str]| states.contains(&cell.state.as_str());
    let many = |states: &[&str]| page.cells.iter().filter(|cell| is(cell, states)).count();
    let listed = many(&["listed", "clearing"]);
    if reach.json {
        print::json(page);
    } else {
        let shown = page.cells.iter().filter(|cell| all || !is(cell, &["clear", "keyless"]));
        let rows: Vec<Vec<String>> = shown.map(cells).collect();
        if !rows.is_empty() {
            print::table(&["LIST", "WHO", "STATE", "SINCE", "ASKED", "SAYS"], rows);
        }
        print::note(&format!(
            "{listed} listed, {} suspected, {} clear, {} refused, {} broken, {} unreachable, {} \
             without a key, {} not asked yet",
            many(&["suspected"]),
            many(&["clear"]),
            many(&["refused"]),
            many(&["broken"]),
            many(&["unreachable"]),
            many(&["keyless"]),
            many(&["unasked"]),
        ));
        if !page.why.is_empty() {
            print::note(&format!("lists are not asked: {}", page.why));
        } else if page.cells.is_empty() {
            print::note(
                "nobody is watched: no source has a public address, and no domain signs; \
                 watch.addresses and watch.domains name more",
            );
        }
    }
    match (listed, many(&["refused", "broken", "unreachable", "unasked"])) {
        (1.., _) => Exit::No,
        (0, 1..) => Exit::Undetermined,
        _ => Exit::Yes,
    }
}

fn cells(cell: &BlocklistCell) -> Vec<String> {
    let says = match (cell.why.is_empty(), cell.means.is_empty()) {
        (false, _) => cell.why.clone(),
        (true, false) => format!("{}: {}", cell.answers, cell.means),
        (true, true) => String::new(),
    };
    let at = |of: &Option<_>| of.as_ref().map_or_else(|| "-".to_owned(), moment);
    vec![
        print::printable(&cell.list),
        print::printable(&cell.subject),
        cell.state.clone(),
        at(&cell.since),
        at(&cell.asked_at),
        or_dash(&says),
    ]
}

pub(super) fn history(reach: &Reach, history: History) -> Result<Exit, Failure> {
    let History { list, subject, since, limit } = history;
    let client = Client::find(reach)?;
    let query = ListingQuery { list, subject, since, limit: Some(limit) };
    let page: ListingPage = client.get(&format!("/v1/blocklists/history?{}", written(&query)))?;
    if reach.json {
        page.listings.iter().for_each(print::json);
    } else if page.listings.is_empty() {
        print::note("nobody was listed");
    } else {
        let row = |row: &ListingRow| {
            let until = row.until.as_ref().map_or_else(|| "it goes on".to_owned(), moment);
            vec![
                print::printable(&row.list),
                print::printable(&row.subject),
                moment(&row.since),
                until,
                print::printable(&format!("{}: {}", row.answers, row.means)),
            ]
        };
        print::table(&["LIST", "WHO", "FROM", "TO", "SAYS"], page.listings.iter().map(row));
    }
    Ok(if page.listings.is_empty() { Exit::No } else { Exit::Yes })
}
