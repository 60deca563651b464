//! What a host's certificate says, as far as checks look at it (RFC 5280 §4.1). Whether public
//! authorities vouch for it is found out elsewhere.

mod signed;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::der;

pub(crate) use signed::is_signed_by;

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// The key with its algorithm, as it is encoded: what a TLSA record with selector 1 is about
    /// (RFC 6698 §2.1.2).
    pub public_key: &'a [u8],
    /// The name of whoever is said to have signed it, as it is encoded.
    pub issuer: &'a [u8],
    /// Good from this moment, in seconds since 1970.
    pub not_before: i64,
    /// Good until this moment, in seconds since 1970.
    pub not_after: i64,
    /// The hosts it is for (RFC 5280 §4.2.1.6), in lower case; `*.` in front stands for one label.
    pub names: Vec<Box<str>>,
    /// Issuer and subject are the same: nobody else vouches for it.
    pub is_self_issued: bool,
}

/// Names that are taken from one certificate. Chosen, not measured: authorities sign 100.
const NAMES_MAX: usize = 200;

/// Subject alternative name (RFC 5280 §4.2.1.6), encoded.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

impl<'a> Certificate<'a> {
    /// Reads a certificate in DER; none if it is no such thing.
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let (certificate, _) = der::value(octets, 0x30)?;
        let (signed, _) = der::value(certificate, 0x30)?;
        // The version stands in front of the serial number, or is left out.
        let rest = der::value(signed, 0xa0).map_or(signed, |(_, rest)| rest);
        let (_, rest) = der::value(rest, 0x02)?;
        let (_, rest) = der::value(rest, 0x30)?;
        let (issuer, rest) = der::encoded(rest, 0x30)?;
        let (validity, rest) = der::value(rest, 0x30)?;
        let (subject, rest) = der::encoded(rest, 0x30)?;
        let (public_key, rest) = der::encoded(rest, 0x30)?;
        let (not_before, until) = time(validity)?;
        let (not_after, _) = time(until)?;
        let names = names(rest).unwrap_or_default();
        let is_self_issued = issuer == subject;
        Some(Self { public_key, issuer, not_before, not_after, names, is_self_issued })
    }

    /// Whether it is good at this moment, in seconds since 1970.
    pub fn is_good_at(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// Whether it is for this host (RFC 6125 §6.4).
    pub fn is_for(&self, host: &str) -> bool {
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(label, rest)| {
                !label.is_empty() && rest.eq_ignore_ascii_case(parent)
            }),
            None => name.eq_ignore_ascii_case(host),
        })
    }
}

/// What a sequence in DER holds: a name, or a key with its algorithm, without its length (X.690
/// §8.9); none if it is no such thing.
pub fn sequence(octets: &[u8]) -> Option<&[u8]> {
    let (held, rest) = der::value(octets, 0x30)?;
    rest.is_empty().then_some(held)
}

/// A moment as certificates have it (RFC 5280 §4.1.2.5), and what stands behind it.
fn time(octets: &[u8]) -> Option<(i64, &[u8])> {
    let (tag, text, rest) = der::any(octets)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, text) = match tag {
        // Two digits: 1950 to 2049.
        0x17 if text.len() == 12 => {
            let year = text[..2].parse::<i16>().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
        }
        0x18 if text.len() == 14 => (text[..4].parse::<i16>().ok()?, &text[4..]),
        _ => return None,
    };
    let two = |at: usize| text[at..at + 2].parse::<i8>().ok();
    let moment = DateTime::new(year, two(0)?, two(2)?, two(4)?, two(6)?, two(8)?, 0).ok()?;
    Some((moment.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second(), rest))
}

/// The hosts among the alternative names, in what stands behind the key.
fn names(mut rest: &[u8]) -> Option<Vec<Box<str>>> {
    let extensions = loop {
        let (tag, held, behind) = der::any(rest)?;
        if tag == 0xa3 {
            break held;
        }
        rest = behind;
    };
    let (mut extensions, _) = der::value(extensions, 0x30)?;
    while let Some((extension, behind)) = der::value(extensions, 0x30) {
        extensions = behind;
        let (kind, rest) = der::value(extension, 0x06)?;
        if kind != ALTERNATIVE_NAMES {
            continue;
        }
        // Whether it is critical may stand in between.
        let rest = der::value(rest, 0x01).map_or(rest, |(_, rest)| rest);
        let (held, _) = der::value(rest, 0x04)?;
        let (mut held, _) = der::value(held, 0x30)?;
        let mut names = Vec::new();
        while let Some((tag, name, behind)) = der::any(held) {
            held = behind;
            // A host's name: [2], IA5String.
            if tag == 0x82
                && names.len() < NAMES_MAX
                && let Ok(name) = std::str::from_utf8(name)
            {
                names.push(name.to_ascii_lowercase().into());
            }
        }
        return Some(names);
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, PublicKeyData as _, date_time_ymd};

    use super::*;

    #[test]
    fn a_certificate_says_whom_it_is_for_and_how_long() {
        let key = KeyPair::generate().unwrap();
        let names = vec!["mx.example.com".to_owned(), "*.mail.example.com".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2060, 2, 3);
        let certificate = params.self_signed(&key).unwrap();
        let read = Certificate::parse(certificate.der()).unwrap();
        assert_eq!((read.not_before, read.not_after), (1_767_225_600, 2_842_992_000));
        assert_eq!(read.names.len(), 2);
        assert!(read.is_for("MX.example.com") && read.is_for("a.mail.example.com"));
        assert!(!read.is_for("a.b.mail.example.com") && !read.is_for("mail.example.com"));
        assert!(read.is_self_issued);
        assert_eq!(read.public_key, key.subject_public_key_info());
    }

    proptest! {
        #[test]
        fn any_octets_are_a_certificate_or_none(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            Certificate::parse(&octets);
            let mut nested = vec![0x30, 0x82, 0, octets.len() as u8];
            nested.extend(octets);
            Certificate::parse(&nested);
        }

        #[test]
        fn a_certificate_cut_or_changed_anywhere_is_read_without_harm(at in 0_usize..400, to: u8) {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["mx.example.com".to_owned()]).unwrap();
            let mut octets = params.self_signed(&key).unwrap().der().to_vec();
            Certificate::parse(&octets[..at.min(octets.len())]);
            if let Some(octet) = octets.get_mut(at) {
                *octet = to;
            }
            Certificate::parse(&octets);
        }
    }
}
