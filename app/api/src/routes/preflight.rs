//! How mail stands before the gates of providers, and having it looked at again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use postlane_server::handle::{Handle, PreflightFilter};

use crate::access::Asker;
use crate::body::JsonBody;
use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::wire::{PreflightPage, PreflightQuery, Rechecked};

/// Rows on a page when nothing is said, and at most. Chosen, not measured.
const ROWS: (u32, u32) = (1_000, 10_000);

/// Lists how mail stands before the gates of providers: what is missing, on which message that was
/// seen, and what to do. A token that is bound to a tenant sees its tenant's mail alone.
#[utoipa::path(
    get, path = "/v1/preflight", tag = "lanes", params(PreflightQuery),
    responses((status = 200, body = PreflightPage), (status = 400, body = Problem))
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<PreflightQuery>,
) -> Result<Json<PreflightPage>, Problem> {
    let filter = meant(&handle, &asker, &query)?;
    let limit = query.limit.unwrap_or(ROWS.0).clamp(1, ROWS.1);
    Ok(Json(PreflightPage::of(handle.preflight(&filter), limit as usize)))
}

/// Has mail looked at again: the next message of each domain that is meant, or one that is held at
/// once. What the DNS said before is not believed.
#[utoipa::path(
    post, path = "/v1/preflight/recheck", tag = "lanes", request_body = PreflightQuery,
    responses((status = 200, body = Rechecked), (status = 400, body = Problem))
)]
pub(crate) async fn recheck(
    State(handle): State<Handle>,
    asker: Asker,
    body: JsonBody,
) -> Result<Json<Rechecked>, Problem> {
    let query: PreflightQuery = body.read()?;
    let filter = meant(&handle, &asker, &query)?;
    Ok(Json(Rechecked { meant: handle.look_again(&filter) }))
}

fn meant(
    handle: &Handle,
    asker: &Asker,
    query: &PreflightQuery,
) -> Result<PreflightFilter, Problem> {
    let filter = query.filter().map_err(|wrong| {
        Problem::bad_request(wrong.says.clone()).at(format!("/{}", wrong.field))
    })?;
    let provider = filter.provider.as_deref().map(|name| handle.provider_called(name));
    let provider =
        provider.transpose().map_err(|why| Problem::new(StatusCode::NOT_FOUND, why.to_string()))?;
    let tenant = asker.narrow(filter.tenant.clone())?;
    Ok(PreflightFilter { provider: provider.map(String::from), tenant, ..filter })
}
