//! Encrypting what we take.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use postlane_smtp::server::TlsFacts;
use rustls::crypto::aws_lc_rs;
use rustls::{CommonState, Error, ProtocolVersion, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// A file with a certificate or key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// It cannot be read, or does not hold what it should.
    #[error("{path} cannot be used: {why}")]
    NotUsable {
        /// Where it is.
        path: String,
        /// Why not.
        why: String,
    },
    /// The system names no authority that could be believed.
    #[error(
        "the system's certificate authorities cannot be used: {why}: install them (Debian's package \
         ca-certificates), or name files with authorities in https.extra_roots"
    )]
    NoAuthorities {
        /// Why not.
        why: String,
    },
}

impl CertificateError {
    /// What is told where nothing could be proved to us.
    pub(super) fn no_authorities(error: &Error) -> Self {
        let why = match error {
            // What others prefix to it, "unexpected error", says nothing.
            Error::General(why) => why.clone(),
            other => other.to_string(),
        };
        Self::NoAuthorities { why }
    }
}

/// Reads a certificate chain and its key, both PEM.
pub fn server_config(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, CertificateError> {
    let unusable = |path: &Path, why: String| CertificateError::NotUsable {
        path: path.display().to_string(),
        why,
    };
    let pem = fs::read(chain).map_err(|e| unusable(chain, e.to_string()))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|e| unusable(chain, e.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable(chain, "it holds no certificate".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| unusable(key, e.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions")
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|e| unusable(key, format!("it does not fit the certificate: {e}")))?;
    Ok(Arc::new(config))
}

/// What was agreed in a handshake.
pub(crate) fn facts(connection: &CommonState) -> TlsFacts {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLS",
    };
    let suite = connection.negotiated_cipher_suite();
    let cipher = suite.and_then(|suite| suite.suite().as_str()).unwrap_or("unknown");
    TlsFacts { version, cipher: cipher.into() }
}
