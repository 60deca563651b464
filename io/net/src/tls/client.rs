//! Encrypting what we send.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::dane::{DanePeer, NamedCertificate};
use super::server::CertificateError;
use super::trust::Trust;
use super::version::{Minimum, builder};

/// How a session is encrypted.
#[derive(Clone)]
pub struct ClientTls {
    pub(crate) config: Arc<ClientConfig>,
    /// Who looks at certificates that nothing depends on.
    pub(crate) witness: Option<Trust>,
}

impl ClientTls {
    /// Against those who only listen: any certificate will do, for there is none to expect
    /// (RFC 7435). The handshake's signature is checked all the same.
    pub fn opportunistic(minimum: Minimum) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let config = builder(&provider, minimum)
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(algorithms)))
            .with_no_client_auth();
        Self::of(config)
    }

    /// Against those who only listen, and the certificate is looked at all the same: what is wrong
    /// with it is told in the session's facts.
    pub fn witnessed(minimum: Minimum, trust: &Trust) -> Self {
        Self { witness: Some(trust.clone()), ..Self::opportunistic(minimum) }
    }

    /// Only with a certificate for the host's name from somebody who is trusted.
    pub fn proved(minimum: Minimum, trust: &Trust) -> Self {
        Self { config: trust.client_of(minimum), witness: None }
    }

    /// Only with a certificate that the host's signed records name (RFC 7672); with any where none
    /// of them can be gone by (§2.2).
    pub fn dane(minimum: Minimum, peer: DanePeer) -> Self {
        if peer.records.usable.is_empty() {
            return Self::opportunistic(minimum);
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = NamedCertificate::new(peer, provider.clone());
        let config = builder(&provider, minimum)
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Self::of(config)
    }

    fn of(config: ClientConfig) -> Self {
        Self { config: Arc::new(config), witness: None }
    }

    /// Only with a certificate for the host's name from an authority of the system, or of the
    /// given file.
    pub fn required(
        minimum: Minimum,
        authorities: Option<&Path>,
    ) -> Result<Self, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = builder(&provider, minimum);
        let Some(path) = authorities else {
            let config = builder
                .with_platform_verifier()
                .map_err(|e| CertificateError::no_authorities(&e))?;
            return Ok(Self::of(config.with_no_client_auth()));
        };
        let unreadable =
            |why: String| CertificateError::NotUsable { path: path.display().to_string(), why };
        let pem = fs::read(path).map_err(|e| unreadable(e.to_string()))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|e| unreadable(e.to_string()))?;
            roots.add(certificate).map_err(|e| unreadable(e.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unreadable("it holds no certificate".to_owned()));
        }
        Ok(Self::of(builder.with_root_certificates(roots).with_no_client_auth()))
    }

    /// With nobody: no certificate will do. For where authorities cannot be read, so that what
    /// must be proved is not sent without proof.
    pub fn believing_nobody(minimum: Minimum) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = RootCertStore::empty();
        let builder = builder(&provider, minimum).with_root_certificates(roots);
        Self::of(builder.with_no_client_auth())
    }
}

/// Believes any certificate, and checks that whoever holds it is there.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
