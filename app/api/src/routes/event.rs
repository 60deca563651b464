//! What happens, as it happens.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use postlane_server::handle::Handle;
use tokio::sync::broadcast::error::RecvError;

use super::log;
use crate::access::Asker;
use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::wire::{EventRow, LogEntry, LogQuery};

/// What happens from now on, until the client closes. With `Accept: text/event-stream` it is told from
/// the ledger as server-sent events: `id` is the entry's `seq`, `data` the entry as `/v1/log` has it, the
/// filters are those of `/v1/log`, and whoever comes back with `Last-Event-ID` misses nothing that is
/// still kept. Else it is a JSON object to a line for each recipient of each attempt, with dialogue and
/// header section; whoever reads too slowly misses the oldest. A token that is bound to a tenant hears
/// of its tenant's mail alone.
#[utoipa::path(
    get, path = "/v1/events", tag = "events", params(LogQuery),
    responses(
        (status = 200, description = "As it was asked for by Accept", content(
            (EventRow = "application/x-ndjson"), (LogEntry = "text/event-stream"),
        )),
        (status = 400, body = Problem),
        (status = 503, description = "Nothing is remembered", body = Problem),
    )
)]
pub(crate) async fn stream(
    State(handle): State<Handle>,
    asker: Asker,
    headers: HeaderMap,
    UrlQuery(query): UrlQuery<LogQuery>,
) -> Result<Response, Problem> {
    if wants_events(&headers) {
        let query = log::read(&handle, &asker, query).await?;
        return log::following(&handle, &query, &headers);
    }
    let events = handle.events();
    let lines = stream::unfold((events, asker), |(mut events, asker)| async move {
        loop {
            match events.recv().await {
                Ok(event) if !asker.sees(&event.tenant) => {}
                Ok(event) => {
                    let mut line = serde_json::to_vec(&EventRow::from(&*event)).unwrap_or_default();
                    line.push(b'\n');
                    return Some((
                        Ok::<_, std::convert::Infallible>(Bytes::from(line)),
                        (events, asker),
                    ));
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

/// Whether server-sent events are asked for by name: browsers do (HTML, section 9.2). Whoever takes
/// anything gets lines, as ever.
fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(','));
    let named = |kind: &str| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kinds.any(|kind| named(kind) == "text/event-stream")
}
