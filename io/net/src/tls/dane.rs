//! Hosts that prove who they are by records in the signed DNS, and not by public authorities
//! (DANE, RFC 7672).

use std::sync::Arc;

use postlane_checks::Name;
use postlane_checks::certificate::{Certificate, sequence};
use postlane_checks::tlsa::{Held, TlsaRecord, TlsaSet};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};

/// Keys of authorities in records that are tried. Chosen, not measured.
const KEYS_MAX: usize = 4;

/// Certificates of a chain that are looked at. Chosen, not measured.
const CHAIN_MAX: usize = 10;

/// A host, as the signed DNS knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DanePeer {
    /// What its records say.
    pub records: TlsaSet,
    /// Names that its certificate may be for, where an authority is named and not itself: its own,
    /// and that of the domain whose mail it takes (RFC 7672 §3.2.3).
    pub names: Vec<Name>,
}

/// Believes the certificates that a host's records name.
#[derive(Debug)]
pub(super) struct NamedCertificate {
    peer: DanePeer,
    provider: Arc<CryptoProvider>,
}

impl NamedCertificate {
    pub(super) fn new(peer: DanePeer, provider: Arc<CryptoProvider>) -> Self {
        Self { peer, provider }
    }

    /// Whether a chain leads up to one of these authorities, is for one of the names, and holds now.
    fn leads_up(
        &self,
        (anchors, keys): (Vec<CertificateDer<'_>>, Vec<TrustAnchor<'static>>),
        own: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut roots = RootCertStore::empty();
        for anchor in anchors {
            roots.add(anchor.into_owned())?;
        }
        roots.extend(keys);
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots.into(), self.provider.clone())
                .build()
                .map_err(|e| Error::General(e.to_string()))?;
        let mut failed = nothing_named();
        for name in &self.peer.names {
            let Ok(name) = ServerName::try_from(name.as_str()) else { continue };
            match verifier.verify_server_cert(own, rest, &name, &[], now) {
                Ok(verified) => return Ok(verified),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

fn nothing_named() -> Error {
    Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
}

/// An authority whose whole certificate is in the record, and that hosts need not show (RFC 7671
/// §5.2.2).
fn published(record: &TlsaRecord) -> Option<CertificateDer<'_>> {
    let is_whole = (record.usage, record.selector, record.matching) == (2, 0, 0);
    is_whole.then(|| CertificateDer::from(&*record.association))
}

/// Authorities of which only the key is in a record, and that hosts need not show (RFC 7671
/// §5.2.1): whoever is said to have signed a certificate of the chain may be one.
fn published_keys(records: &TlsaSet, chain: &[&[u8]]) -> Vec<TrustAnchor<'static>> {
    let is_key =
        |record: &&TlsaRecord| (record.usage, record.selector, record.matching) == (2, 1, 0);
    let mut anchors = Vec::new();
    for record in records.usable.iter().filter(is_key).take(KEYS_MAX) {
        let Some(key) = sequence(&record.association) else { continue };
        for certificate in chain.iter().take(CHAIN_MAX) {
            let Some(issuer) =
                Certificate::parse(certificate).and_then(|read| sequence(read.issuer))
            else {
                continue;
            };
            anchors.push(TrustAnchor {
                subject: issuer.to_vec().into(),
                subject_public_key_info: key.to_vec().into(),
                name_constraints: None,
            });
        }
    }
    anchors
}

impl ServerCertVerifier for NamedCertificate {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<&[u8]> = std::iter::once(own).chain(rest).map(AsRef::as_ref).collect();
        let held = self.peer.records.held(&chain);
        if held == Held::EndEntity {
            return Ok(ServerCertVerified::assertion());
        }
        let places = match &held {
            Held::TrustAnchor(places) => places.as_slice(),
            _ => &[],
        };
        let shown = places.iter().filter_map(|at| chain.get(*at));
        let shown = shown.map(|certificate| CertificateDer::from(*certificate));
        let published = self.peer.records.usable.iter().filter_map(published);
        let anchors: Vec<CertificateDer<'_>> = shown.chain(published).collect();
        let keys = published_keys(&self.peer.records, &chain);
        if anchors.is_empty() && keys.is_empty() {
            return Err(nothing_named());
        }
        self.leads_up((anchors, keys), own, rest, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PublicKeyData as _,
    };

    use super::*;

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// RFC 7671 §5.2.1 and §5.2.2: neither an authority's key nor its certificate must be shown
    /// where the record has it as it is.
    #[test]
    fn an_authority_that_is_in_the_record_need_not_be_shown() {
        let (ours, theirs) = (authority(), authority());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        for (selector, association) in
            [(0, ours.der().to_vec()), (1, ours.key().subject_public_key_info())]
        {
            let record =
                TlsaRecord { usage: 2, selector, matching: 0, association: association.into() };
            let names = vec![Name::parse("mx.example.net").unwrap()];
            let peer = DanePeer { records: TlsaSet::of([record]), names };
            let verifier = NamedCertificate::new(peer, provider.clone());
            for (issuer, name, good) in [
                (&ours, "mx.example.net", true),
                (&ours, "other.example.net", false),
                (&theirs, "mx.example.net", false),
            ] {
                let key = KeyPair::generate().unwrap();
                let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
                let own = params.signed_by(&key, issuer).unwrap();
                let any = ServerName::try_from("any.example").unwrap();
                let now = UnixTime::now();
                let verified = verifier.verify_server_cert(own.der(), &[], &any, &[], now);
                assert_eq!(verified.is_ok(), good, "2 {selector} 0, {name}: {verified:?}");
            }
        }
    }
}
