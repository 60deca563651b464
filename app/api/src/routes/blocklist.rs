//! Block lists: who is on which, and who was.

use axum::Json;
use axum::extract::State;
use postlane_checks::blocklist::{List, Lists};
use postlane_registry::ListingFilter;
use postlane_server::handle::{Handle, ListsSeen};

use super::token::refused;
use crate::access::Asker;
use crate::problem::Problem;
use crate::query::{UrlQuery, limit, since};
use crate::wire::{BlocklistPage, BlocklistQuery, ListingPage, ListingQuery, ListingRow};

/// Listings on a page when nothing is said, and at most. Chosen, not measured.
const PAGE: (u32, u32) = (100, 1_000);

/// Who is on which block list, as of the last look. A token that is bound to a tenant sees that
/// tenant's domains alone.
#[utoipa::path(
    get, path = "/v1/blocklists", tag = "watch", params(BlocklistQuery),
    responses((status = 200, body = BlocklistPage), (status = 400, body = Problem))
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<BlocklistQuery>,
) -> Result<Json<BlocklistPage>, Problem> {
    Ok(Json(page(&handle, &handle.lists_seen(), &query, &asker)))
}

/// Asks all lists about everybody now, as far as the limits allow, and answers when it is done.
#[utoipa::path(
    post, path = "/v1/blocklists/check", tag = "watch",
    responses((status = 200, body = BlocklistPage), (status = 503, body = Problem))
)]
pub(crate) async fn check(
    State(handle): State<Handle>,
    asker: Asker,
) -> Result<Json<BlocklistPage>, Problem> {
    let seen = handle.ask_lists_now().await.map_err(|why| refused(&why))?;
    Ok(Json(page(&handle, &seen, &BlocklistQuery::default(), &asker)))
}

/// Who was on which list from when to when, the youngest first.
#[utoipa::path(
    get, path = "/v1/blocklists/history", tag = "watch", params(ListingQuery),
    responses(
        (status = 200, body = ListingPage),
        (status = 400, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn history(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<ListingQuery>,
) -> Result<Json<ListingPage>, Problem> {
    let limit = limit(query.limit, PAGE)?;
    let since = since(query.since.as_deref(), handle.now())?;
    let filter = ListingFilter { list: query.list, subject: query.subject, since };
    let found = handle.listings(filter, limit, asker.tenant()).await;
    let found = found.map_err(|why| refused(&why))?;
    Ok(Json(ListingPage { listings: found.into_iter().map(ListingRow::from).collect() }))
}

fn page(handle: &Handle, seen: &ListsSeen, query: &BlocklistQuery, asker: &Asker) -> BlocklistPage {
    let lists = seen.setup.lists.iter().filter_map(|id| Lists::built_in().named(id));
    let lists: Vec<&List> = lists.collect();
    let sees = |subject: &_| seen.setup.is_seen(subject, asker.tenant());
    let asked_today = |list: &str| (!asker.is_bound()).then(|| handle.asked_today(list));
    BlocklistPage::of(seen, query, sees, (&lists, asked_today))
}
