//! Whom certificates are believed from, where they are judged and not only accepted.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;

use super::server::CertificateError;
use super::version::{Minimum, builder};

/// The system's certificate authorities, and others beside them.
#[derive(Clone)]
pub struct Trust {
    verifier: Arc<dyn ServerCertVerifier>,
}

impl Trust {
    /// The system's authorities and those of these files, PEM.
    pub fn with_roots(files: &[impl AsRef<Path>]) -> Result<Self, CertificateError> {
        let mut roots = Vec::new();
        for file in files {
            let path = file.as_ref();
            let unreadable =
                |why: String| CertificateError::NotUsable { path: path.display().to_string(), why };
            let pem = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
            let before = roots.len();
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                roots.push(certificate.map_err(|e| unreadable(e.to_string()))?);
            }
            if roots.len() == before {
                return Err(unreadable("it holds no certificate".to_owned()));
            }
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(roots, provider)
            .map_err(|e| CertificateError::no_authorities(&e))?;
        Ok(Self { verifier: Arc::new(verifier) })
    }

    /// To encrypt with who can prove to be whom they are called.
    pub fn client(&self) -> Arc<ClientConfig> {
        self.client_of(Minimum::V12)
    }

    /// The same, with no older TLS than this.
    pub(crate) fn client_of(&self, minimum: Minimum) -> Arc<ClientConfig> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = builder(&provider, minimum)
            .dangerous()
            .with_custom_certificate_verifier(self.verifier.clone())
            .with_no_client_auth();
        Arc::new(config)
    }

    /// Why a chain, the host's own certificate first, does not prove that it is this host; none
    /// where it does.
    pub(crate) fn distrust(
        &self,
        chain: &[CertificateDer<'_>],
        host: &ServerName<'_>,
    ) -> Option<rustls::Error> {
        let Some((own, rest)) = chain.split_first() else {
            return Some(rustls::Error::NoCertificatesPresented);
        };
        self.verifier.verify_server_cert(own, rest, host, &[], UnixTime::now()).err()
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}
