//! Every change is written down: who, from where, what, and what came of it.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use postlane_registry::Audit;
use postlane_server::handle::Handle;
use serde_json::Value;

use super::asker::Asker;
use crate::body::body_octets_max;
use crate::problem::Problem;

/// Messages have their own lines in the log: handing one in is no change of how the relay is run, and
/// a look at one changes nothing. What a message says is written down nowhere.
const NO_CHANGES: [&str; 2] = ["/v1/messages", "/v1/checks/message"];

/// What of a request is kept; the registry shortens it further.
const DETAIL_OCTETS_MAX: usize = 2048;

/// Has a change made and written down.
pub(crate) async fn write_down(
    (handle, asker): (&Handle, &Asker),
    what: String,
    request: Request,
    next: Next,
) -> Response {
    if NO_CHANGES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // What is larger than any message is no order; the limit of the route comes first.
    let Ok(octets) = to_bytes(body, body_octets_max(handle)).await else {
        let detail = "the body did not come whole, or is too large";
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into_response();
    };
    let detail = detail(&octets);
    let answer = next.run(Request::from_parts(parts, Body::from(octets))).await;
    tell((handle, asker), what, detail, answer.status()).await;
    answer
}

/// Writes one change down, or that it was refused.
pub(super) async fn tell(
    (handle, asker): (&Handle, &Asker),
    what: String,
    detail: String,
    status: StatusCode,
) {
    let audit = Audit {
        at: handle.now(),
        who: asker.name().to_owned(),
        origin: asker.origin().to_string(),
        tenant: asker.tenant().clone(),
        what: what.chars().take(512).collect(),
        detail,
        status: status.as_u16(),
    };
    handle.audit(audit).await;
}

/// What was sent, without what nobody may read.
fn detail(octets: &Bytes) -> String {
    const SECRET: &str = "password";
    match serde_json::from_slice(octets) {
        // A name may be written with escapes: what was read counts.
        Ok(Value::Object(mut fields)) if fields.contains_key(SECRET) => {
            fields.insert(SECRET.to_owned(), Value::from("left out"));
            beginning(&Bytes::from(Value::Object(fields).to_string()))
        }
        Ok(Value::Object(_)) => beginning(octets),
        // What cannot be read may have it anywhere.
        _ if octets.windows(4).any(|part| part.eq_ignore_ascii_case(b"pass")) => {
            "left out, for it may have a password".to_owned()
        }
        _ => beginning(octets),
    }
}

fn beginning(octets: &Bytes) -> String {
    let start = octets.get(..DETAIL_OCTETS_MAX.min(octets.len())).unwrap_or_default();
    String::from_utf8_lossy(start).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        detail(&Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn a_password_stands_in_no_audit_however_it_is_written() {
        assert_eq!(of(r#"{"why":"they asked"}"#), r#"{"why":"they asked"}"#);
        let kept = of(r#"{"name":"kim","password":"correct horse"}"#);
        assert!(kept.contains("kim") && !kept.contains("horse"), "{kept}");
        for broken in [r#"{"password":"correct horse""#, r#"["password","correct horse"]"#] {
            assert!(!of(broken).contains("horse"), "{broken}");
        }
        let escaped = of("{\"pass\\u0077ord\":\"correct horse\"}");
        assert!(!escaped.contains("horse"), "{escaped}");
    }
}
