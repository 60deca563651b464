//! What requests hold in memory: their bodies count with the mail that comes by SMTP, and have no room
//! beyond it.

use std::io;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use postlane_server::handle::Handle;

use crate::problem::Problem;

/// Counts a request's body as it comes, until the request is answered.
pub(crate) async fn weighed(
    State(handle): State<Handle>,
    request: Request,
    next: Next,
) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let way = Arc::new(handle.on_its_way());
    let counts = way.clone();
    let request = request.map(|body| {
        Body::from_stream(body.into_data_stream().map(move |piece| {
            let piece = piece.map_err(io::Error::other)?;
            match counts.comes(piece.len()) {
                true => Ok(piece),
                false => Err(io::Error::from(io::ErrorKind::OutOfMemory)),
            }
        }))
    });
    let answer = next.run(request).await;
    if way.is_too_much() {
        let says = "too much mail is on its way (limits.body_memory); try again later";
        return Problem::unavailable(says).into_response();
    }
    answer
}
