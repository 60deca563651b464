//! Certificates that a domain names in the DNS (TLSA, RFC 6698), as mail goes by them (RFC 7672).
//!
//! A record counts only where a resolver that can be trusted has checked its signatures; that is
//! for the caller to look at. Records that mail does not go by are unusable, and a host that has
//! only such is encrypted to without asking who it is (RFC 7672 §2.2).

use std::fmt;

use aws_lc_rs::digest;

use crate::certificate::{Certificate, is_signed_by};
use crate::dns::Name;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsaRecord {
    /// What sort of certificate is meant: 2 an authority's, 3 the host's own; 0 and 1, which ask
    /// for a public authority beside, are not for mail (RFC 7672 §3.1.3).
    pub usage: u8,
    /// What of it: 0 all, 1 the key.
    pub selector: u8,
    /// How it is written: 0 as it is, 1 SHA-256, 2 SHA-512.
    pub matching: u8,
    /// What it must be.
    pub association: Box<[u8]>,
}

/// An authority that the domain names itself (RFC 6698 §2.1.1).
const TRUST_ANCHOR: u8 = 2;

/// The host's own certificate or key.
const END_ENTITY: u8 = 3;

/// Records of one host that are looked at. Chosen, not measured: two are enough to change keys.
const RECORDS_MAX: usize = 32;

/// Certificates of one chain that are looked at. Chosen, not measured.
const CHAIN_MAX: usize = 10;

/// Authorities in records whose signatures are looked for: each costs an operation for each
/// certificate of the chain. Chosen, not measured.
const PUBLISHED_MAX: usize = 4;

/// The records of a host, sorted by use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TlsaSet {
    /// Those that mail goes by.
    pub usable: Vec<TlsaRecord>,
    /// Those that it does not.
    pub unusable: Vec<TlsaRecord>,
}

/// What a host's certificates are to its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The host's own certificate is named: it is the host, whatever name and dates the
    /// certificate has (RFC 7672 §3.1.1).
    EndEntity,
    /// Authorities are named, at these places of the chain: the chain must lead up to one of
    /// them, and the host's certificate be for its name and not have expired (§3.1.2).
    TrustAnchor(Vec<usize>),
    /// No authority that the host shows is named, but one whose certificate or key stands in a
    /// record as it is has signed one of its certificates: hosts need not show such an authority
    /// (RFC 7671 §5.2.1, §5.2.2). What holds of [`Self::TrustAnchor`] holds here, too.
    Published,
    /// None is.
    Nothing,
}

impl TlsaRecord {
    /// Reads what a record holds (RFC 6698 §2.1); none if it is too short for one.
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let [usage, selector, matching, association @ ..] = octets else { return None };
        let association = association.into();
        Some(Self { usage: *usage, selector: *selector, matching: *matching, association })
    }

    /// What a record holds, as it goes over the wire.
    pub fn octets(&self) -> Vec<u8> {
        let mut octets = vec![self.usage, self.selector, self.matching];
        octets.extend(&self.association);
        octets
    }

    /// Where the records of a host are that takes mail at port 25.
    pub fn name_of(host: &Name) -> Option<Name> {
        Name::parse(&format!("_25._tcp.{host}")).ok()
    }

    /// The record that names this key: `3 1 1`, what RFC 7672 §3.1 recommends.
    pub fn of_key(certificate: &Certificate<'_>) -> Self {
        let association = digest::digest(&digest::SHA256, certificate.public_key);
        let association = association.as_ref().into();
        Self { usage: END_ENTITY, selector: 1, matching: 1, association }
    }

    /// Whether mail goes by it.
    pub fn is_usable(&self) -> bool {
        let length = match self.matching {
            0 => !self.association.is_empty(),
            1 => self.association.len() == 32,
            2 => self.association.len() == 64,
            _ => false,
        };
        length && self.selector <= 1 && matches!(self.usage, TRUST_ANCHOR | END_ENTITY)
    }

    /// The key of an authority that is in the record as it is, or whose certificate is.
    pub fn published_key(&self) -> Option<&[u8]> {
        match (self.usage, self.selector, self.matching) {
            (TRUST_ANCHOR, 0, 0) => Some(Certificate::parse(&self.association)?.public_key),
            (TRUST_ANCHOR, 1, 0) => Some(&self.association),
            _ => None,
        }
    }

    /// Whether it names this certificate, in DER.
    pub fn names(&self, certificate: &[u8]) -> bool {
        let selected = match self.selector {
            0 => Some(certificate),
            1 => Certificate::parse(certificate).map(|certificate| certificate.public_key),
            _ => None,
        };
        let Some(selected) = selected else { return false };
        match self.matching {
            0 => *self.association == *selected,
            1 => *self.association == *digest::digest(&digest::SHA256, selected).as_ref(),
            2 => *self.association == *digest::digest(&digest::SHA512, selected).as_ref(),
            _ => false,
        }
    }
}

