//! Who was on which list, from when to when.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{BlocklistPage, ListingPage, ListingRow};
use postlane_mail::{Instant, Span};
use serde::Deserialize;

use crate::answer;
use crate::desk::Desk;
use crate::export::{File, Wanted};
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, query, span};
use crate::report::{chip_of, word_of};
use crate::session::Visit;
use crate::table::{Column, Head, Order, Worth};

/// Which listings.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct Asked {
    list: String,
    subject: String,
    since: String,
    sort: String,
}

/// Somebody on a list, from when to when.
pub(super) struct Listing {
    pub(super) list: String,
    pub(super) subject: String,
    pub(super) since: String,
    pub(super) until: String,
    pub(super) lasted: String,
    pub(super) chip: &'static str,
    pub(super) word: &'static str,
    pub(super) answers: String,
    pub(super) means: String,
    pub(super) ended: String,
    pub(super) cell: String,
    /// Where it begins and how long it is, in thousandths of what the page looks back.
    pub(super) bar: (u64, u64),
}

#[derive(Template)]
#[template(path = "listings.html")]
struct HistoryOut {
    frame: Frame,
    asked: Asked,
    lists: Vec<(String, String)>,
    rows: Vec<Listing>,
    is_asked: bool,
    heads: Vec<Head>,
    export: String,
}

/// As many as the API gives at once.
const ROWS_MAX: &str = "1000";

/// How far back the bars look. Chosen, not measured: a quarter of a year.
const BARS: Span = Span::from_h(90 * 24);

/// Listings, the youngest first.
pub(crate) async fn list(
    Shared(desk): Shared<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let now = desk.now();
    let rows = found(&desk, &visit, &asked).await?;
    let page: BlocklistPage = desk.api().read(visit.person(), "/v1/blocklists").await?;
    let frame = Frame::new(&desk, &visit, "Listings", "/reputation");
    let nonce = frame.bare.nonce.clone();
    let out = HistoryOut {
        frame,
        is_asked: asked.pairs().iter().any(|(_, value)| !value.is_empty()),
        lists: page.lists.iter().map(|list| (list.id.clone(), foreign(&list.name))).collect(),
        rows: rows.iter().map(|row| Listing::of(row, now)).collect(),
        heads: asked.order().heads(&COLUMNS, |sort| {
            format!("/reputation/history?{}", asked.query(&[("sort", sort)]))
        }),
        export: asked.query(&[("sort", &asked.sort)]),
        asked,
    };
    Ok(answer::page(&out, &nonce))
}

/// Listings of the page of the same address, as a file.
pub(crate) async fn export(
    Shared(desk): Shared<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let cells = |row: ListingRow| {
        let until = row.until.map(|at| at.0).unwrap_or_default();
        let ListingRow { list, subject, outcome, answers, means, ended, .. } = row;
        vec![subject, list, row.since.0, until, outcome, answers, means, ended]
    };
    let rows = found(&desk, &visit, &asked).await?;
    FILE.send_rows(&wanted, rows.into_iter().map(cells).collect()).await
}

const FILE: File = File {
    name: "listings",
    columns: &["subject", "list", "since", "until", "outcome", "answers", "means", "ended"],
};

const COLUMNS: [Column; 7] = [
    Column::words("who", "Who"),
    Column::words("list", "List"),
    Column::most("from", "From (UTC)"),
    Column::most("to", "To (UTC)"),
    Column::most("lasted", "Lasted"),
    Column::still("90 days"),
    Column::words("said", "What the list said"),
];

/// Listings that agree, in the order that was asked for.
async fn found(desk: &Desk, visit: &Visit, asked: &Asked) -> Result<Vec<ListingRow>, Problem> {
    let address = format!("/v1/blocklists/history?{}", asked.query(&[("limit", ROWS_MAX)]));
    let page: ListingPage = desk.api().read(visit.person(), &address).await?;
    let (mut rows, now) = (page.listings, desk.now());
    asked.order().arrange(&mut rows, |row, by| {
        let since = moments::read(&row.since);
        // One that stands yet ends last.
        let until = row.until.as_ref().and_then(moments::read).unwrap_or(now);
        match by {
            "who" => Worth::words(&row.subject),
            "list" => Worth::words(&row.list),
            "to" => Worth::at(Some(until)),
            "lasted" => Worth::figure(since.map(|since| until.since(since).0 as f64)),
            "said" => Worth::words(&row.outcome),
            _ => Worth::at(since),
        }
    });
    Ok(rows)
}

impl Asked {
    fn pairs(&self) -> [(&'static str, &str); 3] {
        [("list", self.list.trim()), ("subject", self.subject.trim()), ("since", self.since.trim())]
    }

    fn query(&self, more: &[(&str, &str)]) -> String {
        query(&self.pairs().into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
    }

    fn order(&self) -> Order {
        Order::of(&self.sort, &COLUMNS, "from")
    }
}

impl Listing {
    pub(super) fn of(row: &ListingRow, now: Instant) -> Self {
        let since = moments::read(&row.since).unwrap_or(now);
        let until = row.until.as_ref().and_then(moments::read);
        Self {
            list: foreign(&row.list),
            subject: foreign(&row.subject),
            since: moments::whole(since),
            until: until.map(moments::whole).unwrap_or_default(),
            lasted: span(until.unwrap_or(now).since(since).as_s()),
            chip: chip_of(&row.outcome),
            word: word_of(&row.outcome),
            answers: foreign(&row.answers),
            means: foreign(&row.means),
            ended: foreign(&row.ended),
            cell: format!(
                "/reputation/cell?{}",
                query(&[("list", &row.list), ("subject", &row.subject)])
            ),
            bar: bar(since, until.unwrap_or(now), now),
        }
    }
}

/// A stretch among the thousandths of a quarter of a year; seen at all, however short it was.
fn bar(since: Instant, until: Instant, now: Instant) -> (u64, u64) {
    let ago = |at: Instant| now.since(at).as_s().min(BARS.as_s());
    let place = |at: Instant| 1_000 - (ago(at) * 1_000).div_euclid(BARS.as_s());
    let (from, to) = (place(since).min(994), place(until));
    (from, to.saturating_sub(from).max(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_stands_where_the_listing_was_and_is_always_seen() {
        let now = Instant(1_795_239_545_000_000);
        let days = |many: u64| now - Span::from_h(many * 24);
        assert_eq!(bar(days(45), now, now), (500, 500));
        assert_eq!(bar(days(900), days(81), now), (0, 100));
        assert_eq!(bar(now, now, now), (994, 6));
    }
}
