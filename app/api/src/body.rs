//! What is sent to us: how large it may be, and JSON read so that an error says where it is.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use postlane_server::handle::Handle;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::problem::Problem;

/// How large a body may be, in octets. A message in base 64 takes four thirds of its octets, and JSON a little more.
pub(crate) fn body_octets_max(handle: &Handle) -> usize {
    handle.message_octets_max().saturating_mul(3) / 2 + 65_536
}

/// The octets of a body that says that it is JSON.
pub(crate) struct JsonBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            let detail = "the body is not said to be JSON; send `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        Bytes::from_request(request, state).await.map(Self).map_err(|e| match e.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = "the body is too large; send fewer or smaller messages at once, or \
                              raise limits.message_size";
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
            }
            _ => Problem::bad_request(format!("the body did not come whole: {}", e.body_text())),
        })
    }
}

impl JsonBody {
    /// What it says.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let mut json = serde_json::Deserializer::from_slice(&self.0);
        let read = serde_path_to_error::deserialize(&mut json).map_err(|e| misread(&e))?;
        json.end().map_err(|e| not_json(&e))?;
        Ok(read)
    }
}

/// Reads a value that is JSON for sure.
pub(crate) fn read_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|e| misread(&e))
}

fn misread(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if !inner.is_data() {
        return not_json(inner);
    }
    let detail =
        format!("the body cannot be used: {inner}; /v1/openapi.json says what it can have");
    Problem::unprocessable(detail).at(pointer(error.path()))
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::bad_request(format!("the body is not JSON: {error}"))
}

/// As RFC 6901 writes it.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => pointer.push('?'),
        }
    }
    pointer
}
