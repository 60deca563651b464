//! Replies: what no rule has words for.

use axum::Json;
use axum::extract::State;
use postlane_server::handle::Handle;

use crate::wire::{ClusterRow, UnclassifiedPage};

/// Replies that no rule has words for, clustered, since the start of the server.
#[utoipa::path(
    get, path = "/v1/replies/unclassified", tag = "replies",
    responses((status = 200, body = UnclassifiedPage))
)]
pub(crate) async fn unclassified(State(handle): State<Handle>) -> Json<UnclassifiedPage> {
    let (total, clusters) = handle.unclassified_replies();
    Json(UnclassifiedPage { total, clusters: clusters.into_iter().map(ClusterRow::from).collect() })
}
