//! Saved views: questions about log, queue and lanes, kept by name to be asked again.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use postlane_registry::SavedView;
use postlane_server::handle::Handle;

use super::token::refused;
use crate::access::Asker;
use crate::body::JsonBody;
use crate::problem::Problem;
use crate::wire::{VIEW_PAGES, ViewPage, ViewRequest, ViewRow};

/// Lists saved views: the tenant's own for a token that is bound to one, else those that are
/// nobody's in particular.
#[utoipa::path(
    get, path = "/v1/views", tag = "views",
    responses((status = 200, body = ViewPage), (status = 503, body = Problem))
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    asker: Asker,
) -> Result<Json<ViewPage>, Problem> {
    let tenant = asker.tenant().clone();
    let views = handle.registry(move |db| db.views(&tenant)).await.map_err(|why| refused(&why))?;
    Ok(Json(ViewPage { views: views.into_iter().map(ViewRow::from).collect() }))
}

/// Saves a view, in the place of the one of that name.
#[utoipa::path(
    put, path = "/v1/views", tag = "views", request_body = ViewRequest,
    responses(
        (status = 200, body = ViewRow),
        (status = 422, description = "It cannot be saved so", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn save(
    State(handle): State<Handle>,
    asker: Asker,
    body: JsonBody,
) -> Result<Json<ViewRow>, Problem> {
    let ViewRequest { name, page, query } = body.read()?;
    if !VIEW_PAGES.contains(&page.as_str()) {
        let known = VIEW_PAGES.join(", ");
        let detail = format!("page {page:?} is not known: use one of {known}");
        return Err(Problem::unprocessable(detail).at("/page"));
    }
    let view = SavedView {
        tenant: asker.tenant().clone(),
        name,
        page,
        query,
        changed: handle.now(),
        changed_by: asker.name().to_owned(),
    };
    let saved = view.clone();
    handle.registry(move |db| db.save_view(&view)).await.map_err(|why| refused(&why))?;
    Ok(Json(saved.into()))
}

/// Removes a view.
#[utoipa::path(
    delete, path = "/v1/views/{name}", tag = "views",
    params(("name" = String, Path, description = "Its name, escaped as in any address")),
    responses((status = 204), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn remove(
    State(handle): State<Handle>,
    asker: Asker,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let tenant = asker.tenant().clone();
    let removed = handle.registry(move |db| db.remove_view(&tenant, &name)).await;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(|why| refused(&why))
}