impl TlsaSet {
    /// Sorts records by use. Where one thing is named by a stronger and a weaker hash, the weaker
    /// does not count (RFC 7671 §9).
    pub fn of(records: impl IntoIterator<Item = TlsaRecord>) -> Self {
        let records = records.into_iter().take(RECORDS_MAX);
        let (mut usable, mut unusable): (Vec<_>, Vec<_>) = records.partition(TlsaRecord::is_usable);
        let strong: Vec<(u8, u8)> = usable
            .iter()
            .filter(|record| record.matching == 2)
            .map(|record| (record.usage, record.selector))
            .collect();
        usable.retain(|record| {
            let is_weak = record.matching == 1 && strong.contains(&(record.usage, record.selector));
            if is_weak {
                unusable.push(record.clone());
            }
            !is_weak
        });
        Self { usable, unusable }
    }

    /// Whether the host has records at all: then it must be encrypted to.
    pub fn is_empty(&self) -> bool {
        self.usable.is_empty() && self.unusable.is_empty()
    }

    /// What a host's certificates are to its records, its own first, all in DER.
    pub fn held(&self, chain: &[&[u8]]) -> Held {
        let Some(own) = chain.first() else { return Held::Nothing };
        let with = |usage| self.usable.iter().filter(move |record| record.usage == usage);
        if with(END_ENTITY).any(|record| record.names(own)) {
            return Held::EndEntity;
        }
        let chain = chain.iter().take(CHAIN_MAX);
        let anchors: Vec<usize> = chain
            .clone()
            .enumerate()
            .filter(|(_, certificate)| with(TRUST_ANCHOR).any(|record| record.names(certificate)))
            .map(|(at, _)| at)
            .collect();
        if !anchors.is_empty() {
            return Held::TrustAnchor(anchors);
        }
        let keys = self.usable.iter().filter_map(TlsaRecord::published_key).take(PUBLISHED_MAX);
        let signs = |key: &[u8]| chain.clone().any(|certificate| is_signed_by(certificate, key));
        if keys.into_iter().any(signs) { Held::Published } else { Held::Nothing }
    }
}

impl fmt::Display for TlsaRecord {
    /// As a zone file has it: `3 1 1` and hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.association.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;

    fn certificate() -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["mx.example.com".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn record(usage: u8, selector: u8, matching: u8, of: &[u8]) -> TlsaRecord {
        let read = Certificate::parse(of).unwrap();
        let selected = if selector == 0 { of } else { read.public_key };
        let association: Box<[u8]> = match matching {
            0 => selected.into(),
            1 => digest::digest(&digest::SHA256, selected).as_ref().into(),
            _ => digest::digest(&digest::SHA512, selected).as_ref().into(),
        };
        TlsaRecord { usage, selector, matching, association }
    }

    #[test]
    fn a_record_is_written_as_the_rfc_has_it() {
        // RFC 6698 §2.3, the first example.
        let text = "0 0 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971";
        let digits = text.rsplit_once(' ').unwrap().1;
        let mut octets = vec![0, 0, 1];
        octets
            .extend((0..32).map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap()));
        let record = TlsaRecord::parse(&octets).unwrap();
        assert_eq!(record.to_string(), text);
        assert_eq!(record.octets(), octets);
        // Public authorities beside the DNS are not for mail (RFC 7672 §3.1.3).
        assert!(!record.is_usable());
        assert_eq!(TlsaRecord::parse(&[3, 1]), None);
    }

