//! Every change is written down: who, from where, what, and what came of it.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use postlane_registry::Audit;
use postlane_server::handle::Handle;

use super::asker::Asker;
use crate::problem::Problem;
use crate::router::body_octets_max;

/// Messages have their own lines in the log: handing one in is no change of how the relay is run.
const NO_CHANGE: &str = "/v1/messages";

/// What of a request is kept; the registry shortens it further.
const DETAIL_OCTETS_MAX: usize = 2048;

/// Has a change made and written down.
pub(crate) async fn write_down(
    (handle, asker): (&Handle, &Asker),
    what: String,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path() == NO_CHANGE {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // What is larger than any message is no order; the limit of the route comes first.
    let Ok(octets) = to_bytes(body, body_octets_max(handle)).await else {
        let detail = "the body did not come whole, or is too large";
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into_response();
    };
    let detail = detail(&octets);
    let answer = next.run(Request::from_parts(parts, Body::from(octets))).await;
    tell((handle, asker), what, detail, answer.status()).await;
    answer
}

/// Writes one change down, or that it was refused.
pub(super) async fn tell(
    (handle, asker): (&Handle, &Asker),
    what: String,
    detail: String,
    status: StatusCode,
) {
    let audit = Audit {
        at: handle.now(),
        who: asker.name().to_owned(),
        origin: asker.origin().to_string(),
        tenant: asker.tenant().clone(),
        what: what.chars().take(512).collect(),
        detail,
        status: status.as_u16(),
    };
    handle.audit(audit).await;
}

fn detail(octets: &Bytes) -> String {
    let start = octets.get(..DETAIL_OCTETS_MAX.min(octets.len())).unwrap_or_default();
    String::from_utf8_lossy(start).into_owned()
}
