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
        Self { failure, why: error.to_string().into() }
    }

    /// A certificate that was accepted and proves nothing.
    pub(crate) fn of_certificate(error: &Error) -> Self {
        Self { failure: failure(error), why: error.to_string().into() }
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
    use super::*;

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
