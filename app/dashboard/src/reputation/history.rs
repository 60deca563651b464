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
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, query, span};
use crate::report::{chip_of, word_of};
use crate::session::Visit;

/// Which listings.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct Asked {
    list: String,
    subject: String,
    since: String,
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
}

/// How far back the bars look. Chosen, not measured: a quarter of a year.
const BARS: Span = Span::from_h(90 * 24);

/// Listings, the youngest first.
pub(crate) async fn list(
    Shared(desk): Shared<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (api, person, now) = (desk.api(), visit.person(), desk.now());
    let pairs = [
        ("list", asked.list.trim()),
        ("subject", asked.subject.trim()),
        ("since", asked.since.trim()),
        ("limit", "1000"),
    ];
    let found: ListingPage =
        api.read(person, &format!("/v1/blocklists/history?{}", query(&pairs))).await?;
    let page: BlocklistPage = api.read(person, "/v1/blocklists").await?;
    let frame = Frame::new(&desk, &visit, "Listings", "/reputation");
    let nonce = frame.bare.nonce.clone();
    let out = HistoryOut {
        frame,
        is_asked: pairs.iter().take(3).any(|(_, value)| !value.is_empty()),
        lists: page.lists.iter().map(|list| (list.id.clone(), foreign(&list.name))).collect(),
        rows: found.listings.iter().map(|row| Listing::of(row, now)).collect(),
        asked,
    };
    Ok(answer::page(&out, &nonce))
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
