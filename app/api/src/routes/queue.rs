//! Looking at what waits, and acting on it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use postlane_mail::QueueId;
use postlane_server::handle::{Action, Cursor, Handle};

use crate::access::Asker;
use crate::body::JsonBody;
use crate::problem::Problem;
use crate::query::{UrlQuery, limit};
use crate::wire::{Act, Acted, FilterQuery, QueueMessage, QueuePage, QueueRow, SummaryPage};

/// Recipients on a page, at most. A page looks at everything that waits, so that few large
/// ones cost less than many small ones. Chosen, not measured.
const ROWS_MAX: u32 = 10_000;

/// Lists recipients that still wait, oldest message first.
#[utoipa::path(
    get, path = "/v1/queue", tag = "queue", params(FilterQuery),
    responses((status = 200, body = QueuePage), (status = 400, body = Problem))
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<FilterQuery>,
) -> Result<Json<QueuePage>, Problem> {
    let mut filter = query.filter().map_err(Problem::bad_request)?;
    filter.tenant = asker.narrow(filter.tenant)?;
    let cursor = match query.cursor.as_deref().map(str::parse) {
        None => None,
        Some(Ok(place)) => Some(Cursor(place)),
        Some(Err(_)) => return Err(Problem::bad_request("cursor is not one that a page gave")),
    };
    let limit = limit(query.limit, (100, ROWS_MAX))?;
    let page = handle.list(filter, cursor, limit as usize).await.map_err(not_now)?;
    Ok(Json(QueuePage {
        recipients: page.rows.into_iter().map(QueueRow::from).collect(),
        next: page.next.map(|cursor| cursor.0.to_string()),
    }))
}

/// How much waits, by provider and age.
#[utoipa::path(
    get, path = "/v1/queue/summary", tag = "queue", params(FilterQuery),
    responses((status = 200, body = SummaryPage), (status = 400, body = Problem))
)]
pub(crate) async fn summary(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<FilterQuery>,
) -> Result<Json<SummaryPage>, Problem> {
    let mut filter = query.filter().map_err(Problem::bad_request)?;
    filter.tenant = asker.narrow(filter.tenant)?;
    Ok(Json(handle.summary(filter).await.map_err(not_now)?.into()))
}

/// One message that still waits.
#[utoipa::path(
    get, path = "/v1/queue/{id}", tag = "queue", params(("id" = String, Path, description = "Queue id")),
    responses((status = 200, body = QueueMessage), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    State(handle): State<Handle>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Json<QueueMessage>, Problem> {
    let id = QueueId::parse(&id).map_err(|e| Problem::bad_request(format!("id {id:?}: {e}")))?;
    let message = handle.message(id).await.map_err(not_now)?;
    match message.filter(|message| asker.sees(&message.tenant)) {
        Some(message) => Ok(Json(message.into())),
        // Another tenant's is answered as if it were not there.
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!("no message {id} waits here; the log tells what became of it (id={id})"),
        )),
    }
}

/// Does something with waiting mail.
#[utoipa::path(
    post, path = "/v1/queue/actions", tag = "queue", request_body = Act,
    responses(
        (status = 200, body = Acted),
        (status = 400, description = "Not JSON", body = Problem),
        (status = 415, description = "Not said to be JSON", body = Problem),
        (status = 422, description = "No such action, or mail cannot be chosen so", body = Problem),
    )
)]
pub(crate) async fn act(
    State(handle): State<Handle>,
    asker: Asker,
    body: JsonBody,
) -> Result<Json<Acted>, Problem> {
    let act: Act = body.read()?;
    let action = Action::parse(&act.action).ok_or_else(|| {
        let known = "retry, deliver-now, hold, release, bounce or delete";
        Problem::unprocessable(format!("action {:?} is not known: use {known}", act.action))
            .at("/action")
    })?;
    let mut filter = act.filter.filter().map_err(|e| Problem::unprocessable(e).at("/filter"))?;
    if filter.is_everything() && !act.everything {
        let detail = "the filter is empty, so all mail is meant; say `everything: true` if it is";
        return Err(Problem::unprocessable(detail).at("/everything"));
    }
    filter.tenant = asker.narrow(filter.tenant)?;
    let recipients = handle.act(action, filter).await.map_err(not_now)?;
    Ok(Json(Acted { recipients }))
}

fn not_now(error: postlane_server::handle::Stopped) -> Problem {
    Problem::unavailable(error.to_string())
}
