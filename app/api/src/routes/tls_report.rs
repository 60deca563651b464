//! How sessions with domains that publish a policy were encrypted.

use axum::Json;
use axum::extract::State;
use postlane_mail::Domain;
use postlane_server::handle::Handle;

use super::token::refused;
use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::wire::{TlsReportPage, TlsReportQuery, day_of, reports};

/// Lists what was counted of one day's sessions with hosts of domains that publish MTA-STS or TLSA
/// records, as reports to these domains (RFC 8460 §4.4).
#[utoipa::path(
    get, path = "/v1/tls-reports", tag = "delivery", params(TlsReportQuery),
    responses((status = 200, body = TlsReportPage), (status = 400, body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn list(
    State(handle): State<Handle>,
    UrlQuery(query): UrlQuery<TlsReportQuery>,
) -> Result<Json<TlsReportPage>, Problem> {
    let today = || u32::try_from(handle.now().unix_s() / 86_400).map_err(|_| "it is too late");
    let day = query.day.as_deref().map_or_else(today, day_of);
    let day = day.map_err(|why| Problem::bad_request(format!("day: {why}")))?;
    let domain = query.domain.as_deref().map(Domain::parse).transpose();
    let domain = domain.map_err(|why| Problem::bad_request(format!("domain: {why}")))?;
    let tallies = handle.tls_tallies(day, domain).await.map_err(|why| refused(&why))?;
    let (ours, contact) = handle.reports_as();
    Ok(Json(TlsReportPage { reports: reports(&ours, &contact, tallies) }))
}
