//! What an address asks for behind its `?`, read so that an error says what is wrong.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use postlane_mail::Instant;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::wire::moment_or_ago;

/// What the query of an address says.
pub(crate) struct UrlQuery<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for UrlQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::from_request_parts(parts, state).await;
        let Query(query) = read.map_err(|e| Problem::bad_request(e.body_text()))?;
        Ok(Self(query))
    }
}

/// How many rows are wanted: the usual number where nothing is said, from 1 to the most.
pub(crate) fn limit(asked: Option<u32>, (usual, most): (u32, u32)) -> Result<u32, Problem> {
    match asked.unwrap_or(usual) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(Problem::bad_request(format!("limit is 1 to {most}"))),
    }
}

/// From when on: a time, a day, or a span before now; none where nothing is said.
pub(crate) fn since(asked: Option<&str>, now: Instant) -> Result<Option<Instant>, Problem> {
    let since = asked.map(|text| moment_or_ago(text, now)).transpose();
    since.map_err(|why| Problem::bad_request(format!("since: {why}")))
}
