//! What a browser holds of ours: the session, and what somebody chose.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use postlane_registry::{SESSION_MAX, SecretText};

use super::origin::is_by_tls;

/// The cookie's name: by TLS one that no other host and no plain page can set.
fn cookie_name(headers: &HeaderMap) -> &'static str {
    if is_by_tls(headers) { "__Host-postlane-session" } else { "postlane-session" }
}

/// The session that a browser holds.
pub(super) fn held(headers: &HeaderMap) -> Option<SecretText> {
    cookie(headers, cookie_name(headers)).and_then(SecretText::parse)
}

/// The cookie of that name.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// Gives the browser its session to hold, or takes it back.
pub(crate) fn hold(answer: &mut Response, headers: &HeaderMap, secret: Option<&SecretText>) {
    let name = cookie_name(headers);
    let secure = if is_by_tls(headers) { "; Secure" } else { "" };
    let (value, age) = secret.map_or(("", 0), |secret| (secret.as_str(), SESSION_MAX.as_s()));
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    let value = HeaderValue::from_str(&text).expect("a secret of ours has no odd character");
    answer.headers_mut().append(header::SET_COOKIE, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn set_cookie(headers: &HeaderMap) -> String {
        let mut answer = Response::default();
        hold(&mut answer, headers, Some(&SecretText::random()));
        answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_cookie_is_for_no_script_and_no_other_site_and_by_tls_for_this_host_alone() {
        let plain = set_cookie(&headers(&[]));
        assert!(plain.starts_with("postlane-session=plt_"), "{plain}");
        assert!(plain.contains("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800"), "{plain}");
        assert!(!plain.contains("Secure"));
        let by_tls = set_cookie(&headers(&[("x-forwarded-proto", "https")]));
        assert!(by_tls.starts_with("__Host-postlane-session=plt_"), "{by_tls}");
        assert!(by_tls.ends_with("; Secure") && !by_tls.contains("Domain"), "{by_tls}");
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let sent = headers(&[("cookie", "xpostlane-session=a; theme=dark; postlane-session=b")]);
        assert_eq!(cookie(&sent, "postlane-session"), Some("b"));
        assert_eq!(cookie(&sent, "theme"), Some("dark"));
        assert_eq!(cookie(&sent, "session"), None);
    }
}
