//! A page on its way out: what it is, and what it may load and do.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use postlane_api::Problem;

/// A page, with the number that its scripts and styles carry.
///
/// Nothing is loaded but what carries the number or is loaded by it; nothing comes from or goes to
/// another host; no other page may frame it.
pub(crate) fn page(template: &impl Template, nonce: &str) -> Response {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'nonce-{nonce}'; \
         img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let mut answer = fragment(template);
    let policy = HeaderValue::from_str(&policy).expect("a number of ours has no odd character");
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}

/// A part of a page, for a page that is there already.
pub(crate) fn fragment(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => harden(Html(html).into_response()),
        Err(e) => {
            let says = format!("the page could not be made: {e}; please report this");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, says).into_response()
        }
    }
}

/// What every answer says.
pub(crate) fn harden(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let isolated = HeaderValue::from_static("same-origin");
    headers.insert("cross-origin-opener-policy", isolated.clone());
    headers.insert("cross-origin-resource-policy", isolated);
    answer
}
