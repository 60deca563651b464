//! A key as it is published (RFC 6376 §3.6.1, RFC 8463 §4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::der;
use crate::dns::Name;

use super::signature::{Algorithm, Signature};
use super::tags::{TagFault, Tags, colons, without_blanks};

/// A key record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// `k=`
    pub kind: KeyKind,
    /// `p=`, decoded: for RSA the key in DER (RFC 8017 or with its algorithm, RFC 5280), for
    /// Ed25519 its 32 octets.
    pub key: Vec<u8>,
    /// `t=y`: the domain only tries it out.
    pub is_testing: bool,
    /// `t=s`: the identity must be of the very domain, and of none below it.
    pub is_strict: bool,
    /// How long the key is, in bits; none if that cannot be read.
    pub bits: Option<u32>,
}

/// What sort of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `rsa`
    Rsa,
    /// `ed25519`
    Ed25519,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// It is no list of tags.
    #[error("the record {0}")]
    Tags(#[from] TagFault),
    /// Another version than `DKIM1`, or not in front.
    #[error("v= is not DKIM1, or does not stand in front")]
    Version,
    /// A kind of key that there is not.
    #[error("k= is neither rsa nor ed25519")]
    Kind,
    /// No key.
    #[error("p= is missing")]
    Missing,
    /// An empty key: it was taken back.
    #[error("p= is empty: the key was revoked")]
    Revoked,
    /// It cannot be decoded.
    #[error("p= is not base 64, or no such key")]
    Key,
    /// It is not for mail.
    #[error("s= does not allow mail")]
    Service,
    /// Not for this sort of hash.
    #[error("h= does not allow this hash")]
    Hash,
}

impl KeyRecord {
    /// Reads a record.
    pub fn parse(text: &[u8]) -> Result<Self, KeyFault> {
        let tags = Tags::parse(text)?;
        if let Some(version) = tags.get("v")
            && (version != "DKIM1" || tags.first() != Some("v"))
        {
            return Err(KeyFault::Version);
        }
        let kind = match tags.get("k").map(str::to_ascii_lowercase).as_deref() {
            None | Some("rsa") => KeyKind::Rsa,
            Some("ed25519") => KeyKind::Ed25519,
            Some(_) => return Err(KeyFault::Kind),
        };
        if !tags.get("s").is_none_or(|s| colons(s).any(|s| s == "*" || s == "email")) {
            return Err(KeyFault::Service);
        }
        if !tags.get("h").is_none_or(|h| colons(h).any(|h| h.eq_ignore_ascii_case("sha256"))) {
            return Err(KeyFault::Hash);
        }
        let key = without_blanks(tags.get("p").ok_or(KeyFault::Missing)?);
        if key.is_empty() {
            return Err(KeyFault::Revoked);
        }
        let key = STANDARD.decode(key).map_err(|_| KeyFault::Key)?;
        let bits = match kind {
            KeyKind::Rsa => rsa_bits(&key),
            KeyKind::Ed25519 if key.len() == 32 => Some(256),
            KeyKind::Ed25519 => return Err(KeyFault::Key),
        };
        let flag = |flag| tags.get("t").is_some_and(|t| colons(t).any(|t| t == flag));
        Ok(Self { kind, key, is_testing: flag("y"), is_strict: flag("s"), bits })
    }

    /// Whether this key may have made that signature, as far as their tags tell.
    pub(super) fn fits(&self, signature: &Signature) -> bool {
        let kind = match signature.algorithm {
            Algorithm::RsaSha256 | Algorithm::RsaSha1 => KeyKind::Rsa,
            Algorithm::Ed25519Sha256 => KeyKind::Ed25519,
        };
        let identity = signature.identity.as_deref().and_then(|identity| identity.rsplit_once('@'));
        let same = identity
            .is_none_or(|(_, domain)| Name::of_mail(domain).as_ref() == Ok(&signature.domain));
        self.kind == kind && (same || !self.is_strict)
    }
}

/// The length of an RSA key: of the first number in it, whichever form it has (RFC 8017
/// §A.1.1, RFC 5280 §4.1.2.7).
fn rsa_bits(key: &[u8]) -> Option<u32> {
    let (content, _) = der::value(key, 0x30)?;
    let numbers = match der::value(content, 0x30) {
        Some((_, rest)) => {
            let (bits, _) = der::value(rest, 0x03)?;
            der::value(bits.get(1..)?, 0x30)?.0
        }
        None => content,
    };
    let (modulus, _) = der::value(numbers, 0x02)?;
    let zeros = modulus.iter().take_while(|octet| **octet == 0).count();
    let modulus = &modulus[zeros..];
    let first = modulus.first()?;
    u32::try_from(modulus.len() * 8).ok()?.checked_sub(first.leading_zeros())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The key of RFC 6376 §C.2, and that of RFC 8463 §A.2.
    const RSA: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR\
        iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+\
        yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
    const ED25519: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn a_key_says_how_long_it_is() {
        assert_eq!(KeyRecord::parse(RSA.as_bytes()).unwrap().bits, Some(1024));
        assert_eq!(KeyRecord::parse(ED25519.as_bytes()).unwrap().bits, Some(256));
    }

    #[test]
    fn a_strict_key_takes_an_identity_of_its_domain_in_either_spelling() {
        let key = KeyRecord::parse(format!("t=s; {ED25519}").replace("v=DKIM1; ", "").as_bytes());
        let signed = |d: &str, i: &str| {
            let tags = "v=1; a=ed25519-sha256; s=k; h=from; bh=AAAA; b=AAAA";
            Signature::parse(format!("{tags}; d={d}; i={i}").as_bytes()).unwrap()
        };
        let key = key.unwrap();
        assert!(key.fits(&signed("xn--bcher-kva.example", "jö@Bücher.example")));
        assert!(key.fits(&signed("bücher.example", "@xn--bcher-kva.example")));
        assert!(!key.fits(&signed("bücher.example", "@post.bücher.example")));
    }

    #[test]
    fn a_key_that_cannot_be_used_says_why() {
        let parse = |text: &str| KeyRecord::parse(text.as_bytes()).unwrap_err();
        assert_eq!(parse("v=DKIM1; p="), KeyFault::Revoked);
        assert_eq!(parse("v=DKIM1"), KeyFault::Missing);
        assert_eq!(parse("v=DKIM2; p=AAAA"), KeyFault::Version);
        assert_eq!(parse("p=AAAA; v=DKIM1"), KeyFault::Version);
        assert_eq!(parse("k=dsa; p=AAAA"), KeyFault::Kind);
        assert_eq!(parse("s=tlsrpt; p=AAAA"), KeyFault::Service);
        assert_eq!(parse("h=sha1; p=AAAA"), KeyFault::Hash);
        assert_eq!(parse("k=ed25519; p=AAAA"), KeyFault::Key);
    }

    proptest! {
        #[test]
        fn any_octets_have_a_length_or_none(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = rsa_bits(&octets);
        }
    }
}
