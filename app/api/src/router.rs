//! Which address leads where.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::IntoResponse as _;
use axum::routing::get;
use postlane_server::handle::Handle;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{self, Gate, Token};
use crate::body::body_octets_max;
use crate::problem::Problem;
use crate::routes::{
    audit, belief, blocklist, check, diagnosis, domain, event, incident, lane, log, log_export,
    message, preflight, published, queue, rehearsal, reply, server, suppression, test, test_page,
    tls_report, token, user, view, webhook,
};
use crate::weight::weighed;

/// How long a request may take: as long as a slow disk, and no longer. Chosen, not measured.
pub(crate) const REQUEST_S_MAX: u64 = 60;

/// What the API can do, said by its own code.
#[derive(OpenApi)]
#[openapi(info(
    title = "Postlane",
    description = "Hand in mail, look at the queue, act on it. Every request under /v1 carries \
                   `Authorization: Bearer TOKEN`; the token is in the file `token` of the data \
                   directory, or `postlane token new` makes one that may less. Errors are `application/problem+json` (RFC 9457).",
    license(name = "MIT OR Apache-2.0"),
))]
struct Document;

/// The API around a server: for whoever carries `token`, and for the tokens of its registry.
pub fn router(handle: Handle, token: Token) -> Router {
    let octets_max = body_octets_max(&handle);
    let (guarded, document) = guarded().split_for_parts();
    let document = serde_json::to_string(&document).unwrap_or_default();
    let gate = Gate::new(handle.clone(), token);
    let guarded = guarded
        .layer(middleware::from_fn_with_state(handle.clone(), weighed))
        .layer(middleware::from_fn_with_state(gate, access::check));
    Router::new()
        .route("/v1/openapi.json", get(move || openapi_answer(document.clone())))
        .route("/t/{secret}", get(test_page::show))
        .route("/metrics", get(server::metrics))
        .route("/healthz", get(server::healthz))
        .route("/readyz", get(server::readyz))
        .merge(guarded)
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(middleware::from_fn(access::tagged))
        .layer(DefaultBodyLimit::max(octets_max))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(REQUEST_S_MAX),
        ))
        .with_state(handle)
}

/// The description of the API as OpenAPI has it, as pretty JSON.
pub fn openapi() -> String {
    let (_, document) = guarded().split_for_parts();
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// All addresses that ask who asks.
pub(crate) fn guarded() -> OpenApiRouter<Handle> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(message::submit))
        .routes(routes!(queue::list))
        .routes(routes!(queue::summary))
        .routes(routes!(queue::act))
        .routes(routes!(queue::show))
        .routes(routes!(event::stream))
        .routes(routes!(log::page))
        .routes(routes!(log::facets))
        .routes(routes!(log::stats))
        .routes(routes!(log::views))
        .routes(routes!(log_export::export))
        .routes(routes!(log::follow))
        .routes(routes!(log::tallies))
        .routes(routes!(log::trace))
        .routes(routes!(diagnosis::page))
        .routes(routes!(diagnosis::pack))
        .routes(routes!(incident::list))
        .routes(routes!(incident::show))
        .routes(routes!(incident::tick, incident::untick))
        .routes(routes!(incident::order))
        .routes(routes!(check::message))
        .routes(routes!(check::domain))
        .routes(routes!(check::address))
        .routes(routes!(check::spf))
        .routes(routes!(published::flat))
        .routes(routes!(published::keys))
        .routes(routes!(blocklist::list))
        .routes(routes!(blocklist::check))
        .routes(routes!(blocklist::history))
        .routes(routes!(domain::list))
        .routes(routes!(domain::show))
        .routes(routes!(domain::check))
        .routes(routes!(reply::unclassified))
        .routes(routes!(suppression::list, suppression::add, suppression::remove_all))
        .routes(routes!(suppression::show, suppression::remove))
        .routes(routes!(lane::list))
        .routes(routes!(lane::of_provider))
        .routes(routes!(lane::show, lane::order))
        .routes(routes!(belief::list))
        .routes(routes!(preflight::list))
        .routes(routes!(preflight::recheck))
        .routes(routes!(tls_report::list))
        .routes(routes!(view::list, view::save))
        .routes(routes!(view::remove))
        .routes(routes!(token::list, token::make))
        .routes(routes!(token::revoke))
        .routes(routes!(token::whoami))
        .routes(routes!(user::list, user::make))
        .routes(routes!(user::order))
        .routes(routes!(audit::list))
        .routes(routes!(webhook::list, webhook::add))
        .routes(routes!(webhook::remove))
        .routes(routes!(webhook::order))
        .routes(routes!(test::list, test::make))
        .routes(routes!(test::show))
        .routes(routes!(rehearsal::list, rehearsal::begin))
        .routes(routes!(rehearsal::show, rehearsal::end))
        .routes(routes!(rehearsal::outcomes))
        .routes(routes!(rehearsal::config))
        .routes(routes!(rehearsal::scenario))
        .routes(routes!(rehearsal::events))
        .routes(routes!(server::facts))
        .routes(routes!(server::reload))
}

async fn openapi_answer(document: String) -> impl axum::response::IntoResponse {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], document)
}

async fn nowhere() -> axum::response::Response {
    let detail = "there is nothing at this address; /v1/openapi.json lists what there is";
    Problem::new(StatusCode::NOT_FOUND, detail).into_response()
}

async fn not_so() -> axum::response::Response {
    let detail = "this address takes another method; /v1/openapi.json lists which";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}
