//! Rehearsals: what a campaign would come to with a provider, described in a form, watched in virtual
//! time, and compared with what other servers would do.

mod form;
mod picture;
mod show;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::RehearsalRow;

use crate::desk::Desk;
use crate::session::{Nothing, Posted, Visit};

pub(crate) use form::{begin, list};
pub(crate) use show::{live, show};

/// Stops one that waits or runs; forgets one that is over.
pub(crate) async fn end(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<u64>,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Problem> {
    let address = format!("/v1/rehearsals/{id}");
    let was: RehearsalRow =
        desk.api().order(visit.person(), (Method::DELETE, &address), &()).await?;
    // One that was stopped is still there to be looked at.
    let is_forgotten = matches!(was.state.as_str(), "done" | "failed")
        || desk.api().read::<serde_json::Value>(visit.person(), &address).await.is_err();
    let next = if is_forgotten { "/rehearsals".to_owned() } else { format!("/rehearsals/{id}") };
    Ok(Redirect::to(&next).into_response())
}

/// A file of one: its suggested configuration, its scenario, or what it came to.
pub(crate) async fn file(
    State(desk): State<Desk>,
    visit: Visit,
    Path((id, file)): Path<(u64, String)>,
) -> Result<Response, Problem> {
    let nothing = || Problem::new(axum::http::StatusCode::NOT_FOUND, "there is no such file");
    if !["config", "scenario", "outcomes"].contains(&file.as_str()) {
        return Err(nothing());
    }
    let request = Request::get(format!("/v1/rehearsals/{id}/{file}")).body(Body::empty());
    Ok(desk.api().ask(visit.person(), request.map_err(|_| nothing())?).await)
}

/// How a state is shown: the chip's class and its word.
fn chip(state: &str) -> (&'static str, &'static str) {
    match state {
        "waits" => ("", "waits for its turn"),
        "runs" => ("calm", "runs"),
        "done" => ("good", "done"),
        "stopped" => ("warn", "stopped"),
        _ => ("bad", "failed"),
    }
}
