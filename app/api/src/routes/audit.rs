//! The audit: who has changed what.

use axum::Json;
use axum::extract::State;
use postlane_mail::Span;
use postlane_registry::AuditFilter;
use postlane_server::handle::Handle;

use super::token::refused as not_done;
use crate::problem::Problem;
use crate::query::{UrlQuery, limit};
use crate::wire::{AuditPage, AuditQuery, ChangeRow};

/// Changes on a page, at most. Chosen, not measured.
const ROWS_MAX: u32 = 1000;

/// Lists who has changed what, from where, the latest first. Messages handed in are in the log.
#[utoipa::path(
    get, path = "/v1/audit", tag = "access", params(AuditQuery),
    responses((status = 200, body = AuditPage), (status = 400, body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    UrlQuery(query): UrlQuery<AuditQuery>,
) -> Result<Json<AuditPage>, Problem> {
    let limit = limit(query.limit, (100, ROWS_MAX))?;
    let refused = match query.outcome.as_deref() {
        None => None,
        Some("done") => Some(false),
        Some("refused") => Some(true),
        Some(other) => {
            let says = format!("outcome {other:?} is not known: use done or refused");
            return Err(Problem::bad_request(says));
        }
    };
    let filter = AuditFilter {
        who: query.who,
        text: query.text,
        origin: query.from,
        refused,
        since: query.younger_than_s.map(|s| handle.now() - Span::from_s(s)),
        before: query.cursor,
    };
    let rows = handle.registry(move |db| db.audits(&filter, limit)).await;
    let rows = rows.map_err(|why| not_done(&why))?;
    let is_full = rows.len() == limit as usize;
    let next = rows.last().map(|row| row.id).filter(|_| is_full);
    Ok(Json(AuditPage { changes: rows.into_iter().map(ChangeRow::from).collect(), next }))
}
