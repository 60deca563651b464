//! What happens, as it happens.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use postlane_server::handle::Handle;
use tokio::sync::broadcast::error::RecvError;

use crate::access::Asker;
use crate::wire::EventRow;

/// A JSON object to a line for each recipient of each attempt, from now on, until the client
/// closes. Whoever reads too slowly misses the oldest. A token that is bound to a tenant hears of
/// its tenant's mail alone.
#[utoipa::path(
    get, path = "/v1/events", tag = "events",
    responses((status = 200, content_type = "application/x-ndjson", body = EventRow))
)]
pub(crate) async fn stream(State(handle): State<Handle>, asker: Asker) -> Response {
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
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}
