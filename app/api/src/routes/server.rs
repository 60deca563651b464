//! The server itself: does it live, does it take mail, what does it count.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use postlane_server::handle::Handle;

use crate::problem::Problem;
use crate::wire::{Health, Reloaded, ServerFacts};

/// What runs.
#[utoipa::path(get, path = "/v1/server", tag = "server", responses((status = 200, body = ServerFacts)))]
pub(crate) async fn facts(State(handle): State<Handle>) -> Json<ServerFacts> {
    Json(ServerFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        smtp: handle.smtp_addresses().iter().map(ToString::to_string).collect(),
        messages: handle.messages_waiting(),
        postmaster: handle.postmaster_messages().await,
    })
}

/// Reads the configuration again. Nothing changes when it has an error.
#[utoipa::path(
    post, path = "/v1/server/reload", tag = "server",
    responses((status = 200, body = Reloaded), (status = 422, description = "The configuration has errors: all of them are listed", body = Problem))
)]
pub(crate) async fn reload(State(handle): State<Handle>) -> Result<Json<Reloaded>, Problem> {
    let report = handle.reload().await.map_err(Problem::unprocessable)?;
    Ok(Json(Reloaded::of(report)))
}

/// Figures as OpenMetrics.
pub(crate) async fn metrics(State(handle): State<Handle>) -> Response {
    const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, OPENMETRICS)], handle.metrics().await).into_response()
}

/// 200 while it lives and the spool is sound.
pub(crate) async fn healthz(State(handle): State<Handle>) -> Response {
    answer(handle.health().await, handle.limping())
}

/// 200 while it takes mail.
pub(crate) async fn readyz(State(handle): State<Handle>) -> Response {
    answer(handle.readiness().await, handle.limping())
}

/// What only limps is told, and is no reason to send mail elsewhere.
fn answer(mut problems: Vec<String>, limping: Vec<String>) -> Response {
    if problems.is_empty() {
        return Json(Health { status: "ok".to_owned(), problems: limping }).into_response();
    }
    let status = problems.join("; ");
    problems.extend(limping);
    let health = Health { status, problems };
    (StatusCode::SERVICE_UNAVAILABLE, Json(health)).into_response()
}
