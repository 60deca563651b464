//! Looking at lanes, and ordering something of them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use postlane_server::handle::{Handle, LaneList, NoLane};

use crate::access::Asker;
use crate::body::JsonBody;
use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::triage::of_lanes::check_lanes;
use crate::wire::{LaneGlance, LaneGlances, LaneOrder, LaneOrdered, LanePage, LaneQuery, LaneRow};

/// Lists all lanes, and what was ordered of providers. A token that is bound to a tenant sees
/// neither figures nor orders: they are everybody's.
#[utoipa::path(
    get, path = "/v1/lanes", tag = "lanes", params(LaneQuery),
    responses((status = 200, body = LanePage), (status = 400, body = Problem))
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<LaneQuery>,
) -> Result<Response, Problem> {
    let list = handle.lanes(None, query.decisions.unwrap_or(0)).await.map_err(no_lane)?;
    Ok(as_seen_by(&asker, list.into()))
}

/// A provider's lanes, and what was ordered of it.
#[utoipa::path(
    get, path = "/v1/lanes/{provider}", tag = "lanes",
    params(("provider" = String, Path, description = "Its id, brand or name, or a domain of its"), LaneQuery),
    responses((status = 200, body = LanePage), (status = 404, body = Problem))
)]
pub(crate) async fn of_provider(
    State(handle): State<Handle>,
    asker: Asker,
    Path(provider): Path<String>,
    UrlQuery(query): UrlQuery<LaneQuery>,
) -> Result<Response, Problem> {
    let list = handle.lanes(Some(&provider), query.decisions.unwrap_or(0)).await;
    let page = checked(&handle, list.map_err(no_lane)?, &query).await?;
    if page.lanes.is_empty() && page.providers.is_empty() {
        return Err(not_yet(&provider));
    }
    Ok(as_seen_by(&asker, page))
}

/// Lanes with what their figures come to, where that is asked for.
async fn checked(handle: &Handle, list: LaneList, query: &LaneQuery) -> Result<LanePage, Problem> {
    let found = if query.checks { Some(check_lanes(handle, &list).await?) } else { None };
    let mut page = LanePage::from(list);
    for (row, checks) in page.lanes.iter_mut().zip(found.into_iter().flatten()) {
        row.checks = Some(checks);
    }
    Ok(page)
}

fn as_seen_by(asker: &Asker, page: LanePage) -> Response {
    match asker.is_bound() {
        true => Json(LaneGlances::from(page)).into_response(),
        false => Json(page).into_response(),
    }
}

/// One lane, with its last decisions.
#[utoipa::path(
    get, path = "/v1/lanes/{provider}/{name}", tag = "lanes",
    params(
        ("provider" = String, Path, description = "Its id, brand or name, or a domain of its"),
        ("name" = String, Path, description = "The source's name"), LaneQuery,
    ),
    responses((status = 200, body = LaneRow), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    State(handle): State<Handle>,
    asker: Asker,
    Path((provider, source)): Path<(String, String)>,
    UrlQuery(query): UrlQuery<LaneQuery>,
) -> Result<Response, Problem> {
    let list = handle.lanes(Some(&provider), query.decisions.unwrap_or(DECISIONS)).await;
    let mut list = list.map_err(no_lane)?;
    if list.lanes.iter().any(|lane| lane.name.source.as_deref() == Some(&source)) {
        list.lanes.retain(|lane| lane.name.source.as_deref() == Some(&source));
    }
    let page = checked(&handle, list, &query).await?;
    let has: Vec<String> = page.lanes.iter().map(|lane| lane.source.clone()).collect();
    let lane = page.lanes.into_iter().find(|lane| lane.source == source);
    let shown = lane.map(|lane| match asker.is_bound() {
        true => Json(LaneGlance::from(lane)).into_response(),
        false => Json(lane).into_response(),
    });
    shown.ok_or_else(|| match has.is_empty() {
        true => not_yet(&provider),
        false => {
            let has = has.join(", ");
            let detail = format!("{provider} has no lane by the source {source}; it has {has}");
            Problem::new(StatusCode::NOT_FOUND, detail)
        }
    })
}

/// Does something to a provider's lanes, or to one of them.
///
/// When this answers, the command is safe on disk and holds: it outlives a restart of the server.
#[utoipa::path(
    post, path = "/v1/lanes/{provider}/{name}", tag = "lanes", request_body = LaneOrder,
    params(
        ("provider" = String, Path, description = "Its id, brand or name, or a domain of its"),
        ("name" = String, Path, description = "The command: `pause`, `hold-new`, `drain`, `resume`, \
            `exclude`, `include`, `pin`, `unpin`, `rollback`, `restart-plan`, `end-restart-plan` or `sign`"),
    ),
    responses(
        (status = 200, body = LaneOrdered),
        (status = 404, description = "No such provider or source", body = Problem),
        (status = 422, description = "No such command, or it lacks something", body = Problem),
        (status = 503, description = "It may or may not be on disk: look, and ask again", body = Problem),
    )
)]
pub(crate) async fn order(
    State(handle): State<Handle>,
    asker: Asker,
    Path((provider, command)): Path<(String, String)>,
    body: JsonBody,
) -> Result<Json<LaneOrdered>, Problem> {
    let mut order: LaneOrder = body.read()?;
    order.by = asker.signs(order.by);
    let plan = handle.configured_plan(&provider);
    let commanded =
        order.commanded((&provider, plan), &command, handle.now()).map_err(|wrong| {
            Problem::unprocessable(wrong.says.clone()).at(format!("/{}", wrong.field))
        })?;
    let says = commanded.says.clone();
    let done = handle.command_lane(commanded).await.map_err(no_lane)?;
    Ok(Json(LaneOrdered::of(done, says)))
}

/// Decisions that one lane is shown with.
const DECISIONS: usize = 8;

fn not_yet(provider: &str) -> Problem {
    let detail = format!(
        "{provider} has no lane: no mail has gone there since the server began, and nothing was \
         ordered of it"
    );
    Problem::new(StatusCode::NOT_FOUND, detail)
}

fn no_lane(why: NoLane) -> Problem {
    match why {
        NoLane::Provider { .. } | NoLane::Source { .. } => {
            Problem::new(StatusCode::NOT_FOUND, why.to_string())
        }
        NoLane::OneLane(_) | NoLane::ManyLanes(_) | NoLane::NoSource { .. } => {
            Problem::unprocessable(why.to_string()).at("/source")
        }
        _ => Problem::unavailable(why.to_string()),
    }
}