    #[test]
    fn every_way_to_name_a_certificate_names_it_and_no_other() {
        let (own, other) = (certificate(), certificate());
        for usage in [2, 3] {
            for selector in [0, 1] {
                for matching in [0, 1, 2] {
                    let record = record(usage, selector, matching, &own);
                    assert!(record.is_usable() && record.names(&own), "{record}");
                    assert!(!record.names(&other), "{record}");
                }
            }
        }
    }

    #[test]
    fn the_hosts_own_certificate_comes_before_authorities() {
        let (own, authority) = (certificate(), certificate());
        let chain = [own.as_slice(), authority.as_slice()];
        let both = TlsaSet::of([record(2, 0, 1, &authority), record(3, 1, 1, &own)]);
        assert_eq!(both.held(&chain), Held::EndEntity);
        let one = TlsaSet::of([record(2, 0, 1, &authority), record(3, 1, 1, &certificate())]);
        assert_eq!(one.held(&chain), Held::TrustAnchor(vec![1]));
        assert_eq!(TlsaSet::of([record(3, 1, 1, &authority)]).held(&chain), Held::Nothing);
        assert_eq!(both.held(&[]), Held::Nothing);
    }

    #[test]
    fn what_mail_does_not_go_by_is_set_apart() {
        let own = certificate();
        let short = TlsaRecord { association: [1; 31].into(), ..record(3, 1, 1, &own) };
        let empty = TlsaRecord { association: [].into(), ..record(3, 1, 0, &own) };
        let unknown = TlsaRecord { selector: 2, ..record(3, 1, 1, &own) };
        let public = TlsaRecord { usage: 1, ..record(3, 1, 1, &own) };
        let set = TlsaSet::of([short, empty, unknown, public]);
        assert_eq!((set.usable.len(), set.unusable.len()), (0, 4));
        assert!(!set.is_empty() && TlsaSet::of([]).is_empty());
    }

    #[test]
    fn the_weaker_hash_of_two_does_not_count() {
        let (own, old) = (certificate(), certificate());
        let set = TlsaSet::of([record(3, 1, 1, &own), record(3, 1, 2, &old)]);
        assert_eq!(set.held(&[&own]), Held::Nothing);
        assert_eq!(set.held(&[&old]), Held::EndEntity);
        // Of another selector it does.
        let set = TlsaSet::of([record(3, 0, 1, &own), record(3, 1, 2, &old)]);
        assert_eq!(set.held(&[&own]), Held::EndEntity);
    }

    /// RFC 7671 §5.2.1 and §5.2.2.
    #[test]
    fn an_authority_that_is_in_the_record_need_not_be_shown() {
        let authority = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
        };
        let (issuer, other) = (authority("one"), authority("one"));
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["mx.example.com".to_owned()]).unwrap();
        let own = params.signed_by(&key, &issuer).unwrap();
        for selector in [0, 1] {
            let held = |of: &[u8]| TlsaSet::of([record(2, selector, 0, of)]).held(&[own.der()]);
            assert_eq!(held(issuer.der()), Held::Published, "2 {selector} 0");
            assert_eq!(held(other.der()), Held::Nothing, "2 {selector} 0");
            // A hash alone is no key to check a signature with.
            let hashed = TlsaSet::of([record(2, selector, 1, issuer.der())]);
            assert_eq!(hashed.held(&[own.der()]), Held::Nothing);
            assert_eq!(hashed.held(&[own.der(), issuer.der()]), Held::TrustAnchor(vec![1]));
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_a_record_or_none(
            octets in prop::collection::vec(any::<u8>(), 0..80),
            certificate in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            if let Some(record) = TlsaRecord::parse(&octets) {
                prop_assert_eq!(record.octets(), octets);
                let is_named = record.names(&certificate);
                let held = TlsaSet::of([record]).held(&[&certificate]);
                prop_assert!(is_named || held == Held::Nothing);
            }
        }
    }
}
