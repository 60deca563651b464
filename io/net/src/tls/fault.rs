//! Why a session was not encrypted as it should be, in words and as reports count it.

use std::io;

use postlane_checks::tls_rpt::TlsFailure;
use rustls::{CertificateError, Error};

/// Why a session was not encrypted as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFault {
    /// As reports have it (RFC 8460 §4.3).
    pub failure: TlsFailure,
    /// In words.
    pub why: Box<str>,
}

impl TlsFault {
    /// A handshake that failed.
    pub(crate) fn of_handshake(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        let failure = inner.map_or(TlsFailure::ValidationFailure, failure);
        Self { failure, why: inner.map_or_else(|| error.to_string(), words).into() }
    }

    /// A certificate that was accepted and proves nothing.
    pub(crate) fn of_certificate(error: &Error) -> Self {
        Self { failure: failure(error), why: words(error).into() }
    }
}

/// What is wrong, for people: since when, rather than two numbers of seconds since 1970.
pub(crate) fn words(error: &Error) -> String {
    let Error::InvalidCertificate(why) = error else { return error.to_string() };
    match why {
        CertificateError::ExpiredContext { time, not_after } => {
            let since = time.as_secs().saturating_sub(not_after.as_secs());
            format!("invalid peer certificate: expired {} ago", span(since))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let until = not_before.as_secs().saturating_sub(time.as_secs());
            format!("invalid peer certificate: not valid for another {}", span(until))
        }
        _ => error.to_string(),
    }
}

/// Whole days, or hours where it is less than two days.
fn span(seconds: u64) -> String {
    const HOUR: u64 = 3600;
    match seconds / HOUR {
        0 => "less than an hour".to_owned(),
        1 => "1 hour".to_owned(),
        hours @ 2..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

fn failure(error: &Error) -> TlsFailure {
    use CertificateError as Bad;
    let Error::InvalidCertificate(why) = error else { return TlsFailure::ValidationFailure };
    match why {
        Bad::Expired | Bad::ExpiredContext { .. } => TlsFailure::CertificateExpired,
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            TlsFailure::CertificateHostMismatch
        }
        _ => TlsFailure::CertificateNotTrusted,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls_pki_types::UnixTime;

    use super::*;

    #[test]
    fn how_long_a_certificate_has_been_over_is_told_in_days_and_hours() {
        let at = |seconds: u64| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let over = |seconds: u64| {
            let (time, not_after) = (at(1_790_812_800 + seconds), at(1_790_812_800));
            let why = CertificateError::ExpiredContext { time, not_after };
            TlsFault::of_certificate(&Error::InvalidCertificate(why))
        };
        for (seconds, ago) in [
            (59, "less than an hour"),
            (3600, "1 hour"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
            (4_587_651, "53 days"),
        ] {
            let fault = over(seconds);
            assert_eq!(*fault.why, *format!("invalid peer certificate: expired {ago} ago"));
            assert_eq!(fault.failure.as_str(), "certificate-expired");
        }
        let early = CertificateError::NotValidYetContext { time: at(0), not_before: at(7200) };
        assert!(
            words(&Error::InvalidCertificate(early)).ends_with("not valid for another 2 hours")
        );
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_counted_as_the_rfc_has_it() {
        let of = |why| TlsFault::of_certificate(&Error::InvalidCertificate(why)).failure.as_str();
        assert_eq!(of(CertificateError::Expired), "certificate-expired");
        assert_eq!(of(CertificateError::NotValidForName), "certificate-host-mismatch");
        assert_eq!(of(CertificateError::UnknownIssuer), "certificate-not-trusted");
        let other = TlsFault::of_handshake(&io::Error::other(Error::HandshakeNotComplete));
        assert_eq!(other.failure.as_str(), "validation-failure");
        assert_eq!(TlsFault::of_handshake(&io::ErrorKind::TimedOut.into()).failure, other.failure);
    }
}
