//! Whether a key has signed a certificate (RFC 5280 §4.1.1.3).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};

use crate::der;

/// Whether this key, as a certificate has it (RFC 5280 §4.1.2.7), has signed that certificate, in
/// DER. False as well where the kind of signature is not one that TLS goes by today.
pub(crate) fn is_signed_by(certificate: &[u8], public_key: &[u8]) -> bool {
    let Some((signed, kind, signature)) = parts(certificate) else { return false };
    let algorithms = algorithms(kind);
    let verifies = |algorithm: &&'static dyn VerificationAlgorithm| {
        UnparsedPublicKey::new(*algorithm, public_key).verify(signed, signature).is_ok()
    };
    algorithms.iter().any(verifies)
}

/// What is signed, the kind of signature, and the signature.
fn parts(certificate: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (certificate, _) = der::value(certificate, 0x30)?;
    let (signed, rest) = der::encoded(certificate, 0x30)?;
    let (kind, rest) = der::value(rest, 0x30)?;
    let (kind, _) = der::value(kind, 0x06)?;
    let (bits, _) = der::value(rest, 0x03)?;
    // The first octet counts bits that are not used: none.
    Some((signed, kind, bits.strip_prefix(&[0])?))
}

/// How a kind of signature is checked. That of an elliptic curve does not say which one.
fn algorithms(kind: &[u8]) -> &'static [&'static dyn VerificationAlgorithm] {
    match kind {
        // RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b] => &[&RSA_PKCS1_2048_8192_SHA256],
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c] => &[&RSA_PKCS1_2048_8192_SHA384],
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d] => &[&RSA_PKCS1_2048_8192_SHA512],
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02] => {
            &[&ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA256_ASN1]
        }
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03] => {
            &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P256_SHA384_ASN1]
        }
        [0x2b, 0x65, 0x70] => &[&ED25519],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{
        CertificateParams, CertifiedIssuer, KeyPair, PKCS_ECDSA_P256_SHA256,
        PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData as _,
    };

    use super::*;

    #[test]
    fn a_key_has_signed_what_it_has_signed_and_nothing_else() {
        for kind in
            [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256]
        {
            let key = KeyPair::generate_for(kind).unwrap();
            let public = key.subject_public_key_info();
            let params = CertificateParams::new(Vec::new()).unwrap();
            let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
            let host = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["mx.example.com".to_owned()]).unwrap();
            let certificate = params.signed_by(&host, &issuer).unwrap();
            assert!(is_signed_by(certificate.der(), &public), "{kind:?}");
            assert!(!is_signed_by(certificate.der(), &host.subject_public_key_info()), "{kind:?}");
            let mut forged = certificate.der().to_vec();
            let middle = forged.len() / 2;
            forged[middle] ^= 1;
            assert!(!is_signed_by(&forged, &public), "{kind:?}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_signed_or_not(
            certificate in prop::collection::vec(any::<u8>(), 0..200),
            key in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            prop_assert!(!is_signed_by(&certificate, &key));
        }
    }
}
