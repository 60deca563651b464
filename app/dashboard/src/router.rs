//! Which address leads to which page.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};
use postlane_server::handle::Handle;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

use crate::desk::Desk;
use crate::setup::SetupToken;
use crate::{
    account, assets, audit, domains, evidence, incidents, lanes, log, people, preflight, queue,
    rehearsal, reputation, session, sign_in, tester, trace,
};

/// Octets of a form. Chosen, not measured.
const FORM_OCTETS_MAX: usize = 64 << 10;

/// How long a page may take. A stream has begun to answer long before.
const PAGE_S_MAX: u64 = 60;

/// What the dashboard needs to know besides the server.
pub struct Dashboard {
    /// The server.
    pub handle: Handle,
    /// Where the token for the first sign-in is.
    pub setup: SetupToken,
}

/// The pages, at `/`.
pub fn router(dashboard: Dashboard) -> Router {
    let desk = Desk::new(dashboard.handle, dashboard.setup);
    // A message, and the fields beside it.
    let octets_max = desk.handle().message_octets_max().saturating_add(FORM_OCTETS_MAX);
    let uploads = get(preflight::form).post(preflight::check);
    let uploads = uploads.layer(DefaultBodyLimit::max(octets_max));
    let pages = Router::new()
        .route("/", get(lanes::show))
        .route("/lanes/{provider}", get(lanes::provider))
        .route("/lanes/{provider}/{source}", get(lanes::show_lane))
        .route("/lanes/{provider}/order/{command}", get(lanes::ask).post(lanes::give))
        .route("/live/lanes", get(lanes::live))
        .route("/live/lanes/{provider}/{source}", get(lanes::live_lane))
        .route("/log", get(log::show))
        .route("/log/export", get(log::export))
        .route("/log/views", post(log::save))
        .route("/log/views/remove", get(log::ask_remove).post(log::remove))
        .route("/queue", get(queue::show))
        .route("/queue/export", get(queue::export))
        .route("/queue/act/{action}", get(queue::ask).post(queue::give))
        .route("/trace", get(trace::find))
        .route("/trace/{what}", get(trace::show))
        .route("/incidents", get(incidents::list))
        .route("/incidents/{id}", get(incidents::show).post(incidents::act))
        .route("/domains", get(domains::list))
        .route("/domains/check", get(domains::check))
        .route("/domains/{name}", get(domains::show))
        .route("/domains/{name}/look", post(domains::look_now))
        .route("/preflight", get(preflight::show))
        .route("/preflight/again", post(preflight::look_again))
        .route("/preflight/message", uploads)
        .route("/reputation", get(reputation::show))
        .route("/reputation/ask", post(reputation::ask_now))
        .route("/reputation/cell", get(reputation::show_cell))
        .route("/reputation/history", get(reputation::history))
        .route("/reputation/address", get(reputation::check))
        .route("/evidence", get(evidence::download))
        .route("/export/lanes", get(lanes::export))
        .route("/export/domains", get(domains::export))
        .route("/export/listings", get(reputation::export_history))
        .route("/rehearsals", get(rehearsal::list).post(rehearsal::begin))
        .route("/rehearsals/{id}", get(rehearsal::show).post(rehearsal::end))
        .route("/rehearsals/{id}/{file}", get(rehearsal::file))
        .route("/live/rehearsals/{id}", get(rehearsal::live))
        .route("/tests", get(tester::list).post(tester::make))
        .route("/tests/{id}", get(tester::show))
        .route("/live/tests/{id}", get(tester::live))
        .route("/people", get(people::show))
        .route("/people/new", get(people::ask_new).post(people::make))
        .route("/people/{name}/{command}", get(people::ask).post(people::give))
        .route("/tokens/new", get(people::ask_new_token).post(people::make_token))
        .route("/tokens/{name}/revoke", get(people::ask_revoke).post(people::revoke))
        .route("/audit", get(audit::show))
        .route("/audit/export", get(audit::export))
        .route("/account", get(account::show))
        .route("/account/sign-out", post(account::sign_out))
        .route("/account/password", post(account::change_password))
        .route("/sign-out", post(sign_in::sign_out))
        .layer(middleware::from_fn_with_state(desk.clone(), session::signed_in));
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/setup", get(sign_in::show_setup).post(sign_in::set_up))
        .route("/assets/{version}/{name}", get(assets::show))
        .merge(pages)
        .layer(DefaultBodyLimit::max(FORM_OCTETS_MAX))
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(PAGE_S_MAX),
        ))
        .with_state(desk)
}
