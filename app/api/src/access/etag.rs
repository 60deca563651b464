//! What has not changed is not sent again: entity tags (RFC 9110 §8.8.3).

use aws_lc_rs::digest;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Documents larger than this are sent as they are. Chosen, not measured.
const OCTETS_MAX: u64 = 8 << 20;

/// Gives a JSON document that was asked for its tag, and answers 304 where who asks has it already.
pub(crate) async fn tagged(request: Request, next: Next) -> Response {
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let answer = next.run(request).await;
    if !asks || !is_document(&answer) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(octets) = to_bytes(body, usize::try_from(OCTETS_MAX).unwrap_or(usize::MAX)).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = tag(&octets);
    let is_known = known.is_some_and(|known| names(&known, &tag));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    // What a token sees is nobody else's, and is asked for again each time.
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    parts.headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    if !is_known {
        return Response::from_parts(parts, Body::from(octets));
    }
    let mut unchanged = StatusCode::NOT_MODIFIED.into_response();
    *unchanged.headers_mut() = kept(&parts.headers);
    unchanged
}

fn is_document(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    answer.status() == StatusCode::OK
        && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
        && answer.body().size_hint().exact().is_some_and(|octets| octets <= OCTETS_MAX)
}

/// A strong tag: the same octets, and no others, have it.
fn tag(octets: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, octets);
    let half = digest.as_ref().iter().take(16);
    let hex: String = half.map(|octet| format!("{octet:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whether `If-None-Match` names the tag: `*`, or a list; weak ones agree, too (RFC 9110 §13.1.2).
fn names(header: &HeaderValue, tag: &str) -> bool {
    let Ok(text) = header.to_str() else { return false };
    text.trim() == "*"
        || text.split(',').map(str::trim).any(|one| one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// What a 304 says of what it does not send (RFC 9110 §15.4.5).
fn kept(headers: &HeaderMap) -> HeaderMap {
    let kept = [header::ETAG, header::CACHE_CONTROL, header::VARY];
    kept.into_iter().filter_map(|name| Some((name.clone(), headers.get(&name)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list_weak_or_strong() {
        let tag = tag(b"{}");
        let names = |text: &str| names(&HeaderValue::from_str(text).unwrap(), &tag);
        assert!(names(&tag) && names("*") && names(&format!("\"a\", W/{tag}")));
        assert!(!names("\"a\"") && !names("") && !names(tag.trim_matches('"')));
        assert_ne!(tag, super::tag(b"{} "));
    }
}
