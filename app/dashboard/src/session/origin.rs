//! Whether a browser sends something from one of our own pages, and by which way.

use axum::http::{HeaderMap, header};

/// Whether what changes something comes from a page of ours: by `Origin` where it is there
/// (RFC 6454 §7), else by `Sec-Fetch-Site`. Browsers send at least one with every form.
pub(crate) fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
        }
        (Some(_), None) => false,
        (None, _) => site.is_some(),
    }
}

/// Whether the browser came by TLS to the proxy in front of us, as that proxy says. Who says so
/// and lies gets a cookie that their own browser does not send back.
pub(crate) fn is_by_tls(headers: &HeaderMap) -> bool {
    let said = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    said.is_some_and(|said| said.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn ours(of: &[(&'static str, &'static str)]) -> bool {
        is_ours(&headers(of))
    }

    #[test]
    fn a_form_of_ours_is_taken_and_another_sites_is_not() {
        let host = ("host", "mail.example:8025");
        assert!(ours(&[host, ("origin", "http://mail.example:8025")]));
        assert!(ours(&[host, ("origin", "https://MAIL.example:8025")]));
        assert!(ours(&[host, ("sec-fetch-site", "same-origin")]));
        for foreign in ["http://evil.example", "null", "http://mail.example:8026", ""] {
            assert!(!ours(&[host, ("origin", foreign)]), "{foreign}");
        }
        assert!(!ours(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!ours(&[host, ("sec-fetch-site", "same-site")]));
        let both = [host, ("origin", "http://mail.example:8025"), ("sec-fetch-site", "cross-site")];
        assert!(!ours(&both));
        assert!(!ours(&[host]), "who says nothing is no browser with a form of ours");
        assert!(!ours(&[("origin", "http://mail.example")]));
    }
}
