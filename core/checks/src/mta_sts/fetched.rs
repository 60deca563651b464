//! What a web server answers when it is asked for a policy (RFC 8461 §3.3).

use crate::tls_rpt::TlsFailure;
use crate::web::{FetchFailure, Fetched};

use super::{StsPolicy, StsPolicyFault};

/// Why no policy came of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StsFetchFault {
    /// The server's certificate is not for its name, has expired, or nobody vouches for it.
    #[error("the certificate is not good: {0}")]
    Certificate(Box<str>),
    /// There is no answer.
    #[error("{0}")]
    NoAnswer(FetchFailure),
    /// It leads elsewhere, and nobody follows (§3.3).
    #[error("status {0}: redirections are not followed")]
    Redirected(u16),
    /// It has no such page.
    #[error("status {0}")]
    Status(u16),
    /// What it has is no plain text.
    #[error("Content-Type is `{0}`, not text/plain")]
    MediaType(Box<str>),
    /// What it has is no policy.
    #[error("the policy cannot be read: {0}")]
    Unread(StsPolicyFault),
}

impl StsPolicy {
    /// The policy in a web server's answer.
    pub fn of_answer(answer: &Fetched) -> Result<Self, StsFetchFault> {
        match answer {
            Fetched::Failed(FetchFailure::Certificate(why)) => {
                Err(StsFetchFault::Certificate(why.clone()))
            }
            Fetched::Failed(failure) => Err(StsFetchFault::NoAnswer(failure.clone())),
            Fetched::Page { status: 200, media_type, body, .. }
                if &**media_type == "text/plain" =>
            {
                Self::parse(body).map_err(StsFetchFault::Unread)
            }
            Fetched::Page { status: 200, media_type, .. } => Err(StsFetchFault::MediaType(
                media_type.chars().take(60).collect::<String>().into(),
            )),
            Fetched::Page { status: status @ 300..400, .. } => {
                Err(StsFetchFault::Redirected(*status))
            }
            Fetched::Page { status, .. } => Err(StsFetchFault::Status(*status)),
        }
    }
}

impl StsFetchFault {
    /// As reports to the domain have it (RFC 8460 §4.3.2.2).
    pub fn failure(&self) -> TlsFailure {
        match self {
            Self::Certificate(_) => TlsFailure::StsWebpkiInvalid,
            Self::Unread(_) => TlsFailure::StsPolicyInvalid,
            Self::NoAnswer(_) | Self::Redirected(_) | Self::Status(_) | Self::MediaType(_) => {
                TlsFailure::StsPolicyFetchError
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &[u8] = b"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\n";

    fn page(status: u16, media_type: &str, body: &[u8]) -> Fetched {
        let location = Box::default();
        Fetched::Page { status, media_type: media_type.into(), location, body: body.into() }
    }

    #[test]
    fn only_a_plain_text_that_is_there_is_a_policy() {
        assert!(StsPolicy::of_answer(&page(200, "text/plain", POLICY)).is_ok());
        for (answer, failure) in [
            (page(200, "text/html", POLICY), "sts-policy-fetch-error"),
            (page(301, "text/plain", POLICY), "sts-policy-fetch-error"),
            (page(404, "text/plain", POLICY), "sts-policy-fetch-error"),
            (page(200, "text/plain", b"mode: enforce"), "sts-policy-invalid"),
            (Fetched::Failed(FetchFailure::TooLarge), "sts-policy-fetch-error"),
            (Fetched::Failed(FetchFailure::Certificate("expired".into())), "sts-webpki-invalid"),
        ] {
            let fault = StsPolicy::of_answer(&answer).unwrap_err();
            assert_eq!(fault.failure().as_str(), failure, "{fault}");
        }
    }
}
