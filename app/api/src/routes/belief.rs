//! What a lane believed and did over time.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use postlane_server::handle::Handle;

use super::token::refused;
use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::wire::{BeliefPage, BeliefQuery, BeliefRow};

/// What a lane believed and did, minute by minute, as far back as eight days; it outlives restarts.
#[utoipa::path(
    get, path = "/v1/lanes/{provider}/{name}/beliefs", tag = "lanes",
    params(
        ("provider" = String, Path, description = "Its id, brand or name, or a domain of its"),
        ("name" = String, Path, description = "The source's name"), BeliefQuery,
    ),
    responses(
        (status = 200, body = BeliefPage),
        (status = 400, body = Problem),
        (status = 404, description = "No such provider", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    Path((provider, source)): Path<(String, String)>,
    UrlQuery(query): UrlQuery<BeliefQuery>,
) -> Result<Json<BeliefPage>, Problem> {
    let times = query.times(handle.now()).map_err(Problem::bad_request)?;
    let provider = handle
        .provider_called(&provider)
        .map_err(|why| Problem::new(StatusCode::NOT_FOUND, why.to_string()))?;
    let kept = handle.beliefs(&provider, &source, times).await.map_err(|why| refused(&why))?;
    Ok(Json(BeliefPage { beliefs: kept.into_iter().map(BeliefRow::from).collect() }))
}
