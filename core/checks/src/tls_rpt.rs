//! Where a domain wants to hear of hosts that could not be encrypted to as they should
//! (SMTP TLS Reporting, RFC 8460).

use crate::dns::Name;
use crate::mta_sts::begins;

/// The record (§3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsRptRecord {
    /// Where reports go, in the order of the record.
    pub reports: Vec<ReportAddress>,
}

/// Where a report goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportAddress {
    /// By mail, to this address, without `mailto:`.
    Mail(Box<str>),
    /// By HTTPS, to this URL.
    Web(Box<str>),
}

/// Why there is no record to go by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsRptFault {
    /// None begins as one does.
    #[error("there is no record that begins with `v=TLSRPTv1;`")]
    Missing,
    /// More than one: then there is none (§3).
    #[error("there is more than one record that begins with `v=TLSRPTv1;`, so that none counts")]
    Many,
    /// Something between the semicolons that is no field.
    #[error("something between its semicolons is no `name=value`")]
    Field,
    /// No `rua=`.
    #[error("rua= is missing")]
    NoAddress,
    /// An address that is neither of mail nor of the web.
    #[error("rua= has `{0}`, which is neither `mailto:` and an address nor `https://`")]
    Address(Box<str>),
}

/// Addresses that are looked at. Chosen, not measured.
const ADDRESSES_MAX: usize = 20;

impl TlsRptRecord {
    /// The one record among the texts at `_smtp._tls` below a domain.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> Result<Self, TlsRptFault> {
        let mut records = texts.into_iter().filter(|text| begins(text, "v=TLSRPTv1"));
        let first = records.next().ok_or(TlsRptFault::Missing)?;
        if records.next().is_some() {
            return Err(TlsRptFault::Many);
        }
        Self::parse(first)
    }

    fn parse(text: &[u8]) -> Result<Self, TlsRptFault> {
        let text = std::str::from_utf8(text).map_err(|_| TlsRptFault::Field)?;
        let mut addresses = None;
        for piece in text.split(';').skip(1).map(str::trim).filter(|piece| !piece.is_empty()) {
            let (name, value) = piece.split_once('=').ok_or(TlsRptFault::Field)?;
            if name.trim() == "rua" && addresses.is_none() {
                addresses = Some(value);
            }
        }
        let addresses = addresses.ok_or(TlsRptFault::NoAddress)?;
        let reports = addresses.split(',').take(ADDRESSES_MAX).map(ReportAddress::parse);
        Ok(Self { reports: reports.collect::<Result<_, _>>()? })
    }

    /// Where the record of a domain is.
    pub fn name_of(domain: &Name) -> Option<Name> {
        Name::parse(&format!("_smtp._tls.{domain}")).ok()
    }
}

impl ReportAddress {
    fn parse(text: &str) -> Result<Self, TlsRptFault> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'!');
        if let (Some(_), Some(address)) = (lower.strip_prefix("mailto:"), text.get(7..))
            && address.split_once('@').is_some_and(|(l, d)| !l.is_empty() && Name::parse(d).is_ok())
            && is_plain
        {
            return Ok(Self::Mail(address.into()));
        }
        let host = lower.strip_prefix("https://").map(|rest| rest.split(['/', '?', ':']).next());
        if host.flatten().is_some_and(|host| Name::parse(host).is_ok()) && is_plain {
            return Ok(Self::Web(text.into()));
        }
        Err(TlsRptFault::Address(text.chars().take(60).collect::<String>().into()))
    }
}

/// Why a session was not as the receiving domain asks (§4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The host does not offer STARTTLS.
    StartTlsNotSupported,
    /// Its certificate is for another name.
    CertificateHostMismatch,
    /// Its certificate has expired.
    CertificateExpired,
    /// Nobody that is believed vouches for its certificate.
    CertificateNotTrusted,
    /// Anything else.
    ValidationFailure,
    /// Its TLSA records do not name its certificate, or cannot be read.
    TlsaInvalid,
    /// The signatures in the DNS are bogus.
    DnssecInvalid,
    /// TLSA records are asked for, and there are none that are signed.
    DaneRequired,
    /// The policy could not be fetched.
    StsPolicyFetchError,
    /// The policy could not be read.
    StsPolicyInvalid,
    /// The web server's certificate is not believed.
    StsWebpkiInvalid,
}

impl TlsFailure {
    /// As reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartTlsNotSupported => "starttls-not-supported",
            Self::CertificateHostMismatch => "certificate-host-mismatch",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotTrusted => "certificate-not-trusted",
            Self::ValidationFailure => "validation-failure",
            Self::TlsaInvalid => "tlsa-invalid",
            Self::DnssecInvalid => "dnssec-invalid",
            Self::DaneRequired => "dane-required",
            Self::StsPolicyFetchError => "sts-policy-fetch-error",
            Self::StsPolicyInvalid => "sts-policy-invalid",
            Self::StsWebpkiInvalid => "sts-webpki-invalid",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(texts: &[&str]) -> Result<Vec<ReportAddress>, TlsRptFault> {
        TlsRptRecord::of(texts.iter().map(|text| text.as_bytes())).map(|record| record.reports)
    }

    #[test]
    fn a_record_says_where_reports_go() {
        // RFC 8460 §3.1.1 and §3.1.2, the examples.
        let mail = ReportAddress::Mail("reports@example.com".into());
        assert_eq!(record(&["v=TLSRPTv1;rua=mailto:reports@example.com"]), Ok(vec![mail.clone()]));
        let web = ReportAddress::Web("https://reporting.example.com/v1/tlsrpt".into());
        let text = "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt";
        assert_eq!(record(&[text]), Ok(vec![web.clone()]));
        let both = "v=TLSRPTv1; x=y; rua=https://reporting.example.com/v1/tlsrpt , \
                    mailto:reports@example.com;";
        assert_eq!(record(&["other", both]), Ok(vec![web, mail]));
    }

    #[test]
    fn a_record_that_cannot_be_read_is_none() {
        use TlsRptFault::{Address, Field, Many, Missing, NoAddress};
        let one = "v=TLSRPTv1; rua=mailto:a@b.example";
        for (texts, fault) in [
            (&[][..], Missing),
            (&["v=TLSRPTv2; rua=mailto:a@b.example"], Missing),
            (&["v=TLSRPTv1"], Missing),
            (&[one, one], Many),
            (&["v=TLSRPTv1; rua"], Field),
            (&["v=TLSRPTv1; x=y"], NoAddress),
            (&["v=TLSRPTv1; rua="], Address("".into())),
            (&["v=TLSRPTv1; rua=a@b.example"], Address("a@b.example".into())),
            (&["v=TLSRPTv1; rua=mailto:nobody"], Address("mailto:nobody".into())),
            (&["v=TLSRPTv1; rua=http://b.example"], Address("http://b.example".into())),
            (&["v=TLSRPTv1; rua=mailto:a@b.example!10m"], Address("mailto:a@b.example!10m".into())),
        ] {
            assert_eq!(record(texts), Err(fault), "{texts:?}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_a_record_or_none(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = TlsRptRecord::of([text.as_slice()]);
            let mut behind = b"v=TLSRPTv1; rua=".to_vec();
            behind.extend(text);
            let _ = TlsRptRecord::of([behind.as_slice()]);
        }
    }
}
