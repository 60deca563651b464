//! Keys as the DNS has them, held against what they are said to have signed.

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey, VerificationAlgorithm,
};

use crate::dns::Answer;

use super::key::{KeyFault, KeyKind, KeyRecord};
use super::place::AtSelector;
use super::signature::Algorithm;
use super::why::Why;

/// The keys of an answer, each as far as it can be read.
pub(crate) fn published(answer: Option<&Answer>) -> Result<Vec<Result<KeyRecord, KeyFault>>, Why> {
    match AtSelector::read(answer.ok_or(Why::KeyName)?) {
        AtSelector::One(_, key) => Ok(vec![key]),
        AtSelector::Several(keys) => Ok(keys),
        AtSelector::Nothing => Err(Why::NoKey),
        AtSelector::Open(failure) => Err(Why::Lookup(failure)),
    }
}

/// Whether a key is an RSA key that is too short for anybody (RFC 8301 §3.2).
pub(crate) fn is_short(key: &KeyRecord) -> bool {
    key.kind == KeyKind::Rsa && key.bits.is_some_and(|bits| bits < 1024)
}

/// Whether a key has signed these octets.
pub(crate) fn is_good(algorithm: Algorithm, key: &KeyRecord, octets: &[u8], signed: &[u8]) -> bool {
    let verify = |by: &'static dyn VerificationAlgorithm, octets: &[u8]| {
        UnparsedPublicKey::new(by, &key.key).verify(octets, signed).is_ok()
    };
    match algorithm {
        Algorithm::RsaSha256 => verify(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, octets),
        Algorithm::RsaSha1 => verify(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, octets),
        // What is signed is the hash (RFC 8463 §3).
        Algorithm::Ed25519Sha256 => verify(&ED25519, digest::digest(&SHA256, octets).as_ref()),
    }
}
